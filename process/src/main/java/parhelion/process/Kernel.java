package parhelion.process;

import static parhelion.cpu.memory.Host.U;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.CpuState;
import parhelion.cpu.EngineUnavailableException;
import parhelion.cpu.Mark;
import parhelion.cpu.interp.CodeCache;
import parhelion.cpu.memory.MachineMemory;
import parhelion.process.file.HostNode;
import parhelion.process.file.OpenFile;
import parhelion.process.file.Tree;
import parhelion.process.memory.AddressSpace;
import parhelion.process.memory.FramePool;

/**
 * A world of guest processes: their memory, names, identities and ends. Start here: {@link #run}
 * executes a program and returns its status.
 *
 * <p>One lock guards everything, and guest code runs with it held, in slices, as decoded code is
 * shared by all; who waits gives it back. Each guest thread has a host thread.
 */
public final class Kernel implements AutoCloseable {
  private static final int MAX_TASKS = 512;
  private static final int FIRST_PID = 100;
  private static final int MAX_PID = 32_768;
  private static final int MAX_PROGRAMS = 32;

  /** Fair, so that every guest thread gets its turn. */
  final ReentrantLock lock = new ReentrantLock(true);

  /** Host threads that want the lock at once: guests that have it pass it on before a slice. */
  private final AtomicInteger urgent = new AtomicInteger();

  private final Condition changed = lock.newCondition();
  final Options options;
  final MachineMemory memory;
  final CodeCache code;
  final FramePool pool;
  final Tree tree;
  final Stats stats;
  final @Nullable Strace strace;
  final Futexes futexes = new Futexes();
  final Map<Integer, Process> processes = new HashMap<>();
  final Map<Integer, Task> tasks = new HashMap<>();
  final Terminal terminal = new Terminal();

  /** Told of measurement marks, under the lock. */
  volatile Mark.@Nullable Listener markListener;

  /** Whose system call is being done: whom /proc/self means. */
  @Nullable Task calling;

  final long bootNanos = System.nanoTime();

  /** Host address of a 64-bit one, to be written to event descriptors. */
  final long eventOne = U.allocateMemory(8);

  private final LinkedHashMap<List<Object>, FilePages> programs = new LinkedHashMap<>();
  private @Nullable ScheduledThreadPoolExecutor timers;
  private @Nullable Process main;
  private @Nullable Throwable failure;
  private boolean timedOut;
  private int lastPid = FIRST_PID - 1;

  /**
   * A world without processes.
   *
   * @throws EngineUnavailableException where this host cannot run the engine that is asked for
   */
  public Kernel(Options options) {
    this.options = options;
    memory = new MachineMemory(Math.max(256, options.memoryBytes() >>> 12));
    try {
      code = new CodeCache(memory, options.engine());
    } catch (EngineUnavailableException e) {
      U.freeMemory(eventOne);
      memory.close();
      throw e;
    }
    stats = new Stats(code);
    pool = new FramePool(memory, code);
    pool.onShortage(this::dropPrograms);
    U.putLong(eventOne, 1);
    strace = options.strace() == null ? null : new Strace(options.strace());
    tree = Namespace.of(this);
  }

  /**
   * Executes a program until it ends and with it everything that it has started.
   *
   * @param program an absolute path in the guests' tree, or a file of the host given by {@link
   *     Options#program}
   * @return its exit status, or 128 and the signal that ended it
   */
  public int run(String program, List<String> arguments, List<String> environment) {
    lock.lock();
    try {
      Process process =
          new Process(
              this,
              newPid(),
              new AddressSpace(pool, Programs.MAP_TOP),
              new FileTable(),
              new Process.Directory());
      process.directory.path = options.directory();
      for (OpenFile file : options.standardFiles()) {
        int ignored = process.files.add(file, 0, false);
      }
      Task task = new Task(this, process, process.pid);
      processes.put(process.pid, process);
      terminal.foreground = process.group;
      terminal.session = process.session;
      calling = task;
      try {
        Programs.execute(task, program, arguments, environment);
      } catch (LinuxError e) {
        forget(process);
        throw e;
      }
      main = process;
      start(task);
      armTimeout();
      while (!tasks.isEmpty()) {
        changed.awaitUninterruptibly();
      }
      Throwable bug = failure;
      if (bug != null) {
        throw new IllegalStateException("a fault of ours in guest code's service", bug);
      }
      int status = process.status;
      return (status & 0x7f) != 0 ? 128 + (status & 0x7f) : status >>> 8 & 0xff;
    } finally {
      terminal.restore();
      lock.unlock();
    }
  }

