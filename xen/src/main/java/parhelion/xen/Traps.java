package parhelion.xen;

import static parhelion.cpu.CpuState.*;

import parhelion.abi.ArchVcpuInfo;
import parhelion.abi.HypervisorVirt;
import parhelion.abi.IretContext;
import parhelion.abi.SegmentBase;
import parhelion.abi.VcpuInfo;
import parhelion.abi.Vgcf;
import parhelion.abi.VmAssist;
import parhelion.cpu.Cpu;
import parhelion.cpu.GuestFault;
import parhelion.cpu.Rflags;
import parhelion.cpu.Segments;

/**
 * How control enters the guest's kernel and leaves it: exceptions, upcalls, NMIs and user-mode
 * system calls are bounced to registered entry points with a frame on the kernel's stack; {@code
 * iret} undoes a frame. The frame, from its lowest address: rcx, r11, error code (where the vector
 * has one), rip, cs with the saved upcall mask in byte 4, rflags with IF standing for that mask,
 * rsp, ss (xen/arch/x86/x86_64/entry.S, create_bounce_frame).
 */
public final class Traps {
  /** CR0 of every paravirtual guest, TS aside: PG, WP, NE, ET, MP, PE. */
  static final long CR0_FIXED = 0x8001_0033L;

  private static final long CR0_TS = 8;
  private static final int NMI = 2;

  /** Flags that every entry clears. */
  static final long CLEARED = Rflags.AC | Rflags.VM | Rflags.RF | Rflags.NT | Rflags.TF;

  private final Vcpu vcpu;
  private final VcpuState state;

  Traps(Vcpu vcpu) {
    this.vcpu = vcpu;
    state = vcpu.state;
  }

  // --- into the kernel ---

  /**
   * Delivers an exception with its error code, if the vector has one, through the guest's trap
   * table.
   */
  void exception(int vector, int errorCode, long cr2) {
    Cpu cpu = vcpu.cpu();
    int code = errorCode;
    if (vector == GuestFault.PF) {
      setCr2(cr2);
      code = state.kernelMode ? code & ~4 : code | 4;
    } else if (vector == GuestFault.NM && state.taskSwitched) {
      setTaskSwitched(cpu, false);
    }
    trap(vector, GuestFault.hasErrorCode(vector), code);
  }

  /** Delivers {@code int n} without an error code. */
  void softwareInterrupt(int vector) {
    trap(vector, false, 0);
  }

  private TrapStats stats() {
    return vcpu.domain().hypervisor().trapStats();
  }

  private void trap(int vector, boolean hasErrorCode, int errorCode) {
    if (state.trapAddress[vector] == 0) {
      throw new DomainCrash(
          "exception "
              + vector
              + " (error code 0x"
              + Integer.toHexString(errorCode)
              + (vector == GuestFault.PF ? ", address 0x" + Long.toHexString(state.cr2) : "")
              + ") without a handler\n"
              + CpuDump.registers(vcpu));
    }
    long start = stopwatch().now();
    boolean mask = (state.trapFlags[vector] & 4) != 0;
    bounce(state.trapAddress[vector], mask, hasErrorCode, errorCode);
    stats().delivered(vcpu, vector, start);
  }

  private Stopwatch stopwatch() {
    return vcpu.domain().hypervisor().stopwatch();
  }

  /** Bounces a system call of user mode. */
  void userSyscall(long address, boolean masksEvents) {
    long start = stopwatch().now();
    bounce(address, masksEvents, false, 0);
    stats().userSyscall(vcpu, start);
    Cpu cpu = vcpu.cpu();
    cpu.rflags(cpu.rflags() & ~(long) Rflags.DF);
  }

