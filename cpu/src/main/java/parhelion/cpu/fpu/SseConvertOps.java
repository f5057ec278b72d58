package parhelion.cpu.fpu;

import static parhelion.cpu.fpu.Operands.bindCpu;
import static parhelion.cpu.fpu.Operands.gpr;
import static parhelion.cpu.fpu.Operands.mm;
import static parhelion.cpu.fpu.Operands.xmm;
import static parhelion.cpu.memory.Host.U;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.fpu.SseArithmetic.Soft;
import parhelion.cpu.interp.Ea;
import parhelion.cpu.interp.Op;

/** Conversions between floats, doubles and integers in XMM, MMX and general registers. */
final class SseConvertOps {
  private SseConvertOps() {}

  static @Nullable Op translate(Insn insn, int offset) {
    return switch (insn.mnemonic()) {
      case CVTSI2SD -> fromGeneral(insn, offset, false);
      case CVTSI2SS -> fromGeneral(insn, offset, true);
      case CVTSD2SI -> toGeneral(insn, offset, false, false);
      case CVTTSD2SI -> toGeneral(insn, offset, false, true);
      case CVTSS2SI -> toGeneral(insn, offset, true, false);
      case CVTTSS2SI -> toGeneral(insn, offset, true, true);
      case CVTSS2SD -> scalar(insn, offset, 4, 8, (c, v) -> SseArithmetic.widen(c, (int) v));
      case CVTSD2SS -> scalar(insn, offset, 8, 4, SseArithmetic::narrow);
      case CVTPS2PD ->
          bindCpu(insn, offset, (c, d, s) -> spread(c, d, U.getLong(s), SseConvertOps::ss2sd));
      case CVTDQ2PD ->
          bindCpu(insn, offset, (c, d, s) -> spread(c, d, U.getLong(s), SseConvertOps::d2sd));
      case CVTPD2PS -> bindCpu(insn, offset, (c, d, s) -> narrow(c, d, s, SseConvertOps::sd2ss));
      case CVTPD2DQ -> bindCpu(insn, offset, (c, d, s) -> narrow(c, d, s, SseConvertOps::sd2d));
      case CVTTPD2DQ ->
          bindCpu(insn, offset, (c, d, s) -> narrow(c, d, s, SseConvertOps::sd2dTruncated));
      case CVTDQ2PS -> lanes(insn, offset, SseConvertOps::d2ss);
      case CVTPS2DQ -> lanes(insn, offset, SseConvertOps::ss2d);
      case CVTTPS2DQ -> lanes(insn, offset, SseConvertOps::ss2dTruncated);
      case CVTPI2PS, CVTPI2PD -> fromMmx(insn, offset);
      case CVTPS2PI -> toMmx(insn, offset, SseConvertOps::ss2d, true);
      case CVTTPS2PI -> toMmx(insn, offset, SseConvertOps::ss2dTruncated, true);
      case CVTPD2PI -> toMmx(insn, offset, SseConvertOps::sd2d, false);
      case CVTTPD2PI -> toMmx(insn, offset, SseConvertOps::sd2dTruncated, false);
      default -> null;
    };
  }

  // --- one element ---

  /** Converts one element, in the low bits, raising exceptions in the unit. */
  @FunctionalInterface
  private interface Convert {
    long apply(FloatUnit u, long v);
  }

  static long ss2sd(FloatUnit u, long v) {
    u.b32((int) v);
    if (u.bClass >= FloatUnit.QNAN) {
      if (u.bClass == FloatUnit.SNAN) {
        u.flags |= FloatUnit.IE;
      }
      return (v & 0x80000000L) << 32 | 0x7ff8L << 48 | (v & 0x7fffffL) << 29;
    }
    u.copy();
    return u.to64();
  }

  static long sd2ss(FloatUnit u, long v) {
    u.b64(v);
    if (u.bClass >= FloatUnit.QNAN) {
      if (u.bClass == FloatUnit.SNAN) {
        u.flags |= FloatUnit.IE;
      }
      return v >>> 32 & 0x80000000L | 0x7fc00000L | v >>> 29 & 0x3fffffL;
    }
    u.copy();
    return u.to32() & 0xffffffffL;
  }

