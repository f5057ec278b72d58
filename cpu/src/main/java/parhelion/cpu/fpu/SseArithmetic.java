package parhelion.cpu.fpu;

import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.GuestFault;

/**
 * SSE arithmetic on scalars, with MXCSR's flags exact. The usual case (round to nearest, no
 * exception unmasked, ordinary operands and result) is the host's own arithmetic plus a test of
 * exactness where PE is not yet set; the rest goes through {@link FloatUnit}.
 */
public final class SseArithmetic {
  static final int PE = 0x20;

  /**
   * MXCSR without its flags, when rounding is to nearest, all is masked, and neither DAZ nor FTZ is
   * set.
   */
  private static final int PLAIN = 0x1f80;

  private static final int CONTROL = 0xffc0;
  static final int ALL_MASKED = 0x1f80;
  private static final long CR4_OSXMMEXCPT = 1 << 10;

  private static final long QUIET64 = 1L << 51;
  private static final int QUIET32 = 1 << 22;

  private SseArithmetic() {}

  /**
   * A function of two doubles, or of two pairs of floats, that raises its exceptions in the unit.
   */
  @FunctionalInterface
  interface Soft {
    long apply(FloatUnit u, long a, long b);
  }

  /** The same with the processor at hand, leaving the exceptions in MXCSR or raising them. */
  @FunctionalInterface
  interface Hard {
    long apply(Cpu c, long a, long b);
  }

  // --- exceptions ---

  /** Adds the unit's exceptions to MXCSR and raises the unmasked ones. */
  static void commit(Cpu c, int mxcsr) {
    int raised = c.floats.flags;
    int unmasked = ~(mxcsr >> 7) & 0x3f;
    int before = raised & 7 & unmasked;
    int now = before != 0 ? mxcsr | raised & 7 : mxcsr | raised;
    if (now != mxcsr) {
      c.put64(CpuState.MXCSR, now);
    }
    if ((before != 0 ? before : raised & unmasked) != 0) {
      boolean handled = (c.get64(CpuState.CR4) & CR4_OSXMMEXCPT) != 0;
      throw c.fault(handled ? GuestFault.XM : GuestFault.UD);
    }
  }

  private static long soft(Cpu c, int mxcsr, Soft f, long a, long b) {
    FloatUnit u = c.floats;
    u.begin(mxcsr);
    long r = f.apply(u, a, b);
    commit(c, mxcsr);
    return r;
  }

  static void inexact(Cpu c, int mxcsr) {
    c.put64(CpuState.MXCSR, mxcsr | PE);
  }

  // --- classes of operands and results ---

  /** Neither denormal, infinite nor NaN. */
  private static boolean plain(long bits) {
    int e = (int) (bits >>> 52) & 0x7ff;
    return (e + 1 & 0x7ff) > 1 || bits << 1 == 0;
  }

  private static boolean plain(int bits) {
    int e = bits >>> 23 & 0xff;
    return (e + 1 & 0xff) > 1 || bits << 1 == 0;
  }

  /**
   * Exponent in the range where neither underflow nor overflow is possible, and exact residuals
   * exist.
   */
  private static boolean middle(long bits) {
    int e = (int) (bits >>> 52) & 0x7ff;
    return e > 110 && e < 0x7ff;
  }

  private static boolean middle(int bits) {
    int e = bits >>> 23 & 0xff;
    return e > 1 && e < 0xff;
  }

  // --- doubles ---

  public static long add64(Cpu c, long a, long b) {
    int mxcsr = c.get32(CpuState.MXCSR);
    if ((mxcsr & CONTROL) == PLAIN && plain(a) && plain(b)) {
      double x = Double.longBitsToDouble(a);
      double y = Double.longBitsToDouble(b);
      double r = x + y;
      long bits = Double.doubleToRawLongBits(r);
      if (plain(bits)) {
        if ((mxcsr & PE) == 0 && sumError(x, y, r) != 0) {
          inexact(c, mxcsr);
        }
        return bits;
      }
    }
    return soft(c, mxcsr, SseArithmetic::softAdd64, a, b);
  }