  /**
   * Tells {@code listener} of every measurement mark of a program's, or nobody; under the lock, on
   * the thread that runs the program.
   */
  public void setMarkListener(Mark.@Nullable Listener listener) {
    markListener = listener;
  }

  /** Where a host file given as {@link Options#program} appears. */
  public static String programPath(String hostPath) {
    return Namespace.programPath(hostPath);
  }

  /** Whether guests see a file of this name. */
  public boolean exists(String path) {
    lock.lock();
    try (Tree.Place place = tree.resolve("/", path, true)) {
      return place.exists();
    } catch (LinuxError e) {
      return false;
    } finally {
      lock.unlock();
    }
  }

  /** Takes the lock without waiting for a slice of every guest thread that is before us. */
  private void lockAtOnce() {
    urgent.incrementAndGet();
    lock.lock();
    urgent.decrementAndGet();
  }

  /** Whether a guest thread that has just got the lock is to pass it on. */
  boolean isUrgentElsewhere() {
    return urgent.get() > 0;
  }

  private void armTimeout() {
    if (options.timeoutNanos() > 0) {
      var ignored =
          schedule(
              () -> {
                timedOut = true;
                killAll();
              },
              options.timeoutNanos());
    }
  }

  /** Whether the time limit has ended the run. */
  public boolean isTimedOut() {
    return timedOut;
  }

  public Stats stats() {
    return stats;
  }

  /** The guests' code. */
  public CodeCache code() {
    return code;
  }

