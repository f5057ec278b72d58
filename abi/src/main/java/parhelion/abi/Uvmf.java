package parhelion.abi;

/**
 * Flags of {@code update_va_mapping} ({@code xen.h}). The low two bits say what to flush; where:
 * {@link #ALL} everywhere, 0 on this vcpu, anything else is the address of a vcpu mask.
 */
@XenNames(header = "xen.h", prefix = "UVMF_")
public final class Uvmf {
  private Uvmf() {}

  public static final int LOCAL = 0x0;
  public static final int MULTI = 0x0;
  public static final int NONE = 0x0;
  public static final int TLB_FLUSH = 0x1;
  public static final int INVLPG = 0x2;
  public static final int FLUSHTYPE_MASK = 0x3;
  public static final int ALL = 0x4;
}
