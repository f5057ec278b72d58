package parhelion.process;

import org.jspecify.annotations.Nullable;

/** wait4 and waitid. */
final class WaitCalls {
  private static final int WNOHANG = 1;
  private static final int WEXITED = 4;
  private static final int WNOWAIT = 0x100_0000;

  private WaitCalls() {}

  /** Whether a child is one that is waited for; as wait4's first argument has it. */
  private static boolean matches(Task t, Process child, int pid) {
    if (pid > 0) {
      return child.pid == pid;
    }
    return pid == -1 || child.group == (pid == 0 ? t.process.group : -pid);
  }

  /** A dead child, or null with WNOHANG when there is none yet. */
  private static @Nullable Process await(Task t, int pid, boolean noHang) {
    while (true) {
      boolean any = false;
      for (Process child : t.process.children) {
        if (matches(t, child, pid)) {
          any = true;
          if (child.zombie) {
            return child;
          }
        }
      }
      if (!any) {
        throw new LinuxError(Errno.ECHILD);
      }
      if (noHang) {
        return null;
      }
      boolean ignored = t.await(t.process.childChanged, Task.FOREVER, Errno.ERESTARTSYS);
    }
  }

  static long wait4(Task t, long pid, long statusVa, long options, long usageVa, long e, long f) {
    if ((options & ~0xe000_000bL) != 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    Process child = await(t, (int) pid, (options & WNOHANG) != 0);
    if (child == null) {
      return 0;
    }
    if (statusVa != 0) {
      t.memory().put32(statusVa, child.status);
    }
    if (usageVa != 0) {
      t.memory().bytes(usageVa, TimeCalls.usage(child.userNanos + child.childrenNanos, 0));
    }
    t.kernel.forget(child);
    return child.pid;
  }

  static long waitid(Task t, long type, long id, long infoVa, long options, long usageVa, long f) {
    if ((options & ~0xe100_000fL) != 0 || (options & (WEXITED | 2 | 8)) == 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    int pid =
        switch ((int) type) {
          case 0 -> -1;
          case 1 -> (int) id;
          case 2 -> id == 0 ? 0 : -(int) id;
          default -> throw new LinuxError(Errno.EINVAL);
        };
    if (type == 1 && (int) id <= 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    Process child = await(t, pid, (options & WNOHANG) != 0);
    byte[] info = new byte[128];
    if (child != null) {
      boolean killed = (child.status & 0x7f) != 0;
      Bytes.put32(info, 0, Signals.SIGCHLD);
      Bytes.put32(info, 8, killed ? SignalInfo.CLD_KILLED : SignalInfo.CLD_EXITED);
      Bytes.put32(info, 16, child.pid);
      Bytes.put32(info, 20, Identity.uid());
      Bytes.put32(info, 24, killed ? child.status & 0x7f : child.status >>> 8);
    }
    if (infoVa != 0) {
      t.memory().bytes(infoVa, info);
    }
    if (child != null) {
      if (usageVa != 0) {
        t.memory().bytes(usageVa, TimeCalls.usage(child.userNanos + child.childrenNanos, 0));
      }
      if ((options & WNOWAIT) == 0) {
        t.kernel.forget(child);
      }
    }
    return 0;
  }
}
