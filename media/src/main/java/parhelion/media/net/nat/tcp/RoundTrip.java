package parhelion.media.net.nat.tcp;

import java.util.concurrent.TimeUnit;

/** The time to wait for an acknowledgement (RFC 6298), from one measurement per round trip. */
final class RoundTrip {
  private static final long MIN_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
  private static final long MAX_NANOS = TimeUnit.SECONDS.toNanos(60);
  private static final long INITIAL_NANOS = TimeUnit.SECONDS.toNanos(1);

  private long smoothed;
  private long variation;
  private long timeout = INITIAL_NANOS;
  private boolean measured;
  private boolean timing;
  private int timedSeq;
  private long startedAt;

  /** A segment that ends before {@code end} is sent for the first time. */
  void sent(int end, long now) {
    if (!timing) {
      timing = true;
      timedSeq = end;
      startedAt = now;
    }
  }

  /** Something was sent again: an acknowledgement may be of either (Karn). */
  void sentAgain() {
    timing = false;
  }

  void acknowledged(int ack, long now) {
    if (!timing || Seq.before(ack, timedSeq)) {
      return;
    }
    timing = false;
    long sample = Math.max(now - startedAt, 1);
    if (measured) {
      variation += (Math.abs(smoothed - sample) - variation) / 4;
      smoothed += (sample - smoothed) / 8;
    } else {
      measured = true;
      smoothed = sample;
      variation = sample / 2;
    }
    timeout = Math.clamp(smoothed + 4 * variation, MIN_NANOS, MAX_NANOS);
  }

  /** With the {@code retries}-th repetition. */
  long timeoutNanos(int retries) {
    return Math.min(timeout << Math.min(retries, 10), MAX_NANOS);
  }
}
