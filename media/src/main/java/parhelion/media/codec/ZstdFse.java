package parhelion.media.codec;

/** A finite state entropy decoding table of zstd (RFC 8878, 4.1): state to symbol, bits, next. */
final class ZstdFse {
  final int log;
  final byte[] symbol;
  final byte[] bits;
  final short[] base;

  private ZstdFse(int log) {
    this.log = log;
    this.symbol = new byte[1 << log];
    this.bits = new byte[1 << log];
    this.base = new short[1 << log];
  }

  /** The table that always gives one symbol and reads no bits. */
  static ZstdFse constant(int value) {
    ZstdFse table = new ZstdFse(0);
    table.symbol[0] = (byte) value;
    return table;
  }

  int next(int state, ZstdBits in) {
    return base[state] + in.read(bits[state]);
  }

  /** Builds the table from normalised counts; -1 means "less than one". */
  static ZstdFse of(int log, short[] counts, int symbols) throws CorruptDataException {
    ZstdFse table = new ZstdFse(log);
    int size = 1 << log;
    int high = size;
    int[] next = new int[symbols];
    for (int s = 0; s < symbols; s++) {
      if (counts[s] == -1) {
        table.symbol[--high] = (byte) s;
        next[s] = 1;
      }
    }
    int step = (size >> 1) + (size >> 3) + 3;
    int position = 0;
    for (int s = 0; s < symbols; s++) {
      if (counts[s] > 0) {
        next[s] = counts[s];
        for (int i = 0; i < counts[s]; i++) {
          table.symbol[position] = (byte) s;
          do {
            position = (position + step) & (size - 1);
          } while (position >= high);
        }
      }
    }
    if (position != 0) {
      throw new CorruptDataException("a zstd probability table does not add up");
    }
    for (int i = 0; i < size; i++) {
      int n = next[table.symbol[i]]++;
      int width = log - (31 - Integer.numberOfLeadingZeros(n));
      table.bits[i] = (byte) width;
      table.base[i] = (short) ((n << width) - size);
    }
    return table;
  }

  /** A table description read forwards from the input, and where it ended. */
  static final class Description {
    ZstdFse table = constant(0);
    int end;

    /** Reads the description at {@code in[at, limit)}. */
    void read(byte[] in, int at, int limit, int maxLog, int maxSymbols)
        throws CorruptDataException {
      if (at >= limit) {
        throw new CorruptDataException("a zstd probability table is missing");
      }
      int log = (in[at] & 15) + 5;
      if (log > maxLog) {
        throw new CorruptDataException("a zstd probability table is too large");
      }
      short[] counts = new short[maxSymbols];
      int symbols = 0;
      int remaining = 1 << log;
      long bit = 8L * at + 4;
      while (remaining > 0) {
        if (symbols >= maxSymbols) {
          throw new CorruptDataException("a zstd probability table has too many symbols");
        }
        int width = 32 - Integer.numberOfLeadingZeros(remaining + 1);
        int value = forward(in, bit, limit, width);
        int lower = (1 << (width - 1)) - 1;
        int threshold = (1 << width) - 1 - (remaining + 1);
        if ((value & lower) < threshold) {
          value &= lower;
          bit += width - 1;
        } else {
          bit += width;
          if (value > lower) {
            value -= threshold;
          }
        }
        int count = value - 1;
        remaining -= Math.abs(count);
        counts[symbols++] = (short) count;
        if (count == 0) {
          int repeat;
          do {
            repeat = forward(in, bit, limit, 2);
            bit += 2;
            symbols += repeat;
          } while (repeat == 3 && symbols < maxSymbols);
        }
      }
      end = (int) ((bit + 7) >>> 3);
      if (remaining < 0 || symbols > maxSymbols || end > limit) {
        throw new CorruptDataException("a zstd probability table is malformed");
      }
      table = of(log, counts, symbols);
    }

    private static int forward(byte[] in, long bit, int limit, int width) {
      int value = 0;
      int at = (int) (bit >>> 3);
      for (int i = 0; i < 3; i++) {
        value |= (at + i < limit ? in[at + i] & 0xff : 0) << (8 * i);
      }
      return value >>> (int) (bit & 7) & ((1 << width) - 1);
    }
  }
}
