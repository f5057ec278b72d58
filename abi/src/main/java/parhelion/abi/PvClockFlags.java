package parhelion.abi;

/** Flags of {@link VcpuTimeInfo#FLAGS} ({@code xen.h}). */
@XenNames(header = "xen.h", prefix = "XEN_PVCLOCK_")
public final class PvClockFlags {
  private PvClockFlags() {}

  public static final int TSC_STABLE_BIT = 0x1;
  public static final int GUEST_STOPPED = 0x2;
}
