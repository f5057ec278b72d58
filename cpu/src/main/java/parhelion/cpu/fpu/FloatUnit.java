package parhelion.cpu.fpu;

import static parhelion.cpu.memory.Host.U;

/**
 * Exact arithmetic with IEEE rounding, for everything that the host's own floating point cannot do:
 * 80-bit values, rounding modes, exception flags. Operands are taken apart into class, sign,
 * exponent and a 64-bit significand with its top bit set; operations leave an exact result (128
 * bits, the last one sticky), which one of the {@code round} methods turns into a format. Flags are
 * as in MXCSR and the x87 status word. Each CPU has one: it is working storage, not architectural
 * state.
 *
 * <p>NaN operands are for the callers, since x87 and SSE choose among them differently; see SDM
 * volume 1, 4.8 and 4.9.
 */
public final class FloatUnit {
  static final int IE = 1;
  static final int DE = 2;
  static final int ZE = 4;
  static final int OE = 8;
  static final int UE = 16;
  static final int PE = 32;

  static final int ZERO = 0;
  static final int NORMAL = 1;
  static final int DENORMAL = 2;
  static final int INFINITE = 3;
  static final int QNAN = 4;
  static final int SNAN = 5;
  static final int UNSUPPORTED = 6;

  static final int NEAREST = 0;
  static final int DOWN = 1;
  static final int UP = 2;
  static final int TRUNCATE = 3;

  /**
   * What an unmasked overflow or underflow of an x87 register result adds to or takes from the
   * exponent.
   */
  private static final int BIAS_ADJUST = 24576;

  // What the operation is to heed: rounding mode, masked exceptions, denormals as zero, flush to
  // zero.
  int rounding;
  int masks = 0x3f;
  boolean daz;
  boolean ftz;

  /** Exceptions raised since {@link #begin}. */
  int flags;

  /** The last rounding increased the magnitude. */
  boolean up;

  // Operands.
  int aClass;
  boolean aSign;
  int aExp;
  long aSig;
  int bClass;
  boolean bSign;
  int bExp;
  long bSig;

  /** What {@link #multiplyAdd} adds. */
  int cClass;

  private boolean cSign;
  private int cExp;
  private long cSig;

  // Result: class ZERO, NORMAL, INFINITE or QNAN (the default NaN); value hi.lo * 2**(exp - 63).
  int kind;
  boolean sign;
  int exp;
  long hi;
  long lo;

  /** Working storage for the lanes of a vector, which is stored once nothing can fault. */
  final long[] result = new long[4];

  private boolean inexact;

  /** Takes rounding, masks, DAZ and FTZ from MXCSR. */
  void begin(int mxcsr) {
    rounding = mxcsr >> 13 & 3;
    masks = mxcsr >> 7 & 0x3f;
    daz = (mxcsr & 0x40) != 0;
    ftz = (mxcsr & 0x8000) != 0;
    flags = 0;
  }

  /** Takes rounding and masks from the x87 control word. */
  void beginX87(int fcw) {
    rounding = fcw >> 10 & 3;
    masks = fcw & 0x3f;
    daz = false;
    ftz = false;
    flags = 0;
    up = false;
  }

  /** Writes {@code bytes} (16 or 32) of {@link #result} to host memory. */
  void store(long to, int bytes) {
    U.putLong(to, result[0]);
    U.putLong(to + 8, result[1]);
    if (bytes == 32) {
      U.putLong(to + 16, result[2]);
      U.putLong(to + 24, result[3]);
    }
  }

  // --- operands ---

  void swap() {
    int k = aClass;
    boolean s = aSign;
    int e = aExp;
    long m = aSig;
    bToA();
    bClass = k;
    bSign = s;
    bExp = e;
    bSig = m;
  }

  private void bToA() {
    aClass = bClass;
    aSign = bSign;
    aExp = bExp;
    aSig = bSig;
  }

