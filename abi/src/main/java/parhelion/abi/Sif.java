package parhelion.abi;

/** Flags of {@link StartInfo#FLAGS} ({@code xen.h}). */
@XenNames(header = "xen.h", prefix = "SIF_")
public final class Sif {
  private Sif() {}

  /** The domain may use dom0's hypercalls. */
  public static final int PRIVILEGED = 0x1;

  public static final int INITDOMAIN = 0x2;
  public static final int MULTIBOOT_MOD = 0x4;

  /** {@link StartInfo#MOD_START} is a pfn: the module is not mapped. */
  public static final int MOD_START_PFN = 0x8;

  public static final int VIRT_P2M_4TOOLS = 0x10;
  public static final int PM_MASK = 0xff00;
}
