package parhelion.process;

import java.util.ArrayList;
import java.util.List;
import parhelion.cpu.CpuState;
import parhelion.process.memory.AddressSpace;

/** New processes and threads, new programs, and their ends. */
final class CloneCalls {
  private static final long CLONE_VM = 0x100;
  private static final long CLONE_FS = 0x200;
  private static final long CLONE_FILES = 0x400;
  private static final long CLONE_SIGHAND = 0x800;
  private static final long CLONE_VFORK = 0x4000;
  private static final long CLONE_PARENT = 0x8000;
  private static final long CLONE_THREAD = 0x1_0000;
  private static final long CLONE_SETTLS = 0x8_0000;
  private static final long CLONE_PARENT_SETTID = 0x10_0000;
  private static final long CLONE_CHILD_CLEARTID = 0x20_0000;
  private static final long CLONE_CHILD_SETTID = 0x100_0000;
  private static final long CLONE_CLEAR_SIGHAND = 0x1_0000_0000L;

  /** Namespaces, ptrace, pidfds and the like: not here. */
  private static final long UNSUPPORTED = 0x7e02_3000L;

  private static final int MAX_STRINGS = 0x8000;

  private CloneCalls() {}

  /** What is asked of clone, from either form of the call. */
  private record Request(
      long flags, int exitSignal, long stack, long tls, long parentTid, long childTid) {}

  static long clone(
      Task t, long flags, long stack, long parentTid, long childTid, long tls, long f) {
    return clone(
        t, new Request(flags & 0xffff_ff00L, (int) flags & 0xff, stack, tls, parentTid, childTid));
  }

  static long clone3(Task t, long va, long size, long c, long d, long e, long f) {
    if (size < 64 || size > 4096) {
      throw new LinuxError(size > 4096 ? Errno.E2BIG : Errno.EINVAL);
    }
    byte[] in = t.memory().bytes(va, (int) size);
    for (int i = 64; i < size; i++) {
      if (in[i] != 0) {
        throw new LinuxError(i < 88 ? Errno.EINVAL : Errno.E2BIG);
      }
    }
    long flags = Bytes.get64(in, 0);
    long stack = Bytes.get64(in, 40);
    long stackBytes = Bytes.get64(in, 48);
    if ((stack == 0) != (stackBytes == 0) || (flags & 0xff) != 0) {
      throw new LinuxError(Errno.EINVAL);
    }
    return clone(
        t,
        new Request(
            flags,
            (int) Bytes.get64(in, 32),
            stack + stackBytes,
            Bytes.get64(in, 56),
            Bytes.get64(in, 24),
            Bytes.get64(in, 16)));
  }

  static long fork(Task t, long a, long b, long c, long d, long e, long f) {
    return clone(t, new Request(0, Signals.SIGCHLD, 0, 0, 0, 0));
  }

  static long vfork(Task t, long a, long b, long c, long d, long e, long f) {
    return clone(t, new Request(CLONE_VM | CLONE_VFORK, Signals.SIGCHLD, 0, 0, 0, 0));
  }

  private static void check(Request r) {
    boolean thread = (r.flags & CLONE_THREAD) != 0;
    boolean handlers = (r.flags & CLONE_SIGHAND) != 0;
    boolean memory = (r.flags & CLONE_VM) != 0;
    if ((thread && !handlers)
        || (handlers && !memory)
        || (r.flags & UNSUPPORTED) != 0
        || r.exitSignal < 0
        || r.exitSignal > Signals.MAX) {
      throw new LinuxError(Errno.EINVAL);
    }
    if (handlers && !thread) {
      throw new LinuxError(Errno.EINVAL); // processes that share handlers: nobody does
    }
  }

