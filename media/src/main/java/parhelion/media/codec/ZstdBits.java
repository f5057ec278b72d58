package parhelion.media.codec;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A zstd bit stream that is read backwards: from the last byte's highest set bit (a marker) down to
 * the first byte (RFC 8878, 4.1). Reading past the start gives zeros and leaves {@link #left}
 * negative, which is how an over-read is noticed.
 */
final class ZstdBits {
  private final byte[] in;
  private final ByteBuffer words;
  private int start;
  private int end;

  /** Bits not yet read; negative after an over-read. */
  int left;

  ZstdBits(byte[] in) {
    this.in = in;
    this.words = ByteBuffer.wrap(in).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Begins the stream {@code in[from, to)}. */
  void begin(int from, int to) throws CorruptDataException {
    if (to <= from || in[to - 1] == 0) {
      throw new CorruptDataException("a zstd bit stream has no end marker");
    }
    start = from;
    end = to;
    int padding = Integer.numberOfLeadingZeros(in[to - 1] & 0xff) - 24 + 1;
    left = 8 * (to - from) - padding;
  }

  /** The next {@code count} (0 to 31) bits, and moves past them. */
  int read(int count) {
    left -= count;
    return bitsAt(left, count);
  }

  /** The next {@code count} (1 to 31) bits without moving. */
  int peek(int count) {
    return bitsAt(left - count, count);
  }

  private int bitsAt(int position, int count) {
    if (position < 0) {
      int missing = -position;
      return missing >= count ? 0 : bitsAt(0, count - missing) << missing;
    }
    int at = start + (position >>> 3);
    long word = at + 8 <= in.length ? words.getLong(at) : tail(at);
    return (int) (word >>> (position & 7)) & ((1 << count) - 1);
  }

  private long tail(int at) {
    long word = 0;
    for (int i = Math.min(in.length, end) - 1; i >= at; i--) {
      word = word << 8 | (in[i] & 0xff);
    }
    return word;
  }
}
