package parhelion.xen;

import static parhelion.cpu.CpuState.*;

import parhelion.abi.Bytes;
import parhelion.abi.CpuUserRegs;
import parhelion.abi.Errno;
import parhelion.abi.Field;
import parhelion.abi.HypervisorVirt;
import parhelion.abi.TrapInfo;
import parhelion.abi.VcpuGuestContext;
import parhelion.abi.Vgcf;
import parhelion.cpu.Cpu;
import parhelion.cpu.GuestFault;
import parhelion.cpu.Rflags;

/**
 * Installs a {@code vcpu_guest_context}: all of a vcpu's state as its builder, or
 * VCPUOP_initialise, gives it. Checked first, as a whole, as Xen does (xen/arch/x86/domain.c,
 * arch_set_info_guest).
 */
public final class GuestContext {
  private static final int MAX_LDT_ENTRIES = 8192;
  private static final int FXSAVE_BYTES = 512;

  private GuestContext() {}

  /**
   * Makes the vcpu what {@code context} (5168 bytes) says; it is still down afterwards unless the
   * context says online.
   *
   * @throws XenError EINVAL for addresses that are not canonical, frames that are not the domain's
   *     or cannot be what they are to be
   */
  public static void install(Vcpu v, byte[] context) {
    Bytes b = Bytes.of(context);
    check(v, b);
    VcpuState s = v.state;
    long[] frames = new long[16];
    for (int i = 0; i < frames.length; i++) {
      frames[i] = b.getLong(VcpuGuestContext.GDT_FRAMES.at(0, i));
    }
    v.descriptorTables().setGdt(frames, (int) VcpuGuestContext.GDT_ENTS.get(b, 0));
    try {
      v.domain().hypervisor().paging().installBases(v, control(b, 3) >>> 12, control(b, 1) >>> 12);
    } catch (XenError e) {
      v.descriptorTables().dropGdt();
      throw e;
    }
    v.descriptorTables()
        .setLdt(VcpuGuestContext.LDT_BASE.get(b, 0), VcpuGuestContext.LDT_ENTS.get(b, 0));
    callbacks(s, b);
    if (v.id() == 0) {
      v.domain().vmAssist = VcpuGuestContext.VM_ASSIST.get(b, 0);
    }
    long flags = VcpuGuestContext.FLAGS.get(b, 0);
    s.initialised = true;
    registers(v, b, (flags & Vgcf.IN_KERNEL) != 0);
    if ((flags & Vgcf.I387_VALID) != 0) {
      FxsaveImage.load(v.cpu(), context, VcpuGuestContext.FPU_CTXT.offset());
    }
    if ((flags & Vgcf.ONLINE) != 0) {
      v.up();
    }
  }

  private static long control(Bytes b, int number) {
    return b.getLong(VcpuGuestContext.CTRLREG.at(0, number));
  }

  // --- checks ---

  private static void check(Vcpu v, Bytes b) {
    long regs = VcpuGuestContext.USER_REGS.at(0);
    canonical(CpuUserRegs.RIP.get(b, regs));
    canonical(CpuUserRegs.RSP.get(b, regs));
    Field.U64[] addresses = {
      VcpuGuestContext.KERNEL_SP,
      VcpuGuestContext.FS_BASE,
      VcpuGuestContext.GS_BASE_KERNEL,
      VcpuGuestContext.GS_BASE_USER,
      VcpuGuestContext.EVENT_CALLBACK_EIP,
      VcpuGuestContext.FAILSAFE_CALLBACK_EIP,
      VcpuGuestContext.SYSCALL_CALLBACK_EIP
    };
    for (Field.U64 field : addresses) {
      canonical(field.get(b, 0));
    }
    for (int i = 0; i < 256; i++) {
      canonical(TrapInfo.ADDRESS.get(b, VcpuGuestContext.TRAP_CTXT.at(0, i)));
    }
    long ldt = VcpuGuestContext.LDT_BASE.get(b, 0);
    canonical(ldt);
    boolean guests = ldt >= 0 || ldt >= HypervisorVirt.END;
    long ldtEntries = VcpuGuestContext.LDT_ENTS.get(b, 0);
    require(guests && (ldt & 4095) == 0);
    require(ldtEntries >= 0 && ldtEntries <= MAX_LDT_ENTRIES);
    long gdtEntries = VcpuGuestContext.GDT_ENTS.get(b, 0);
    require(gdtEntries >= 0 && gdtEntries <= parhelion.abi.ReservedGdt.ENTRY);
    require(v.id() != 0 || MiscOps.validAssists(VcpuGuestContext.VM_ASSIST.get(b, 0)));
    boolean kernel = (VcpuGuestContext.FLAGS.get(b, 0) & Vgcf.IN_KERNEL) != 0;
    require(kernel || control(b, 1) != 0);
  }