  private static double sumError(double x, double y, double r) {
    double yPart = r - x;
    return (x - (r - yPart)) + (y - yPart);
  }

  public static long sub64(Cpu c, long a, long b) {
    int mxcsr = c.get32(CpuState.MXCSR);
    if ((mxcsr & CONTROL) == PLAIN && plain(a) && plain(b)) {
      double x = Double.longBitsToDouble(a);
      double y = Double.longBitsToDouble(b);
      double r = x - y;
      long bits = Double.doubleToRawLongBits(r);
      if (plain(bits)) {
        if ((mxcsr & PE) == 0 && sumError(x, -y, r) != 0) {
          inexact(c, mxcsr);
        }
        return bits;
      }
    }
    return soft(c, mxcsr, SseArithmetic::softSub64, a, b);
  }

  public static long mul64(Cpu c, long a, long b) {
    int mxcsr = c.get32(CpuState.MXCSR);
    if ((mxcsr & CONTROL) == PLAIN && plain(a) && plain(b)) {
      double x = Double.longBitsToDouble(a);
      double y = Double.longBitsToDouble(b);
      double r = x * y;
      long bits = Double.doubleToRawLongBits(r);
      if (middle(bits)) {
        if ((mxcsr & PE) == 0 && Math.fma(x, y, -r) != 0) {
          inexact(c, mxcsr);
        }
        return bits;
      }
      if (a << 1 == 0 || b << 1 == 0) {
        return bits;
      }
    }
    return soft(c, mxcsr, SseArithmetic::softMul64, a, b);
  }

  public static long div64(Cpu c, long a, long b) {
    int mxcsr = c.get32(CpuState.MXCSR);
    if ((mxcsr & CONTROL) == PLAIN && middle(a) && middle(b)) {
      double x = Double.longBitsToDouble(a);
      double y = Double.longBitsToDouble(b);
      double r = x / y;
      long bits = Double.doubleToRawLongBits(r);
      if (middle(bits)) {
        if ((mxcsr & PE) == 0 && Math.fma(r, y, -x) != 0) {
          inexact(c, mxcsr);
        }
        return bits;
      }
    }
    return soft(c, mxcsr, SseArithmetic::softDiv64, a, b);
  }

  /** Square root of b. */
  public static long sqrt64(Cpu c, long a, long b) {
    int mxcsr = c.get32(CpuState.MXCSR);
    if ((mxcsr & CONTROL) == PLAIN && b > 0 && middle(b)) {
      double x = Double.longBitsToDouble(b);
      double r = Math.sqrt(x);
      if ((mxcsr & PE) == 0 && Math.fma(r, r, -x) != 0) {
        inexact(c, mxcsr);
      }
      return Double.doubleToRawLongBits(r);
    }
    return soft(c, mxcsr, SseArithmetic::softSqrt64, a, b);
  }

  // --- floats: bits in the low half, double arithmetic tells what is exact ---

  public static int add32(Cpu c, int a, int b) {
    int mxcsr = c.get32(CpuState.MXCSR);
    if ((mxcsr & CONTROL) == PLAIN && plain(a) && plain(b)) {
      float x = Float.intBitsToFloat(a);
      float y = Float.intBitsToFloat(b);
      float r = x + y;
      int bits = Float.floatToRawIntBits(r);
      if (plain(bits)) {
        if ((mxcsr & PE) == 0 && sumError(x, y, r) != 0) {
          inexact(c, mxcsr);
        }
        return bits;
      }
    }
    return (int) soft(c, mxcsr, SseArithmetic::softAdd32, a, b);
  }

  private static float sumError(float x, float y, float r) {
    float yPart = r - x;
    return (x - (r - yPart)) + (y - yPart);
  }

