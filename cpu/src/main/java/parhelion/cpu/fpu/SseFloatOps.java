package parhelion.cpu.fpu;

import static parhelion.cpu.fpu.Operands.first;
import static parhelion.cpu.fpu.Operands.isVex;
import static parhelion.cpu.fpu.Operands.operation;
import static parhelion.cpu.fpu.Operands.vector;
import static parhelion.cpu.fpu.Operands.xmm;
import static parhelion.cpu.memory.Host.U;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.Flags;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.fpu.SseArithmetic.Hard;
import parhelion.cpu.fpu.SseArithmetic.Soft;
import parhelion.cpu.interp.Ea;
import parhelion.cpu.interp.Op;

/**
 * Arithmetic and comparisons of SSE to SSE4.1, and of AVX, on packed and scalar floats and doubles.
 */
final class SseFloatOps {
  private SseFloatOps() {}

  static @Nullable Op translate(Insn insn, int offset) {
    return switch (operation(insn)) {
      case ADDSD -> scalar64(insn, offset, SseArithmetic::add64);
      case SUBSD -> scalar64(insn, offset, SseArithmetic::sub64);
      case MULSD -> scalar64(insn, offset, SseArithmetic::mul64);
      case DIVSD -> scalar64(insn, offset, SseArithmetic::div64);
      case SQRTSD -> scalar64(insn, offset, SseArithmetic::sqrt64);
      case ADDSS -> scalar32(insn, offset, (c, a, b) -> SseArithmetic.add32(c, (int) a, (int) b));
      case SUBSS -> scalar32(insn, offset, (c, a, b) -> SseArithmetic.sub32(c, (int) a, (int) b));
      case MULSS -> scalar32(insn, offset, (c, a, b) -> SseArithmetic.mul32(c, (int) a, (int) b));
      case DIVSS -> scalar32(insn, offset, (c, a, b) -> SseArithmetic.div32(c, (int) a, (int) b));
      case SQRTSS -> scalar32(insn, offset, (c, a, b) -> SseArithmetic.sqrt32(c, (int) a, (int) b));
      case MINSD -> scalar64(insn, offset, SseArithmetic::min64);
      case MAXSD -> scalar64(insn, offset, SseArithmetic::max64);
      case MINSS -> scalar32(insn, offset, (c, a, b) -> SseArithmetic.min32(c, (int) a, (int) b));
      case MAXSS -> scalar32(insn, offset, (c, a, b) -> SseArithmetic.max32(c, (int) a, (int) b));
      case COMISD -> compare(insn, offset, false, false);
      case COMISS -> compare(insn, offset, true, false);
      case UCOMISD -> compare(insn, offset, false, true);
      case UCOMISS -> compare(insn, offset, true, true);
      case CMPSD -> {
        int predicate = comparison(insn);
        yield scalar64(insn, offset, (c, a, b) -> SseArithmetic.compare64(c, a, b, predicate));
      }
      case CMPSS -> scalar32(insn, offset, soft(compare32(insn)));
      case ROUNDSD -> scalar64(insn, offset, soft(round64(insn)));
      case ROUNDSS -> scalar32(insn, offset, soft(round32(insn)));
      case RCPSS -> scalar32(insn, offset, (c, a, b) -> Estimates.reciprocal((int) b));
      case RSQRTSS -> scalar32(insn, offset, (c, a, b) -> Estimates.reciprocalRoot((int) b));
      default -> packed(insn, offset);
    };
  }

