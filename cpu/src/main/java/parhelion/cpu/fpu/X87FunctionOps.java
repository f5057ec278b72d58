package parhelion.cpu.fpu;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.fpu.X87Ops.Body;
import parhelion.cpu.interp.Op;

/**
 * x87 instructions on the top of the stack: sign, square root, rounding, scaling, extraction,
 * remainders.
 */
final class X87FunctionOps {
  private X87FunctionOps() {}

  static @Nullable Op translate(Insn insn, int offset) {
    Body body =
        switch (insn.mnemonic()) {
          case FCHS -> (c, u) -> sign(c, 0x8000, 0);
          case FABS -> (c, u) -> sign(c, 0, 0x8000);
          case FSQRT -> X87FunctionOps::fsqrt;
          case FRNDINT -> X87FunctionOps::frndint;
          case FSCALE -> X87FunctionOps::fscale;
          case FXTRACT -> X87FunctionOps::fxtract;
          case FPREM -> (c, u) -> remainder(c, u, false);
          case FPREM1 -> (c, u) -> remainder(c, u, true);
          default -> null;
        };
    return body == null
        ? X87TranscendentalOps.translate(insn, offset)
        : X87Ops.bind(insn, offset, body);
  }

  /** True if ST(0) is empty, in which case the underflow has been dealt with. */
  static boolean underflows(Cpu c) {
    if (!X87.isEmpty(c, 0)) {
      return false;
    }
    X87Ops.underflow(c, 0, false);
    return true;
  }

  private static void sign(Cpu c, int flip, int clear) {
    if (underflows(c)) {
      return;
    }
    X87.fsw(c, X87.fsw(c) & ~X87.C1);
    X87.put(c, 0, X87Ops.significand(c, 0), (X87Ops.signExponent(c, 0) ^ flip) & ~clear);
  }

  private static void fsqrt(Cpu c, FloatUnit u) {
    if (underflows(c)) {
      return;
    }
    X87.b(c, u, 0);
    int signExponent;
    if (u.bClass >= FloatUnit.QNAN) {
      signExponent = X87.nanB(u);
    } else {
      u.squareRoot();
      signExponent = u.to80(X87.precision(c));
    }
    X87Ops.deliver(c, u, signExponent);
  }

  private static void frndint(Cpu c, FloatUnit u) {
    if (underflows(c)) {
      return;
    }
    X87.b(c, u, 0);
    int signExponent;
    if (u.bClass >= FloatUnit.QNAN) {
      signExponent = X87.nanB(u);
    } else {
      u.copy();
      if (u.kind == FloatUnit.NORMAL) {
        u.toIntegral(u.rounding);
        boolean up = u.up;
        signExponent = u.to80(64);
        u.up = up;
      } else {
        signExponent = u.to80(64);
      }
    }
    X87Ops.deliver(c, u, signExponent);
  }

  /** ST(0) times two to the truncated ST(1). */
  private static void fscale(Cpu c, FloatUnit u) {
    if (X87.isEmpty(c, 0) || X87.isEmpty(c, 1)) {
      X87Ops.underflow(c, 0, false);
      return;
    }
    X87.a(c, u, 0);
    X87.b(c, u, 1);
    if (u.aClass >= FloatUnit.QNAN || u.bClass >= FloatUnit.QNAN) {
      X87Ops.deliver(c, u, X87.nan(u));
      return;
    }
    boolean invalid =
        u.bClass == FloatUnit.INFINITE
            && u.aClass == (u.bSign ? FloatUnit.INFINITE : FloatUnit.ZERO);
    if (invalid) {
      u.invalid();
    } else {
      if (u.aClass == FloatUnit.DENORMAL || u.bClass == FloatUnit.DENORMAL) {
        u.flags |= X87.DE;
      }
      scale(u);
    }
    X87Ops.deliver(c, u, u.to80(64));
  }

  private static void scale(FloatUnit u) {
    u.sign = u.aSign;
    if (u.aClass == FloatUnit.ZERO || u.aClass == FloatUnit.INFINITE) {
      u.kind = u.aClass;
    } else if (u.bClass == FloatUnit.INFINITE) {
      u.kind = u.bSign ? FloatUnit.ZERO : FloatUnit.INFINITE;
    } else {
      int by = 0;
      if (u.bClass != FloatUnit.ZERO && u.bExp >= 0) {
        by = u.bExp > 16 ? 0x20000 : (int) (u.bSig >>> 63 - u.bExp);
      }
      u.kind = FloatUnit.NORMAL;
      u.exp = u.aExp + (u.bSign ? -by : by);
      u.hi = u.aSig;
      u.lo = 0;
    }
  }

