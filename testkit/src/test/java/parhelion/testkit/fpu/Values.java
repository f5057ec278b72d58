package parhelion.testkit.fpu;

import java.util.Random;

/**
 * Operands that find bugs: NaNs, infinities, zeros, denormals, boundary integers and neighbours of
 * each, among random bits.
 */
final class Values {
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
  };
  private static final int[] EXTENDED_EXPONENTS = {
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
  private static final long[] EXTENDED_SIGNIFICANDS = {
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

  private Values() {}

  static long integer(Random r) {
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

  /** Fills 10 bytes with an extended value. */
  static void float80(byte[] to, int at, Random r) {
    long significand =
        switch (r.nextInt(4)) {
          case 0 -> EXTENDED_SIGNIFICANDS[r.nextInt(EXTENDED_SIGNIFICANDS.length)];
          case 1 -> r.nextLong() | Long.MIN_VALUE;
          case 2 -> (r.nextLong() | Long.MIN_VALUE) & -1L << r.nextInt(64);
          default -> r.nextInt(20) == 0 ? r.nextLong() : r.nextLong() | Long.MIN_VALUE;
        };
    int exponent =
        switch (r.nextInt(4)) {
          case 0 -> EXTENDED_EXPONENTS[r.nextInt(EXTENDED_EXPONENTS.length)];
          case 1 -> r.nextInt(0x8000);
          default -> 0x3fff - 70 + r.nextInt(140);
        };
    if (significand >= 0 && exponent != 0 && r.nextInt(3) != 0) {
      significand |= Long.MIN_VALUE;
    }
    FxImage.put64(to, at, significand);
    FxImage.put16(to, at + 8, exponent | r.nextInt(2) << 15);
  }

  static void fill(byte[] fx, byte[] data, Random r, boolean doublePrecision) {
    FxImage.put16(fx, 0, 0x7f | r.nextInt(4) << 10 | (r.nextInt(3) == 0 ? r.nextInt(4) : 3) << 8);
    if ((fx[1] & 3) == 1) {
      fx[1] |= 2; // the reserved precision
    }
    FxImage.put16(fx, 2, r.nextInt(0x10000) & 0x7f7f);
    if (r.nextInt(4) == 0) {
      // Some x87 exceptions unmasked: they stay pending after the instruction.
      fx[0] = (byte) (0x40 | r.nextInt(64));
      fx[2] &= (byte) (fx[0] | 0xc0);
    }
    fx[4] = (byte) (r.nextInt(4) == 0 ? r.nextInt(256) : 255);
    int mxcsr = 0x1f80 | (r.nextInt(2) == 0 ? r.nextInt(4) << 13 : 0) | r.nextInt(64);
    mxcsr |= r.nextInt(4) == 0 ? 0x40 : 0;
    mxcsr |= r.nextInt(4) == 0 ? 0x8000 : 0;
    mxcsr &= r.nextInt(2) == 0 ? ~0x3f : -1;
    FxImage.put16(fx, 24, mxcsr);
    for (int i = 0; i < 8; i++) {
      float80(fx, 32 + 16 * i, r);
    }
    for (int i = 0; i < 16; i++) {
      lane(fx, 160 + 16 * i, r, doublePrecision);
      lane(fx, 168 + 16 * i, r, doublePrecision);
    }
    for (int i = 0; i < data.length; i += 8) {
      lane(data, i, r, doublePrecision);
    }
  }

  private static void lane(byte[] to, int at, Random r, boolean doublePrecision) {
    if (r.nextInt(8) == 0) {
      FxImage.put64(to, at, integer(r));
    } else if (doublePrecision) {
      FxImage.put64(to, at, float64(r));
    } else {
      FxImage.put64(to, at, float32(r) & 0xffffffffL | (long) float32(r) << 32);
    }
  }
}
