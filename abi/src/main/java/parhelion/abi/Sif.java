package parhelion.abi;

/** Flags of {@link StartInfo#FLAGS} ({@code xen.h}). */
@XenNames(header = "xen.h", prefix = "SIF_")
public final class Sif {
  private Sif() {}

  public static final int PRIVILEGED = 0x1;
  public static final int INITDOMAIN = 0x2;
  public static final int MULTIBOOT_MOD = 0x4;
  public static final int MOD_START_PFN = 0x8;
  public static final int VIRT_P2M_4TOOLS = 0x10;
  public static final int PM_MASK = 0xff00;
}
