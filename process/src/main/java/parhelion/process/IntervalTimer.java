package parhelion.process;

import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/** setitimer's ITIMER_REAL of one process. */
final class IntervalTimer {
  /** System.nanoTime at which it fires next; 0 when it is off. */
  long dueNanos;

  long intervalNanos;

  /** What will fire, to be cancelled when the timer is set anew. */
  @Nullable Future<?> pending;

  /** Counts settings, so that a firing that was overtaken is recognised. */
  int generation;

  void cancel() {
    generation++;
    Future<?> old = pending;
    if (old != null) {
      old.cancel(false);
      pending = null;
    }
  }

  long leftNanos(long nowNanos) {
    return dueNanos == 0 ? 0 : Math.max(1, dueNanos - nowNanos);
  }
}
