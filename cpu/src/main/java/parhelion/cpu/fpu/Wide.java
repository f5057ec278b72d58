package parhelion.cpu.fpu;

/** Unsigned 128-bit division and square root. */
final class Wide {
  private static final long LOW = 0xffffffffL;

  private Wide() {}

  /**
   * Quotient of high.low by {@code divisor}, whose top bit is set; high is below it (Knuth's
   * algorithm D, two digits).
   */
  static long divide(long high, long low, long divisor) {
    long d1 = divisor >>> 32;
    long d0 = divisor & LOW;
    long q1 = digit(high, low >>> 32, d1, d0);
    long rest = (high << 32 | low >>> 32) - q1 * divisor;
    long q0 = digit(rest, low & LOW, d1, d0);
    return q1 << 32 | q0 & LOW;
  }

  private static long digit(long high, long next, long d1, long d0) {
    long q = Long.divideUnsigned(high, d1);
    long r = high - q * d1;
    while (q >>> 32 != 0 || Long.compareUnsigned(q * d0, r << 32 | next) > 0) {
      q--;
      r += d1;
      if (r >>> 32 != 0) {
        break;
      }
    }
    return q;
  }

  /** Integer square root of high.low, which is at least 2**126. */
  static long squareRoot(long high, long low) {
    double estimate = Math.sqrt(unsigned(high) * 0x1p64);
    long r = estimate + 8192 >= 0x1p64 ? -1L : fromDouble(estimate + 8192);
    // One Newton step from above: at most one too large.
    long q = divide(high, low, r);
    r = q + (r - q >>> 1);
    while (isAbove(r, high, low)) {
      r--;
    }
    return r;
  }

  private static boolean isAbove(long r, long high, long low) {
    long h = Math.unsignedMultiplyHigh(r, r);
    return h == high ? Long.compareUnsigned(r * r, low) > 0 : Long.compareUnsigned(h, high) > 0;
  }

  private static double unsigned(long v) {
    return (double) (v >>> 1) * 2;
  }

  private static long fromDouble(double d) {
    return (long) (d / 2) << 1;
  }
}
