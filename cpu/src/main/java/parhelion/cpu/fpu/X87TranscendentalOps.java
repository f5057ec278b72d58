package parhelion.cpu.fpu;

import java.math.BigDecimal;
import java.math.BigInteger;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.fpu.X87Ops.Body;
import parhelion.cpu.interp.Op;

/**
 * F2XM1, FYL2X, FYL2XP1, FSIN, FCOS, FSINCOS, FPTAN, FPATAN. Results are the true value rounded
 * once from about 100 bits; processors differ from it, and among each other, by up to an ulp.
 * Arguments of the trigonometric functions are reduced by a pi of 66 bits, as processors do (SDM
 * volume 1, 8.3.8).
 */
final class X87TranscendentalOps {
  /** Half of the processors' pi, with 67 fraction bits. */
  private static final BigInteger HALF_PI = new BigInteger("c90fdaa22168c234c", 16);

  private static final int HALF_PI_BITS = 67;

  /** Below this exponent the first term of a series is the function. */
  private static final int TINY = -68;

  private X87TranscendentalOps() {}

  static @Nullable Op translate(Insn insn, int offset) {
    Body body =
        switch (insn.mnemonic()) {
          case F2XM1 -> X87TranscendentalOps::f2xm1;
          case FYL2X -> (c, u) -> binary(c, u, X87TranscendentalOps::fyl2x);
          case FYL2XP1 -> (c, u) -> binary(c, u, X87TranscendentalOps::fyl2xp1);
          case FPATAN -> (c, u) -> binary(c, u, X87TranscendentalOps::fpatan);
          case FSIN -> (c, u) -> trigonometric(c, u, true, false);
          case FCOS -> (c, u) -> trigonometric(c, u, false, false);
          case FSINCOS -> (c, u) -> trigonometric(c, u, true, true);
          case FPTAN -> X87TranscendentalOps::fptan;
          default -> null;
        };
    return body == null ? null : X87Ops.bind(insn, offset, body);
  }

  // --- results in the unit ---

  private static void result(FloatUnit u, boolean sign, int exp, long hi, long lo) {
    u.kind = FloatUnit.NORMAL;
    u.sign = sign;
    u.exp = exp;
    u.hi = hi;
    u.lo = lo | 1; // never exact
  }

  private static void special(FloatUnit u, int kind, boolean sign) {
    u.kind = kind;
    u.sign = sign;
  }

  /** The unit's result becomes {@code v}, times two to {@code exp}. */
  private static void result(FloatUnit u, DoubleDouble v, int exp) {
    int saved = u.flags;
    u.a64(Double.doubleToRawLongBits(v.hi()));
    u.b64(Double.doubleToRawLongBits(v.lo()));
    u.add(false);
    u.flags = saved;
    u.exp += exp;
    u.lo |= 1;
  }

  private static void pi(FloatUnit u, boolean sign, int exp) {
    result(u, sign, exp, 0xc90fdaa22168c234L, 0xc4c6628b80dc1cd1L);
  }

  /** The unit's result times significand * 2**(exp - 63). */
  private static void scale(FloatUnit u, boolean sign, int exp, long significand) {
    long h = Math.unsignedMultiplyHigh(u.hi, significand);
    long l = u.hi * significand;
    long carry = Math.unsignedMultiplyHigh(u.lo, significand);
    long sum = l + carry;
    if (Long.compareUnsigned(sum, l) < 0) {
      h++;
    }
    int e = u.exp + exp;
    if (h < 0) {
      result(u, u.sign ^ sign, e + 1, h, sum);
    } else {
      result(u, u.sign ^ sign, e, h << 1 | sum >>> 63, sum << 1);
    }
  }

  private static DoubleDouble magnitudeA(FloatUnit u, int exp) {
    return DoubleDouble.of(u.aSig, 0, exp);
  }

  private static DoubleDouble signedA(FloatUnit u) {
    DoubleDouble v = magnitudeA(u, u.aExp);
    return u.aSign ? v.negated() : v;
  }

  // --- 2**x - 1 ---

  private static void f2xm1(Cpu c, FloatUnit u) {
    if (X87FunctionOps.underflows(c)) {
      return;
    }
    X87.a(c, u, 0);
    X87.b(c, u, 0);
    if (u.aClass >= FloatUnit.QNAN) {
      X87Ops.deliver(c, u, X87.nanB(u));
      return;
    }
    if (u.aClass == FloatUnit.DENORMAL) {
      u.flags |= X87.DE;
    }
    exponential(u);
    X87Ops.deliver(c, u, u.to80(64));
  }

