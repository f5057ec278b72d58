package parhelion.testkit.oracle;

import static parhelion.cpu.memory.Host.U;

import java.util.Random;

/**
 * Operands that find bugs: boundary integers, zeros, denormals, infinities, NaNs and their
 * neighbours among random bits.
 */
public final class RandomValues {
  private static final long[] INTEGERS = {
    0,
    1,
    -1,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0x8000,
    0xffff,
    0x7fffffff,
    0x80000000L,
    0xffffffffL,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    0x8080808080808080L,
    0x7f7f7f7f7f7f7f7fL,
    0x8000800080008000L,
    0x7fff7fff7fff7fffL,
    0x8000000080000000L,
    0x0000000100000001L,
  };
  private static final long[] DOUBLES = {
    0,
    1,
    2,
    0x000fffffffffffffL,
    0x0010000000000000L,
    0x0010000000000001L,
    0x7fefffffffffffffL,
    0x7ff0000000000000L,
    0x7ff0000000000001L,
    0x7ff8000000000000L,
    0x7fffffffffffffffL,
    0x7ff7ffffffffffffL,
    0x3ff0000000000000L,
    0x3fefffffffffffffL,
    0x3ff0000000000001L,
    0x3fe0000000000000L,
    0x4000000000000000L,
    0x41dfffffffc00000L,
    0x41dfffffffe00000L,
    0x41e0000000000000L,
    0x43dfffffffffffffL,
    0x43e0000000000000L,
    0x47efffffe0000000L,
    0x47effffff0000000L,
    0x47f0000000000000L,
    0x3810000000000000L,
    0x380fffffffffffffL,
    0x36a0000000000000L,
    0x369fffffffffffffL,
    0x3690000000000000L,
    0x4330000000000000L,
    0x3ff8000000000000L,
    0x4004000000000000L,
    0x1ff0000000000000L,
    0x5fefffffffffffffL,
  };
  private static final int[] FLOATS = {
    0,
    1,
    2,
    0x007fffff,
    0x00800000,
    0x00800001,
    0x7f7fffff,
    0x7f800000,
    0x7f800001,
    0x7fc00000,
    0x7fffffff,
    0x7fbfffff,
    0x3f800000,
    0x3f7fffff,
    0x3f800001,
    0x3f000000,
    0x40000000,
    0x4effffff,
    0x4f000000,
    0x5effffff,
    0x5f000000,
    0x4b000000,
    0x3fc00000,
    0x40200000,
    0x1f800000,
    0x5f7fffff,
  };
  private static final int[] EXPONENTS = {
    0,
    0,
    0,
    1,
    2,
    0x7fff,
    0x7fff,
    0x7ffe,
    0x7ffd,
    0x3fff,
    0x3fff,
    0x4000,
    0x3ffe,
    0x403e,
    0x403d,
    0x401e,
    0x400e,
    0x3fff + 63,
    0x3fff + 52,
    0x3fff - 1022,
    0x3fff - 1023,
    0x3fff - 1074,
    0x3fff + 1023,
    0x3fff + 1024,
    0x3fff - 126,
    0x3fff - 149,
    0x3fff + 127,
    0x3fff + 128,
    0x3fff - 1075,
    0x3fff - 150,
    0x3fff - 63,
    0x3fff - 64,
  };
  private static final long[] SIGNIFICANDS = {
    0,
    Long.MIN_VALUE,
    0xc000000000000000L,
    0x8000000000000001L,
    -1L,
    1,
    0x7fffffffffffffffL,
    0x4000000000000000L,
    0xbfffffffffffffffL,
    0x8000000000000400L,
    0x8000000000000800L,
    0xfffffffffffff800L,
    0xfffffffffffffc00L,
    0x8000008000000000L,
    0x8000010000000000L,
    0xffffff0000000000L,
    0xffffff8000000000L,
    0xc000000000000001L,
  };

  private RandomValues() {}

  /** A general register's. */
  public static long integer(Random r) {
    return switch (r.nextInt(4)) {
      case 0 -> INTEGERS[r.nextInt(INTEGERS.length)] ^ -(long) r.nextInt(2);
      case 1 -> r.nextInt(512) - 256;
      default -> r.nextLong();
    };
  }

