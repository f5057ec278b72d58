package parhelion.media.net.nat.tcp;

/**
 * How much may be on its way to the guest: NewReno (RFC 5681, RFC 6582), in bytes. The way is a
 * cable within a machine, so it starts with what fills a large packet; losses are rare and small.
 */
final class Congestion {
  private static final int INITIAL_BYTES = 128 << 10;
  private static final int DUPLICATES = 3;

  private final int mss;
  private long window = INITIAL_BYTES;
  private long threshold = Long.MAX_VALUE;
  private int duplicates;
  private boolean recovering;
  private int recoverUntil;

  Congestion(int mss) {
    this.mss = mss;
  }

  long windowBytes() {
    return window;
  }

  /** An acknowledgement of nothing new; true if the first segment is to be sent again. */
  boolean duplicate(int flight, int sendNext) {
    duplicates++;
    if (recovering) {
      window += mss;
      return false;
    }
    if (duplicates != DUPLICATES) {
      return false;
    }
    recovering = true;
    recoverUntil = sendNext;
    threshold = Math.max(flight / 2, 2 * mss);
    window = threshold + (long) DUPLICATES * mss;
    return true;
  }

  /** An acknowledgement of something; true if the first segment left is to be sent again. */
  boolean acknowledged(int bytes, int ack, int maxWindow) {
    duplicates = 0;
    if (recovering) {
      if (Seq.before(ack, recoverUntil)) {
        window = Math.max(window - bytes + mss, mss);
        return true;
      }
      recovering = false;
      window = threshold;
      return false;
    }
    window += window < threshold ? bytes : Math.max((long) mss * bytes / window, 1);
    window = Math.min(window, Math.max(maxWindow, 2L * INITIAL_BYTES));
    return false;
  }

  /** Nothing came back in time. */
  void timedOut(int flight) {
    threshold = Math.max(flight / 2, 2 * mss);
    window = mss;
    duplicates = 0;
    recovering = false;
  }
}
