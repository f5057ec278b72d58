package parhelion.process;

/** setitimer's ITIMER_REAL of one process. */
final class IntervalTimer {
  /** System.nanoTime at which it fires next; 0 when it is off. */
  long dueNanos;

  long intervalNanos;

  /** Counts settings, so that a firing that was overtaken is recognised. */
  int generation;

  long leftNanos(long nowNanos) {
    return dueNanos == 0 ? 0 : Math.max(1, dueNanos - nowNanos);
  }
}
