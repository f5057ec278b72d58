package parhelion.process;

import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.process.memory.UserMemory;

/** System calls on signals. */
final class SignalCalls {
  private static final int SS_DISABLE = 2;
  private static final int SS_AUTODISARM = 1 << 31;
  private static final long MIN_STACK = 2048;

  private SignalCalls() {}

  private static void checkSetSize(long size) {
    if (size != 8) {
      throw new LinuxError(Errno.EINVAL);
    }
  }

  private static int signal(long number) {
    if ((int) number < 0 || (int) number > Signals.MAX) {
      throw new LinuxError(Errno.EINVAL);
    }
    return (int) number;
  }

  static long sigaction(Task t, long number, long va, long oldVa, long size, long e, long f) {
    checkSetSize(size);
    int signal = signal(number);
    UserMemory memory = t.memory();
    boolean fixed = signal == Signals.SIGKILL || signal == Signals.SIGSTOP;
    if (signal == 0 || (fixed && va != 0)) {
      throw new LinuxError(Errno.EINVAL);
    }
    SignalAction old = t.process.actions[signal];
    SignalAction next = null;
    if (va != 0) {
      byte[] in = memory.bytes(va, 32);
      next =
          new SignalAction(
              Bytes.get64(in, 0),
              Bytes.get64(in, 8),
              Bytes.get64(in, 16),
              Signals.blockable(Bytes.get64(in, 24)));
    }
    if (oldVa != 0) {
      byte[] out = new byte[32];
      Bytes.put64(out, 0, old.handler());
      Bytes.put64(out, 8, old.flags());
      Bytes.put64(out, 16, old.restorer());
      Bytes.put64(out, 24, old.mask());
      memory.bytes(oldVa, out);
    }
    if (next != null) {
      t.process.actions[signal] = next;
      if (next.ignores(signal)) {
        t.process.pending.discard(signal);
        t.process.tasks.forEach(task -> task.pending.discard(signal));
      }
    }
    return 0;
  }

  static long sigprocmask(Task t, long how, long va, long oldVa, long size, long e, long f) {
    checkSetSize(size);
    long old = t.signalMask;
    long next = old;
    if (va != 0) {
      long set = t.memory().get64(va);
      next =
          switch ((int) how) {
            case 0 -> old | set;
            case 1 -> old & ~set;
            case 2 -> set;
            default -> throw new LinuxError(Errno.EINVAL);
          };
    }
    if (oldVa != 0) {
      t.memory().put64(oldVa, old);
    }
    t.signalMask = Signals.blockable(next);
    return 0;
  }

  static long sigreturn(Task t, long a, long b, long c, long d, long e, long f) {
    try {
      SignalDelivery.returnFromHandler(t);
    } catch (LinuxError error) {
      SignalDelivery.force(t, new SignalInfo(Signals.SIGSEGV, SignalInfo.SI_KERNEL, 0, 0, 0), 0, 0);
    }
    return Dispatcher.REGISTERS_SET;
  }

  static long sigpending(Task t, long va, long size, long c, long d, long e, long f) {
    checkSetSize(size);
    t.memory().put64(va, (t.pending.set() | t.process.pending.set()) & t.signalMask);
    return 0;
  }

  /** Takes another mask for a wait, if there is one; the old one comes back afterwards. */
  static void suspendMask(Task t, long va, long size) {
    if (va == 0) {
      return;
    }
    checkSetSize(size);
    long mask = t.memory().get64(va);
    t.savedMask = t.signalMask;
    t.hasSavedMask = true;
    t.signalMask = Signals.blockable(mask);
  }

  static long sigsuspend(Task t, long va, long size, long c, long d, long e, long f) {
    if (va == 0) {
      throw new LinuxError(Errno.EFAULT);
    }
    suspendMask(t, va, size);
    return pause(t, 0, 0, 0, 0, 0, 0);
  }

  static long pause(Task t, long a, long b, long c, long d, long e, long f) {
    do {
      t.prepareToWait();
      boolean ignored = t.await(Task.FOREVER);
    } while (!t.isInterrupted());
    throw new LinuxError(Errno.ERESTARTNOHAND);
  }

