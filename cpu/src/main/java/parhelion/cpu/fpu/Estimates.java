package parhelion.cpu.fpu;

/**
 * RCPSS and RSQRTSS: approximations that the SDM bounds to a relative error of 1.5 * 2**-12.
 * Processors differ in the bits that they give; here they are the true value rounded to 12 bits,
 * denormals counting as zeros. No exceptions, no MXCSR.
 */
public final class Estimates {
  private static final int QUIET = 1 << 22;

  private Estimates() {}

  /** 1/x of a float's bits. */
  public static int reciprocal(int bits) {
    float x = Float.intBitsToFloat(bits);
    if (Float.isNaN(x)) {
      return bits | QUIET;
    }
    int e = bits >>> 23 & 0xff;
    if (e == 0) {
      return bits & 0x80000000 | 0x7f800000;
    }
    int r = round((float) (1.0 / x));
    // A tiny result is flushed to zero.
    return (r >>> 23 & 0xff) == 0 ? r & 0x80000000 : r;
  }

  /** 1/sqrt(x) of a float's bits. */
  public static int reciprocalRoot(int bits) {
    float x = Float.intBitsToFloat(bits);
    if (Float.isNaN(x)) {
      return bits | QUIET;
    }
    if ((bits >>> 23 & 0xff) == 0) {
      return bits & 0x80000000 | 0x7f800000;
    }
    if (bits < 0) {
      return 0xffc00000;
    }
    return bits == 0x7f800000 ? 0 : round((float) (1.0 / Math.sqrt(x)));
  }

  private static int round(float f) {
    int bits = Float.floatToRawIntBits(f);
    return (bits & 0x7fffffff) >= 0x7f7ff800 ? bits & ~0xfff : bits + 0x800 & ~0xfff;
  }
}