  private static void exponential(FloatUnit u) {
    if (u.aClass == FloatUnit.INFINITE) {
      if (u.aSign) {
        u.bInteger(-1);
        u.copy();
      } else {
        special(u, FloatUnit.INFINITE, false);
      }
    } else if (u.aClass == FloatUnit.ZERO) {
      special(u, FloatUnit.ZERO, u.aSign);
    } else if (u.aExp < TINY) {
      result(u, false, -1, 0xb17217f7d1cf79abL, 0xc9e3b39803f2f6afL);
      scale(u, u.aSign, u.aExp, u.aSig);
    } else if (u.aExp >= 0) {
      // Exact at 1 and -1, though processors set PE; undefined beyond, where the operand is left.
      boolean one = u.aExp == 0 && u.aSig == Long.MIN_VALUE;
      u.copy();
      u.exp -= one && u.aSign ? 1 : 0;
      u.flags |= X87.PE;
    } else {
      result(u, signedA(u).times(DoubleDouble.LN2).expm1(), 0);
    }
  }

  // --- functions of ST(0) and ST(1) that leave one result ---

  /** Computes from a = ST(0), b = ST(1), both finite or infinite. */
  @FunctionalInterface
  private interface Function {
    void apply(FloatUnit u);
  }

  private static void binary(Cpu c, FloatUnit u, Function f) {
    if (X87.isEmpty(c, 0) || X87.isEmpty(c, 1)) {
      X87Ops.underflow(c, 1, true);
      return;
    }
    X87.a(c, u, 0);
    X87.b(c, u, 1);
    int signExponent;
    if (u.aClass >= FloatUnit.QNAN || u.bClass >= FloatUnit.QNAN) {
      signExponent = X87.nan(u);
    } else {
      f.apply(u);
      signExponent = u.to80(64);
    }
    if (X87.commit(c, u)) {
      X87.put(c, 1, u.hi, signExponent);
      X87.pop(c);
    }
  }

  private static void denormals(FloatUnit u) {
    if (u.aClass == FloatUnit.DENORMAL || u.bClass == FloatUnit.DENORMAL) {
      u.flags |= X87.DE;
    }
  }

  /** ST(1) * log2(ST(0)). */
  private static void fyl2x(FloatUnit u) {
    boolean one = u.aClass == FloatUnit.NORMAL && u.aExp == 0 && u.aSig == Long.MIN_VALUE;
    if (u.aClass == FloatUnit.ZERO) {
      logarithmOfZero(u);
      return;
    }
    boolean invalid =
        u.aSign
            || (one && u.bClass == FloatUnit.INFINITE)
            || (u.aClass == FloatUnit.INFINITE && u.bClass == FloatUnit.ZERO);
    if (invalid) {
      u.invalid();
      return;
    }
    denormals(u);
    boolean below = u.aClass != FloatUnit.INFINITE && u.aExp < 0;
    if (u.aClass == FloatUnit.INFINITE || u.bClass == FloatUnit.INFINITE) {
      special(u, FloatUnit.INFINITE, u.bSign ^ below);
    } else if (one || u.bClass == FloatUnit.ZERO) {
      special(u, FloatUnit.ZERO, u.bSign ^ below);
    } else {
      timesB(u, logarithm(u));
    }
  }

  private static void logarithmOfZero(FloatUnit u) {
    if (u.bClass == FloatUnit.ZERO) {
      u.invalid();
      return;
    }
    if (u.bClass != FloatUnit.INFINITE) {
      u.flags |= X87.ZE;
    }
    special(u, FloatUnit.INFINITE, !u.bSign);
  }

  /** log2 of the positive finite a. */
  private static DoubleDouble logarithm(FloatUnit u) {
    boolean upper = Long.compareUnsigned(u.aSig, 0xb504f333f9de6484L) > 0;
    int e = u.aExp + (upper ? 1 : 0);
    DoubleDouble m = magnitudeA(u, upper ? -1 : 0);
    return m.plus(-1).log1p().over(DoubleDouble.LN2).plus(e);
  }

  private static void timesB(FloatUnit u, DoubleDouble v) {
    boolean sign = u.bSign;
    int exp = u.bExp;
    long significand = u.bSig;
    boolean exact = v.lo() == 0 && v.hi() == Math.rint(v.hi());
    result(u, v, 0);
    if (exact) {
      // A power of two: the logarithm is an integer. Processors set PE even if the product is
      // exact.
      u.a80(u.hi, u.exp + 16383 | (u.sign ? 0x8000 : 0));
      u.b80(significand, 16383 | (sign ? 0x8000 : 0));
      u.multiply();
      u.exp += exp;
      u.flags |= X87.PE;
    } else {
      scale(u, sign, exp, significand);
    }
  }