  private static @Nullable Op packed(Insn insn, int offset) {
    return switch (operation(insn)) {
      case ADDPD -> packed(insn, offset, SseArithmetic::add64, SseArithmetic::softAdd64);
      case SUBPD -> packed(insn, offset, SseArithmetic::sub64, SseArithmetic::softSub64);
      case MULPD -> packed(insn, offset, SseArithmetic::mul64, SseArithmetic::softMul64);
      case DIVPD -> packed(insn, offset, SseArithmetic::div64, SseArithmetic::softDiv64);
      case SQRTPD -> packed(insn, offset, SseArithmetic::sqrt64, SseArithmetic::softSqrt64);
      case ADDPS ->
          packed(
              insn,
              offset,
              (c, a, b) ->
                  Lanes.pair(
                      SseArithmetic.add32(c, (int) a, (int) b),
                      SseArithmetic.add32(c, (int) (a >>> 32), (int) (b >>> 32))),
              pairs(SseArithmetic::softAdd32));
      case SUBPS ->
          packed(
              insn,
              offset,
              (c, a, b) ->
                  Lanes.pair(
                      SseArithmetic.sub32(c, (int) a, (int) b),
                      SseArithmetic.sub32(c, (int) (a >>> 32), (int) (b >>> 32))),
              pairs(SseArithmetic::softSub32));
      case MULPS ->
          packed(
              insn,
              offset,
              (c, a, b) ->
                  Lanes.pair(
                      SseArithmetic.mul32(c, (int) a, (int) b),
                      SseArithmetic.mul32(c, (int) (a >>> 32), (int) (b >>> 32))),
              pairs(SseArithmetic::softMul32));
      case DIVPS ->
          packed(
              insn,
              offset,
              (c, a, b) ->
                  Lanes.pair(
                      SseArithmetic.div32(c, (int) a, (int) b),
                      SseArithmetic.div32(c, (int) (a >>> 32), (int) (b >>> 32))),
              pairs(SseArithmetic::softDiv32));
      case SQRTPS ->
          packed(
              insn,
              offset,
              (c, a, b) ->
                  Lanes.pair(
                      SseArithmetic.sqrt32(c, 0, (int) b),
                      SseArithmetic.sqrt32(c, 0, (int) (b >>> 32))),
              pairs(SseArithmetic::softSqrt32));
      case MINPD -> packedSoft(insn, offset, SseArithmetic::softMin64);
      case MAXPD -> packedSoft(insn, offset, SseArithmetic::softMax64);
      case MINPS -> packedSoft(insn, offset, pairs(SseArithmetic::softMin32));
      case MAXPS -> packedSoft(insn, offset, pairs(SseArithmetic::softMax32));
      case CMPPD -> packedSoft(insn, offset, compare64(insn));
      case CMPPS -> packedSoft(insn, offset, pairs(compare32(insn)));
      case ROUNDPD -> packedSoft(insn, offset, round64(insn));
      case ROUNDPS -> packedSoft(insn, offset, pairs(round32(insn)));
      case HADDPD -> horizontal(insn, offset, SseArithmetic::softAdd64);
      case HSUBPD -> horizontal(insn, offset, SseArithmetic::softSub64);
      case HADDPS -> horizontal(insn, offset, neighbours(SseArithmetic::softAdd32));
      case HSUBPS -> horizontal(insn, offset, neighbours(SseArithmetic::softSub32));
      case ADDSUBPD ->
          vector(
              insn,
              offset,
              (c, d, a, b, bytes) ->
                  write(c, d, a, b, bytes, SseArithmetic::softSub64, SseArithmetic::softAdd64));
      case ADDSUBPS -> packedSoft(insn, offset, SseFloatOps::addsub32);
      case RCPPS ->
          Operands.lanes(
              insn,
              offset,
              (a, b) ->
                  Lanes.pair(
                      Estimates.reciprocal((int) b), Estimates.reciprocal((int) (b >>> 32))));
      case RSQRTPS ->
          Operands.lanes(
              insn,
              offset,
              (a, b) ->
                  Lanes.pair(
                      Estimates.reciprocalRoot((int) b),
                      Estimates.reciprocalRoot((int) (b >>> 32))));
      case DPPS -> dpps(insn, offset);
      case DPPD -> dppd(insn, offset);
      default -> null;
    };
  }

  // --- binding ---

  private static Hard soft(Soft f) {
    return (c, a, b) -> {
      int mxcsr = c.get32(CpuState.MXCSR);
      c.floats.begin(mxcsr);
      long r = f.apply(c.floats, a, b);
      SseArithmetic.commit(c, mxcsr);
      return r;
    };
  }

  private static Op scalar64(Insn insn, int offset, Hard f) {
    int d = xmm(insn.reg);
    int a = first(insn);
    boolean vex = isVex(insn);
    if (insn.isMemory()) {
      Ea ea = Ea.of(insn, offset, 8, false);
      return vex
          ? c -> {
            long b = c.load64(ea.at(c));
            scalar(c, d, a, 8, f.apply(c, c.get64(a), b));
          }
          : c -> {
            long b = c.load64(ea.at(c));
            c.put64(d, f.apply(c, c.get64(d), b));
          };
    }
    int s = xmm(insn.rm);
    return vex
        ? c -> scalar(c, d, a, 8, f.apply(c, c.get64(a), c.get64(s)))
        : c -> c.put64(d, f.apply(c, c.get64(d), c.get64(s)));
  }

  private static Op scalar32(Insn insn, int offset, Hard f) {
    int d = xmm(insn.reg);
    int a = first(insn);
    boolean vex = isVex(insn);
    if (insn.isMemory()) {
      Ea ea = Ea.of(insn, offset, 4, false);
      return c -> {
        long b = c.load32(ea.at(c)) & 0xffffffffL;
        put32(c, d, a, vex, f.apply(c, c.get32(a) & 0xffffffffL, b));
      };
    }
    int s = xmm(insn.rm);
    return c -> put32(c, d, a, vex, f.apply(c, c.get32(a) & 0xffffffffL, c.get32(s) & 0xffffffffL));
  }

