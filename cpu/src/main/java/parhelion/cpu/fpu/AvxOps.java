package parhelion.cpu.fpu;

import static parhelion.cpu.fpu.Operands.bind;
import static parhelion.cpu.fpu.Operands.bindImm;
import static parhelion.cpu.fpu.Operands.clearUpper;
import static parhelion.cpu.fpu.Operands.lanes;
import static parhelion.cpu.fpu.Operands.sources;
import static parhelion.cpu.fpu.Operands.vector;
import static parhelion.cpu.fpu.Operands.xmm;
import static parhelion.cpu.memory.Host.U;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.Flags;
import parhelion.cpu.Rflags;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Operand;
import parhelion.cpu.interp.Ea;
import parhelion.cpu.interp.Op;

/**
 * What AVX and AVX2 have and SSE has not: broadcasts, permutations across lanes, moves of halves,
 * masked moves, shifts by vectors, sign tests. {@link GatherOps} has the gathers.
 */
final class AvxOps {
  private AvxOps() {}

  static @Nullable Op translate(Insn insn, int offset) {
    return switch (insn.mnemonic()) {
      case VZEROUPPER -> zero(insn, false);
      case VZEROALL -> zero(insn, true);
      case VPBROADCASTB -> broadcast(insn, offset, 1);
      case VPBROADCASTW -> broadcast(insn, offset, 2);
      case VBROADCASTSS, VPBROADCASTD -> broadcast(insn, offset, 4);
      case VBROADCASTSD, VPBROADCASTQ -> broadcast(insn, offset, 8);
      case VBROADCASTF128, VBROADCASTI128 -> vector(insn, offset, AvxOps::broadcast128);
      case VINSERTF128, VINSERTI128 -> insert128(insn, offset);
      case VEXTRACTF128, VEXTRACTI128 -> extract128(insn, offset);
      case VPERM2F128, VPERM2I128 -> permute128(insn, offset);
      case VPERMQ, VPERMPD -> permute64(insn, offset);
      case VPERMD, VPERMPS -> vector(insn, offset, AvxOps::permute32);
      case VPERMILPS ->
          insn.opcode.map() == 3
              ? bindImm(insn, offset, SseShuffleOps::pshufd)
              : bind(insn, offset, AvxOps::permilps);
      case VPERMILPD ->
          insn.opcode.map() == 3
              ? bindImm(insn, offset, 2, (d, a, b, imm) -> SseShuffleOps.shufpd(d, b, b, imm))
              : bind(insn, offset, AvxOps::permilpd);
      case VTESTPS -> signTest(insn, offset, Lanes.SIGN_D);
      case VTESTPD -> signTest(insn, offset, 1L << 63);
      case VPSLLVD -> lanes(insn, offset, AvxOps::sllvd);
      case VPSRLVD -> lanes(insn, offset, AvxOps::srlvd);
      case VPSRAVD -> lanes(insn, offset, AvxOps::sravd);
      case VPSLLVQ -> lanes(insn, offset, Lanes::psllq);
      case VPSRLVQ -> lanes(insn, offset, Lanes::psrlq);
      case VMASKMOVPS, VPMASKMOVD -> maskedMove(insn, offset, 4);
      case VMASKMOVPD, VPMASKMOVQ -> maskedMove(insn, offset, 8);
      default -> null;
    };
  }

  private static Op zero(Insn insn, boolean all) {
    int bytes = (insn.codeBits == 64 ? 16 : 8) * CpuState.XMM_STRIDE;
    return c -> {
      for (int i = 0; i < bytes; i += CpuState.XMM_STRIDE) {
        if (all) {
          c.put64(CpuState.XMM + i, 0);
          c.put64(CpuState.XMM + i + 8, 0);
        }
        c.put64(CpuState.YMM_HIGH + i, 0);
        c.put64(CpuState.YMM_HIGH + i + 8, 0);
      }
    };
  }

  // --- broadcasts ---

  private static Op broadcast(Insn insn, int offset, int size) {
    return vector(
        insn,
        offset,
        (c, d, a, b, bytes) -> {
          long v =
              switch (size) {
                case 1 -> (U.getByte(b) & 0xffL) * 0x0101010101010101L;
                case 2 -> (U.getShort(b) & 0xffffL) * 0x0001000100010001L;
                case 4 -> (U.getInt(b) & 0xffffffffL) * 0x0000000100000001L;
                default -> U.getLong(b);
              };
          for (int i = 0; i < bytes; i += 8) {
            U.putLong(d + i, v);
          }
        });
  }

  private static void broadcast128(Cpu c, long d, long a, long b, int bytes) {
    Operands.copy16(d, b);
    Operands.copy16(d + 16, b);
  }

  // --- halves ---

  private static Op insert128(Insn insn, int offset) {
    int at = ((int) insn.imm & 1) * 16;
    return vector(
        insn,
        offset,
        (c, d, a, b, bytes) -> {
          long low = U.getLong(b);
          long high = U.getLong(b + 8);
          Operands.copy16(d + 16 - at, a + 16 - at);
          U.putLong(d + at, low);
          U.putLong(d + at + 8, high);
        });
  }

  private static Op extract128(Insn insn, int offset) {
    int s = xmm(insn.reg) + ((int) insn.imm & 1) * 16;
    if (insn.isMemory()) {
      Ea ea = Ea.of(insn, offset, 16, true);
      return c -> Operands.store(c, ea.at(c), c.state + s, 16);
    }
    int d = xmm(insn.rm);
    return c -> {
      Operands.copy16(c.state + d, c.state + s);
      clearUpper(c.state + d);
    };
  }