  /** ST(1) * log2(ST(0) + 1). */
  private static void fyl2xp1(FloatUnit u) {
    if (u.aClass == FloatUnit.ZERO || u.bClass == FloatUnit.ZERO) {
      if (u.aClass == FloatUnit.INFINITE || u.bClass == FloatUnit.INFINITE) {
        u.invalid();
        return;
      }
      denormals(u);
      special(u, FloatUnit.ZERO, u.aSign ^ u.bSign);
      return;
    }
    if (u.aClass == FloatUnit.INFINITE && u.aSign) {
      u.invalid();
      return;
    }
    denormals(u);
    if (u.aClass == FloatUnit.INFINITE || u.bClass == FloatUnit.INFINITE) {
      special(u, FloatUnit.INFINITE, u.aSign ^ u.bSign);
    } else if (u.aSign && u.aExp >= 0) {
      // Undefined, the logarithm of a number below zero: the operand is left.
      special(u, FloatUnit.NORMAL, true);
      u.exp = u.aExp;
      u.hi = u.aSig;
      u.lo = 0;
      u.flags |= X87.PE;
    } else if (u.aExp < TINY) {
      boolean sign = u.bSign;
      int exp = u.bExp;
      long significand = u.bSig;
      result(u, false, 0, 0xb8aa3b295c17f0bbL, 0xbe87fed0691d3e88L);
      scale(u, u.aSign, u.aExp, u.aSig);
      scale(u, sign, exp, significand);
    } else {
      timesB(u, logarithmPlus1(u));
    }
  }

  private static DoubleDouble logarithmPlus1(FloatUnit u) {
    if (u.aExp >= 500) {
      return logarithm(u);
    }
    DoubleDouble x = signedA(u);
    if (x.hi() > -0.29 && x.hi() < 0.41) {
      return x.log1p().over(DoubleDouble.LN2);
    }
    // Outside of what the instruction promises.
    DoubleDouble y = x.plus(1);
    int e = Math.getExponent(y.hi());
    DoubleDouble m = y.scaled(-e);
    if (m.hi() > 1.4) {
      m = m.scaled(-1);
      e++;
    }
    return m.plus(-1).log1p().over(DoubleDouble.LN2).plus(e);
  }

  /** The angle of the point (ST(0), ST(1)). */
  private static void fpatan(FloatUnit u) {
    boolean sign = u.bSign;
    denormals(u);
    if (u.aClass == FloatUnit.INFINITE || u.bClass == FloatUnit.INFINITE) {
      atanInfinite(u, sign);
    } else if (u.bClass == FloatUnit.ZERO) {
      if (u.aSign) {
        pi(u, sign, 1);
      } else {
        special(u, FloatUnit.ZERO, sign);
      }
    } else if (u.aClass == FloatUnit.ZERO || u.bExp - u.aExp > -TINY) {
      pi(u, sign, 0);
    } else if (u.bExp - u.aExp < TINY) {
      if (u.aSign) {
        pi(u, sign, 1);
      } else {
        u.swap();
        u.divide();
        u.lo |= 1;
      }
    } else {
      DoubleDouble y = DoubleDouble.of(u.bSig, 0, u.bExp - u.aExp);
      DoubleDouble x = magnitudeA(u, 0);
      result(u, DoubleDouble.angle(y, u.aSign ? x.negated() : x), 0);
      u.sign = sign;
    }
  }

  private static void atanInfinite(FloatUnit u, boolean sign) {
    if (u.bClass != FloatUnit.INFINITE) {
      if (u.aSign) {
        pi(u, sign, 1);
      } else {
        special(u, FloatUnit.ZERO, sign);
      }
    } else if (u.aClass != FloatUnit.INFINITE) {
      pi(u, sign, 0);
    } else if (u.aSign) {
      result(u, DoubleDouble.PI.times(0.75), 0);
      u.sign = sign;
    } else {
      pi(u, sign, -1);
    }
  }

  // --- trigonometric functions ---

  /**
   * Loads ST(0). True if it is an ordinary number that the functions accept; otherwise (empty, NaN,
   * infinite, too large) all is done.
   *
   * @param pushes the instruction pushes a second result
   */
  private static boolean loadAngle(Cpu c, FloatUnit u, boolean pushes) {
    X87.fsw(c, X87.fsw(c) & ~X87.C2);
    boolean empty = X87.isEmpty(c, 0);
    if (empty || (pushes && !X87.isEmpty(c, 7))) {
      if (X87.stackFault(c, !empty)) {
        X87.putDefaultNan(c, 0);
        if (pushes) {
          X87.push(c);
          X87.putDefaultNan(c, 0);
        }
      }
      return false;
    }
    X87.a(c, u, 0);
    X87.b(c, u, 0);
    if (u.aClass >= FloatUnit.INFINITE) {
      int signExponent = u.aClass == FloatUnit.INFINITE ? X87.defaultNan(u) : X87.nanB(u);
      long significand = u.hi;
      if (X87.commit(c, u)) {
        X87.put(c, 0, significand, signExponent);
        if (pushes) {
          X87.push(c);
          X87.put(c, 0, significand, signExponent);
        }
      }
      return false;
    }
    if (u.aClass != FloatUnit.ZERO && u.aExp >= 63) {
      X87.fsw(c, X87.fsw(c) & ~X87.C1 | X87.C2);
      return false;
    }
    if (u.aClass == FloatUnit.DENORMAL) {
      u.flags |= X87.DE;
    }
    return true;
  }