  static long float64(Random r) {
    long sign = (long) r.nextInt(2) << 63;
    return switch (r.nextInt(8)) {
      case 0, 1 -> DOUBLES[r.nextInt(DOUBLES.length)] ^ sign;
      case 2 -> r.nextLong();
      case 3 -> r.nextLong() & 0x800fffffffffffffL; // denormal
      case 4 -> Double.doubleToRawLongBits(r.nextInt(2000) - 1000);
      case 5 -> (r.nextLong() & 0xfffffL << 32 | 0x3ff0L + r.nextInt(128) - 64 << 52) ^ sign;
      default ->
          r.nextLong() & 0x000fffffffffffffL | (long) (1023 - 60 + r.nextInt(120)) << 52 | sign;
    };
  }

  static int float32(Random r) {
    int sign = r.nextInt(2) << 31;
    return switch (r.nextInt(8)) {
      case 0, 1 -> FLOATS[r.nextInt(FLOATS.length)] ^ sign;
      case 2 -> r.nextInt();
      case 3 -> r.nextInt() & 0x807fffff;
      case 4 -> Float.floatToRawIntBits(r.nextInt(2000) - 1000);
      default -> r.nextInt() & 0x007fffff | 127 - 30 + r.nextInt(60) << 23 | sign;
    };
  }

  /** Eight bytes of integers or of floating-point numbers. */
  public static long lane(Random r, boolean doubles) {
    if (r.nextInt(6) == 0) {
      return integer(r);
    }
    return doubles ? float64(r) : float32(r) & 0xffffffffL | (long) float32(r) << 32;
  }

  /** Takes an extended value. */
  public interface Float80 {
    void put(long significand, int signAndExponent);
  }

  /** A value of an x87 register. */
  public static void float80(Random r, Float80 to) {
    long significand =
        switch (r.nextInt(4)) {
          case 0 -> SIGNIFICANDS[r.nextInt(SIGNIFICANDS.length)];
          case 1 -> r.nextLong() | Long.MIN_VALUE;
          case 2 -> (r.nextLong() | Long.MIN_VALUE) & -1L << r.nextInt(64);
          default -> r.nextInt(20) == 0 ? r.nextLong() : r.nextLong() | Long.MIN_VALUE;
        };
    int exponent =
        switch (r.nextInt(4)) {
          case 0 -> EXPONENTS[r.nextInt(EXPONENTS.length)];
          case 1 -> r.nextInt(0x8000);
          default -> 0x3fff - 70 + r.nextInt(140);
        };
    if (significand >= 0 && exponent != 0 && r.nextInt(3) != 0) {
      significand |= Long.MIN_VALUE;
    }
    to.put(significand, exponent | r.nextInt(2) << 15);
  }

  /**
   * Control words with all exceptions masked and any rounding, and everything that they control.
   */
  static void floats(MachineState to, FastRandom r) {
    int precision = r.oneIn(3) ? r.nextInt(4) : 3;
    to.put16(MachineState.FCW, 0x7f | r.nextInt(4) << 10 | (precision == 1 ? 3 : precision) << 8);
    to.put16(MachineState.FSW, r.nextInt(0x10000) & 0x7f7f);
    to.put16(MachineState.FTW, r.oneIn(4) ? r.nextInt(256) : 255);
    int mxcsr = 0x1f80 | (r.oneIn(2) ? r.nextInt(4) << 13 : 0);
    mxcsr |= r.oneIn(4) ? 0x40 : 0;
    mxcsr |= r.oneIn(4) ? 0x8000 : 0;
    mxcsr |= r.oneIn(2) ? r.nextInt(64) : 0;
    to.put16(MachineState.MXCSR, mxcsr);
    for (int i = 0; i < 8; i++) {
      int at = MachineState.ST + 16 * i;
      float80(
          r,
          (significand, signAndExponent) -> {
            to.put64(at, significand);
            to.put16(at + 8, signAndExponent);
          });
    }
    boolean doubles = r.oneIn(2);
    for (int i = 0; i < 64; i++) {
      to.put64(MachineState.vector(i), lane(r, doubles));
    }
  }

  /** Flags: any arithmetic ones, DF one time in {@code down}. */
  static long flags(FastRandom r, int down) {
    return 2 | r.nextInt() & FlagMasks.ARITHMETIC | (r.oneIn(down) ? 0x400 : 0);
  }

  /** Fills host memory. */
  static void fill(long address, int bytes, FastRandom r, boolean doubles) {
    for (int i = 0; i < bytes; i += 8) {
      U.putLongUnaligned(null, address + i, lane(r, doubles));
    }
  }
}