  private static void put32(Cpu c, int d, int a, boolean vex, long value) {
    if (vex) {
      scalar(c, d, a, 4, value);
    } else {
      U.putInt(c.state + d, (int) value);
    }
  }

  /**
   * The result of a VEX-encoded scalar operation: what of the first 16 bytes {@code value} leaves
   * comes from the first source, and the upper half is cleared.
   */
  static void scalar(Cpu c, int d, int a, int size, long value) {
    long low = size == 8 ? value : c.get64(a) & ~0xffffffffL | value & 0xffffffffL;
    c.put64(d + 8, c.get64(a + 8));
    c.put64(d, low);
    Operands.clearUpper(c.state + d);
  }

  /** All lanes; with an exception unmasked all elements are computed before any flag is set. */
  private static Op packed(Insn insn, int offset, Hard f, Soft soft) {
    return vector(
        insn,
        offset,
        (c, d, a, b, bytes) -> {
          int masked = c.get32(CpuState.MXCSR) & SseArithmetic.ALL_MASKED;
          if (masked == SseArithmetic.ALL_MASKED) {
            for (int i = 0; i < bytes; i += 8) {
              U.putLong(d + i, f.apply(c, U.getLong(a + i), U.getLong(b + i)));
            }
          } else {
            write(c, d, a, b, bytes, soft, soft);
          }
        });
  }

  private static Op packedSoft(Insn insn, int offset, Soft f) {
    return vector(insn, offset, (c, d, a, b, bytes) -> write(c, d, a, b, bytes, f, f));
  }

  /** Of each 128 bits, both lanes of the first source together and both of the second. */
  private static Op horizontal(Insn insn, int offset, Soft f) {
    return vector(
        insn,
        offset,
        (c, d, a, b, bytes) -> {
          int mxcsr = c.get32(CpuState.MXCSR);
          FloatUnit u = c.floats;
          u.begin(mxcsr);
          for (int i = 0; i < bytes; i += 16) {
            u.result[i >> 3] = f.apply(u, U.getLong(a + i), U.getLong(a + i + 8));
            u.result[(i >> 3) + 1] = f.apply(u, U.getLong(b + i), U.getLong(b + i + 8));
          }
          SseArithmetic.commit(c, mxcsr);
          u.store(d, bytes);
        });
  }

  /**
   * Computes all lanes, those with an even number by {@code f} and the others by {@code g}, raises
   * exceptions, then writes.
   */
  private static void write(Cpu c, long d, long a, long b, int bytes, Soft f, Soft g) {
    int mxcsr = c.get32(CpuState.MXCSR);
    FloatUnit u = c.floats;
    u.begin(mxcsr);
    for (int i = 0; i < bytes; i += 16) {
      u.result[i >> 3] = f.apply(u, U.getLong(a + i), U.getLong(b + i));
      u.result[(i >> 3) + 1] = g.apply(u, U.getLong(a + i + 8), U.getLong(b + i + 8));
    }
    SseArithmetic.commit(c, mxcsr);
    u.store(d, bytes);
  }

  /** Makes a function of the low floats one of both floats of a lane. */
  static Soft pairs(Soft f) {
    return (u, a, b) ->
        f.apply(u, a & 0xffffffffL, b & 0xffffffffL) | f.apply(u, a >>> 32, b >>> 32) << 32;
  }

  private static Soft neighbours(Soft f) {
    return (u, a, b) ->
        f.apply(u, a & 0xffffffffL, a >>> 32) | f.apply(u, b & 0xffffffffL, b >>> 32) << 32;
  }

  private static long addsub32(FloatUnit u, long a, long b) {
    return SseArithmetic.softSub32(u, a & 0xffffffffL, b & 0xffffffffL)
        | SseArithmetic.softAdd32(u, a >>> 32, b >>> 32) << 32;
  }

  /** The predicate: VEX encodings have 32 of them, others 8. */
  private static int comparison(Insn insn) {
    return (int) insn.imm & (isVex(insn) ? 31 : 7);
  }

  private static Soft compare64(Insn insn) {
    int predicate = comparison(insn);
    return (u, a, b) -> SseArithmetic.softCompare64(u, a, b, predicate);
  }

  private static Soft compare32(Insn insn) {
    int predicate = comparison(insn);
    return (u, a, b) -> SseArithmetic.softCompare32(u, a, b, predicate);
  }

  private static Op compare(Insn insn, int offset, boolean single, boolean quiet) {
    int a = xmm(insn.reg);
    int size = single ? 4 : 8;
    if (insn.isMemory()) {
      Ea ea = Ea.of(insn, offset, size, false);
      return c -> {
        long b = c.load(ea.at(c), size);
        Flags.set(c, SseArithmetic.order(c, c.get64(a), b, single, quiet));
      };
    }
    int b = xmm(insn.rm);
    return c -> Flags.set(c, SseArithmetic.order(c, c.get64(a), c.get64(b), single, quiet));
  }