  /** SYSENTER of user mode: the frame says nothing of where it came from. */
  void sysenter() {
    Cpu cpu = vcpu.cpu();
    Segments.set(cpu, SS, 0xe02b, 0, 0xffff_ffffL, 0xc0f3);
    cpu.put64(RSP, 0);
    cpu.put64(SEG_SELECTOR + CS * 8, 3);
    cpu.rip(0);
    cpu.rflags(cpu.rflags() & ~(long) Rflags.NT);
    if (state.sysenterCallback == 0) {
      trap(GuestFault.GP, true, 0);
    } else {
      bounce(state.sysenterCallback, state.sysenterMasksEvents, false, 0);
    }
  }

  /** What every way back into the guest ends with: a waiting NMI, then a waiting upcall. */
  void exitToGuest() {
    if (vcpu.cpu().interruptShadow) {
      return; // the run loop asks again after the instruction
    }
    if (state.nmiPending && !state.nmiMasked && state.trapAddress[NMI] != 0) {
      state.nmiPending = false;
      state.nmiMasked = true;
      trap(NMI, false, 0);
    }
    if (vcpu.hasDeliverableEvent()) {
      if (state.eventCallback == 0) {
        throw new DomainCrash("an event without an event callback");
      }
      long start = stopwatch().now();
      bounce(state.eventCallback, true, false, 0);
      stats().upcall(vcpu, start);
    }
  }

  private void bounce(long address, boolean maskEvents, boolean hasErrorCode, int errorCode) {
    Cpu cpu = vcpu.cpu();
    int cs = cpu.get32(SEG_SELECTOR + CS * 8);
    long sp;
    long ss = cpu.get64(SEG_SELECTOR + SS * 8);
    long rsp = cpu.get64(RSP);
    long rflags = cpu.rflags();
    long rip = cpu.rip();
    if (state.kernelMode) {
      sp = rsp;
      cs &= ~3;
    } else {
      vcpu.toggleMode();
      sp = state.kernelSp;
    }
    // The frame is written in 64-bit mode whatever ran before.
    DescriptorTables.setFlat64(cpu);
    cpu.updateMode();
    int saved = vcpu.upcallMaskByte();
    long at = (sp & -16L) - (hasErrorCode ? 64 : 56);
    checkStack(at, sp);
    cpu.interpreter().leaveBlock();
    vcpu.monitor().plainWrites(true);
    try {
      long p = at + (hasErrorCode ? 64 : 56);
      cpu.store64(p - 8, ss);
      cpu.store64(p - 16, rsp);
      cpu.store64(p - 24, frameFlags(rflags, saved));
      cpu.store64(p - 32, (cs & 0xffffL) | (long) saved << 32);
      cpu.store64(p - 40, rip);
      if (hasErrorCode) {
        cpu.store64(p - 48, errorCode & 0xffff_ffffL);
      }
      cpu.store64(at + 8, cpu.get64(R11));
      cpu.store64(at, cpu.get64(RCX));
    } catch (GuestFault f) {
      throw new DomainCrash(
          "the kernel stack at 0x"
              + Long.toHexString(f.cr2)
              + " cannot take a frame (a double fault)\n"
              + CpuDump.registers(vcpu));
    } finally {
      vcpu.monitor().plainWrites(false);
    }
    if (maskEvents) {
      vcpu.setUpcallMask(true);
    }
    cpu.put64(RSP, at);
    cpu.rip(address);
    cpu.rflags(rflags & ~CLEARED);
  }

  /** Whether a frame may be pushed there: canonical, and not in the hypervisor's range. */
  static boolean isStackRange(long low, long high) {
    boolean lower = high >= 0 && high <= 1L << 47 && low >= 0;
    boolean upper = low < 0 && low >= HypervisorVirt.END;
    return lower || upper;
  }

  private void checkStack(long low, long high) {
    if (!isStackRange(low, high)) {
      throw new DomainCrash(
          "a kernel stack at 0x" + Long.toHexString(high) + "\n" + CpuDump.registers(vcpu));
    }
  }