  public static int sub32(Cpu c, int a, int b) {
    int mxcsr = c.get32(CpuState.MXCSR);
    if ((mxcsr & CONTROL) == PLAIN && plain(a) && plain(b)) {
      float x = Float.intBitsToFloat(a);
      float y = Float.intBitsToFloat(b);
      float r = x - y;
      int bits = Float.floatToRawIntBits(r);
      if (plain(bits)) {
        if ((mxcsr & PE) == 0 && sumError(x, -y, r) != 0) {
          inexact(c, mxcsr);
        }
        return bits;
      }
    }
    return (int) soft(c, mxcsr, SseArithmetic::softSub32, a, b);
  }

  public static int mul32(Cpu c, int a, int b) {
    int mxcsr = c.get32(CpuState.MXCSR);
    if ((mxcsr & CONTROL) == PLAIN && plain(a) && plain(b)) {
      double exact = (double) Float.intBitsToFloat(a) * Float.intBitsToFloat(b);
      float r = (float) exact;
      int bits = Float.floatToRawIntBits(r);
      if (middle(bits)) {
        if ((mxcsr & PE) == 0 && r != exact) {
          inexact(c, mxcsr);
        }
        return bits;
      }
      if (a << 1 == 0 || b << 1 == 0) {
        return bits;
      }
    }
    return (int) soft(c, mxcsr, SseArithmetic::softMul32, a, b);
  }

  public static int div32(Cpu c, int a, int b) {
    int mxcsr = c.get32(CpuState.MXCSR);
    if ((mxcsr & CONTROL) == PLAIN && middle(a) && middle(b)) {
      float x = Float.intBitsToFloat(a);
      float y = Float.intBitsToFloat(b);
      float r = x / y;
      int bits = Float.floatToRawIntBits(r);
      if (middle(bits)) {
        if ((mxcsr & PE) == 0 && (double) r * y != x) {
          inexact(c, mxcsr);
        }
        return bits;
      }
    }
    return (int) soft(c, mxcsr, SseArithmetic::softDiv32, a, b);
  }

  public static int sqrt32(Cpu c, int a, int b) {
    int mxcsr = c.get32(CpuState.MXCSR);
    if ((mxcsr & CONTROL) == PLAIN && b > 0 && middle(b)) {
      float x = Float.intBitsToFloat(b);
      float r = (float) Math.sqrt(x);
      if ((mxcsr & PE) == 0 && (double) r * r != x) {
        inexact(c, mxcsr);
      }
      return Float.floatToRawIntBits(r);
    }
    return (int) soft(c, mxcsr, SseArithmetic::softSqrt32, a, b);
  }

  // --- minimum, maximum, comparison: ordinary operands raise nothing in any mode ---

  public static long min64(Cpu c, long a, long b) {
    if (plain(a) && plain(b)) {
      return Double.longBitsToDouble(a) < Double.longBitsToDouble(b) ? a : b;
    }
    return soft(c, c.get32(CpuState.MXCSR), SseArithmetic::softMin64, a, b);
  }

  public static long max64(Cpu c, long a, long b) {
    if (plain(a) && plain(b)) {
      return Double.longBitsToDouble(a) > Double.longBitsToDouble(b) ? a : b;
    }
    return soft(c, c.get32(CpuState.MXCSR), SseArithmetic::softMax64, a, b);
  }

  public static int min32(Cpu c, int a, int b) {
    if (plain(a) && plain(b)) {
      return Float.intBitsToFloat(a) < Float.intBitsToFloat(b) ? a : b;
    }
    return (int) soft(c, c.get32(CpuState.MXCSR), SseArithmetic::softMin32, a, b);
  }

  public static int max32(Cpu c, int a, int b) {
    if (plain(a) && plain(b)) {
      return Float.intBitsToFloat(a) > Float.intBitsToFloat(b) ? a : b;
    }
    return (int) soft(c, c.get32(CpuState.MXCSR), SseArithmetic::softMax32, a, b);
  }

