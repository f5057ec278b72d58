package parhelion.process;

import static parhelion.cpu.memory.Host.U;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.host.Libc;
import parhelion.process.file.WaitQueue;
import parhelion.process.memory.UserMemory;

/**
 * A guest thread, run by a host thread of its own. Guest code runs under the kernel's lock, in
 * slices; a thread that waits has given the lock back.
 */
final class Task implements Runnable {
  private static final long SLICE_INSTRUCTIONS = 50_000;
  static final long FOREVER = Long.MAX_VALUE;

  final Kernel kernel;
  final Process process;
  int tid;
  final Cpu cpu;
  final ProcessMonitor monitor;

  final SignalQueue pending = new SignalQueue();
  long signalMask;

  /** The mask that a handler run from sigsuspend or ppoll is to return to. */
  long savedMask;

  boolean hasSavedMask;
  long altStack;
  long altStackBytes;
  int altStackFlags = 2; // SS_DISABLE
  long clearChildTid;
  long robustList;

  /** ERESTARTSYS or ERESTARTNOHAND of the call that a signal ended, or 0. */
  int restart;

  /** Number of that call. */
  long restartNumber;

  /** Host time in system calls so far. */
  long callNanos;

  /** This thread alone is to end. */
  boolean exiting;

  // What the running slice is counted from.
  private long sliceStartNanos;
  private long sliceStartRetired;
  private long sliceStartCallNanos;

  private final Condition woken;
  private boolean isWoken;
  private int eventFd = -1;
  private boolean inHostPoll;
  private final Runnable wake = this::wake;

  Task(Kernel kernel, Process process, int tid) {
    this.kernel = kernel;
    this.process = process;
    this.tid = tid;
    monitor = new ProcessMonitor(this);
    cpu = new Cpu(kernel.memory, kernel.code, monitor, kernel.options.cpu());
    woken = kernel.lock.newCondition();
    process.space.attach(cpu);
  }

  UserMemory memory() {
    return process.memory;
  }

  // --- running ---

  @Override
  public void run() {
    kernel.lock.lock();
    try {
      while (!isExiting()) {
        SignalDelivery.deliver(this);
        if (isExiting()) {
          break;
        }
        if (!kernel.isUrgentElsewhere()) {
          runSlice();
        }
        if (kernel.lock.hasQueuedThreads()) {
          kernel.lock.unlock();
          kernel.lock.lock();
        }
      }
    } catch (TaskExit e) {
      // Ended while it waited.
    } catch (RuntimeException | Error e) {
      kernel.fail(e);
    } finally {
      try {
        end();
      } finally {
        kernel.lock.unlock();
      }
    }
  }

  private void runSlice() {
    sliceStartNanos = System.nanoTime();
    sliceStartRetired = cpu.retired;
    sliceStartCallNanos = callNanos;
    cpu.run(SLICE_INSTRUCTIONS);
    settleCounts();
  }

  /** Counts what the slice has come to so far, as if it ended here and another began. */
  void settleCounts() {
    long now = System.nanoTime();
    long own = now - sliceStartNanos - (callNanos - sliceStartCallNanos);
    process.userNanos += own;
    kernel.stats.guestNanos += own;
    kernel.stats.instructions += cpu.retired - sliceStartRetired;
    sliceStartNanos = now;
    sliceStartRetired = cpu.retired;
    sliceStartCallNanos = callNanos;
  }

  private void end() {
    kernel.ended(this);
    cpu.close();
    if (eventFd >= 0) {
      Libc.close(eventFd);
    }
  }

  boolean isExiting() {
    return exiting || process.exiting;
  }

  /** Whether the run loop has something to do before guest code goes on. */
  boolean needsAttention() {
    return isExiting() || restart != 0 || hasSavedMask || deliverable() != 0;
  }

  /** Pending signals that are not blocked. */
  long deliverable() {
    return (pending.set() | process.pending.set()) & ~signalMask;
  }

  // --- waiting ---

  /** Ends a wait of this thread, if it waits. Under the kernel's lock. */
  void wake() {
    isWoken = true;
    woken.signalAll();
    if (inHostPoll && eventFd >= 0) {
      Libc.call(Libc.Call.WRITE, eventFd, kernel.eventOne, 8);
    }
  }

  /** To be put into the queues that are waited for; taken out by who put it. */
  Runnable waker() {
    return wake;
  }

