package parhelion.process;

import parhelion.cpu.CpuState;
import parhelion.process.file.Devices;
import parhelion.process.memory.AddressSpace;

/** Who and where am I, limits, and odds and ends. */
final class IdentityCalls {
  private static final int CODE_FS = 0x1002;
  private static final int CODE_GS = 0x1001;
  private static final int CODE_GET_FS = 0x1003;
  private static final int CODE_GET_GS = 0x1004;
  private static final int RLIMITS = 16;
  private static final long INFINITY = -1;
  private static final int CHUNK = 1 << 16;

  private IdentityCalls() {}

  static long notImplemented(Task t, long a, long b, long c, long d, long e, long f) {
    throw new LinuxError(Errno.ENOSYS);
  }

  /** Extended attributes: no file has any. */
  static long notSupported(Task t, long a, long b, long c, long d, long e, long f) {
    throw new LinuxError(Errno.EOPNOTSUPP);
  }

  static long noSockets(Task t, long a, long b, long c, long d, long e, long f) {
    throw new LinuxError(Errno.EAFNOSUPPORT);
  }

  static long getpid(Task t, long a, long b, long c, long d, long e, long f) {
    return t.process.pid;
  }

  static long gettid(Task t, long a, long b, long c, long d, long e, long f) {
    return t.tid;
  }

  static long getppid(Task t, long a, long b, long c, long d, long e, long f) {
    return t.process.parentPid();
  }

  static long getuid(Task t, long a, long b, long c, long d, long e, long f) {
    return Identity.uid();
  }

  static long getgid(Task t, long a, long b, long c, long d, long e, long f) {
    return Identity.gid();
  }

  /** Nobody can become another: only what one is already can be set. */
  private static void same(int mine, long... ids) {
    for (long id : ids) {
      if ((int) id != -1 && (int) id != mine) {
        throw new LinuxError(Errno.EPERM);
      }
    }
  }

  static long setuid(Task t, long a, long b, long c, long d, long e, long f) {
    same(Identity.uid(), a);
    return 0;
  }

  static long setgid(Task t, long a, long b, long c, long d, long e, long f) {
    same(Identity.gid(), a);
    return 0;
  }

  static long setreuid(Task t, long a, long b, long c, long d, long e, long f) {
    same(Identity.uid(), a, b);
    return 0;
  }

  static long setregid(Task t, long a, long b, long c, long d, long e, long f) {
    same(Identity.gid(), a, b);
    return 0;
  }

  static long setresuid(Task t, long a, long b, long c, long d, long e, long f) {
    same(Identity.uid(), a, b, c);
    return 0;
  }

  static long setresgid(Task t, long a, long b, long c, long d, long e, long f) {
    same(Identity.gid(), a, b, c);
    return 0;
  }

  private static void putThree(Task t, int id, long... vas) {
    for (long va : vas) {
      t.memory().put32(va, id);
    }
  }

  static long getresuid(Task t, long a, long b, long c, long d, long e, long f) {
    putThree(t, Identity.uid(), a, b, c);
    return 0;
  }

  static long getresgid(Task t, long a, long b, long c, long d, long e, long f) {
    putThree(t, Identity.gid(), a, b, c);
    return 0;
  }