  // Of the sixteen predicates of CMPPS (those from 16 on are the same but for what signals): which
  // hold if the first operand is less, equal, greater, or not comparable, and which raise IE for a
  // quiet NaN.
  private static final int LESS = 0x9696;
  private static final int EQUAL = 0xa5a5;
  private static final int GREATER = 0xf0f0;
  private static final int UNORDERED = 0x8778;
  private static final int SIGNALS = 0x6666;

  /** CMPSD: all ones if predicate 0..31 holds. */
  public static long compare64(Cpu c, long a, long b, int predicate) {
    if (plain(a) && plain(b)) {
      double x = Double.longBitsToDouble(a);
      double y = Double.longBitsToDouble(b);
      int order = x < y ? LESS : x == y ? EQUAL : GREATER;
      return (order >> (predicate & 15) & 1) != 0 ? -1 : 0;
    }
    return soft(c, c.get32(CpuState.MXCSR), (u, x, y) -> softCompare64(u, x, y, predicate), a, b);
  }

  // --- conversions between the two ---

  public static long widen(Cpu c, int a) {
    if (plain(a)) {
      return Double.doubleToRawLongBits(Float.intBitsToFloat(a));
    }
    return soft(c, c.get32(CpuState.MXCSR), (u, x, y) -> SseConvertOps.ss2sd(u, x), a, 0);
  }

  public static int narrow(Cpu c, long a) {
    int mxcsr = c.get32(CpuState.MXCSR);
    if ((mxcsr & CONTROL) == PLAIN) {
      double x = Double.longBitsToDouble(a);
      float r = (float) x;
      int bits = Float.floatToRawIntBits(r);
      if (middle(bits)) {
        if ((mxcsr & PE) == 0 && r != x) {
          inexact(c, mxcsr);
        }
        return bits;
      }
    }
    return (int) soft(c, mxcsr, (u, x, y) -> SseConvertOps.sd2ss(u, x), a, 0);
  }

  // --- soft forms; the 32-bit ones work on the low halves ---

  private static boolean nan(FloatUnit u) {
    return u.aClass >= FloatUnit.QNAN || u.bClass >= FloatUnit.QNAN;
  }

  private static boolean load64(FloatUnit u, long a, long b) {
    u.a64(a);
    u.b64(b);
    return nan(u);
  }

  private static boolean load32(FloatUnit u, long a, long b) {
    u.a32((int) a);
    u.b32((int) b);
    return nan(u);
  }

  private static void signal(FloatUnit u) {
    if (u.aClass == FloatUnit.SNAN || u.bClass == FloatUnit.SNAN) {
      u.flags |= FloatUnit.IE;
    }
  }

  /** The result when an operand is NaN: the first one that is, made quiet. */
  private static long nan64(FloatUnit u, long a, long b) {
    signal(u);
    return (u.aClass >= FloatUnit.QNAN ? a : b) | QUIET64;
  }

  private static long nan32(FloatUnit u, long a, long b) {
    signal(u);
    return ((u.aClass >= FloatUnit.QNAN ? a : b) | QUIET32) & 0xffffffffL;
  }

  static long softAdd64(FloatUnit u, long a, long b) {
    if (load64(u, a, b)) {
      return nan64(u, a, b);
    }
    u.add(false);
    return u.to64();
  }

  static long softSub64(FloatUnit u, long a, long b) {
    if (load64(u, a, b)) {
      return nan64(u, a, b);
    }
    u.add(true);
    return u.to64();
  }

  static long softMul64(FloatUnit u, long a, long b) {
    if (load64(u, a, b)) {
      return nan64(u, a, b);
    }
    u.multiply();
    return u.to64();
  }

  static long softDiv64(FloatUnit u, long a, long b) {
    if (load64(u, a, b)) {
      return nan64(u, a, b);
    }
    u.divide();
    return u.to64();
  }

