package parhelion.pc.time;

/**
 * When a periodic timer ticks next if it was late: software counts ticks, so a host that stood
 * still owes them. What is owed comes at four times the pace; of more than a second, the rest is
 * dropped. Without this, a kernel that looks whether its timer ticks at all sees a busy host's
 * pauses and no more, and panics ("IO-APIC + timer doesn't work").
 */
final class Ticks {
  /** Interrupts do not come faster than so, whatever the guest asks. */
  static final long MIN_PERIOD_NANOS = 20_000;

  private static final long MOST_OWED_NANOS = 1_000_000_000;

  private Ticks() {}

  /** The time of the next tick, of which the last was meant to be at {@code lastNanos}. */
  static long next(long lastNanos, long periodNanos, long nowNanos) {
    long owed = nowNanos - lastNanos;
    long next = lastNanos + periodNanos;
    return owed <= MOST_OWED_NANOS ? next : next + owed / periodNanos * periodNanos;
  }

  /** When the machine is to see a tick that was meant to be at {@code meantNanos}. */
  static long due(long meantNanos, long periodNanos, long nowNanos) {
    return Math.max(meantNanos, nowNanos + Math.max(MIN_PERIOD_NANOS, periodNanos / 4));
  }
}