  /** Splits ST(0): the exponent in its place, the significand pushed. */
  private static void fxtract(Cpu c, FloatUnit u) {
    boolean empty = X87.isEmpty(c, 0);
    if (empty || !X87.isEmpty(c, 7)) {
      if (X87.stackFault(c, !empty)) {
        X87.putDefaultNan(c, 0);
        X87.push(c);
        X87.putDefaultNan(c, 0);
      }
      return;
    }
    long significand = X87Ops.significand(c, 0);
    int signExponent = X87Ops.signExponent(c, 0);
    u.b80(significand, signExponent);
    int sign = signExponent & 0x8000;
    long exponentSignificand;
    int exponent;
    switch (u.bClass) {
      case FloatUnit.ZERO -> {
        u.flags |= X87.ZE;
        exponentSignificand = Long.MIN_VALUE;
        exponent = 0xffff;
      }
      case FloatUnit.INFINITE -> {
        exponentSignificand = Long.MIN_VALUE;
        exponent = 0x7fff;
      }
      case FloatUnit.NORMAL, FloatUnit.DENORMAL -> {
        if (u.bClass == FloatUnit.DENORMAL) {
          u.flags |= X87.DE;
        }
        significand = u.bSig;
        signExponent = sign | 0x3fff;
        u.bInteger(u.bExp);
        u.copy();
        exponent = u.to80(64);
        exponent = u.kind == FloatUnit.ZERO ? 0 : exponent;
        exponentSignificand = u.hi;
      }
      default -> {
        signExponent = X87.nanB(u);
        significand = u.hi;
        exponent = signExponent;
        exponentSignificand = significand;
      }
    }
    if (X87.commit(c, u)) {
      X87.put(c, 0, exponentSignificand, exponent);
      X87.push(c);
      X87.put(c, 0, significand, signExponent);
    }
  }

  // --- FPREM, FPREM1 ---

  private static void remainder(Cpu c, FloatUnit u, boolean nearest) {
    X87.fsw(c, X87.fsw(c) & ~X87.C2);
    if (X87.isEmpty(c, 0) || X87.isEmpty(c, 1)) {
      X87Ops.underflow(c, 0, false);
      return;
    }
    X87.a(c, u, 0);
    X87.b(c, u, 1);
    if (u.aClass >= FloatUnit.QNAN || u.bClass >= FloatUnit.QNAN) {
      X87Ops.deliver(c, u, X87.nan(u));
      return;
    }
    if (u.aClass == FloatUnit.INFINITE || u.bClass == FloatUnit.ZERO) {
      u.invalid();
      X87Ops.deliver(c, u, u.to80(64));
      return;
    }
    if (u.aClass == FloatUnit.DENORMAL || u.bClass == FloatUnit.DENORMAL) {
      u.flags |= X87.DE;
    }
    int codes = 0;
    if (u.aClass == FloatUnit.ZERO || u.bClass == FloatUnit.INFINITE) {
      keepA(u);
    } else {
      codes = reduce(u, nearest);
    }
    int signExponent = u.to80(64);
    if (X87.commit(c, u)) {
      X87.put(c, 0, u.hi, signExponent);
      X87.condition(c, codes);
    }
  }

  private static void keepA(FloatUnit u) {
    u.kind = u.aClass == FloatUnit.ZERO ? FloatUnit.ZERO : FloatUnit.NORMAL;
    u.sign = u.aSign;
    u.exp = u.aExp;
    u.hi = u.aSig;
    u.lo = 0;
  }

  /** The remainder of two finite numbers as the unit's result; gives the condition codes. */
  private static int reduce(FloatUnit u, boolean nearest) {
    int d = u.aExp - u.bExp;
    if (d < -1 || (d < 0 && !nearest)) {
      keepA(u);
      return 0;
    }
    if (d < 0) {
      return reduceHalf(u);
    }
    // From 64 bits of quotient on, the reduction is partial: SDM leaves its size to the processor.
    int n = d < 64 ? d : 32 | d & 31;
    long high = n == 0 ? 0 : u.aSig >>> 64 - n;
    long low = u.aSig << n;
    long q = Wide.divide(high, low, u.bSig);
    long r = low - q * u.bSig;
    boolean sign = u.aSign;
    if (nearest && d < 64) {
      long rest = u.bSig - r;
      int order = Long.compareUnsigned(r, rest);
      if (order > 0 || (order == 0 && (q & 1) != 0)) {
        r = rest;
        q++;
        sign = !sign;
      }
    }
    u.sign = r == 0 ? u.aSign : sign;
    u.kind = r == 0 ? FloatUnit.ZERO : FloatUnit.NORMAL;
    if (r != 0) {
      int shift = Long.numberOfLeadingZeros(r);
      u.hi = r << shift;
      u.lo = 0;
      u.exp = u.bExp + (d - n) - shift;
    }
    return d < 64 ? quotientCodes(q) : X87.C2;
  }

  /** FPREM1 with |a| between a quarter of |b| and |b|: the quotient is 0 or 1. */
  private static int reduceHalf(FloatUnit u) {
    if (Long.compareUnsigned(u.aSig, u.bSig) <= 0) {
      keepA(u);
      return 0;
    }
    boolean sign = u.aSign;
    u.bSign = sign;
    u.add(true);
    return quotientCodes(1);
  }

  private static int quotientCodes(long q) {
    return ((q & 1) != 0 ? X87.C1 : 0) | ((q & 2) != 0 ? X87.C3 : 0) | ((q & 4) != 0 ? X87.C0 : 0);
  }
}