  static long softSqrt64(FloatUnit u, long a, long b) {
    if (load64(u, b, b)) {
      return nan64(u, b, b);
    }
    u.squareRoot();
    return u.to64();
  }

  static long softAdd32(FloatUnit u, long a, long b) {
    if (load32(u, a, b)) {
      return nan32(u, a, b);
    }
    u.add(false);
    return u.to32() & 0xffffffffL;
  }

  static long softSub32(FloatUnit u, long a, long b) {
    if (load32(u, a, b)) {
      return nan32(u, a, b);
    }
    u.add(true);
    return u.to32() & 0xffffffffL;
  }

  static long softMul32(FloatUnit u, long a, long b) {
    if (load32(u, a, b)) {
      return nan32(u, a, b);
    }
    u.multiply();
    return u.to32() & 0xffffffffL;
  }

  static long softDiv32(FloatUnit u, long a, long b) {
    if (load32(u, a, b)) {
      return nan32(u, a, b);
    }
    u.divide();
    return u.to32() & 0xffffffffL;
  }

  static long softSqrt32(FloatUnit u, long a, long b) {
    if (load32(u, b, b)) {
      return nan32(u, b, b);
    }
    u.squareRoot();
    return u.to32() & 0xffffffffL;
  }

  // --- x * y + z, rounded once; the product negated, z subtracted if asked ---

  /**
   * In the usual case, when PE is set already, the host's own arithmetic; exceptions are left in
   * the unit.
   */
  static long fma64(
      FloatUnit u, int mxcsr, long x, long y, long z, boolean negateProduct, boolean subtract) {
    if ((mxcsr & (CONTROL | PE)) == (PLAIN | PE) && plain(x) && plain(y) && plain(z)) {
      double a = Double.longBitsToDouble(negateProduct ? x ^ Long.MIN_VALUE : x);
      double c = Double.longBitsToDouble(subtract ? z ^ Long.MIN_VALUE : z);
      long bits = Double.doubleToRawLongBits(Math.fma(a, Double.longBitsToDouble(y), c));
      if (middle(bits)) {
        return bits;
      }
    }
    u.c64(z);
    if (load64(u, x, y) || u.cClass >= FloatUnit.QNAN) {
      return nan(u, x, y, z) | QUIET64;
    }
    u.multiplyAdd(negateProduct, subtract);
    return u.to64();
  }

  static long fma32(
      FloatUnit u, int mxcsr, int x, int y, int z, boolean negateProduct, boolean subtract) {
    if ((mxcsr & (CONTROL | PE)) == (PLAIN | PE) && plain(x) && plain(y) && plain(z)) {
      float a = Float.intBitsToFloat(negateProduct ? x ^ Integer.MIN_VALUE : x);
      float c = Float.intBitsToFloat(subtract ? z ^ Integer.MIN_VALUE : z);
      int bits = Float.floatToRawIntBits(Math.fma(a, Float.intBitsToFloat(y), c));
      if (middle(bits)) {
        return bits & 0xffffffffL;
      }
    }
    u.c32(z);
    if (load32(u, x, y) || u.cClass >= FloatUnit.QNAN) {
      return (nan(u, x, y, z) | QUIET32) & 0xffffffffL;
    }
    u.multiplyAdd(negateProduct, subtract);
    return u.to32() & 0xffffffffL;
  }

  /** The first factor that is NaN, else the second, else what is added. */
  private static long nan(FloatUnit u, long x, long y, long z) {
    signal(u);
    if (u.cClass == FloatUnit.SNAN) {
      u.flags |= FloatUnit.IE;
    }
    return u.aClass >= FloatUnit.QNAN ? x : u.bClass >= FloatUnit.QNAN ? y : z;
  }

  // --- minimum, maximum, comparison ---

  private static long zeroed64(FloatUnit u, long bits, int k) {
    return u.daz && k == FloatUnit.ZERO ? bits & Long.MIN_VALUE : bits;
  }