  static long sigtimedwait(Task t, long va, long infoVa, long timeVa, long size, long e, long f) {
    checkSetSize(size);
    long set = Signals.blockable(t.memory().get64(va));
    long deadline = timeVa == 0 ? Task.FOREVER : TimeCalls.deadline(t, timeVa);
    while (true) {
      t.prepareToWait();
      SignalInfo info = take(t, set);
      if (info != null) {
        if (infoVa != 0) {
          t.memory().bytes(infoVa, info.encode());
        }
        return info.signal();
      }
      boolean inTime = t.await(deadline);
      if (t.isInterrupted() && ((t.deliverable() & ~set) != 0)) {
        throw new LinuxError(Errno.EINTR);
      }
      if (!inTime) {
        throw new LinuxError(Errno.EAGAIN);
      }
    }
  }

  private static @Nullable SignalInfo take(Task t, long set) {
    int signal = Signals.first(t.pending.set() & set);
    if (signal != 0) {
      return t.pending.take(signal);
    }
    signal = Signals.first(t.process.pending.set() & set);
    return signal == 0 ? null : t.process.pending.take(signal);
  }

  static long sigaltstack(Task t, long va, long oldVa, long c, long d, long e, long f) {
    byte[] in = va == 0 ? null : t.memory().bytes(va, 24);
    int current = SignalDelivery.altStackFlags(t);
    if (oldVa != 0) {
      byte[] out = new byte[24];
      Bytes.put64(out, 0, t.altStack);
      Bytes.put32(out, 8, current);
      Bytes.put64(out, 16, t.altStackBytes);
      t.memory().bytes(oldVa, out);
    }
    if (in != null) {
      if ((current & 1) != 0) {
        throw new LinuxError(Errno.EPERM);
      }
      int flags = Bytes.get32(in, 8);
      if ((flags & ~(SS_DISABLE | SS_AUTODISARM | 1)) != 0) {
        throw new LinuxError(Errno.EINVAL);
      }
      boolean off = (flags & SS_DISABLE) != 0;
      long bytes = Bytes.get64(in, 16);
      if (!off && Long.compareUnsigned(bytes, MIN_STACK) < 0) {
        throw new LinuxError(Errno.ENOMEM);
      }
      t.altStack = off ? 0 : Bytes.get64(in, 0);
      t.altStackBytes = off ? 0 : bytes;
      t.altStackFlags = flags & ~1;
    }
    return 0;
  }

  // --- sending ---

  private static SignalInfo fromUser(Task t, int signal, int code) {
    return new SignalInfo(signal, code, t.process.pid, Identity.uid(), 0);
  }

  static long kill(Task t, long pidArgument, long number, long c, long d, long e, long f) {
    int pid = (int) pidArgument;
    int signal = signal(number);
    boolean found = false;
    int group = pid == 0 ? t.process.group : -pid;
    for (Process process : List.copyOf(t.kernel.processes.values())) {
      boolean meant =
          pid > 0 ? process.pid == pid : pid == -1 ? process != t.process : process.group == group;
      if (meant) {
        found = true;
        if (signal != 0) {
          SignalDelivery.send(process, fromUser(t, signal, SignalInfo.SI_USER));
        }
      }
    }
    if (!found) {
      throw new LinuxError(Errno.ESRCH);
    }
    return 0;
  }

  static long tkill(Task t, long tid, long number, long c, long d, long e, long f) {
    return tgkill(t, -1, tid, number, 0, 0, 0);
  }

  static long tgkill(Task t, long group, long tid, long number, long d, long e, long f) {
    int signal = signal(number);
    if ((int) tid <= 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    Task target = t.kernel.tasks.get((int) tid);
    if (target == null || ((int) group != -1 && target.process.pid != (int) group)) {
      throw new LinuxError(Errno.ESRCH);
    }
    if (signal != 0) {
      SignalDelivery.send(target, fromUser(t, signal, SignalInfo.SI_TKILL));
    }
    return 0;
  }

  static long sigqueueinfo(Task t, long pid, long number, long va, long d, long e, long f) {
    int signal = signal(number);
    byte[] in = t.memory().bytes(va, 32);
    int code = Bytes.get32(in, 8);
    if (code >= 0 && (int) pid != t.process.pid) {
      throw new LinuxError(Errno.EPERM);
    }
    Process process = t.kernel.processes.get((int) pid);
    if (process == null) {
      throw new LinuxError(Errno.ESRCH);
    }
    if (signal != 0) {
      SignalDelivery.send(
          process,
          new SignalInfo(signal, code, t.process.pid, Identity.uid(), Bytes.get64(in, 24)));
    }
    return 0;
  }
}
