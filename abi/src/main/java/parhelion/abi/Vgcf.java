package parhelion.abi;

/** Flags of {@link VcpuGuestContext#FLAGS} ({@code arch-x86/xen.h}). */
@XenNames(
    header = {"arch-x86/xen.h", "arch-x86/xen-x86_64.h"},
    prefix = "VGCF_")
public final class Vgcf {
  private Vgcf() {}

  public static final int I387_VALID = 0x1;
  public static final int IN_KERNEL = 0x4;
  public static final int FAILSAFE_DISABLES_EVENTS = 0x8;
  public static final int SYSCALL_DISABLES_EVENTS = 0x10;
  public static final int ONLINE = 0x20;
  public static final int IN_SYSCALL = 0x100;
}
