package parhelion.process;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.process.file.OpenFile;
import parhelion.process.file.WaitQueue;
import parhelion.process.memory.AddressSpace;
import parhelion.process.memory.UserMemory;

/**
 * A guest process (a thread group): what its threads share. Everything here is read and written
 * under the kernel's lock.
 */
final class Process {
  /** Working directory and umask, which clone can share between processes. */
  static final class Directory {
    String path = "/";
    int umask = 022;

    Directory copy() {
      Directory copy = new Directory();
      copy.path = path;
      copy.umask = umask;
      return copy;
    }
  }

  final Kernel kernel;
  final int pid;
  @Nullable Process parent;
  int group;
  int session;
  final List<Process> children = new ArrayList<>();
  final List<Task> tasks = new ArrayList<>();

  AddressSpace space;
  UserMemory memory;
  FileTable files;
  Directory directory;
  SignalAction[] actions;
  String name = "";
  String executablePath = "";
  @Nullable OpenFile executable;
  List<String> arguments = List.of();
  @Nullable ElfSymbols symbols;

  /** Signals for any thread. */
  final SignalQueue pending = new SignalQueue();

  /** Woken when a child has ended. */
  final WaitQueue childChanged = new WaitQueue();

  /** Woken when this process has left its parent's address space: vfork. */
  final WaitQueue spaceLeft = new WaitQueue();

  boolean sharesParentSpace;

  /** Signal that the parent gets at the end. */
  int exitSignal = Signals.SIGCHLD;

  /** All threads are to end, with {@link #status}. */
  boolean exiting;

  /** All threads have ended; what is left waits for the parent. */
  boolean zombie;

  /** As wait gives it: exit code shifted by 8, or signal. */
  int status;

  final long startNanos = System.nanoTime();
  long userNanos;
  long childrenNanos;
  final IntervalTimer realTimer = new IntervalTimer();

  Process(Kernel kernel, int pid, AddressSpace space, FileTable files, Directory directory) {
    this.kernel = kernel;
    this.pid = pid;
    this.space = space;
    memory = new UserMemory(space);
    this.files = files;
    this.directory = directory;
    actions = new SignalAction[Signals.MAX + 1];
    Arrays.fill(actions, SignalAction.DEFAULT);
    group = pid;
    session = pid;
  }

  /** Enters another space; the old one is the caller's to release. */
  void setSpace(AddressSpace next) {
    space = next;
    memory = new UserMemory(next);
  }

  int parentPid() {
    Process p = parent;
    return p == null ? 0 : p.pid;
  }

  /** Asks every thread to end. */
  void exit(int waitStatus) {
    if (!exiting) {
      exiting = true;
      status = waitStatus;
      for (Task task : tasks) {
        task.wake();
      }
    }
  }

  void leaveSharedSpace() {
    if (sharesParentSpace) {
      sharesParentSpace = false;
      spaceLeft.wakeAll();
    }
  }

  void setExecutable(OpenFile file, String path) {
    OpenFile old = executable;
    executable = file;
    executablePath = path;
    if (old != null) {
      old.release();
    }
  }
}
