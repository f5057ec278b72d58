package parhelion.process;

import parhelion.cpu.Access;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.GuestFault;
import parhelion.cpu.Mark;
import parhelion.cpu.Monitor;
import parhelion.cpu.PageWalker;
import parhelion.process.memory.AddressSpace;

/**
 * Partial virtualisation: the CPU's memory is a process's address space, its system calls are
 * Linux's, its exceptions are signals. One per guest thread, on that thread, under the kernel's
 * lock.
 */
final class ProcessMonitor implements Monitor {
  private static final int SEGV_MAPERR = 1;
  private static final int SEGV_ACCERR = 2;
  private static final int BUS_ADRERR = 2;

  private final Task task;

  /** What the last failed translation was about: a result of {@link AddressSpace#translate}. */
  private long lastFailure;

  /** Vector and error code of the last exception, for signal frames and reports. */
  int trapNumber;

  int trapCode;

  ProcessMonitor(Task task) {
    this.task = task;
  }

  @Override
  public boolean tlbsFollowPrivilege() {
    return false;
  }

  @Override
  public int tlbIndex(Cpu cpu) {
    return 0;
  }

  @Override
  public boolean mayModifyItself(Cpu cpu, long va) {
    return task.process.space.isWritable(va);
  }

  @Override
  public long translate(Cpu cpu, long va, int access) {
    int kind = access & 3;
    long result;
    if ((access & Access.IMPLICIT) != 0) {
      result = AddressSpace.UNMAPPED; // there are no descriptor tables
    } else {
      try {
        result = task.process.space.translate(va, kind);
      } catch (LinuxError e) {
        result = outOfMemory(cpu);
      }
    }
    if (result < 0) {
      lastFailure = result;
      int code =
          PageWalker.PF_USER
              | (result == AddressSpace.FORBIDDEN ? PageWalker.PF_PRESENT : 0)
              | (kind == Access.WRITE ? PageWalker.PF_WRITE : 0)
              | (kind == Access.EXECUTE ? PageWalker.PF_FETCH : 0);
      throw cpu.pageFault(va, code);
    }
    return result;
  }

  /** No frame is left: this process is the one that goes. */
  private long outOfMemory(Cpu cpu) {
    task.kernel.report(task.process.name + ": out of memory: give the program more with --memory");
    task.process.exit(Signals.SIGKILL);
    cpu.stop();
    return AddressSpace.UNMAPPED;
  }

  @Override
  public void cpuid(Cpu cpu) {
    Mark.Listener listener = task.kernel.markListener;
    Mark mark = listener == null ? null : Mark.of(cpu);
    if (listener != null && mark != null) {
      task.settleCounts();
      listener.marked(mark);
    }
    Monitor.super.cpuid(cpu);
  }

  @Override
  public void exception(Cpu cpu, int vector, int errorCode, long cr2) {
    cpu.stop();
    if (task.isExiting()) {
      return;
    }
    task.kernel.stats.exceptions++;
    long rip = cpu.rip();
    SignalInfo info =
        switch (vector) {
          case GuestFault.DE -> fault(Signals.SIGFPE, 1, rip);
          case GuestFault.DB -> fault(Signals.SIGTRAP, 2, rip);
          case GuestFault.BP -> fault(Signals.SIGTRAP, SignalInfo.SI_KERNEL, 0);
          case GuestFault.UD -> fault(Signals.SIGILL, 2, rip);
          case GuestFault.MF, GuestFault.XM ->
              fault(Signals.SIGFPE, floatingCode(cpu, vector), rip);
          case GuestFault.AC -> fault(Signals.SIGBUS, 1, 0);
          case GuestFault.SS -> fault(Signals.SIGBUS, SignalInfo.SI_KERNEL, 0);
          case GuestFault.PF -> pageFault(cr2);
          default -> fault(Signals.SIGSEGV, SignalInfo.SI_KERNEL, 0);
        };
    cpu.put64(CpuState.CR2, cr2);
    SignalDelivery.force(task, info, vector, errorCode);
  }

  private SignalInfo pageFault(long cr2) {
    if (lastFailure == AddressSpace.NO_PAGE) {
      return fault(Signals.SIGBUS, BUS_ADRERR, cr2);
    }
    int code = lastFailure == AddressSpace.FORBIDDEN ? SEGV_ACCERR : SEGV_MAPERR;
    return fault(Signals.SIGSEGV, code, cr2);
  }

  private static SignalInfo fault(int signal, int code, long address) {
    return new SignalInfo(signal, code, 0, 0, address);
  }

  /** si_code of a floating-point exception: the first unmasked one. */
  private static int floatingCode(Cpu cpu, int vector) {
    int mxcsr = cpu.get32(CpuState.MXCSR);
    int raised =
        vector == GuestFault.XM
            ? mxcsr & ~(mxcsr >>> 7) & 0x3f
            : cpu.get32(CpuState.FSW) & ~cpu.get32(CpuState.FCW) & 0x3f;
    if ((raised & 1) != 0) {
      return 7; // FPE_FLTINV
    }
    if ((raised & 4) != 0) {
      return 3; // FPE_FLTDIV
    }
    if ((raised & 8) != 0) {
      return 4; // FPE_FLTOVF
    }
    if ((raised & 0x12) != 0) {
      return 5; // FPE_FLTUND
    }
    return (raised & 0x20) != 0 ? 6 : 0; // FPE_FLTRES
  }

  @Override
  public void softwareInterrupt(Cpu cpu, int vector, int insnLength) {
    if (vector == GuestFault.BP) {
      exception(cpu, vector, 0, 0);
    } else {
      cpu.rip(cpu.rip() - insnLength);
      exception(cpu, GuestFault.GP, vector * 8 + 2, 0);
    }
  }

  @Override
  public void attend(Cpu cpu) {
    cpu.stop();
  }

  @Override
  public void sysenter(Cpu cpu) {
    cpu.rip(cpu.rip() - 2);
    exception(cpu, GuestFault.UD, 0, 0);
  }

  @Override
  public void syscall(Cpu cpu) {
    long number = cpu.get64(CpuState.RAX);
    cpu.put64(CpuState.RCX, cpu.rip());
    cpu.put64(CpuState.R11, cpu.rflags());
    try {
      Dispatcher.call(task, number);
    } catch (TaskExit e) {
      cpu.stop();
      return;
    }
    if (task.needsAttention()) {
      cpu.stop();
    }
  }
}
