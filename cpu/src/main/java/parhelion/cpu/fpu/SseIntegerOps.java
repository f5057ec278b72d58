package parhelion.cpu.fpu;

import static parhelion.cpu.fpu.Operands.aligned;
import static parhelion.cpu.fpu.Operands.clearUpper;
import static parhelion.cpu.fpu.Operands.gpr;
import static parhelion.cpu.fpu.Operands.isMmx;
import static parhelion.cpu.fpu.Operands.isVex;
import static parhelion.cpu.fpu.Operands.lanes;
import static parhelion.cpu.fpu.Operands.mm;
import static parhelion.cpu.fpu.Operands.mustAlign;
import static parhelion.cpu.fpu.Operands.operation;
import static parhelion.cpu.fpu.Operands.xmm;
import static parhelion.cpu.memory.Host.U;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.interp.Ea;
import parhelion.cpu.interp.Op;

/**
 * Packed-integer arithmetic, logic, comparison and shifts whose result in each 64-bit lane depends
 * on that lane only, for MMX and XMM registers alike. The few that string and memory routines live
 * on have ops of their own.
 */
final class SseIntegerOps {
  private SseIntegerOps() {}

  static @Nullable Op translate(Insn insn, int offset) {
    Op op = isMmx(insn) || isVex(insn) ? null : hot(insn, offset);
    if (op != null) {
      return op;
    }
    Lanes.Lane lane = lane(insn);
    if (lane != null) {
      return lanes(insn, offset, lane);
    }
    lane = shift(insn);
    if (lane != null) {
      return shiftOp(insn, offset, lane);
    }
    return switch (operation(insn)) {
      case PMOVMSKB -> pmovmskb(insn);
      case PSLLDQ -> shiftBytes(insn, SseIntegerOps::pslldq);
      case PSRLDQ -> shiftBytes(insn, SseIntegerOps::psrldq);
      default -> null;
    };
  }

  private static @Nullable Op hot(Insn insn, int offset) {
    int d = xmm(insn.reg);
    int s = xmm(insn.rm);
    if (insn.isMemory()) {
      return hotMemory(insn, offset, d);
    }
    return switch (insn.mnemonic()) {
      case PXOR, XORPS, XORPD ->
          d == s
              ? c -> {
                c.put64(d, 0);
                c.put64(d + 8, 0);
              }
              : c -> {
                c.put64(d, c.get64(d) ^ c.get64(s));
                c.put64(d + 8, c.get64(d + 8) ^ c.get64(s + 8));
              };
      case POR, ORPS, ORPD ->
          c -> {
            c.put64(d, c.get64(d) | c.get64(s));
            c.put64(d + 8, c.get64(d + 8) | c.get64(s + 8));
          };
      case PAND, ANDPS, ANDPD ->
          c -> {
            c.put64(d, c.get64(d) & c.get64(s));
            c.put64(d + 8, c.get64(d + 8) & c.get64(s + 8));
          };
      case PCMPEQB ->
          c -> {
            c.put64(d, Lanes.pcmpeqb(c.get64(d), c.get64(s)));
            c.put64(d + 8, Lanes.pcmpeqb(c.get64(d + 8), c.get64(s + 8)));
          };
      case PMINUB ->
          c -> {
            c.put64(d, Lanes.pminub(c.get64(d), c.get64(s)));
            c.put64(d + 8, Lanes.pminub(c.get64(d + 8), c.get64(s + 8)));
          };
      case PADDD ->
          c -> {
            c.put64(d, Lanes.paddd(c.get64(d), c.get64(s)));
            c.put64(d + 8, Lanes.paddd(c.get64(d + 8), c.get64(s + 8)));
          };
      case PADDQ ->
          c -> {
            c.put64(d, c.get64(d) + c.get64(s));
            c.put64(d + 8, c.get64(d + 8) + c.get64(s + 8));
          };
      default -> null;
    };
  }