  void b64(long bits) {
    bSign = bits < 0;
    int e = (int) (bits >>> 52) & 0x7ff;
    long m = bits & 0xfffffffffffffL;
    finiteOrNot(e, 0x7ff, 1023, m << 11, (bits & 1L << 51) != 0);
  }

  void b32(int bits) {
    bSign = bits < 0;
    int e = bits >>> 23 & 0xff;
    long m = bits & 0x7fffffL;
    finiteOrNot(e, 0xff, 127, m << 40, (bits & 1 << 22) != 0);
  }

  void b16(int bits) {
    bSign = (bits & 0x8000) != 0;
    int e = bits >>> 10 & 0x1f;
    long m = bits & 0x3ffL;
    finiteOrNot(e, 0x1f, 15, m << 53, (bits & 1 << 9) != 0);
  }

  void c64(long bits) {
    b64(bits);
    bToC();
  }

  void c32(int bits) {
    b32(bits);
    bToC();
  }

  private void bToC() {
    cClass = bClass;
    cSign = bSign;
    cExp = bExp;
    cSig = bSig;
  }

  void a64(long bits) {
    b64(bits);
    bToA();
  }

  void a32(int bits) {
    b32(bits);
    bToA();
  }

  private void finiteOrNot(int e, int top, int bias, long m, boolean quiet) {
    if (e == top) {
      bClass = m == 0 ? INFINITE : quiet ? QNAN : SNAN;
      bSig = m | Long.MIN_VALUE;
    } else if (e != 0) {
      bClass = NORMAL;
      bExp = e - bias;
      bSig = m | Long.MIN_VALUE;
    } else if (m == 0 || daz) {
      bClass = ZERO;
    } else {
      bClass = DENORMAL;
      int shift = Long.numberOfLeadingZeros(m);
      bExp = 1 - bias - shift;
      bSig = m << shift;
    }
  }

  void b80(long significand, int signExponent) {
    bSign = (signExponent & 0x8000) != 0;
    int e = signExponent & 0x7fff;
    bSig = significand;
    if (e == 0) {
      if (significand == 0) {
        bClass = ZERO;
        return;
      }
      bClass = DENORMAL;
      int shift = Long.numberOfLeadingZeros(significand);
      bExp = 1 - 16383 - shift;
      bSig = significand << shift;
    } else if (significand >= 0) {
      bClass = UNSUPPORTED;
    } else if (e != 0x7fff) {
      bClass = NORMAL;
      bExp = e - 16383;
    } else if (significand << 1 == 0) {
      bClass = INFINITE;
    } else {
      bClass = (significand & 1L << 62) != 0 ? QNAN : SNAN;
    }
  }

  void a80(long significand, int signExponent) {
    b80(significand, signExponent);
    bToA();
  }

  /** An integer as operand b. */
  void bInteger(long v) {
    bSign = v < 0;
    bClass = v == 0 ? ZERO : NORMAL;
    if (v != 0) {
      long magnitude = Math.abs(v);
      int shift = Long.numberOfLeadingZeros(magnitude);
      bSig = magnitude << shift;
      bExp = 63 - shift;
    }
  }

  boolean isNan(int k) {
    return k >= QNAN;
  }

  // --- operations on operands that are not NaN ---

  private void denormals() {
    if (aClass == DENORMAL || bClass == DENORMAL) {
      flags |= DE;
    }
  }

  void invalid() {
    flags |= IE;
    kind = QNAN;
  }

  private void special(int k, boolean s) {
    kind = k;
    sign = s;
  }

  private void takeB(boolean s) {
    if (bClass == ZERO || bClass == INFINITE) {
      special(bClass, s);
    } else {
      normal(s, bExp, bSig, 0);
    }
  }

  private void normal(boolean s, int e, long h, long l) {
    kind = NORMAL;
    sign = s;
    exp = e;
    hi = h;
    lo = l;
  }

