package parhelion.xen;

import java.util.ArrayDeque;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs the vcpus of all domains on one host thread: round robin in slices, timers and posted work
 * between them. With nothing runnable the thread waits until the next timer or the next {@link
 * #post} ({@link IdleWait}); under a virtual clock, time jumps instead.
 *
 * <p>What a guest asks of its devices can be {@linkplain #defer deferred}: until no vcpu has
 * anything to do, so that the guest asks for as much as it has before any of it is done, but not
 * for longer than the device allows while a vcpu goes on running.
 *
 * <p>Where a machine runs the vcpus by itself ({@link VcpuRunner}), only timers and deferred work
 * are done here.
 *
 * <p>{@link #post} may be called by any thread; all else by the thread that calls {@link #run} (or
 * before it starts).
 */
public final class Scheduler {
  /** Slices in nanoseconds: alone, and with others waiting. */
  private static final long LONG_SLICE_NANOS = 10_000_000;

  private static final long SHORT_SLICE_NANOS = 1_000_000;
  private static final long MIN_INSTRUCTIONS = 500;
  private static final long MAX_WAIT_NANOS = 1_000_000_000L;

  /** A slice that was to end when deferred work is due may have ended by so much before. */
  private static final long EARLY_NANOS = 20_000;

  private final XenClock clock;
  private final @Nullable VcpuRunner runner;
  private final Timers timers = new Timers();
  private final ArrayDeque<Vcpu> queue = new ArrayDeque<>();
  private final ConcurrentLinkedQueue<Runnable> posted = new ConcurrentLinkedQueue<>();
  private final ArrayDeque<Runnable> deferred = new ArrayDeque<>();
  private final IdleWait idleWait = new IdleWait(() -> !posted.isEmpty());
  private volatile @Nullable Vcpu current;

  /** When the first of the deferred work is due. */
  private long deferredUntil = Long.MAX_VALUE;

  /** Instructions a microsecond, as measured. */
  private double rate = 50;

  Scheduler(XenClock clock, @Nullable VcpuRunner runner) {
    this.clock = clock;
    this.runner = runner;
    if (runner != null) {
      timers.whenSooner(runner::sooner);
    }
  }

  public Timers timers() {
    return timers;
  }

  /** The vcpu that is running, or null between slices. */
  public @Nullable Vcpu current() {
    VcpuRunner outside = runner;
    return outside == null ? current : outside.current();
  }

  /** Has {@code work} run on the scheduler's thread, soon. Any thread. */
  public void post(Runnable work) {
    VcpuRunner outside = runner;
    if (outside != null) {
      outside.post(work);
      return;
    }
    posted.add(work);
    Vcpu running = current;
    if (running != null) {
      running.cpu().requestAttention();
    }
    idleWait.wake();
  }

  /** Has {@code work} run once no vcpu can, or after {@code patienceNanos}. */
  public void defer(Runnable work, long patienceNanos) {
    long due = clock.systemNanos() + patienceNanos;
    if (due < deferredUntil) {
      deferredUntil = due;
      VcpuRunner outside = runner;
      Vcpu running = current;
      if (outside != null) {
        outside.sooner();
      } else if (running != null) {
        running.cpu().limitRun(instructions(patienceNanos));
      }
    }
    deferred.addLast(work);
  }

  /** Puts a vcpu into the queue if it can run and is not there. */
  void wake(Vcpu v) {
    VcpuRunner outside = runner;
    if (outside != null) {
      if (v.isRunnable()) {
        outside.wake(v);
      }
      return;
    }
    if (v.isRunnable() && !v.queued && v != current) {
      v.queued = true;
      queue.addLast(v);
    }
  }

  /** A vcpu has begun to wait. */
  void block(Vcpu v) {
    VcpuRunner outside = runner;
    if (outside != null) {
      outside.block(v);
    }
  }

  // --- for a machine that runs the vcpus ---

  /** When {@link #turn} has something to do next, or {@code Long.MAX_VALUE}. */
  public long nextNanos() {
    return Math.min(timers.nextNanos(), deferred.isEmpty() ? Long.MAX_VALUE : deferredUntil);
  }

  /**
   * Fires timers that are due, and does what was deferred if that is due, or, where {@code idle}
   * says that no vcpu can run, all the same; whether there was something of that.
   */
  public boolean turn(boolean idle) {
    long now = clock.systemNanos();
    timers.fire(now);
    if (deferred.isEmpty() || !idle && now < deferredUntil - EARLY_NANOS) {
      return false;
    }
    runDeferred();
    return true;
  }

  // --- for all others ---

  /** Runs until {@code done} says so (asked between slices) or the thread is interrupted. */
  public void run(BooleanSupplier done) {
    idleWait.begin();
    try {
      while (!done.getAsBoolean() && !Thread.currentThread().isInterrupted()) {
        if (!step()) {
          idle();
        }
      }
    } finally {
      idleWait.end();
    }
  }

  /** Posted work, due timers and one slice; false when there was nothing to run. */
  public boolean step() {
    runPosted();
    long now = clock.systemNanos();
    timers.fire(now);
    if (!deferred.isEmpty() && (queue.isEmpty() || now >= deferredUntil - EARLY_NANOS)) {
      runDeferred();
      return true;
    }
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

  private void runPosted() {
    for (Runnable work = posted.poll(); work != null; work = posted.poll()) {
      work.run();
    }
  }

  /** All of it, due or not; what is deferred meanwhile waits for the next time. */
  private void runDeferred() {
    deferredUntil = Long.MAX_VALUE;
    for (int left = deferred.size(); left > 0; left--) {
      deferred.removeFirst().run();
    }
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
      if (clock.isVirtual()) {
        v.cpu().run(budget);
      } else {
        v.cpu().runAbout(budget);
      }
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

  /** Instructions until the slice ends, deferred work or the next timer is due. */
  private long budget(long now) {
    long nanos = queue.isEmpty() ? LONG_SLICE_NANOS : SHORT_SLICE_NANOS;
    if (!deferred.isEmpty()) {
      nanos = Math.min(nanos, deferredUntil - now);
    }
    return instructions(Math.min(nanos, timers.nextNanos() - now));
  }

  private long instructions(long nanos) {
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
    idleWait.await(Math.min(MAX_WAIT_NANOS, next - clock.systemNanos()));
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
