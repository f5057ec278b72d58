package parhelion.process;

import static parhelion.cpu.CpuState.*;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.Rflags;
import parhelion.process.memory.UserMemory;

/**
 * Signals, from being sent to the handler's frame and back (kernel/signal.c, arch/x86/kernel/
 * signal.c). Under the kernel's lock.
 */
final class SignalDelivery {
  private static final int FRAME_BYTES = 440;
  private static final int SIGINFO_AT = 312;
  private static final int CONTEXT_AT = 8;
  private static final int REGISTERS_AT = CONTEXT_AT + 40;
  private static final int MASK_AT = CONTEXT_AT + 296;
  private static final int RED_ZONE = 128;
  private static final int SS_ONSTACK = 1;
  private static final int SS_DISABLE = 2;
  private static final int SS_AUTODISARM = 1 << 31;

  /** UC_FP_XSTATE, UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS. */
  private static final int UC_FLAGS = 7;

  /** Registers in the order of struct sigcontext. */
  private static final int[] ORDER = {
    R8, R9, R10, R11, R11 + 8, R11 + 16, R11 + 24, R11 + 32, RDI, RSI, RBP, RBX, RDX, RAX, RCX, RSP,
    RIP
  };

  /** Flags that a handler's frame can change. */
  private static final long FIX_EFLAGS =
      Rflags.ARITHMETIC | Rflags.AC | Rflags.TF | Rflags.DF | Rflags.RF;

  private SignalDelivery() {}

  // --- sending ---

  /** Sends to a process. */
  static void send(Process process, SignalInfo info) {
    int signal = info.signal();
    if (process.zombie || process.exiting) {
      return;
    }
    if (isDropped(process, signal)) {
      return;
    }
    if (!process.pending.add(info)) {
      throw new LinuxError(Errno.EAGAIN);
    }
    for (Task task : process.tasks) {
      if ((task.signalMask & Signals.bit(signal)) == 0) {
        task.wake();
        task.cpu.requestAttention();
        return;
      }
    }
    wakeWaiters(process);
  }

  /** Those who wait for blocked signals look for themselves. */
  private static void wakeWaiters(Process process) {
    for (Task task : process.tasks) {
      task.wake();
    }
  }

  /** Sends to a thread. */
  static void send(Task task, SignalInfo info) {
    if (task.isExiting() || isDropped(task.process, info.signal())) {
      return;
    }
    if (!task.pending.add(info)) {
      throw new LinuxError(Errno.EAGAIN);
    }
    task.wake();
    task.cpu.requestAttention();
  }

  private static boolean isDropped(Process process, int signal) {
    if (signal == Signals.SIGKILL) {
      process.exit(Signals.SIGKILL);
      return true;
    }
    if (signal == Signals.SIGSTOP || !process.actions[signal].ignores(signal)) {
      return signal == Signals.SIGSTOP;
    }
    for (Task task : process.tasks) {
      if ((task.signalMask & Signals.bit(signal)) != 0) {
        return false; // blocked: its action may have changed by the time it is not
      }
    }
    return true;
  }

  /** A signal that the program cannot put off: its own exception. */
  static void force(Task task, SignalInfo info, int vector, int errorCode) {
    Process process = task.process;
    int signal = info.signal();
    long bit = Signals.bit(signal);
    boolean blocked = (task.signalMask & bit) != 0;
    SignalAction action = process.actions[signal];
    if (blocked || action.handler() == SignalAction.SIG_IGN) {
      process.actions[signal] = SignalAction.DEFAULT;
      task.signalMask &= ~bit;
    }
    task.pending.discard(signal);
    boolean ignored = task.pending.add(info);
    task.monitor.trapNumber = vector;
    task.monitor.trapCode = errorCode;
  }

  // --- delivering ---

  /** Handles what is pending before guest code goes on. */
  static void deliver(Task task) {
    while (!task.isExiting()) {
      SignalInfo info = next(task);
      if (info == null) {
        break;
      }
      SignalAction action = task.process.actions[info.signal()];
      if (action.ignores(info.signal())) {
        continue;
      }
      if (action.handler() == SignalAction.SIG_DFL) {
        terminate(task, info);
        return;
      }
      restartCall(task, action);
      if (!enterHandler(task, info, action)) {
        terminate(task, new SignalInfo(Signals.SIGSEGV, SignalInfo.SI_KERNEL, 0, 0, 0));
        return;
      }
    }
    restartCall(task, null);
    if (task.hasSavedMask) {
      task.hasSavedMask = false;
      task.signalMask = task.savedMask;
    }
  }

  private static @Nullable SignalInfo next(Task task) {
    int signal = Signals.first(task.pending.set() & ~task.signalMask);
    if (signal != 0) {
      return task.pending.take(signal);
    }
    signal = Signals.first(task.process.pending.set() & ~task.signalMask);
    return signal == 0 ? null : task.process.pending.take(signal);
  }

  private static void terminate(Task task, SignalInfo info) {
    CrashReport.print(task, info);
    task.process.exit(info.signal());
  }

  /** Settles a call that a signal has ended: EINTR where the handler asks for it, else again. */
  private static void restartCall(Task task, @Nullable SignalAction action) {
    int how = task.restart;
    if (how == 0) {
      return;
    }
    task.restart = 0;
    boolean again =
        action == null
            || (how == Errno.ERESTARTSYS && (action.flags() & SignalAction.SA_RESTART) != 0);
    if (again) {
      task.cpu.put64(RAX, task.restartNumber);
      task.cpu.rip(task.cpu.rip() - 2);
    } else {
      task.cpu.put64(RAX, -Errno.EINTR);
    }
  }