  /** Sine and cosine of the angle in operand a, not zero and not tiny. */
  private static DoubleDouble[] sineCosine(FloatUnit u) {
    DoubleDouble[] sc;
    if (u.aExp < -1) {
      sc = DoubleDouble.sineCosine(magnitudeA(u, u.aExp));
    } else {
      BigInteger x =
          new BigInteger(Long.toUnsignedString(u.aSig)).shiftLeft(HALF_PI_BITS + u.aExp - 63);
      BigInteger[] parts = x.divideAndRemainder(HALF_PI);
      BigInteger rest = parts[1];
      int quarters = parts[0].intValue();
      if (rest.shiftLeft(1).compareTo(HALF_PI) > 0) {
        rest = rest.subtract(HALF_PI);
        quarters++;
      }
      double high = rest.doubleValue();
      double low = rest.subtract(new BigDecimal(high).toBigInteger()).doubleValue();
      sc = DoubleDouble.sineCosine(quarters, DoubleDouble.sum(high, low).scaled(-HALF_PI_BITS));
    }
    return u.aSign ? new DoubleDouble[] {sc[0].negated(), sc[1]} : sc;
  }

  /** The unit's result becomes a, or 1, changed by less than an ulp up or down. */
  private static void nearly(FloatUnit u, boolean one, boolean less) {
    boolean sign = !one && u.aSign;
    int exp = one ? 0 : u.aExp;
    long hi = one ? Long.MIN_VALUE : u.aSig;
    if (!less) {
      result(u, sign, exp, hi, 1);
    } else if (hi == Long.MIN_VALUE) {
      result(u, sign, exp - 1, -1L, -1L);
    } else {
      result(u, sign, exp, hi - 1, -1L);
    }
  }

  private static int sine(FloatUnit u, DoubleDouble @Nullable [] sc) {
    if (u.aClass == FloatUnit.ZERO) {
      special(u, FloatUnit.ZERO, u.aSign);
    } else if (sc == null) {
      nearly(u, false, true);
    } else {
      result(u, sc[0], 0);
    }
    return u.to80(64);
  }

  private static int cosine(FloatUnit u, DoubleDouble @Nullable [] sc) {
    if (u.aClass == FloatUnit.ZERO) {
      u.bInteger(1);
      u.copy();
    } else if (sc == null) {
      nearly(u, true, true);
    } else {
      result(u, sc[1], 0);
    }
    return u.to80(64);
  }

  private static DoubleDouble @Nullable [] series(FloatUnit u) {
    return u.aClass == FloatUnit.ZERO || u.aExp < TINY ? null : sineCosine(u);
  }

  private static void trigonometric(Cpu c, FloatUnit u, boolean sine, boolean both) {
    if (!loadAngle(c, u, both)) {
      return;
    }
    int kind = u.aClass;
    boolean sign = u.aSign;
    int exp = u.aExp;
    long significand = u.aSig;
    DoubleDouble[] sc = series(u);
    int first = sine ? sine(u, sc) : cosine(u, sc);
    long firstSignificand = u.hi;
    int second = 0;
    if (both) {
      u.aClass = kind;
      u.aSign = sign;
      u.aExp = exp;
      u.aSig = significand;
      second = cosine(u, sc);
    }
    if (X87.commit(c, u)) {
      X87.put(c, 0, firstSignificand, first);
      if (both) {
        X87.push(c);
        X87.put(c, 0, u.hi, second);
      }
    }
  }

  private static void fptan(Cpu c, FloatUnit u) {
    if (!loadAngle(c, u, true)) {
      return;
    }
    DoubleDouble[] sc = series(u);
    if (u.aClass == FloatUnit.ZERO) {
      special(u, FloatUnit.ZERO, u.aSign);
    } else if (sc == null) {
      nearly(u, false, false);
    } else {
      result(u, sc[0].over(sc[1]), 0);
    }
    int signExponent = u.to80(64);
    if (X87.commit(c, u)) {
      X87.put(c, 0, u.hi, signExponent);
      X87.push(c);
      X87.put(c, 0, Long.MIN_VALUE, 0x3fff);
    }
  }
}
