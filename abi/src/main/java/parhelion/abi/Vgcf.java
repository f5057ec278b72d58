package parhelion.abi;

/** Flags of {@link VcpuGuestContext#FLAGS} ({@code arch-x86/xen.h}). */
@XenNames(
    header = {"arch-x86/xen.h", "arch-x86/xen-x86_64.h"},
    prefix = "VGCF_")
public final class Vgcf {
  private Vgcf() {}

  public static final int I387_VALID = 0x1;

  /** Starts in kernel mode. */
  public static final int IN_KERNEL = 0x4;

  /** The failsafe callback masks events. */
  public static final int FAILSAFE_DISABLES_EVENTS = 0x8;

  /** The syscall callback masks events. */
  public static final int SYSCALL_DISABLES_EVENTS = 0x10;

  /** Runs at once. */
  public static final int ONLINE = 0x20;

  /** For {@code iret}: return as {@code sysret} does; rcx and r11 need not be restored. */
  public static final int IN_SYSCALL = 0x100;
}
