package parhelion.xen;

import java.util.ArrayDeque;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs the vcpus of all domains on one host thread: round robin in slices, timers and posted work
 * between them. With nothing runnable the thread parks until the next timer or the next {@link
 * #post}; under a virtual clock, time jumps instead.
 *
 * <p>{@link #post} may be called by any thread; all else by the thread that calls {@link #run} (or
 * before it starts).
 */
public final class Scheduler {
  /** Slices in nanoseconds: alone, and with others waiting. */
  private static final long LONG_SLICE_NANOS = 10_000_000;

  private static final long SHORT_SLICE_NANOS = 1_000_000;
  private static final long MIN_INSTRUCTIONS = 500;
  private static final long MAX_PARK_NANOS = 1_000_000_000L;

  private final XenClock clock;
  private final Timers timers = new Timers();
  private final ArrayDeque<Vcpu> queue = new ArrayDeque<>();
  private final ConcurrentLinkedQueue<Runnable> posted = new ConcurrentLinkedQueue<>();
  private volatile @Nullable Thread thread;
  private volatile @Nullable Vcpu current;

  /** Instructions a microsecond, as measured. */
  private double rate = 50;

  Scheduler(XenClock clock) {
    this.clock = clock;
  }

  public Timers timers() {
    return timers;
  }

  /** The vcpu that is running, or null between slices. */
  public @Nullable Vcpu current() {
    return current;
  }

  /** Has {@code work} run on the scheduler's thread, soon. Any thread. */
  public void post(Runnable work) {
    posted.add(work);
    Vcpu running = current;
    if (running != null) {
      running.cpu().requestAttention();
    }
    Thread t = thread;
    if (t != null) {
      LockSupport.unpark(t);
    }
  }

  /** Puts a vcpu into the queue if it can run and is not there. */
  void wake(Vcpu v) {
    if (v.isRunnable() && !v.queued && v != current) {
      v.queued = true;
      queue.addLast(v);
    }
  }

  /** Runs until {@code done} says so (asked between slices) or the thread is interrupted. */
  public void run(BooleanSupplier done) {
    thread = Thread.currentThread();
    try {
      while (!done.getAsBoolean() && !Thread.currentThread().isInterrupted()) {
        if (!step()) {
          idle();
        }
      }
    } finally {
      thread = null;
    }
  }

  /** Posted work, due timers and one slice; false when there was no vcpu to run. */
  public boolean step() {
    for (Runnable work = posted.poll(); work != null; work = posted.poll()) {
      work.run();
    }
    timers.fire(clock.systemNanos());
    Vcpu v = queue.pollFirst();
    if (v == null) {
      return false;
    }
    v.queued = false;
    if (v.isRunnable()) {
      slice(v);
    }
    return true;
  }

  private void slice(Vcpu v) {
    current = v;
    clock.started(v.cpu());
    long from = v.cpu().retired;
    long startNanos = clock.systemNanos();
    try {
      v.time().scheduledIn();
      v.traps().exitToGuest();
      long budget = budget(startNanos);
      if (!posted.isEmpty()) {
        budget = MIN_INSTRUCTIONS;
      }
      v.cpu().run(budget);
    } catch (DomainCrash e) {
      v.domain().crash(v, String.valueOf(e.getMessage()));
    } finally {
      measure(v.cpu().retired - from, clock.systemNanos() - startNanos);
      v.time().scheduledOut();
      clock.stopped();
      current = null;
    }
    wake(v);
  }

  /** Instructions until the slice ends or the next timer is due. */
  private long budget(long now) {
    long nanos = queue.isEmpty() ? LONG_SLICE_NANOS : SHORT_SLICE_NANOS;
    nanos = Math.min(nanos, timers.nextNanos() - now);
    long instructions = clock.isVirtual() ? nanos : (long) (nanos * rate / 1000);
    return Math.max(MIN_INSTRUCTIONS, instructions);
  }

  private void measure(long instructions, long nanos) {
    if (!clock.isVirtual() && nanos > 20_000) {
      double measured = Math.max(1, Math.min(10_000, instructions * 1000.0 / nanos));
      rate += (measured - rate) / 4;
    }
  }

  private void idle() {
    long next = timers.nextNanos();
    if (clock.isVirtual() && next != Long.MAX_VALUE) {
      clock.advanceTo(next);
      return;
    }
    long nanos = Math.min(MAX_PARK_NANOS, next - clock.systemNanos());
    if (nanos > 0 && posted.isEmpty()) {
      LockSupport.parkNanos(this, nanos);
    }
  }

  /** Called by a running vcpu that was asked for attention: whether its slice has to end now. */
  boolean mustStop(Vcpu v) {
    return !posted.isEmpty() || !v.isRunnable() || timers.nextNanos() <= clock.systemNanos();
  }

  /** Ends the running slice, to let others run. */
  void yield(Vcpu v) {
    v.cpu().stop();
  }
}
