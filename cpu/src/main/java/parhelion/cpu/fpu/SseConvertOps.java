package parhelion.cpu.fpu;

import static parhelion.cpu.fpu.Operands.first;
import static parhelion.cpu.fpu.Operands.gpr;
import static parhelion.cpu.fpu.Operands.isVex;
import static parhelion.cpu.fpu.Operands.mm;
import static parhelion.cpu.fpu.Operands.operation;
import static parhelion.cpu.fpu.Operands.sourceBytes;
import static parhelion.cpu.fpu.Operands.vector;
import static parhelion.cpu.fpu.Operands.xmm;
import static parhelion.cpu.memory.Host.U;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.interp.Ea;
import parhelion.cpu.interp.Op;

/**
 * Conversions between floats, doubles and integers in vector, MMX and general registers, and F16C's
 * of half-precision numbers.
 */
final class SseConvertOps {
  private SseConvertOps() {}

  static @Nullable Op translate(Insn insn, int offset) {
    return switch (operation(insn)) {
      case CVTSI2SD -> fromGeneral(insn, offset, false);
      case CVTSI2SS -> fromGeneral(insn, offset, true);
      case CVTSD2SI -> toGeneral(insn, offset, false, false);
      case CVTTSD2SI -> toGeneral(insn, offset, false, true);
      case CVTSS2SI -> toGeneral(insn, offset, true, false);
      case CVTTSS2SI -> toGeneral(insn, offset, true, true);
      case CVTSS2SD -> scalar(insn, offset, 4, 8, (c, v) -> SseArithmetic.widen(c, (int) v));
      case CVTSD2SS -> scalar(insn, offset, 8, 4, SseArithmetic::narrow);
      case CVTPS2PD -> packed(insn, offset, 4, 8, SseConvertOps::ss2sd);
      case CVTDQ2PD -> packed(insn, offset, 4, 8, SseConvertOps::d2sd);
      case CVTPD2PS -> packed(insn, offset, 8, 4, SseConvertOps::sd2ss);
      case CVTPD2DQ -> packed(insn, offset, 8, 4, SseConvertOps::sd2d);
      case CVTTPD2DQ -> packed(insn, offset, 8, 4, SseConvertOps::sd2dTruncated);
      case CVTDQ2PS -> packed(insn, offset, 4, 4, SseConvertOps::d2ss);
      case CVTPS2DQ -> packed(insn, offset, 4, 4, SseConvertOps::ss2d);
      case CVTTPS2DQ -> packed(insn, offset, 4, 4, SseConvertOps::ss2dTruncated);
      case VCVTPH2PS -> packed(insn, offset, 2, 4, SseConvertOps::sh2ss);
      case VCVTPS2PH -> toHalves(insn, offset);
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

  /** Half to single precision: exact, DAZ does not apply, and denormals raise nothing. */
  private static long sh2ss(FloatUnit u, long v) {
    u.daz = false;
    u.b16((int) v);
    if (u.bClass >= FloatUnit.QNAN) {
      if (u.bClass == FloatUnit.SNAN) {
        u.flags |= FloatUnit.IE;
      }
      return (v & 0x8000) << 16 | 0x7fc00000L | (v & 0x3ff) << 13;
    }
    int before = u.flags;
    u.copy();
    u.flags = before;
    return u.to32() & 0xffffffffL;
  }

  private static long ss2sh(FloatUnit u, long v) {
    u.b32((int) v);
    if (u.bClass >= FloatUnit.QNAN) {
      if (u.bClass == FloatUnit.SNAN) {
        u.flags |= FloatUnit.IE;
      }
      return v >>> 16 & 0x8000 | 0x7e00 | v >>> 13 & 0x3ff;
    }
    u.copy();
    return u.to16();
  }

  /** VCVTPS2PH to a register or memory; the immediate gives the rounding, or says MXCSR's. */
  private static Op toHalves(Insn insn, int offset) {
    int imm = (int) insn.imm;
    int bytes = insn.vectorLength / 2;
    int s = xmm(insn.reg);
    if (insn.isMemory()) {
      Ea ea = Ea.of(insn, offset, bytes, true);
      return c -> {
        long va = ea.at(c);
        long p = c.writePointer(va, bytes);
        toHalves(c, c.state + s, bytes / 2, imm);
        U.putLong(p, c.floats.result[0]);
        if (bytes == 16) {
          U.putLong(p + 8, c.floats.result[1]);
        }
        c.finishWrite(p, va, bytes);
      };
    }
    int d = xmm(insn.rm);
    return c -> {
      toHalves(c, c.state + s, bytes / 2, imm);
      c.floats.store(c.state + d, 32);
    };
  }

  private static void toHalves(Cpu c, long s, int count, int imm) {
    int mxcsr = c.get32(CpuState.MXCSR);
    FloatUnit u = c.floats;
    u.begin(mxcsr);
    if ((imm & 4) == 0) {
      u.rounding = imm & 3;
    }
    Arrays.fill(u.result, 0);
    for (int i = 0; i < count; i++) {
      u.result[i >> 2] |= ss2sh(u, U.getInt(s + 4 * i) & 0xffffffffL) << 16 * (i & 3);
    }
    SseArithmetic.commit(c, mxcsr);
  }

  // --- several elements ---

  /**
   * Converts elements of {@code from} bytes to ones of {@code to}, as many as the wider of both has
   * in the vector; what they leave of the destination becomes zero.
   */
  private static Op packed(Insn insn, int offset, int from, int to, Convert f) {
    return vector(
        insn,
        offset,
        (c, d, a, b, bytes) -> {
          int mxcsr = c.get32(CpuState.MXCSR);
          FloatUnit u = c.floats;
          u.begin(mxcsr);
          convert(u, b, bytes / Math.max(from, to), from, to, f);
          SseArithmetic.commit(c, mxcsr);
          u.store(d, bytes);
        });
  }

  private static void convert(FloatUnit u, long s, int count, int from, int to, Convert f) {
    Arrays.fill(u.result, 0);
    for (int i = 0; i < count; i++) {
      long v =
          switch (from) {
            case 2 -> U.getShort(s + 2 * i) & 0xffff;
            case 4 -> U.getInt(s + 4 * i) & 0xffffffffL;
            default -> U.getLong(s + 8 * i);
          };
      long r = f.apply(u, v);
      if (to == 8) {
        u.result[i] = r;
      } else {
        u.result[i >> 1] |= r << 32 * (i & 1);
      }
    }
  }

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

  /** Two 64-bit elements to two 32-bit ones. */
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

  /** Converts one element, leaving its exceptions in MXCSR or raising them. */
  @FunctionalInterface
  private interface Scalar {
    long apply(Cpu c, long v);
  }

  private static Op scalar(Insn insn, int offset, int from, int to, Scalar f) {
    Destination d = new Destination(insn, to);
    if (insn.isMemory()) {
      Ea ea = Ea.of(insn, offset, from, false);
      return c -> d.put(c, f.apply(c, c.load(ea.at(c), from)));
    }
    int s = xmm(insn.rm);
    return c -> d.put(c, f.apply(c, c.get(s, from)));
  }

  /** Where one element goes: with VEX the rest comes from the first source. */
  private record Destination(int d, int a, int size, boolean vex) {
    Destination(Insn insn, int size) {
      this(xmm(insn.reg), first(insn), size, isVex(insn));
    }

    void put(Cpu c, long value) {
      if (vex) {
        SseFloatOps.scalar(c, d, a, size, value);
      } else if (size == 8) {
        c.put64(d, value);
      } else {
        U.putInt(c.state + d, (int) value);
      }
    }
  }

  // --- general registers ---

  private static Op fromGeneral(Insn insn, int offset, boolean single) {
    int size = sourceBytes(insn);
    Destination d = new Destination(insn, single ? 4 : 8);
    if (insn.isMemory()) {
      Ea ea = Ea.of(insn, offset, size, false);
      return c -> d.put(c, fromInteger(c, c.load(ea.at(c), size), size, single));
    }
    int s = gpr(insn.rm);
    return c -> d.put(c, fromInteger(c, c.get(s, size), size, single));
  }

  private static long fromInteger(Cpu c, long raw, int size, boolean single) {
    long v = size == 4 ? (int) raw : raw;
    if (!single && (long) (double) v == v && v != Long.MAX_VALUE) {
      return Double.doubleToRawLongBits((double) v);
    }
    int mxcsr = c.get32(CpuState.MXCSR);
    FloatUnit u = c.floats;
    u.begin(mxcsr);
    u.bInteger(v);
    u.copy();
    long r = single ? u.to32() : u.to64();
    SseArithmetic.commit(c, mxcsr);
    return r;
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
