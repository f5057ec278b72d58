package parhelion.abi;

/**
 * The machine-to-physical table in a guest's address space ({@code xen-x86_64.h}); the end is
 * exclusive.
 */
@XenNames(header = "arch-x86/xen-x86_64.h", prefix = "MACH2PHYS_")
public final class MachToPhys {
  private MachToPhys() {}

  public static final long NR_ENTRIES = 0x0000_0008_0000_0000L;
  public static final long VIRT_START = 0xffff_8000_0000_0000L;
  public static final long VIRT_END = 0xffff_8040_0000_0000L;
}