  private static @Nullable Op hotMemory(Insn insn, int offset, int d) {
    if (!mustAlign(insn)) {
      return null;
    }
    Ea ea = Ea.of(insn, offset, 16, false);
    return switch (insn.mnemonic()) {
      case PXOR, XORPS, XORPD ->
          c -> {
            long s = c.readPointer(aligned(c, ea.at(c)), 16);
            c.put64(d, c.get64(d) ^ U.getLong(s));
            c.put64(d + 8, c.get64(d + 8) ^ U.getLong(s + 8));
          };
      case PCMPEQB ->
          c -> {
            long s = c.readPointer(aligned(c, ea.at(c)), 16);
            c.put64(d, Lanes.pcmpeqb(c.get64(d), U.getLong(s)));
            c.put64(d + 8, Lanes.pcmpeqb(c.get64(d + 8), U.getLong(s + 8)));
          };
      default -> null;
    };
  }

  private static Lanes.@Nullable Lane lane(Insn insn) {
    return switch (operation(insn)) {
      case PADDB -> Lanes::paddb;
      case PADDW -> Lanes::paddw;
      case PADDD -> Lanes::paddd;
      case PADDQ -> Lanes::paddq;
      case PSUBB -> Lanes::psubb;
      case PSUBW -> Lanes::psubw;
      case PSUBD -> Lanes::psubd;
      case PSUBQ -> Lanes::psubq;
      case PADDSB -> Lanes::paddsb;
      case PADDSW -> Lanes::paddsw;
      case PADDUSB -> Lanes::paddusb;
      case PADDUSW -> Lanes::paddusw;
      case PSUBSB -> Lanes::psubsb;
      case PSUBSW -> Lanes::psubsw;
      case PSUBUSB -> Lanes::psubusb;
      case PSUBUSW -> Lanes::psubusw;
      case PAND, ANDPS, ANDPD -> Lanes::pand;
      case PANDN, ANDNPS, ANDNPD -> Lanes::pandn;
      case POR, ORPS, ORPD -> Lanes::por;
      case PXOR, XORPS, XORPD -> Lanes::pxor;
      case PCMPEQB -> Lanes::pcmpeqb;
      case PCMPEQW -> Lanes::pcmpeqw;
      case PCMPEQD -> Lanes::pcmpeqd;
      case PCMPEQQ -> Lanes::pcmpeqq;
      case PCMPGTB -> Lanes::pcmpgtb;
      case PCMPGTW -> Lanes::pcmpgtw;
      case PCMPGTD -> Lanes::pcmpgtd;
      case PCMPGTQ -> Lanes::pcmpgtq;
      case PMAXUB -> Lanes::pmaxub;
      case PMINUB -> Lanes::pminub;
      case PMAXSW -> Lanes::pmaxsw;
      case PMINSW -> Lanes::pminsw;
      case PMAXSB -> Lanes::pmaxsb;
      case PMINSB -> Lanes::pminsb;
      case PMAXUW -> Lanes::pmaxuw;
      case PMINUW -> Lanes::pminuw;
      case PMAXSD -> Lanes::pmaxsd;
      case PMINSD -> Lanes::pminsd;
      case PMAXUD -> Lanes::pmaxud;
      case PMINUD -> Lanes::pminud;
      default -> product(insn);
    };
  }

  private static Lanes.@Nullable Lane product(Insn insn) {
    return switch (operation(insn)) {
      case PAVGB -> Lanes::pavgb;
      case PAVGW -> Lanes::pavgw;
      case PMULLW -> Lanes::pmullw;
      case PMULHW -> Lanes::pmulhw;
      case PMULHUW -> Lanes::pmulhuw;
      case PMULHRSW -> Lanes::pmulhrsw;
      case PMULUDQ -> Lanes::pmuludq;
      case PMULDQ -> Lanes::pmuldq;
      case PMULLD -> Lanes::pmulld;
      case PMADDWD -> Lanes::pmaddwd;
      case PMADDUBSW -> Lanes::pmaddubsw;
      case PSADBW -> Lanes::psadbw;
      case PSIGNB -> Lanes::psignb;
      case PSIGNW -> Lanes::psignw;
      case PSIGND -> Lanes::psignd;
      case PABSB -> Lanes::pabsb;
      case PABSW -> Lanes::pabsw;
      case PABSD -> Lanes::pabsd;
      default -> null;
    };
  }

  private static Lanes.@Nullable Lane shift(Insn insn) {
    return switch (operation(insn)) {
      case PSLLW -> Lanes::psllw;
      case PSLLD -> Lanes::pslld;
      case PSLLQ -> Lanes::psllq;
      case PSRLW -> Lanes::psrlw;
      case PSRLD -> Lanes::psrld;
      case PSRLQ -> Lanes::psrlq;
      case PSRAW -> Lanes::psraw;
      case PSRAD -> Lanes::psrad;
      default -> null;
    };
  }