  /** Forgets earlier wake-ups. Call before looking at what is waited for. */
  void prepareToWait() {
    isWoken = false;
  }

  /** Whether a wait must end whatever it waits for; throws TaskExit where the thread must. */
  boolean isInterrupted() {
    if (isExiting()) {
      throw TaskExit.INSTANCE;
    }
    return deliverable() != 0;
  }

  /**
   * Waits until woken, a signal comes, or the time is over. The caller looks again at what it waits
   * for.
   *
   * @return false when the time is over
   */
  boolean await(long deadlineNanos) {
    while (!isWoken && !isInterrupted()) {
      try {
        if (deadlineNanos == FOREVER) {
          woken.await();
        } else {
          long left = deadlineNanos - System.nanoTime();
          if (left <= 0) {
            return false;
          }
          boolean ignored = woken.await(left, TimeUnit.NANOSECONDS);
        }
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
    return true;
  }

  /** Waits on a queue; a signal ends it with this errno. */
  boolean await(WaitQueue queue, long deadlineNanos, int interruptErrno) {
    prepareToWait();
    queue.add(wake);
    try {
      boolean inTime = await(deadlineNanos);
      if (!isWoken && isInterrupted()) {
        throw new LinuxError(interruptErrno);
      }
      return inTime;
    } finally {
      queue.remove(wake);
    }
  }

  /**
   * Waits as {@link #await(long)} does, and for the host's descriptors too: pairs of descriptor and
   * events.
   */
  boolean awaitHost(int[] pairs, long deadlineNanos) {
    if (isWoken || isInterrupted()) {
      return true;
    }
    long left = deadlineNanos == FOREVER ? -1 : deadlineNanos - System.nanoTime();
    if (deadlineNanos != FOREVER && left <= 0) {
      return false;
    }
    int timeoutMillis =
        left < 0 ? -1 : (int) Math.min(Integer.MAX_VALUE, (left + 999_999) / 1_000_000);
    if (eventFd < 0) {
      eventFd = (int) Libc.call(Libc.Call.EVENTFD, 0, 0x80800 /* CLOEXEC|NONBLOCK */);
      if (eventFd < 0) {
        throw new LinuxError(Errno.ENFILE);
      }
    }
    int count = pairs.length / 2 + 1;
    long fds = U.allocateMemory(count * 8L + 8);
    putPoll(fds, eventFd, 1);
    for (int i = 1; i < count; i++) {
      putPoll(fds + i * 8L, pairs[2 * i - 2], pairs[2 * i - 1]);
    }
    inHostPoll = true;
    kernel.lock.unlock();
    try {
      Libc.call(Libc.Call.POLL, fds, count, timeoutMillis);
    } finally {
      kernel.lock.lock();
      inHostPoll = false;
      if (U.getShort(fds + 6) != 0) {
        Libc.call(Libc.Call.READ, eventFd, fds, 8);
      }
      U.freeMemory(fds);
    }
    return true;
  }

  private static void putPoll(long at, int fd, int events) {
    U.putInt(at, fd);
    U.putInt(at + 4, events & 0xffff);
  }

  /** Waits on a queue for a wake-up that is sure to come, whatever signals there are. */
  void awaitUninterruptibly(WaitQueue queue) {
    isWoken = false;
    queue.add(wake);
    try {
      while (!isWoken) {
        woken.awaitUninterruptibly();
      }
    } finally {
      queue.remove(wake);
    }
  }

  /** The only thread left takes the process's number: exec. */
  void becomeLeader() {
    if (tid != process.pid) {
      kernel.tasks.remove(tid);
      tid = process.pid;
      kernel.tasks.put(tid, this);
    }
  }

  /** Sleeps for a time, signals apart. */
  @Nullable LinuxError sleepUntil(long deadlineNanos) {
    prepareToWait();
    while (await(deadlineNanos)) {
      if (isInterrupted()) {
        return new LinuxError(Errno.EINTR);
      }
      prepareToWait();
    }
    return null;
  }

  // --- registers ---

  long register(int offset) {
    return cpu.get64(offset);
  }

  /** Gives the CPU the mode of 64-bit user code, all registers zero. */
  void resetRegisters() {
    cpu.materializeFlags();
    for (int at = CpuState.GPR; at < CpuState.GPR + 16 * 8; at += 8) {
      cpu.put64(at, 0);
    }
    UserMode.enter(cpu);
  }
}