  private static void canonical(long va) {
    require(TrapOps.isCanonical(va));
  }

  private static void require(boolean condition) {
    if (!condition) {
      throw new XenError(Errno.EINVAL);
    }
  }

  // --- state ---

  private static void callbacks(VcpuState s, Bytes b) {
    for (int i = 0; i < 256; i++) {
      TrapInfo t = TrapInfo.read(b, VcpuGuestContext.TRAP_CTXT.at(0, i));
      TrapOps.setTrap(s, i, t.flags(), t.cs() | 3, t.address());
    }
    long flags = VcpuGuestContext.FLAGS.get(b, 0);
    s.eventCallback = VcpuGuestContext.EVENT_CALLBACK_EIP.get(b, 0);
    s.failsafeCallback = VcpuGuestContext.FAILSAFE_CALLBACK_EIP.get(b, 0);
    s.syscallCallback = VcpuGuestContext.SYSCALL_CALLBACK_EIP.get(b, 0);
    s.failsafeMasksEvents = (flags & Vgcf.FAILSAFE_DISABLES_EVENTS) != 0;
    s.syscallMasksEvents = (flags & Vgcf.SYSCALL_DISABLES_EVENTS) != 0;
    s.kernelSs = VcpuGuestContext.KERNEL_SS.get(b, 0) | 3;
    s.kernelSp = VcpuGuestContext.KERNEL_SP.get(b, 0);
  }

  private static final Field.U64[] GENERAL = {
    CpuUserRegs.RAX, CpuUserRegs.RCX, CpuUserRegs.RDX, CpuUserRegs.RBX,
    CpuUserRegs.RSP, CpuUserRegs.RBP, CpuUserRegs.RSI, CpuUserRegs.RDI,
    CpuUserRegs.R8, CpuUserRegs.R9, CpuUserRegs.R10, CpuUserRegs.R11,
    CpuUserRegs.R12, CpuUserRegs.R13, CpuUserRegs.R14, CpuUserRegs.R15
  };

  private static void registers(Vcpu v, Bytes b, boolean kernel) {
    Cpu c = v.cpu();
    VcpuState s = v.state;
    long regs = VcpuGuestContext.USER_REGS.at(0);
    for (int i = 0; i < GENERAL.length; i++) {
      c.put64(GPR + i * 8, GENERAL[i].get(b, regs));
    }
    long rflags = CpuUserRegs.RFLAGS.get(b, regs);
    s.iopl = (int) (rflags >> 12) & 3;
    s.kernelMode = kernel;
    c.put64(CR3, kernel ? s.kernelCr3 : s.userCr3);
    long gsKernel = VcpuGuestContext.GS_BASE_KERNEL.get(b, 0);
    long gsUser = VcpuGuestContext.GS_BASE_USER.get(b, 0);
    c.put64(KERNEL_GS_BASE, kernel ? gsUser : gsKernel);
    v.traps().setTaskSwitched(c, (control(b, 0) & 8) != 0);
    v.monitor().setCr4(control(b, 4));
    c.rip(CpuUserRegs.RIP.get(b, regs));
    c.rflags((rflags & ~(long) (Rflags.IOPL | Rflags.VM)) | Rflags.IF);
    c.flushTlbs();
    debugRegisters(v, b);
    try {
      DescriptorTables.loadForIret(
          c, CpuUserRegs.CS.get(b, regs) | 3, CpuUserRegs.SS.get(b, regs) | 3);
    } catch (GuestFault f) {
      throw new XenError(Errno.EINVAL);
    }
    c.updateMode();
    v.traps()
        .loadDataSegments(
            CpuUserRegs.DS.get(b, regs),
            CpuUserRegs.ES.get(b, regs),
            CpuUserRegs.FS.get(b, regs),
            CpuUserRegs.GS.get(b, regs),
            VcpuGuestContext.FS_BASE.get(b, 0),
            kernel ? gsKernel : gsUser);
  }

  /** Values that could not be set are left out, as Xen does. */
  private static void debugRegisters(Vcpu v, Bytes b) {
    for (int i : new int[] {0, 1, 2, 3, 6, 7}) {
      try {
        DebugRegisters.write(v, i, b.getLong(VcpuGuestContext.DEBUGREG.at(0, i)));
      } catch (XenError e) {
        // Keeps its reset value.
      }
    }
  }
}
