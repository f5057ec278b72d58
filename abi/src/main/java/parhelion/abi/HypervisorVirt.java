package parhelion.abi;

/**
 * The part of every 64-bit guest's address space that is Xen's ({@code xen-x86_64.h}); the end is
 * exclusive.
 */
@XenNames(header = "arch-x86/xen-x86_64.h", prefix = "HYPERVISOR_VIRT_")
public final class HypervisorVirt {
  private HypervisorVirt() {}

  public static final long START = 0xffff_8000_0000_0000L;
  public static final long END = 0xffff_8800_0000_0000L;
}