  /**
   * Sends a signal of the host (an interrupt key, a request to end) to who is in the foreground.
   */
  public void interrupt(int signal) {
    lockAtOnce();
    try {
      for (Process process : List.copyOf(processes.values())) {
        if (process.group == terminal.foreground && !process.zombie) {
          SignalDelivery.send(process, new SignalInfo(signal, SignalInfo.SI_KERNEL, 0, 0, 0));
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /** Gives all memory back. No guest may be running. */
  @Override
  public void close() {
    ScheduledThreadPoolExecutor t = timers;
    if (t != null) {
      t.shutdownNow();
    }
    programs.values().forEach(pages -> pages.release(pool));
    programs.clear();
    memory.close();
    U.freeMemory(eventOne);
  }

  // --- time ---

  /** Runs an action under the lock after a delay. */
  Future<?> schedule(Runnable action, long delayNanos) {
    ScheduledThreadPoolExecutor t = timers;
    if (t == null) {
      t =
          new ScheduledThreadPoolExecutor(
              1,
              r -> {
                Thread thread = new Thread(r, "guest-timers");
                thread.setDaemon(true);
                return thread;
              });
      t.setRemoveOnCancelPolicy(true);
      timers = t;
    }
    Runnable locked =
        () -> {
          lockAtOnce();
          try {
            action.run();
          } finally {
            lock.unlock();
          }
        };
    return t.schedule(locked, Math.max(0, delayNanos), TimeUnit.NANOSECONDS);
  }

  // --- identities ---

  /** A free process or thread number; EAGAIN when there are too many threads. */
  int newPid() {
    if (tasks.size() + processes.size() >= 2 * MAX_TASKS || tasks.size() >= MAX_TASKS) {
      throw new LinuxError(Errno.EAGAIN);
    }
    do {
      lastPid = lastPid + 1 >= MAX_PID ? FIRST_PID : lastPid + 1;
    } while (processes.containsKey(lastPid) || tasks.containsKey(lastPid));
    return lastPid;
  }

  void start(Task task) {
    tasks.put(task.tid, task);
    task.process.tasks.add(task);
    stats.threads++;
    if (task.process.tasks.size() == 1) {
      stats.processes++;
    }
    Thread thread = new Thread(null, task, "guest-" + task.tid, 1 << 20);
    thread.setDaemon(true);
    thread.start();
  }

  /** A new process or thread with the registers of the caller, RAX zero. Not started. */
  Task copyOf(Task parent, Process process, int tid) {
    Task child = new Task(this, process, tid);
    parent.cpu.materializeFlags();
    U.copyMemory(parent.cpu.state, child.cpu.state, CpuState.SIZE);
    child.cpu.put64(CpuState.RETIRED, 0);
    child.cpu.put64(CpuState.RAX, 0);
    child.cpu.stateChanged();
    child.signalMask = parent.signalMask;
    return child;
  }

  // --- ends ---

  /** A thread has left its run loop. */
  void ended(Task task) {
    Process process = task.process;
    if (task.clearChildTid != 0 && process.tasks.size() > 1) {
      try {
        process.memory.put32(task.clearChildTid, 0);
        futexes.wake(task, task.clearChildTid, 1, -1);
      } catch (LinuxError e) {
        // The program has unmapped it: nobody waits there.
      }
    }
    process.space.detach(task.cpu);
    tasks.remove(task.tid);
    process.tasks.remove(task);
    if (process.tasks.isEmpty()) {
      ended(process);
    } else {
      process.childChanged.wakeAll();
    }
    changed.signalAll();
  }

  private void ended(Process process) {
    process.exiting = true; // its status is final
    process.zombie = true;
    process.realTimer.cancel();
    process.files.release();
    process.space.release();
    process.leaveSharedSpace();
    OpenFile executable = process.executable;
    if (executable != null) {
      executable.release();
      process.executable = null;
    }
    for (Process child : process.children) {
      child.parent = null;
      if (child.zombie) {
        processes.remove(child.pid);
      }
    }
    process.children.clear();
    if (process == main) {
      killAll();
    }
    Process parent = process.parent;
    if (parent == null || parent.zombie) {
      processes.remove(process.pid);
      return;
    }
    SignalAction action = parent.actions[Signals.SIGCHLD];
    boolean unwanted =
        action.handler() == SignalAction.SIG_IGN
            || (action.flags() & SignalAction.SA_NOCLDWAIT) != 0;
    if (process.exitSignal != 0) {
      boolean killed = (process.status & 0x7f) != 0;
      SignalDelivery.send(
          parent,
          new SignalInfo(
              process.exitSignal,
              killed ? SignalInfo.CLD_KILLED : SignalInfo.CLD_EXITED,
              process.pid,
              Identity.uid(),
              killed ? process.status & 0x7f : process.status >>> 8));
    }
    if (unwanted) {
      forget(process);
    }
    parent.childChanged.wakeAll();
  }

  /** Takes a dead process out of the tables: its parent knows. */
  void forget(Process process) {
    processes.remove(process.pid);
    Process parent = process.parent;
    if (parent != null) {
      parent.children.remove(process);
      parent.childrenNanos += process.userNanos + process.childrenNanos;
    }
  }

  private void killAll() {
    for (Process process : List.copyOf(processes.values())) {
      process.exit(Signals.SIGKILL);
    }
  }

  /** A bug of ours: everything ends, and {@link #run} throws it. */
  void fail(Throwable bug) {
    if (failure == null) {
      failure = bug;
    }
    killAll();
  }

  /** A line or report for the user. */
  void report(String text) {
    options.report().accept(text);
  }

  // --- programs ---

  /** The pages of an executable, shared by all who run it; with a reference for the caller. */
  FilePages pagesOf(OpenFile file) {
    var s = file.stat();
    List<Object> key =
        List.of(s.device(), s.inode(), s.sizeBytes(), s.modifyNanos(), s.changeNanos());
    FilePages pages = programs.get(key);
    if (pages == null) {
      if (programs.size() >= MAX_PROGRAMS) {
        dropPrograms();
      }
      pages = new FilePages(file);
      programs.put(key, pages);
    }
    pages.retain();
    return pages;
  }

  /** Forgets the pages of programs that nobody runs: they are kept only for speed. */
  void dropPrograms() {
    programs.values().forEach(pages -> pages.trim(pool));
    programs.values().forEach(pages -> pages.release(pool));
    programs.clear();
  }

  /** A directory of the host as the root or a mount. */
  static Tree.Mount hostMount(String hostPath, boolean writable) {
    HostNode node = HostNode.mount(hostPath, writable);
    return node::borrowed;
  }
}