  static long getgroups(Task t, long size, long va, long c, long d, long e, long f) {
    if ((int) size < 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    if (size != 0) {
      t.memory().put32(va, Identity.gid());
    }
    return 1;
  }

  static long setgroups(Task t, long a, long b, long c, long d, long e, long f) {
    throw new LinuxError(Errno.EPERM);
  }

  // --- groups and sessions ---

  private static Process process(Task t, long pid) {
    Process process = pid == 0 ? t.process : t.kernel.processes.get((int) pid);
    if (process == null) {
      throw new LinuxError(Errno.ESRCH);
    }
    return process;
  }

  static long getpgrp(Task t, long a, long b, long c, long d, long e, long f) {
    return t.process.group;
  }

  static long getpgid(Task t, long pid, long b, long c, long d, long e, long f) {
    return process(t, pid).group;
  }

  static long getsid(Task t, long pid, long b, long c, long d, long e, long f) {
    return process(t, pid).session;
  }

  static long setpgid(Task t, long pid, long groupArgument, long c, long d, long e, long f) {
    Process process = process(t, pid);
    int group = groupArgument == 0 ? process.pid : (int) groupArgument;
    if (group < 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    if (process != t.process && process.parent != t.process) {
      throw new LinuxError(Errno.ESRCH);
    }
    boolean known =
        group == process.pid
            || t.kernel.processes.values().stream()
                .anyMatch(p -> p.group == group && p.session == process.session);
    if (!known || process.session == process.pid || process.session != t.process.session) {
      throw new LinuxError(Errno.EPERM);
    }
    process.group = group;
    return 0;
  }

  static long setsid(Task t, long a, long b, long c, long d, long e, long f) {
    Process process = t.process;
    if (t.kernel.processes.values().stream().anyMatch(p -> p.group == process.pid)) {
      throw new LinuxError(Errno.EPERM);
    }
    process.group = process.pid;
    process.session = process.pid;
    return process.pid;
  }

  static long getpriority(Task t, long a, long b, long c, long d, long e, long f) {
    return 20;
  }

  static long setpriority(Task t, long a, long b, long c, long d, long e, long f) {
    return 0;
  }

  // --- the machine ---

  static long uname(Task t, long va, long b, long c, long d, long e, long f) {
    t.memory().bytes(va, Identification.utsname());
    return 0;
  }

  static long sysinfo(Task t, long va, long b, long c, long d, long e, long f) {
    byte[] out = new byte[112];
    Bytes.put64(out, 0, (System.nanoTime() - t.kernel.bootNanos) / 1_000_000_000 + 1);
    Bytes.put64(out, 32, t.kernel.pool.total() << 12);
    Bytes.put64(out, 40, t.kernel.pool.available() << 12);
    Bytes.put16(out, 80, t.kernel.tasks.size());
    Bytes.put32(out, 104, 1);
    t.memory().bytes(va, out);
    return 0;
  }

  static long getrandom(Task t, long va, long size, long flags, long d, long e, long f) {
    if ((flags & ~7L) != 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    long want = Math.clamp(size, 0, 0x1ff_ffff);
    byte[] bytes = new byte[(int) Math.min(want, CHUNK)];
    for (long done = 0; done < want; ) {
      int part = (int) Math.min(want - done, CHUNK);
      Devices.random(bytes, part);
      t.memory().write(va + done, bytes, 0, part);
      done += part;
    }
    return want;
  }

  // --- limits ---

  private static long limit(int resource) {
    return switch (resource) {
      case 3 -> 8L << 20; // RLIMIT_STACK
      case 4 -> 0; // RLIMIT_CORE
      case 7 -> FileTable.MAX; // RLIMIT_NOFILE
      case 6 -> 512; // RLIMIT_NPROC
      default -> INFINITY;
    };
  }

  private static void putLimit(Task t, int resource, long va) {
    t.memory().put64(va, limit(resource));
    t.memory().put64(va + 8, resource == 3 ? INFINITY : limit(resource));
  }

  private static int resource(long argument) {
    if (argument < 0 || argument >= RLIMITS) {
      throw new LinuxError(Errno.EINVAL);
    }
    return (int) argument;
  }

  static long getrlimit(Task t, long resource, long va, long c, long d, long e, long f) {
    putLimit(t, resource(resource), va);
    return 0;
  }

  /** Limits can be set, to no effect: ours are what they are. */
  static long setrlimit(Task t, long resource, long va, long c, long d, long e, long f) {
    int ignored = resource(resource);
    byte[] in = t.memory().bytes(va, 16);
    if (Long.compareUnsigned(Bytes.get64(in, 0), Bytes.get64(in, 8)) > 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    return 0;
  }

  static long prlimit(Task t, long pid, long resource, long va, long oldVa, long e, long f) {
    Process ignored = process(t, pid);
    int r = resource(resource);
    if (va != 0) {
      long done = setrlimit(t, resource, va, 0, 0, 0, 0);
    }
    if (oldVa != 0) {
      putLimit(t, r, oldVa);
    }
    return 0;
  }

  // --- threads' own ---

  static long setTidAddress(Task t, long va, long b, long c, long d, long e, long f) {
    t.clearChildTid = va;
    return t.tid;
  }

  static long archPrctl(Task t, long code, long va, long c, long d, long e, long f) {
    switch ((int) code) {
      case CODE_FS, CODE_GS -> {
        if (Long.compareUnsigned(va, AddressSpace.TOP) >= 0) {
          throw new LinuxError(Errno.EPERM);
        }
        t.cpu.put64(code == CODE_FS ? CpuState.FS_BASE : CpuState.GS_BASE, va);
      }
      case CODE_GET_FS -> t.memory().put64(va, t.register(CpuState.FS_BASE));
      case CODE_GET_GS -> t.memory().put64(va, t.register(CpuState.GS_BASE));
      default -> throw new LinuxError(Errno.EINVAL);
    }
    return 0;
  }

  static long prctl(Task t, long option, long va, long c, long d, long e, long f) {
    switch ((int) option) {
      case 15 -> { // PR_SET_NAME
        t.process.name = t.memory().string(va, 4096, Errno.EFAULT);
        if (t.process.name.length() > 15) {
          t.process.name = t.process.name.substring(0, 15);
        }
        return 0;
      }
      case 16 -> { // PR_GET_NAME
        byte[] out = new byte[16];
        String name = t.process.name;
        for (int i = 0; i < Math.min(15, name.length()); i++) {
          out[i] = (byte) name.charAt(i);
        }
        t.memory().bytes(va, out);
        return 0;
      }
      case 1, 4, 38, 22 -> { // PDEATHSIG, DUMPABLE, NO_NEW_PRIVS
        return 0;
      }
      case 3, 39 -> { // GET_DUMPABLE, GET_NO_NEW_PRIVS
        return 1;
      }
      default -> throw new LinuxError(Errno.EINVAL);
    }
  }
}