  // --- rounding to integral values ---

  /** Rounding mode of ROUNDxx's immediate: its own or MXCSR's. */
  private static int mode(FloatUnit u, int imm) {
    return (imm & 4) != 0 ? u.rounding : imm & 3;
  }

  /**
   * True if operand b was finite, not zero and has been rounded; IE of a signalling NaN is raised.
   */
  private static boolean rounds(FloatUnit u, int imm) {
    if (u.bClass == FloatUnit.SNAN) {
      u.flags |= FloatUnit.IE;
    }
    if (u.bClass != FloatUnit.NORMAL && u.bClass != FloatUnit.DENORMAL) {
      return false;
    }
    int before = u.flags;
    u.toIntegral(mode(u, imm));
    if ((imm & 8) != 0) {
      u.flags = before;
    }
    return true;
  }

  private static Soft round64(Insn insn) {
    int imm = (int) insn.imm;
    return (u, a, b) -> {
      u.b64(b);
      if (rounds(u, imm)) {
        return u.to64();
      }
      return switch (u.bClass) {
        case FloatUnit.ZERO -> b & Long.MIN_VALUE;
        case FloatUnit.INFINITE -> b;
        default -> b | 1L << 51;
      };
    };
  }

  private static Soft round32(Insn insn) {
    int imm = (int) insn.imm;
    return (u, a, b) -> {
      u.b32((int) b);
      if (rounds(u, imm)) {
        return u.to32() & 0xffffffffL;
      }
      return switch (u.bClass) {
        case FloatUnit.ZERO -> b & 0x80000000L;
        case FloatUnit.INFINITE -> b;
        default -> b | 1 << 22;
      };
    };
  }

  // --- dot products ---

  private static long product32(FloatUnit u, long a, long b, int i, int imm) {
    if ((imm >> 4 + i & 1) == 0) {
      return 0;
    }
    int shift = (i & 1) * 32;
    return SseArithmetic.softMul32(u, a >>> shift & 0xffffffffL, b >>> shift & 0xffffffffL);
  }

  private static Op dpps(Insn insn, int offset) {
    int imm = (int) insn.imm & 0xff;
    return vector(
        insn,
        offset,
        (c, d, a, b, bytes) -> {
          int mxcsr = c.get32(CpuState.MXCSR);
          FloatUnit u = c.floats;
          u.begin(mxcsr);
          for (int i = 0; i < bytes; i += 8) {
            int at = i >> 2 & 2;
            u.result[i >> 3] =
                product32(u, U.getLong(a + i), U.getLong(b + i), at, imm)
                    | product32(u, U.getLong(a + i), U.getLong(b + i), at + 1, imm) << 32;
          }
          SseArithmetic.commit(c, mxcsr);
          mxcsr = c.get32(CpuState.MXCSR);
          u.begin(mxcsr);
          for (int i = 0; i < bytes >> 3; i += 2) {
            long low = neighbour(u, u.result[i]);
            long high = neighbour(u, u.result[i + 1]);
            long sum = SseArithmetic.softAdd32(u, low, high);
            u.result[i] = ((imm & 1) != 0 ? sum : 0) | ((imm & 2) != 0 ? sum << 32 : 0);
            u.result[i + 1] = ((imm & 4) != 0 ? sum : 0) | ((imm & 8) != 0 ? sum << 32 : 0);
          }
          SseArithmetic.commit(c, mxcsr);
          u.store(d, bytes);
        });
  }

  private static long neighbour(FloatUnit u, long pair) {
    return SseArithmetic.softAdd32(u, pair & 0xffffffffL, pair >>> 32);
  }

  private static Op dppd(Insn insn, int offset) {
    int imm = (int) insn.imm & 0xff;
    return vector(
        insn,
        offset,
        (c, d, a, b, bytes) -> {
          int mxcsr = c.get32(CpuState.MXCSR);
          FloatUnit u = c.floats;
          u.begin(mxcsr);
          long p0 = (imm & 16) == 0 ? 0 : SseArithmetic.softMul64(u, U.getLong(a), U.getLong(b));
          long p1 =
              (imm & 32) == 0 ? 0 : SseArithmetic.softMul64(u, U.getLong(a + 8), U.getLong(b + 8));
          SseArithmetic.commit(c, mxcsr);
          mxcsr = c.get32(CpuState.MXCSR);
          u.begin(mxcsr);
          long sum = SseArithmetic.softAdd64(u, p0, p1);
          SseArithmetic.commit(c, mxcsr);
          U.putLong(d, (imm & 1) != 0 ? sum : 0);
          U.putLong(d + 8, (imm & 2) != 0 ? sum : 0);
        });
  }
}