  private static long zeroed32(FloatUnit u, long bits, int k) {
    return u.daz && k == FloatUnit.ZERO ? bits & 0x80000000L : bits & 0xffffffffL;
  }

  /** Orders the loaded operands for MIN and MAX: true to take a; NaNs and equal zeros take b. */
  private static boolean takesA(FloatUnit u, boolean minimum) {
    if (nan(u)) {
      u.flags |= FloatUnit.IE;
      return false;
    }
    denormal(u);
    int order = u.compare();
    return minimum ? order < 0 : order > 0;
  }

  private static void denormal(FloatUnit u) {
    if (u.aClass == FloatUnit.DENORMAL || u.bClass == FloatUnit.DENORMAL) {
      u.flags |= FloatUnit.DE;
    }
  }

  static long softMin64(FloatUnit u, long a, long b) {
    load64(u, a, b);
    return takesA(u, true) ? zeroed64(u, a, u.aClass) : zeroed64(u, b, u.bClass);
  }

  static long softMax64(FloatUnit u, long a, long b) {
    load64(u, a, b);
    return takesA(u, false) ? zeroed64(u, a, u.aClass) : zeroed64(u, b, u.bClass);
  }

  static long softMin32(FloatUnit u, long a, long b) {
    load32(u, a, b);
    return takesA(u, true) ? zeroed32(u, a, u.aClass) : zeroed32(u, b, u.bClass);
  }

  static long softMax32(FloatUnit u, long a, long b) {
    load32(u, a, b);
    return takesA(u, false) ? zeroed32(u, a, u.aClass) : zeroed32(u, b, u.bClass);
  }

  /** Whether predicate 0..31 of CMPPS holds for the loaded operands. */
  static boolean predicate(FloatUnit u, int predicate) {
    int set;
    if (nan(u)) {
      boolean signals = (SIGNALS >> (predicate & 15) & 1) != predicate >> 4;
      if (signals || u.aClass == FloatUnit.SNAN || u.bClass == FloatUnit.SNAN) {
        u.flags |= FloatUnit.IE;
      }
      set = UNORDERED;
    } else {
      denormal(u);
      int order = u.compare();
      set = order < 0 ? LESS : order == 0 ? EQUAL : GREATER;
    }
    return (set >> (predicate & 15) & 1) != 0;
  }

  static long softCompare64(FloatUnit u, long a, long b, int predicate) {
    load64(u, a, b);
    return predicate(u, predicate) ? -1 : 0;
  }

  static long softCompare32(FloatUnit u, long a, long b, int predicate) {
    load32(u, a, b);
    return predicate(u, predicate) ? 0xffffffffL : 0;
  }

  /**
   * COMISD and kin: the flags ZF, PF, CF of a comparison.
   *
   * @param quiet only signalling NaNs raise IE
   */
  static int order(Cpu c, long a, long b, boolean single, boolean quiet) {
    int mxcsr = c.get32(CpuState.MXCSR);
    if ((mxcsr & CONTROL) == PLAIN) {
      if (single ? plain((int) a) && plain((int) b) : plain(a) && plain(b)) {
        double x = single ? Float.intBitsToFloat((int) a) : Double.longBitsToDouble(a);
        double y = single ? Float.intBitsToFloat((int) b) : Double.longBitsToDouble(b);
        return x > y ? 0 : x < y ? 1 : 0x40;
      }
    }
    FloatUnit u = c.floats;
    u.begin(mxcsr);
    boolean unordered = single ? load32(u, a, b) : load64(u, a, b);
    int flags = 0x45;
    if (unordered) {
      if (!quiet || u.aClass == FloatUnit.SNAN || u.bClass == FloatUnit.SNAN) {
        u.flags |= FloatUnit.IE;
      }
    } else {
      denormal(u);
      int order = u.compare();
      flags = order > 0 ? 0 : order < 0 ? 1 : 0x40;
    }
    commit(c, mxcsr);
    return flags;
  }
}
