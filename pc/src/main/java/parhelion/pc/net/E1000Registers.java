package parhelion.pc.net;

/** The card's registers as memory: what software wrote, and what parts of the card put there. */
final class E1000Registers {
  /** Registers take 128 KiB of memory, of which the upper part is empty. */
  static final int BYTES = 0x2_0000;

  private static final int USED_BYTES = 0x6000;
  private final int[] words = new int[USED_BYTES / 4];

  int get(int at) {
    return at >= 0 && at < USED_BYTES ? words[at >> 2] : 0;
  }

  void set(int at, int value) {
    if (at >= 0 && at < USED_BYTES) {
      words[at >> 2] = value;
    }
  }

  void clear() {
    java.util.Arrays.fill(words, 0);
  }

  /** A register of 64 bits, the lower half first. */
  long wide(int at) {
    return Integer.toUnsignedLong(get(at)) | (long) get(at + 4) << 32;
  }

  /** Counts; a statistic stays at its largest value. */
  void count(int at, int by) {
    long sum = Integer.toUnsignedLong(get(at)) + by;
    set(at, (int) Math.min(sum, 0xffff_ffffL));
  }

  /** Counts in 64 bits. */
  void countWide(int at, int by) {
    long sum = wide(at) + by;
    set(at, (int) sum);
    set(at + 4, (int) (sum >>> 32));
  }
}