  private static long d2sd(FloatUnit u, long v) {
    return Double.doubleToRawLongBits((int) v);
  }

  private static long d2ss(FloatUnit u, long v) {
    u.bInteger((int) v);
    u.copy();
    return u.to32() & 0xffffffffL;
  }

  private static long ss2d(FloatUnit u, long v) {
    u.b32((int) v);
    return u.toInteger(32, u.rounding) & 0xffffffffL;
  }

  private static long ss2dTruncated(FloatUnit u, long v) {
    u.b32((int) v);
    return u.toInteger(32, FloatUnit.TRUNCATE) & 0xffffffffL;
  }

  private static long sd2d(FloatUnit u, long v) {
    u.b64(v);
    return u.toInteger(32, u.rounding) & 0xffffffffL;
  }

  private static long sd2dTruncated(FloatUnit u, long v) {
    u.b64(v);
    return u.toInteger(32, FloatUnit.TRUNCATE) & 0xffffffffL;
  }

  // --- several elements ---

  /** Two 32-bit elements to two 64-bit ones. */
  private static void spread(Cpu c, long d, long v, Convert f) {
    int mxcsr = c.get32(CpuState.MXCSR);
    FloatUnit u = c.floats;
    u.begin(mxcsr);
    long low = f.apply(u, v & 0xffffffffL);
    long high = f.apply(u, v >>> 32);
    SseArithmetic.commit(c, mxcsr);
    U.putLong(d, low);
    U.putLong(d + 8, high);
  }

  /** Two 64-bit elements to two 32-bit ones; the upper half becomes zero. */
  private static void narrow(Cpu c, long d, long s, Convert f) {
    U.putLong(d, narrowed(c, s, f));
    U.putLong(d + 8, 0);
  }

  private static long narrowed(Cpu c, long s, Convert f) {
    int mxcsr = c.get32(CpuState.MXCSR);
    FloatUnit u = c.floats;
    u.begin(mxcsr);
    long r = f.apply(u, U.getLong(s)) | f.apply(u, U.getLong(s + 8)) << 32;
    SseArithmetic.commit(c, mxcsr);
    return r;
  }

  private static long pair(Cpu c, long v, Convert f) {
    int mxcsr = c.get32(CpuState.MXCSR);
    FloatUnit u = c.floats;
    u.begin(mxcsr);
    long r = f.apply(u, v & 0xffffffffL) | f.apply(u, v >>> 32) << 32;
    SseArithmetic.commit(c, mxcsr);
    return r;
  }

  private static Op lanes(Insn insn, int offset, Convert f) {
    Soft lane = (u, a, b) -> f.apply(u, b & 0xffffffffL) | f.apply(u, b >>> 32) << 32;
    return bindCpu(
        insn,
        offset,
        (c, d, s) -> {
          int mxcsr = c.get32(CpuState.MXCSR);
          FloatUnit u = c.floats;
          u.begin(mxcsr);
          long low = lane.apply(u, 0, U.getLong(s));
          long high = lane.apply(u, 0, U.getLong(s + 8));
          SseArithmetic.commit(c, mxcsr);
          U.putLong(d, low);
          U.putLong(d + 8, high);
        });
  }

  /** Converts one element, leaving its exceptions in MXCSR or raising them. */
  @FunctionalInterface
  private interface Scalar {
    long apply(Cpu c, long v);
  }

  private static Op scalar(Insn insn, int offset, int from, int to, Scalar f) {
    int d = xmm(insn.reg);
    if (insn.isMemory()) {
      Ea ea = Ea.of(insn, offset, from, false);
      return c -> put(c, d, to, f.apply(c, c.load(ea.at(c), from)));
    }
    int s = xmm(insn.rm);
    return c -> put(c, d, to, f.apply(c, c.get(s, from)));
  }

  private static void put(Cpu c, int offset, int size, long value) {
    if (size == 8) {
      c.put64(offset, value);
    } else {
      U.putInt(c.state + offset, (int) value);
    }
  }

  // --- general registers ---