  /**
   * RFLAGS as a frame shows them: IF is the virtual one, IOPL is shown to those who asked for it.
   */
  private long frameFlags(long rflags, int savedMask) {
    long flags = rflags & ~(long) (Rflags.IF | Rflags.IOPL);
    flags |= savedMask == 0 ? Rflags.IF : 0;
    return architecturalIopl() ? flags | (long) state.iopl << 12 : flags;
  }

  boolean architecturalIopl() {
    return (vcpu.domain().vmAssist >> VmAssist.ARCHITECTURAL_IOPL.nr() & 1) != 0;
  }

  /**
   * The privilege level as the guest's own rules see it: kernel 1 (0 if it asked for it), user 3.
   */
  int virtualCpl() {
    return state.kernelMode ? architecturalIopl() ? 0 : 1 : 3;
  }

  // --- failsafe ---

  /**
   * Loads DS, ES, FS, GS by selector; if one cannot be loaded it is made null and the failsafe
   * callback is entered.
   */
  void loadDataSegments(int ds, int es, int fs, int gs, long fsBase, long gsBase) {
    Cpu cpu = vcpu.cpu();
    boolean good =
        tryLoad(cpu, FS, fs) & tryLoad(cpu, GS, gs) & tryLoad(cpu, DS, ds) & tryLoad(cpu, ES, es);
    cpu.put64(FS_BASE, fsBase);
    cpu.put64(GS_BASE, gsBase);
    if (!good) {
      failsafe(ds, es, fs, gs);
    }
  }

  private static boolean tryLoad(Cpu cpu, int segment, int selector) {
    try {
      Segments.load(cpu, segment, selector);
      return true;
    } catch (GuestFault f) {
      Segments.load(cpu, segment, 0);
      return false;
    }
  }

  private void failsafe(int ds, int es, int fs, int gs) {
    Cpu cpu = vcpu.cpu();
    long ss = cpu.get64(SEG_SELECTOR + SS * 8);
    long cs = cpu.get64(SEG_SELECTOR + CS * 8);
    long rsp = cpu.get64(RSP);
    long rflags = cpu.rflags();
    long sp = (state.kernelMode ? rsp : state.kernelSp) & -16L;
    if (state.kernelMode) {
      cs &= ~3L;
    } else {
      vcpu.toggleMode();
    }
    DescriptorTables.setFlat64(cpu);
    cpu.updateMode();
    int saved = vcpu.upcallMaskByte();
    long[] frame = {
      cpu.get64(RCX),
      cpu.get64(R11),
      ds,
      es,
      fs,
      gs,
      cpu.rip(),
      cs | (long) saved << 32,
      frameFlags(rflags, saved),
      rsp,
      ss
    };
    long at = sp - frame.length * 8L;
    try {
      for (int i = 0; i < frame.length; i++) {
        vcpu.guest().putLong(at + i * 8L, frame[i]);
      }
    } catch (XenError e) {
      throw new DomainCrash("no stack for the failsafe callback\n" + CpuDump.registers(vcpu));
    }
    if (state.failsafeMasksEvents) {
      vcpu.setUpcallMask(true);
    }
    cpu.put64(RSP, at);
    cpu.rip(state.failsafeCallback);
    cpu.rflags(rflags & ~CLEARED);
  }

  // --- out of the kernel ---