  private static boolean onAltStack(Task task, long sp) {
    return (task.altStackFlags & SS_DISABLE) == 0
        && sp > task.altStack
        && sp - task.altStack <= task.altStackBytes;
  }

  /** False when the frame cannot be written. */
  private static boolean enterHandler(Task task, SignalInfo info, SignalAction action) {
    Cpu c = task.cpu;
    if ((action.flags() & SignalAction.SA_RESTORER) == 0) {
      return false;
    }
    long sp = c.get64(RSP);
    boolean nested = onAltStack(task, sp);
    if ((action.flags() & SignalAction.SA_ONSTACK) != 0
        && (task.altStackFlags & SS_DISABLE) == 0
        && !nested) {
      sp = task.altStack + task.altStackBytes;
    } else {
      sp -= RED_ZONE;
    }
    long fpState = (sp - FpFrame.bytes(c)) & -64L;
    long frame = ((fpState - FRAME_BYTES) & -16L) - 8;
    if (nested && !onAltStack(task, frame)) {
      return false;
    }
    byte[] content = new byte[FRAME_BYTES];
    encode(task, content, info, action, fpState);
    try {
      UserMemory memory = task.memory();
      memory.bytes(frame, content);
      memory.bytes(fpState, FpFrame.save(c));
    } catch (LinuxError e) {
      return false;
    }
    if ((task.altStackFlags & SS_AUTODISARM) != 0) {
      task.altStackFlags = SS_DISABLE;
    }
    if (task.hasSavedMask) {
      task.hasSavedMask = false;
    }
    long more = action.mask();
    if ((action.flags() & SignalAction.SA_NODEFER) == 0) {
      more |= Signals.bit(info.signal());
    }
    task.signalMask = Signals.blockable(task.signalMask | more);
    if ((action.flags() & SignalAction.SA_RESETHAND) != 0) {
      task.process.actions[info.signal()] = SignalAction.DEFAULT;
    }
    c.put64(RDI, info.signal());
    c.put64(RSI, frame + SIGINFO_AT);
    c.put64(RDX, frame + CONTEXT_AT);
    c.put64(RAX, 0);
    c.put64(RSP, frame);
    c.rip(action.handler());
    c.rflags(c.rflags() & ~(long) (Rflags.DF | Rflags.TF | Rflags.RF));
    UserMode.resetFpu(c);
    UserMode.flatSegments(c);
    c.updateMode();
    return true;
  }

  private static void encode(
      Task task, byte[] frame, SignalInfo info, SignalAction action, long fpState) {
    Cpu c = task.cpu;
    Bytes.put64(frame, 0, action.restorer());
    Bytes.put64(frame, CONTEXT_AT, UC_FLAGS);
    Bytes.put64(frame, CONTEXT_AT + 16, task.altStack);
    Bytes.put32(frame, CONTEXT_AT + 24, altStackFlags(task));
    Bytes.put64(frame, CONTEXT_AT + 32, task.altStackBytes);
    for (int i = 0; i < ORDER.length; i++) {
      Bytes.put64(frame, REGISTERS_AT + i * 8, c.get64(ORDER[i]));
    }
    int at = REGISTERS_AT + ORDER.length * 8;
    Bytes.put64(frame, at, c.rflags());
    Bytes.put16(frame, at + 8, UserMode.CODE_SELECTOR);
    Bytes.put16(frame, at + 14, UserMode.STACK_SELECTOR);
    Bytes.put64(frame, at + 16, task.monitor.trapCode);
    Bytes.put64(frame, at + 24, task.monitor.trapNumber);
    long mask = task.hasSavedMask ? task.savedMask : task.signalMask;
    Bytes.put64(frame, at + 32, mask);
    Bytes.put64(frame, at + 40, c.get64(CR2));
    Bytes.put64(frame, at + 48, fpState);
    Bytes.put64(frame, MASK_AT, mask);
    System.arraycopy(info.encode(), 0, frame, SIGINFO_AT, 128);
  }

  static int altStackFlags(Task task) {
    return onAltStack(task, task.cpu.get64(RSP))
        ? task.altStackFlags | SS_ONSTACK
        : task.altStackFlags;
  }

  /** rt_sigreturn: everything comes from the frame at RSP - 8; RAX too. */
  static void returnFromHandler(Task task) {
    Cpu c = task.cpu;
    UserMemory memory = task.memory();
    byte[] frame = memory.bytes(c.get64(RSP) - 8, SIGINFO_AT);
    int at = REGISTERS_AT + ORDER.length * 8;
    long fpState = Bytes.get64(frame, at + 48);
    byte[] fp = fpState == 0 ? null : memory.bytes(fpState, FpFrame.bytes(c));
    for (int i = 0; i < ORDER.length; i++) {
      c.put64(ORDER[i], Bytes.get64(frame, REGISTERS_AT + i * 8));
    }
    long flags = Bytes.get64(frame, at);
    c.rflags((c.rflags() & ~FIX_EFLAGS) | (flags & FIX_EFLAGS));
    UserMode.flatSegments(c);
    if (fp == null) {
      UserMode.resetFpu(c);
    } else {
      FpFrame.restore(c, fp);
    }
    c.updateMode();
    task.signalMask = Signals.blockable(Bytes.get64(frame, MASK_AT));
    task.restart = 0;
    int stackFlags = Bytes.get32(frame, CONTEXT_AT + 24);
    if ((stackFlags & ~(SS_ONSTACK | SS_DISABLE | SS_AUTODISARM)) == 0) {
      task.altStack = Bytes.get64(frame, CONTEXT_AT + 16);
      task.altStackBytes = Bytes.get64(frame, CONTEXT_AT + 32);
      task.altStackFlags = stackFlags & ~SS_ONSTACK;
    }
  }
}