  private static long clone(Task t, Request r) {
    check(r);
    Kernel kernel = t.kernel;
    int tid = kernel.newPid();
    boolean thread = (r.flags & CLONE_THREAD) != 0;
    if ((r.flags & CLONE_PARENT_SETTID) != 0) {
      t.memory().put32(r.parentTid, tid);
    }
    Process process = thread ? t.process : child(t, r, tid);
    Task child = kernel.copyOf(t, process, tid);
    if (r.stack != 0) {
      child.cpu.put64(CpuState.RSP, r.stack);
    }
    if ((r.flags & CLONE_SETTLS) != 0) {
      child.cpu.put64(CpuState.FS_BASE, r.tls);
    }
    if ((r.flags & CLONE_CHILD_SETTID) != 0) {
      try {
        child.memory().put32(r.childTid, tid);
      } catch (LinuxError e) {
        // As in Linux: the child would have been the one to find out.
      }
    }
    if ((r.flags & CLONE_CHILD_CLEARTID) != 0) {
      child.clearChildTid = r.childTid;
    }
    if (!thread && (r.flags & CLONE_VM) == 0) {
      child.altStack = t.altStack;
      child.altStackBytes = t.altStackBytes;
      child.altStackFlags = t.altStackFlags;
    }
    kernel.start(child);
    if ((r.flags & CLONE_VFORK) != 0 && !thread) {
      awaitVfork(t, process);
    }
    return tid;
  }

  private static Process child(Task t, Request r, int pid) {
    Process parent = t.process;
    boolean shares = (r.flags & CLONE_VM) != 0;
    AddressSpace space;
    if (shares) {
      space = parent.space;
      space.retain();
    } else {
      space = parent.space.fork();
    }
    FileTable files = (r.flags & CLONE_FILES) != 0 ? parent.files.share() : parent.files.copy();
    Process.Directory directory =
        (r.flags & CLONE_FS) != 0 ? parent.directory : parent.directory.copy();
    Process child = new Process(t.kernel, pid, space, files, directory);
    Process father = (r.flags & CLONE_PARENT) != 0 ? parent.parent : parent;
    child.parent = father;
    if (father != null) {
      father.children.add(child);
    }
    child.group = parent.group;
    child.session = parent.session;
    child.name = parent.name;
    child.arguments = parent.arguments;
    child.symbols = parent.symbols;
    child.exitSignal = r.exitSignal;
    child.sharesParentSpace = shares;
    if (parent.executable != null) {
      child.setExecutable(parent.executable.retain(), parent.executablePath);
    }
    boolean clear = (r.flags & CLONE_CLEAR_SIGHAND) != 0;
    for (int i = 1; i <= Signals.MAX; i++) {
      SignalAction action = parent.actions[i];
      child.actions[i] =
          clear && action.handler() != SignalAction.SIG_IGN ? SignalAction.DEFAULT : action;
    }
    t.kernel.processes.put(pid, child);
    return child;
  }

  /** The parent goes on when the child has left its memory; only its own end comes before that. */
  private static void awaitVfork(Task t, Process child) {
    while (child.sharesParentSpace && !child.zombie) {
      t.awaitUninterruptibly(child.spaceLeft);
      if (t.isExiting()) {
        throw TaskExit.INSTANCE;
      }
    }
  }

  static long execve(Task t, long pathVa, long argsVa, long envVa, long d, long e, long f) {
    String path = t.memory().path(pathVa);
    List<String> arguments = strings(t, argsVa);
    List<String> environment = strings(t, envVa);
    Programs.execute(t, path, arguments.isEmpty() ? List.of("") : arguments, environment);
    return Dispatcher.REGISTERS_SET;
  }

  private static List<String> strings(Task t, long va) {
    List<String> result = new ArrayList<>();
    long total = 0;
    if (va == 0) {
      return result;
    }
    for (long at = va; ; at += 8) {
      long text = t.memory().get64(at);
      if (text == 0) {
        break;
      }
      String string = t.memory().string(text, 128 << 10, Errno.E2BIG);
      total += string.length() + 9L;
      if (result.size() >= MAX_STRINGS || total > 2 << 20) {
        throw new LinuxError(Errno.E2BIG);
      }
      result.add(string);
    }
    return result;
  }

  static long exit(Task t, long status, long b, long c, long d, long e, long f) {
    if (t.process.tasks.size() == 1 && !t.process.exiting) {
      t.process.status = ((int) status & 0xff) << 8;
    }
    t.exiting = true;
    throw TaskExit.INSTANCE;
  }

  static long exitGroup(Task t, long status, long b, long c, long d, long e, long f) {
    t.process.exit(((int) status & 0xff) << 8);
    throw TaskExit.INSTANCE;
  }
}