  private static Op fromGeneral(Insn insn, int offset, boolean single) {
    int size = insn.size(1);
    int d = xmm(insn.reg);
    if (insn.isMemory()) {
      Ea ea = Ea.of(insn, offset, size, false);
      return c -> fromInteger(c, d, c.load(ea.at(c), size), size, single);
    }
    int s = gpr(insn.rm);
    return c -> fromInteger(c, d, c.get(s, size), size, single);
  }

  private static void fromInteger(Cpu c, int d, long raw, int size, boolean single) {
    long v = size == 4 ? (int) raw : raw;
    if (!single && (long) (double) v == v && v != Long.MAX_VALUE) {
      c.put64(d, Double.doubleToRawLongBits((double) v));
      return;
    }
    int mxcsr = c.get32(CpuState.MXCSR);
    FloatUnit u = c.floats;
    u.begin(mxcsr);
    u.bInteger(v);
    u.copy();
    long r = single ? u.to32() : u.to64();
    SseArithmetic.commit(c, mxcsr);
    put(c, d, single ? 4 : 8, r);
  }

  private static Op toGeneral(Insn insn, int offset, boolean single, boolean truncate) {
    int from = single ? 4 : 8;
    int to = insn.size(0);
    int d = gpr(insn.reg);
    if (insn.isMemory()) {
      Ea ea = Ea.of(insn, offset, from, false);
      return c -> c.put(d, to, toInteger(c, c.load(ea.at(c), from), single, truncate, to));
    }
    int s = xmm(insn.rm);
    return c -> c.put(d, to, toInteger(c, c.get(s, from), single, truncate, to));
  }

  private static long toInteger(Cpu c, long v, boolean single, boolean truncate, int size) {
    int mxcsr = c.get32(CpuState.MXCSR);
    if (truncate) {
      double x = single ? Float.intBitsToFloat((int) v) : Double.longBitsToDouble(v);
      long r = (long) x;
      // An exact conversion in range raises nothing, whatever MXCSR says.
      if (r == x && r != 0 && r != Long.MAX_VALUE && (size == 8 || r == (int) r)) {
        return r;
      }
    }
    FloatUnit u = c.floats;
    u.begin(mxcsr);
    if (single) {
      u.b32((int) v);
    } else {
      u.b64(v);
    }
    long r = u.toInteger(size * 8, truncate ? FloatUnit.TRUNCATE : u.rounding);
    SseArithmetic.commit(c, mxcsr);
    return r;
  }

  // --- MMX ---

  private static Op fromMmx(Insn insn, int offset) {
    boolean single = insn.mnemonic() == parhelion.cpu.decode.Mnemonic.CVTPI2PS;
    int d = xmm(insn.reg);
    if (insn.isMemory()) {
      Ea ea = Ea.of(insn, offset, 8, false);
      // From memory they leave the x87 state alone. (For CVTPI2PS the SDM reads otherwise; a Zen 4
      // does so.)
      return single
          ? c -> c.put64(d, pair(c, c.load64(ea.at(c)), SseConvertOps::d2ss))
          : c -> spread(c, c.state + d, c.load64(ea.at(c)), SseConvertOps::d2sd);
    }
    int s = mm(insn.rm);
    return c -> {
      Mmx.check(c);
      if (single) {
        c.put64(d, pair(c, c.get64(s), SseConvertOps::d2ss));
      } else {
        spread(c, c.state + d, c.get64(s), SseConvertOps::d2sd);
      }
      Mmx.enter(c);
    };
  }

  private static Op toMmx(Insn insn, int offset, Convert f, boolean single) {
    int d = mm(insn.reg);
    if (insn.isMemory()) {
      int size = insn.size(1);
      boolean aligned = Operands.mustAlign(insn);
      Ea ea = Ea.of(insn, offset, size, false);
      return c -> {
        Mmx.check(c);
        long va = ea.at(c);
        long s = c.readPointer(aligned ? Operands.aligned(c, va) : va, size);
        Mmx.put(c, d, single ? pair(c, U.getLong(s), f) : narrowed(c, s, f));
      };
    }
    int s = xmm(insn.rm);
    return c -> {
      Mmx.check(c);
      Mmx.put(c, d, single ? pair(c, c.get64(s), f) : narrowed(c, c.state + s, f));
    };
  }
}