  /** The {@code iret} hypercall: back to what the frame at the guest's stack pointer says. */
  long iret(Vcpu v, long a1, long a2, long a3, long a4, long a5) {
    Cpu cpu = v.cpu();
    IretContext frame;
    try {
      frame = IretContext.read(v.guest().in(cpu.get64(RSP), IretContext.STRUCT), 0);
    } catch (XenError e) {
      throw new DomainCrash("iret without a frame\n" + CpuDump.registers(v));
    }
    if ((frame.cs() & 3) == 3) {
      if (state.userCr3 == 0) {
        throw new DomainCrash("iret to user mode without user page tables");
      }
      v.toggleMode();
    }
    if (architecturalIopl()) {
      state.iopl = (int) (frame.rflags() >> 12) & 3;
    }
    long rflags = (frame.rflags() & ~(long) (Rflags.IOPL | Rflags.VM)) | Rflags.IF;
    cpu.rip(frame.rip());
    cpu.put64(RSP, frame.rsp());
    cpu.put64(RAX, frame.rax());
    v.setUpcallMask((frame.rflags() & Rflags.IF) == 0);
    state.nmiMasked = false;
    boolean fast = (frame.flags() & Vgcf.IN_SYSCALL) != 0;
    boolean canonical = frame.rip() << 16 >> 16 == frame.rip();
    int cs = (int) (frame.cs() | 3) & 0xffff;
    int ss = (int) (frame.ss() | 3) & 0xffff;
    cpu.rflags(rflags);
    if (fast) {
      cpu.put64(RCX, frame.rip());
      cpu.put64(R11, rflags);
    } else {
      cpu.put64(R11, frame.r11());
      cpu.put64(RCX, frame.rcx());
    }
    if (fast && canonical) {
      // SYSRET: the selectors are not the frame's.
      if (cs == 0xe023) {
        DescriptorTables.setFlat32(cpu);
      } else {
        DescriptorTables.setFlat64(cpu);
      }
      cpu.updateMode();
      return frame.rax();
    }
    try {
      DescriptorTables.loadForIret(cpu, cs, ss);
      cpu.updateMode();
      if (!canonical && cpu.codeBits == 64) {
        throw cpu.fault(GuestFault.GP, 0);
      }
    } catch (GuestFault f) {
      exception(f.vector, f.errorCode, f.cr2);
    }
    if (state.kernelMode && v.hasDeliverableEvent()) {
      shadow(cpu);
    }
    return cpu.get64(RAX);
  }

  /**
   * Lets the kernel run one instruction before the next upcall, as STI would. An upcall handler
   * that sends its own vcpu an IPI each time (Linux's RCU with PREEMPT_RT does, while an expedited
   * grace period waits for the interrupted task) would otherwise never let what it interrupts
   * proceed.
   */
  private static void shadow(Cpu cpu) {
    cpu.interruptShadow = true;
    cpu.updateSlow();
    cpu.requestAttention();
  }

  // --- small state ---

  void setCr2(long cr2) {
    state.cr2 = cr2;
    if (state.vcpuInfoPa >= 0) {
      long at = state.vcpuInfoPa + VcpuInfo.ARCH.offset() + ArchVcpuInfo.CR2.offset();
      vcpu.domain().hypervisor().memory().putLong(at, cr2);
    }
  }

  /** CR0.TS: the next FPU instruction raises #NM. */
  void setTaskSwitched(Cpu cpu, boolean set) {
    state.taskSwitched = set;
    cpu.put64(CR0, CR0_FIXED | (set ? CR0_TS : 0));
    cpu.updateMode();
  }

  /** CR0 as the guest reads it. */
  long cr0() {
    return CR0_FIXED | (state.taskSwitched ? CR0_TS : 0);
  }

  /** {@code set_segment_base}: -EINVAL for non-canonical bases; the selector form never fails. */
  long setSegmentBase(SegmentBase which, long value) {
    Cpu cpu = vcpu.cpu();
    if (which == SegmentBase.GS_USER_SEL) {
      long kernelBase = cpu.get64(GS_BASE);
      int selector = (int) value & 0xffff;
      tryLoad(cpu, GS, selector > 3 ? selector | 3 : selector);
      cpu.put64(KERNEL_GS_BASE, cpu.get64(GS_BASE));
      cpu.put64(GS_BASE, kernelBase);
      return 0;
    }
    if (value << 16 >> 16 != value) {
      throw new XenError(parhelion.abi.Errno.EINVAL);
    }
    switch (which) {
      case FS -> cpu.put64(FS_BASE, value);
      case GS_USER -> cpu.put64(KERNEL_GS_BASE, value);
      default -> cpu.put64(GS_BASE, value);
    }
    return 0;
  }
}