  /** The result is operand b as it is; the caller has dealt with NaNs. */
  void copy() {
    if (bClass == DENORMAL) {
      flags |= DE;
    }
    takeB(bSign);
  }

  /** a + b, or a - b. */
  void add(boolean subtract) {
    boolean sb = bSign ^ subtract;
    if (aClass == INFINITE) {
      if (bClass == INFINITE && aSign != sb) {
        invalid();
        return;
      }
      denormals();
      special(INFINITE, aSign);
      return;
    }
    denormals();
    if (bClass == INFINITE) {
      special(INFINITE, sb);
    } else if (bClass == ZERO) {
      if (aClass == ZERO) {
        special(ZERO, aSign == sb ? aSign : rounding == DOWN);
      } else {
        normal(aSign, aExp, aSig, 0);
      }
    } else if (aClass == ZERO) {
      normal(sb, bExp, bSig, 0);
    } else if (aExp > bExp || (aExp == bExp && Long.compareUnsigned(aSig, bSig) >= 0)) {
      addFinite(aSign, aExp, aSig, sb, bExp, bSig);
    } else {
      addFinite(sb, bExp, bSig, aSign, aExp, aSig);
    }
  }

  /** The first operand has the larger magnitude, or the same. */
  private void addFinite(boolean sa, int ea, long ma, boolean sb, int eb, long mb) {
    addWide(sa, ea, ma, 0, sb, eb, mb, 0);
  }

  /**
   * Of 128-bit significands, the first of which has the larger magnitude, or the same. Enough of
   * their low bits are zero that what is lost of the second one to the sticky bit does not matter.
   */
  private void addWide(boolean sa, int ea, long ah, long al, boolean sb, int eb, long bh, long bl) {
    hi = bh;
    lo = bl;
    shiftRight(ea - eb);
    if (sa == sb) {
      long l = al + lo;
      long carry = Long.compareUnsigned(l, al) < 0 ? 1 : 0;
      long h = ah + hi + carry;
      if (Long.compareUnsigned(h, ah) < 0) {
        normal(sa, ea + 1, h >>> 1 | Long.MIN_VALUE, h << 63 | l >>> 1 | l & 1);
      } else {
        normal(sa, ea, h, l);
      }
      return;
    }
    long l = al - lo;
    long h = ah - hi - (Long.compareUnsigned(al, lo) < 0 ? 1 : 0);
    if ((h | l) == 0) {
      special(ZERO, rounding == DOWN);
      return;
    }
    if (h == 0) {
      h = l;
      l = 0;
      ea -= 64;
    }
    int shift = Long.numberOfLeadingZeros(h);
    if (shift != 0) {
      h = h << shift | l >>> 64 - shift;
      l <<= shift;
    }
    normal(sa, ea - shift, h, l);
  }

  /** a * b + c, rounded once afterwards; the product negated, c subtracted if asked. */
  void multiplyAdd(boolean negateProduct, boolean subtract) {
    boolean s = aSign ^ bSign ^ negateProduct;
    boolean sc = cSign ^ subtract;
    boolean infinite = aClass == INFINITE || bClass == INFINITE;
    boolean zero = aClass == ZERO || bClass == ZERO;
    if (infinite && (zero || cClass == INFINITE && s != sc)) {
      invalid();
      return;
    }
    denormals();
    if (cClass == DENORMAL) {
      flags |= DE;
    }
    if (infinite) {
      special(INFINITE, s);
    } else if (cClass == INFINITE) {
      special(INFINITE, sc);
    } else if (zero) {
      if (cClass == ZERO) {
        special(ZERO, s == sc ? s : rounding == DOWN);
      } else {
        normal(sc, cExp, cSig, 0);
      }
    } else {
      addToProduct(s, sc);
    }
  }

