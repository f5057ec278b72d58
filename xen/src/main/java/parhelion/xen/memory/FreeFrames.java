package parhelion.xen.memory;

import java.util.Arrays;

/**
 * The free machine frames: one bit each, searched from where the last search ended. Free frames
 * hold zeroes: they are cleared when they are freed, and what was never used costs the host
 * nothing.
 */
final class FreeFrames {
  private final long[] bits;
  private int cursor;
  private long count;

  /**
   * Single frames are taken from here on first, if there are as many. A guest's first frame is then
   * far from the machine's first, so that what a kernel keeps of a frame in a table by its own
   * numbers and what the machine-to-physical table says of it are not in pages that share an entry
   * of the direct-mapped TLB: Linux looks at both each time that it reads a page-table entry.
   */
  private static final int LOW_FRAMES = 8192;

  /** All of {@code [first, end)} is free. */
  FreeFrames(int first, int end) {
    bits = new long[(int) ((end + 63L) >>> 6)];
    for (int mfn = first; mfn < end; mfn++) {
      bits[mfn >>> 6] |= 1L << mfn;
    }
    count = Math.max(0, end - first);
    cursor = (first + LOW_FRAMES < end ? first + LOW_FRAMES : first) >>> 6;
  }

  long count() {
    return count;
  }

  boolean isFree(int mfn) {
    return (bits[mfn >>> 6] & 1L << mfn) != 0;
  }

  void give(int mfn) {
    if (isFree(mfn)) {
      throw new IllegalStateException("frame " + mfn + " is freed twice");
    }
    bits[mfn >>> 6] |= 1L << mfn;
    count++;
  }

  /**
   * Takes 2<sup>order</sup> frames in a row, below {@code limit} and aligned to their number;
   * returns the first, or -1.
   */
  int take(int order, int limit) {
    if (count < 1L << order) {
      return -1;
    }
    int words = Math.min(bits.length, (int) ((limit + 63L) >>> 6));
    if (words < bits.length) {
      cursor = 0;
    }
    int mfn = order >= 6 ? takeWords(order, words) : takeWithinWord(order, words);
    if (mfn >= 0 && mfn + (1L << order) > limit) {
      for (int i = 0; i < 1 << order; i++) {
        give(mfn + i);
      }
      return -1;
    }
    return mfn;
  }

  private int takeWithinWord(int order, int words) {
    int run = 1 << order;
    long mask = (1L << run) - 1;
    for (int n = 0; n <= words; n++, cursor++) {
      if (cursor >= words) {
        cursor = 0;
      }
      long word = bits[cursor];
      for (int bit = 0; word != 0 && bit < 64; bit += run) {
        bit = Math.max(bit, Long.numberOfTrailingZeros(word) & -run);
        if ((word >>> bit & mask) == mask) {
          return takeAt(cursor, bit, mask << bit, run);
        }
        word &= ~(mask << bit);
      }
    }
    return -1;
  }

  private int takeAt(int word, int bit, long mask, int run) {
    bits[word] &= ~mask;
    count -= run;
    return (word << 6) + bit;
  }

  private int takeWords(int order, int words) {
    int run = 1 << (order - 6);
    for (int from = 0; from + run <= words; from += run) {
      int i = 0;
      while (i < run && bits[from + i] == -1L) {
        i++;
      }
      if (i == run) {
        Arrays.fill(bits, from, from + run, 0);
        count -= (long) run << 6;
        return from << 6;
      }
    }
    return -1;
  }
}
