package parhelion.xen;

import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * How the scheduler's thread waits when no vcpu has anything to do. To wake a parked thread takes
 * the host longer than many a device needs for an answer; so the thread looks for a while by itself
 * first, as KVM's halt polling does: for longer when work comes shortly after it has parked, not at
 * all when it comes late, or when others want the processor. A guest that is idle costs nothing.
 */
final class IdleWait {
  /** What waking a parked thread may take, on a virtual machine of two processors (2026-11-27). */
  static final long MAX_POLL_NANOS = 100_000;

  private static final long FIRST_POLL_NANOS = 10_000;

  /** After a yield that took longer, somebody else is busy on this processor. */
  private static final long LONG_YIELD_NANOS = 300_000;

  private static final int RESTRAINT = 256;

  private final BooleanSupplier workIsThere;
  private volatile @Nullable Thread thread;
  private volatile boolean parked;

  /** How long the next wait looks before it parks. */
  private long pollNanos;

  /** So many more waits park at once, as others want the processor. */
  private int restraint;

  IdleWait(BooleanSupplier workIsThere) {
    this.workIsThere = workIsThere;
  }

  /** The calling thread is the one that waits. */
  void begin() {
    thread = Thread.currentThread();
  }

  void end() {
    thread = null;
  }

  /** There is work now: ends the wait. Any thread. */
  void wake() {
    Thread waiting = thread;
    if (parked && waiting != null) {
      LockSupport.unpark(waiting);
    }
  }

  /** Waits for work, at most so long. */
  void await(long nanos) {
    if (nanos <= 0) {
      return;
    }
    long start = System.nanoTime();
    long now = start;
    long poll = Math.min(pollNanos, nanos);
    while (!workIsThere.getAsBoolean()) {
      if (now - start >= poll) {
        park(nanos - (now - start));
        adapt(System.nanoTime() - start, nanos);
        return;
      }
      // Whoever is to bring the work may want this processor.
      Thread.yield();
      long before = now;
      now = System.nanoTime();
      if (now - before > LONG_YIELD_NANOS) {
        pollNanos = 0;
        restraint = RESTRAINT;
      }
    }
  }

  private void park(long nanos) {
    parked = true;
    // Seen by whoever brings work from now on; what came before is seen here.
    if (nanos > 0 && !workIsThere.getAsBoolean()) {
      LockSupport.parkNanos(this, nanos);
    }
    parked = false;
  }

  /** Learns from a wait for which looking was not enough. */
  private void adapt(long waited, long limit) {
    if (restraint > 0) {
      restraint--;
    } else if (waited < MAX_POLL_NANOS && waited < limit) {
      pollNanos = Math.min(MAX_POLL_NANOS, Math.max(FIRST_POLL_NANOS, 2 * pollNanos));
    } else {
      pollNanos = pollNanos <= FIRST_POLL_NANOS ? 0 : pollNanos / 2;
    }
  }
}