  private void addToProduct(boolean s, boolean sc) {
    multiplyFinite(s);
    if (cClass == ZERO) {
      return;
    }
    int order = exp != cExp ? Integer.compare(exp, cExp) : Long.compareUnsigned(hi, cSig);
    if (order >= 0) {
      addWide(s, exp, hi, lo, sc, cExp, cSig, 0);
    } else {
      addWide(sc, cExp, cSig, 0, s, exp, hi, lo);
    }
  }

  void multiply() {
    boolean s = aSign ^ bSign;
    if (aClass == INFINITE || bClass == INFINITE) {
      if (aClass == ZERO || bClass == ZERO) {
        invalid();
        return;
      }
      denormals();
      special(INFINITE, s);
      return;
    }
    denormals();
    if (aClass == ZERO || bClass == ZERO) {
      special(ZERO, s);
      return;
    }
    multiplyFinite(s);
  }

  private void multiplyFinite(boolean s) {
    long h = Math.unsignedMultiplyHigh(aSig, bSig);
    long l = aSig * bSig;
    if (h < 0) {
      normal(s, aExp + bExp + 1, h, l);
    } else {
      normal(s, aExp + bExp, h << 1 | l >>> 63, l << 1);
    }
  }

  void divide() {
    boolean s = aSign ^ bSign;
    if (aClass == bClass && (aClass == INFINITE || aClass == ZERO)) {
      invalid();
      return;
    }
    if (bClass == ZERO && aClass != INFINITE) {
      // A division by zero has precedence over a denormal operand (SDM volume 1, 4.9.2).
      flags |= ZE;
      special(INFINITE, s);
      return;
    }
    denormals();
    if (aClass == INFINITE) {
      special(INFINITE, s);
    } else if (bClass == INFINITE || aClass == ZERO) {
      special(ZERO, s);
    } else {
      divideFinite(s);
    }
  }

  private void divideFinite(boolean s) {
    boolean below = Long.compareUnsigned(aSig, bSig) < 0;
    long nh = below ? aSig : aSig >>> 1;
    long nl = below ? 0 : aSig << 63;
    long q = Wide.divide(nh, nl, bSig);
    long r = nl - q * bSig;
    long q2 = Wide.divide(r, 0, bSig);
    long r2 = -q2 * bSig;
    normal(s, aExp - bExp - (below ? 1 : 0), q, r2 != 0 ? q2 | 1 : q2);
  }

  /** Square root of operand b. */
  void squareRoot() {
    if (bClass == ZERO) {
      special(ZERO, bSign);
      return;
    }
    if (bSign) {
      invalid();
      return;
    }
    if (bClass == DENORMAL) {
      flags |= DE;
    }
    if (bClass == INFINITE) {
      special(INFINITE, false);
      return;
    }
    boolean odd = (bExp & 1) != 0;
    long nh = odd ? bSig : bSig >>> 1;
    long nl = odd ? 0 : bSig << 63;
    long root = Wide.squareRoot(nh, nl);
    long squareHigh = Math.unsignedMultiplyHigh(root, root);
    long square = root * root;
    long restLow = nl - square;
    long restHigh = nh - squareHigh - (Long.compareUnsigned(nl, square) < 0 ? 1 : 0);
    boolean aboveHalf = restHigh != 0 || Long.compareUnsigned(restLow, root) > 0;
    long l = (aboveHalf ? Long.MIN_VALUE : 0) | (restLow != 0 || restHigh != 0 ? 1 : 0);
    normal(false, bExp >> 1, root, l);
  }

  // --- rounding ---

  /**
   * Rounds hi.lo to its first {@code bits} bits in place; a carry out of the top raises the
   * exponent.
   */
  private void roundBits(int bits) {
    long below = bits == 64 ? 0 : -1L >>> bits;
    long rest = bits == 64 ? lo : (hi & below) << bits | (lo != 0 ? 1 : 0);
    hi &= ~below;
    lo = 0;
    inexact = rest != 0;
    up = inexact && roundsUp(rest, (hi & below + 1) != 0);
    if (up) {
      hi += below + 1;
      if (hi == 0) {
        hi = Long.MIN_VALUE;
        exp++;
      }
    }
  }

