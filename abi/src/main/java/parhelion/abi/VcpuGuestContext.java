package parhelion.abi;

import parhelion.abi.Field.Part;
import parhelion.abi.Field.U64;

/**
 * {@code struct vcpu_guest_context} ({@code arch-x86/xen.h}): the whole state in which a vcpu is
 * started.
 */
public final class VcpuGuestContext {
  private VcpuGuestContext() {}

  public static final Struct STRUCT = Struct.of("vcpu_guest_context", "arch-x86/xen.h", 5168);

  /** An FXSAVE image, meaningful with {@link Vgcf#I387_VALID}. */
  public static final Part FPU_CTXT = STRUCT.array("fpu_ctxt.x", 0, 512, 1);

  /** {@link Vgcf}. */
  public static final U64 FLAGS = STRUCT.u64("flags", 512);

  public static final Part USER_REGS = STRUCT.part("user_regs", 520, CpuUserRegs.STRUCT);

  /** {@link TrapInfo}, one for each vector. */
  public static final Part TRAP_CTXT = STRUCT.array("trap_ctxt", 720, 256, 16);

  public static final U64 LDT_BASE = STRUCT.u64("ldt_base", 4816);
  public static final U64 LDT_ENTS = STRUCT.u64("ldt_ents", 4824);
  public static final Part GDT_FRAMES = STRUCT.array("gdt_frames", 4832, 16, 8);
  public static final U64 GDT_ENTS = STRUCT.u64("gdt_ents", 4960);
  public static final U64 KERNEL_SS = STRUCT.u64("kernel_ss", 4968);
  public static final U64 KERNEL_SP = STRUCT.u64("kernel_sp", 4976);

  /**
   * cr0 to cr7: cr3 is the machine address of the kernel's top-level page table, cr1 of the user's,
   * or 0.
   */
  public static final Part CTRLREG = STRUCT.array("ctrlreg", 4984, 8, 8);

  public static final Part DEBUGREG = STRUCT.array("debugreg", 5048, 8, 8);
  public static final U64 EVENT_CALLBACK_EIP = STRUCT.u64("event_callback_eip", 5112);
  public static final U64 FAILSAFE_CALLBACK_EIP = STRUCT.u64("failsafe_callback_eip", 5120);
  public static final U64 SYSCALL_CALLBACK_EIP = STRUCT.u64("syscall_callback_eip", 5128);
  public static final U64 VM_ASSIST = STRUCT.u64("vm_assist", 5136);
  public static final U64 FS_BASE = STRUCT.u64("fs_base", 5144);
  public static final U64 GS_BASE_KERNEL = STRUCT.u64("gs_base_kernel", 5152);
  public static final U64 GS_BASE_USER = STRUCT.u64("gs_base_user", 5160);
}