  /**
   * A shift by an immediate (opcodes 0F 71..73, register in ModRM.rm) or by the low 64 bits of the
   * second operand.
   */
  private static Op shiftOp(Insn insn, int offset, Lanes.Lane f) {
    boolean immediate = insn.opcode.code() >= 0x71 && insn.opcode.code() <= 0x73;
    if (isMmx(insn)) {
      if (!immediate) {
        return Operands.mmx(insn, offset, f);
      }
      int d = mm(insn.rm);
      long n = insn.imm & 0xff;
      return c -> {
        Mmx.check(c);
        Mmx.put(c, d, f.apply(c.get64(d), n));
      };
    }
    if (immediate) {
      long n = insn.imm & 0xff;
      return shiftOp(insn, (d, a) -> shift(f, d, a, n));
    }
    // The count is of 64 bits in a source of 128, whatever the vector's length.
    return Operands.vector(
        insn,
        offset,
        (c, d, a, b, bytes) -> {
          long n = U.getLong(b);
          shift(f, d, a, n);
          if (bytes == 32) {
            shift(f, d + 16, a + 16, n);
          }
        });
  }

  private static void shift(Lanes.Lane f, long d, long a, long n) {
    U.putLong(d, f.apply(U.getLong(a), n));
    U.putLong(d + 8, f.apply(U.getLong(a + 8), n));
  }

  /** Shifts 16 bytes at {@code a} into those at {@code d}. */
  @FunctionalInterface
  private interface Shift {
    void apply(long d, long a);
  }

  /**
   * A shift by an immediate: of the register in ModRM.rm in place, or with VEX into that in vvvv.
   */
  private static Op shiftOp(Insn insn, Shift f) {
    int a = xmm(insn.rm);
    if (!isVex(insn)) {
      return c -> f.apply(c.state + a, c.state + a);
    }
    int d = xmm(insn.vvvv);
    if (insn.vectorLength == 16) {
      return c -> {
        f.apply(c.state + d, c.state + a);
        clearUpper(c.state + d);
      };
    }
    return c -> {
      f.apply(c.state + d, c.state + a);
      f.apply(c.state + d + 16, c.state + a + 16);
    };
  }

  /** A shift of 16 bytes by {@code n} bytes. */
  @FunctionalInterface
  private interface ByteShift {
    void apply(long d, long a, int n);
  }

  private static Op shiftBytes(Insn insn, ByteShift f) {
    int n = (int) insn.imm & 0xff;
    return shiftOp(insn, (d, a) -> f.apply(d, a, n));
  }

  private static Op pmovmskb(Insn insn) {
    int d = gpr(insn.reg);
    if (isMmx(insn)) {
      int s = mm(insn.rm);
      return c -> {
        Mmx.check(c);
        c.put64(d, Lanes.pmovmskb(c.get64(s)));
        Mmx.enter(c);
      };
    }
    int s = xmm(insn.rm);
    if (insn.vectorLength == 32) {
      return c -> c.put64(d, (pmovmskb(c, s) | pmovmskb(c, s + 16) << 16) & 0xffffffffL);
    }
    return c -> c.put64(d, pmovmskb(c, s));
  }

  private static int pmovmskb(Cpu c, int s) {
    return Lanes.pmovmskb(c.get64(s)) | Lanes.pmovmskb(c.get64(s + 8)) << 8;
  }

  static void pslldq(long d, long a, int n) {
    long low = U.getLong(a);
    long high = U.getLong(a + 8);
    U.putLong(d, n >= 8 ? 0 : low << 8 * n);
    U.putLong(
        d + 8,
        n >= 16
            ? 0
            : n >= 8 ? low << 8 * (n - 8) : n == 0 ? high : high << 8 * n | low >>> 64 - 8 * n);
  }

  static void psrldq(long d, long a, int n) {
    long low = U.getLong(a);
    long high = U.getLong(a + 8);
    U.putLong(d + 8, n >= 8 ? 0 : high >>> 8 * n);
    U.putLong(
        d,
        n >= 16
            ? 0
            : n >= 8 ? high >>> 8 * (n - 8) : n == 0 ? low : low >>> 8 * n | high << 64 - 8 * n);
  }
}