  /** Whether a remainder (as a 64-bit fraction, not zero) makes the magnitude go up. */
  private boolean roundsUp(long rest, boolean odd) {
    return switch (rounding) {
      case NEAREST -> rest < 0 && (rest != Long.MIN_VALUE || odd);
      case DOWN -> sign;
      case UP -> !sign;
      default -> false;
    };
  }

  /** Shifts hi.lo right, keeping a sticky bit. */
  private void shiftRight(int n) {
    if (n >= 128) {
      lo = 1;
      hi = 0;
    } else if (n >= 64) {
      long lost = lo | (n == 64 ? 0 : hi << 128 - n);
      lo = (n == 64 ? hi : hi >>> n - 64) | (lost != 0 ? 1 : 0);
      hi = 0;
    } else if (n > 0) {
      long lost = lo << 64 - n;
      lo = hi << 64 - n | lo >>> n | (lost != 0 ? 1 : 0);
      hi >>>= n;
    }
  }

  /**
   * Rounds a NORMAL result to {@code bits} of precision and the exponent range emin..emax.
   * Afterwards kind says ZERO, NORMAL (a clear top bit of hi means denormal, at exponent emin) or
   * INFINITE. {@code wrap}: an unmasked overflow or underflow delivers a result with its exponent
   * wrapped, as x87 registers get it.
   */
  private void round(int bits, int emin, int emax, boolean wrap) {
    long h = hi;
    long l = lo;
    int e = exp;
    roundBits(bits);
    if (exp > emax) {
      overflow(bits, emax, wrap);
    } else if (exp < emin) {
      underflow(bits, emin, h, l, e, wrap);
    } else if (inexact) {
      flags |= PE;
    }
  }

  private void overflow(int bits, int emax, boolean wrap) {
    if ((masks & OE) == 0) {
      flags |= inexact ? OE | PE : OE;
      if (wrap) {
        exp -= BIAS_ADJUST;
        if (exp > emax) {
          flags |= PE;
          up = true;
          kind = INFINITE;
        }
      }
      return;
    }
    flags |= OE | PE;
    up = rounding == NEAREST || rounding == (sign ? DOWN : UP);
    if (up) {
      kind = INFINITE;
    } else {
      exp = emax;
      hi = -1L << 64 - bits;
    }
  }

  private void underflow(int bits, int emin, long h, long l, int e, boolean wrap) {
    if ((masks & UE) == 0) {
      flags |= inexact ? UE | PE : UE;
      if (wrap) {
        exp += BIAS_ADJUST;
        if (exp < emin) {
          flags |= PE;
          kind = ZERO;
        }
      }
      return;
    }
    if (ftz) {
      flags |= UE | PE;
      kind = ZERO;
      return;
    }
    hi = h;
    lo = l;
    exp = e;
    shiftRight(emin - e);
    exp = emin;
    roundBits(bits);
    if (inexact) {
      flags |= UE | PE;
    }
    if (hi == 0) {
      kind = ZERO;
    }
  }

  /** The result as a double; of a NaN result, the default NaN. */
  long to64() {
    if (kind == NORMAL) {
      round(53, -1022, 1023, false);
    }
    long s = sign ? Long.MIN_VALUE : 0;
    return switch (kind) {
      case ZERO -> s;
      case NORMAL -> s | (hi < 0 ? (long) (exp + 1023) << 52 : 0) | hi >>> 11 & 0xfffffffffffffL;
      case INFINITE -> s | 0x7ffL << 52;
      default -> 0xfff8000000000000L;
    };
  }