  private static Op permute128(Insn insn, int offset) {
    int imm = (int) insn.imm;
    return vector(
        insn,
        offset,
        (c, d, a, b, bytes) -> {
          half(c.floats, 0, a, b, imm);
          half(c.floats, 2, a, b, imm >> 4);
          c.floats.store(d, 32);
        });
  }

  private static void half(FloatUnit u, int to, long a, long b, int control) {
    long from = ((control & 2) == 0 ? a : b) + (control & 1) * 16;
    boolean zero = (control & 8) != 0;
    u.result[to] = zero ? 0 : U.getLong(from);
    u.result[to + 1] = zero ? 0 : U.getLong(from + 8);
  }

  // --- permutations ---

  private static Op permute64(Insn insn, int offset) {
    int imm = (int) insn.imm;
    return vector(
        insn,
        offset,
        (c, d, a, b, bytes) -> {
          for (int i = 0; i < 4; i++) {
            c.floats.result[i] = U.getLong(b + (imm >> 2 * i & 3) * 8);
          }
          c.floats.store(d, 32);
        });
  }

  private static void permute32(Cpu c, long d, long a, long b, int bytes) {
    for (int i = 0; i < 4; i++) {
      int low = U.getInt(b + (U.getInt(a + 8 * i) & 7) * 4);
      int high = U.getInt(b + (U.getInt(a + 8 * i + 4) & 7) * 4);
      c.floats.result[i] = Lanes.pair(low, high);
    }
    c.floats.store(d, 32);
  }

  static void permilps(long d, long a, long b) {
    long low = Lanes.pair(picked32(a, b), picked32(a, b + 4));
    long high = Lanes.pair(picked32(a, b + 8), picked32(a, b + 12));
    U.putLong(d, low);
    U.putLong(d + 8, high);
  }

  private static int picked32(long a, long control) {
    return U.getInt(a + (U.getInt(control) & 3) * 4);
  }

  static void permilpd(long d, long a, long b) {
    long low = U.getLong(a + (U.getLong(b) >> 1 & 1) * 8);
    long high = U.getLong(a + (U.getLong(b + 8) >> 1 & 1) * 8);
    U.putLong(d, low);
    U.putLong(d + 8, high);
  }

  /**
   * Of the sign bits: ZF if no pair of them is set, CF if the first has all that the second has.
   */
  private static Op signTest(Insn insn, int offset, long signs) {
    return sources(
        insn,
        offset,
        (c, d, a, b, bytes) -> {
          long both = 0;
          long second = 0;
          for (int i = 0; i < bytes; i += 8) {
            both |= U.getLong(a + i) & U.getLong(b + i) & signs;
            second |= ~U.getLong(a + i) & U.getLong(b + i) & signs;
          }
          Flags.set(c, (both == 0 ? Rflags.ZF : 0) | (second == 0 ? Rflags.CF : 0));
        });
  }

  // --- shifts of doublewords by those of the other operand ---

  static long sllvd(long a, long n) {
    return Lanes.pslld(a, n & 0xffffffffL) & 0xffffffffL | Lanes.pslld(a, n >>> 32) & ~0xffffffffL;
  }

  static long srlvd(long a, long n) {
    return Lanes.psrld(a, n & 0xffffffffL) & 0xffffffffL | Lanes.psrld(a, n >>> 32) & ~0xffffffffL;
  }

  static long sravd(long a, long n) {
    return Lanes.psrad(a, n & 0xffffffffL) & 0xffffffffL | Lanes.psrad(a, n >>> 32) & ~0xffffffffL;
  }

  // --- masked moves: elements whose mask has its sign clear are not accessed ---

  private static Op maskedMove(Insn insn, int offset, int size) {
    int mask = xmm(insn.vvvv);
    int r = xmm(insn.reg);
    int bytes = insn.vectorLength;
    boolean store = insn.opcode.operands()[0].kind() == Operand.Kind.M;
    Ea ea = Ea.of(insn, offset, bytes, store);
    return store
        ? c -> storeMasked(c, ea.at(c), r, mask, size, bytes)
        : c -> loadMasked(c, ea.at(c), r, mask, size, bytes);
  }

  private static boolean chosen(Cpu c, int mask, int at, int size) {
    return U.getByte(c.state + mask + at + size - 1) < 0;
  }

  private static void loadMasked(Cpu c, long va, int d, int mask, int size, int bytes) {
    long[] result = c.floats.result;
    for (int i = 0; i < bytes; i += 8) {
      long v = 0;
      for (int k = 0; k < 8; k += size) {
        if (chosen(c, mask, i + k, size)) {
          v |= c.load(va + i + k, size) << 8 * k;
        }
      }
      result[i >> 3] = v;
    }
    c.floats.store(c.state + d, bytes);
    if (bytes == 16) {
      clearUpper(c.state + d);
    }
  }

  private static void storeMasked(Cpu c, long va, int s, int mask, int size, int bytes) {
    for (int i = 0; i < bytes; i += size) {
      if (chosen(c, mask, i, size)) {
        c.checkWritable(va + i, size);
      }
    }
    for (int i = 0; i < bytes; i += size) {
      if (chosen(c, mask, i, size)) {
        c.store(va + i, size, c.get(s + i, size));
      }
    }
  }
}