  int to32() {
    if (kind == NORMAL) {
      round(24, -126, 127, false);
    }
    int s = sign ? Integer.MIN_VALUE : 0;
    return switch (kind) {
      case ZERO -> s;
      case NORMAL -> s | (hi < 0 ? exp + 127 << 23 : 0) | (int) (hi >>> 40) & 0x7fffff;
      case INFINITE -> s | 0xff << 23;
      default -> 0xffc00000;
    };
  }

  /** The result as a half-precision number; FTZ does not apply. */
  int to16() {
    if (kind == NORMAL) {
      ftz = false;
      round(11, -14, 15, false);
    }
    int s = sign ? 0x8000 : 0;
    return switch (kind) {
      case ZERO -> s;
      case NORMAL -> s | (hi < 0 ? exp + 15 << 10 : 0) | (int) (hi >>> 53) & 0x3ff;
      case INFINITE -> s | 0x1f << 10;
      default -> 0xfe00;
    };
  }

  /**
   * Leaves the result as an 80-bit value: significand in {@link #hi}, sign and exponent returned.
   */
  int to80(int bits) {
    if (kind == NORMAL) {
      round(bits, -16382, 16383, true);
    }
    int s = sign ? 0x8000 : 0;
    switch (kind) {
      case ZERO -> {
        hi = 0;
        return s;
      }
      case NORMAL -> {
        return s | (hi < 0 ? exp + 16383 : 0);
      }
      case INFINITE -> {
        hi = Long.MIN_VALUE;
        return s | 0x7fff;
      }
      default -> {
        hi = 0xc000000000000000L;
        return 0xffff;
      }
    }
  }

  /**
   * Operand b rounded to a signed integer of {@code bits} bits; out of range or NaN gives IE and
   * the smallest integer (the "integer indefinite"). PE when inexact.
   */
  long toInteger(int bits, int mode) {
    long indefinite = -1L << bits - 1;
    up = false;
    if (bClass == ZERO) {
      return 0;
    }
    if (bClass >= INFINITE || bExp > 63) {
      flags |= IE;
      return indefinite;
    }
    sign = bSign;
    exp = 63;
    hi = bSig;
    lo = 0;
    shiftRight(63 - bExp);
    int saved = rounding;
    rounding = mode;
    roundBits(64);
    rounding = saved;
    long magnitude = hi;
    boolean tooLarge =
        exp > 63
            || (sign
                ? Long.compareUnsigned(magnitude, -indefinite) > 0
                : Long.compareUnsigned(magnitude, -indefinite - 1) > 0);
    if (tooLarge) {
      flags |= IE;
      up = false;
      return indefinite;
    }
    if (inexact) {
      flags |= PE;
    }
    return sign ? -magnitude : magnitude;
  }

  /**
   * Operand b, finite and not zero, rounded to an integral value in kind, sign, exp and hi; PE when
   * inexact.
   */
  void toIntegral(int mode) {
    normal(bSign, bExp, bSig, 0);
    up = false;
    if (bExp >= 63) {
      return;
    }
    shiftRight(63 - bExp);
    int saved = rounding;
    rounding = mode;
    roundBits(64);
    rounding = saved;
    if (inexact) {
      flags |= PE;
    }
    if (hi == 0) {
      kind = ZERO;
      return;
    }
    int shift = Long.numberOfLeadingZeros(hi);
    exp = 63 - shift;
    hi <<= shift;
  }

  /** Compares finite or infinite operands: -1, 0 or 1. */
  int compare() {
    if (aClass == ZERO && bClass == ZERO) {
      return 0;
    }
    int order;
    if (aClass == ZERO) {
      return bSign ? 1 : -1;
    } else if (bClass == ZERO || aSign != bSign) {
      return aSign ? -1 : 1;
    } else if (aClass == INFINITE || bClass == INFINITE) {
      order = aClass == bClass ? 0 : aClass == INFINITE ? 1 : -1;
    } else {
      order = aExp != bExp ? Integer.compare(aExp, bExp) : Long.compareUnsigned(aSig, bSig);
    }
    return aSign ? -order : order;
  }
}
