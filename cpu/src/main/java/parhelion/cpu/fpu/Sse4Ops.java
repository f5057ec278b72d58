package parhelion.cpu.fpu;

import static parhelion.cpu.fpu.Operands.bind;
import static parhelion.cpu.fpu.Operands.bindImm;
import static parhelion.cpu.fpu.Operands.first;
import static parhelion.cpu.fpu.Operands.gpr;
import static parhelion.cpu.fpu.Operands.isVex;
import static parhelion.cpu.fpu.Operands.operation;
import static parhelion.cpu.fpu.Operands.sources;
import static parhelion.cpu.fpu.Operands.vector;
import static parhelion.cpu.fpu.Operands.xmm;
import static parhelion.cpu.memory.Host.U;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.Flags;
import parhelion.cpu.Rflags;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.interp.Ea;
import parhelion.cpu.interp.Op;

/** SSE4.1's blends, widening moves, tests and sums of differences, and SSE4.2's CRC32. */
final class Sse4Ops {
  /** The Castagnoli polynomial, bits reversed. */
  private static final int CRC32C = 0x82f63b78;

  private static final int[] CRC_TABLE = crcTable();

  private Sse4Ops() {}

  static @Nullable Op translate(Insn insn, int offset) {
    return switch (operation(insn)) {
      case PBLENDVB -> blendByMask(insn, offset, Lanes.SIGN_B, 8);
      case BLENDVPS -> blendByMask(insn, offset, Lanes.SIGN_D, 32);
      case BLENDVPD -> blendByMask(insn, offset, 1L << 63, 64);
      case BLENDPS, VPBLENDD -> blend(insn, offset, 32);
      case BLENDPD -> blend(insn, offset, 64);
      case PBLENDW -> blend(insn, offset, 16);
      case PTEST -> sources(insn, offset, Sse4Ops::ptest);
      case PMOVSXBW -> widen(insn, offset, 1, 2, true);
      case PMOVSXBD -> widen(insn, offset, 1, 4, true);
      case PMOVSXBQ -> widen(insn, offset, 1, 8, true);
      case PMOVSXWD -> widen(insn, offset, 2, 4, true);
      case PMOVSXWQ -> widen(insn, offset, 2, 8, true);
      case PMOVSXDQ -> widen(insn, offset, 4, 8, true);
      case PMOVZXBW -> widen(insn, offset, 1, 2, false);
      case PMOVZXBD -> widen(insn, offset, 1, 4, false);
      case PMOVZXBQ -> widen(insn, offset, 1, 8, false);
      case PMOVZXWD -> widen(insn, offset, 2, 4, false);
      case PMOVZXWQ -> widen(insn, offset, 2, 8, false);
      case PMOVZXDQ -> widen(insn, offset, 4, 8, false);
      case PHMINPOSUW -> bind(insn, offset, Sse4Ops::phminposuw);
      case MPSADBW -> bindImm(insn, offset, 3, Sse4Ops::mpsadbw);
      case INSERTPS -> insertps(insn, offset);
      case CRC32 -> crc32(insn, offset);
      default -> null;
    };
  }

  /**
   * Elements of {@code width} bits from the second source where the element's sign bit is set in
   * XMM0, or with VEX in the register that the immediate names.
   */
  private static Op blendByMask(Insn insn, int offset, long sign, int width) {
    int register = (int) insn.imm >> 4 & (insn.codeBits == 64 ? 15 : 7);
    int mask = xmm(isVex(insn) ? register : 0);
    return vector(
        insn,
        offset,
        (c, d, a, b, bytes) -> {
          for (int i = 0; i < bytes; i += 8) {
            long chosen = elements(c.get64(mask + i), sign, width);
            c.floats.result[i >> 3] = U.getLong(b + i) & chosen | U.getLong(a + i) & ~chosen;
          }
          c.floats.store(d, bytes);
        });
  }

  /** All-ones elements where the sign bit is set; {@code width} may be 64. */
  private static long elements(long mask, long sign, int width) {
    return width == 64 ? mask >> 63 : Lanes.spread(mask, sign, width);
  }

  /**
   * Elements of {@code width} bits from the second source where the immediate has a one. Words have
   * the same eight bits for each lane.
   */
  private static Op blend(Insn insn, int offset, int width) {
    int imm = (int) insn.imm;
    int perLane = 64 / width;
    long[] mask = new long[4];
    for (int i = 0; i < 4; i++) {
      int bits = width == 16 ? imm >> (i & 1) * perLane : imm >> i * perLane;
      mask[i] = mask(bits, width, perLane);
    }
    return vector(
        insn,
        offset,
        (c, d, a, b, bytes) -> {
          for (int i = 0; i < bytes; i += 8) {
            long chosen = mask[i >> 3];
            U.putLong(d + i, U.getLong(b + i) & chosen | U.getLong(a + i) & ~chosen);
          }
        });
  }

  private static long mask(int bits, int width, int count) {
    long r = 0;
    for (int i = 0; i < count; i++) {
      r |= (bits >> i & 1) != 0 ? -1L >>> 64 - width << i * width : 0;
    }
    return r;
  }

  static void ptest(Cpu c, long d, long a, long b, int bytes) {
    long both = 0;
    long second = 0;
    for (int i = 0; i < bytes; i += 8) {
      both |= U.getLong(a + i) & U.getLong(b + i);
      second |= ~U.getLong(a + i) & U.getLong(b + i);
    }
    Flags.set(c, (both == 0 ? Rflags.ZF : 0) | (second == 0 ? Rflags.CF : 0));
  }

  private static Op widen(Insn insn, int offset, int from, int to, boolean signed) {
    int shift = 64 - 8 * from;
    return vector(insn, offset, (c, d, a, b, bytes) -> widen(d, b, from, to, shift, signed, bytes));
  }

  private static void widen(
      long d, long s, int from, int to, int shift, boolean signed, int bytes) {
    int count = bytes / to;
    // Only the bytes that the operand has may be read: a source in memory may end at its page.
    long low = 0;
    for (int i = 0; i < Math.min(count * from, 8); i += 2) {
      low |= (U.getShort(s + i) & 0xffffL) << 8 * i;
    }
    long high = count * from == 16 ? U.getLong(s + 8) : 0;
    for (int i = 0; i < count; i++) {
      int at = from * i;
      long element = (at < 8 ? low >>> 8 * at : high >>> 8 * (at - 8)) << shift;
      element = signed ? element >> shift : element >>> shift;
      switch (to) {
        case 2 -> U.putShort(d + 2 * i, (short) element);
        case 4 -> U.putInt(d + 4 * i, (int) element);
        default -> U.putLong(d + 8 * i, element);
      }
    }
  }

  static void phminposuw(long d, long a, long s) {
    int least = 0x10000;
    int where = 0;
    for (int i = 0; i < 8; i++) {
      int v = U.getShort(s + 2 * i) & 0xffff;
      if (v < least) {
        least = v;
        where = i;
      }
    }
    U.putLong(d, least | where << 16);
    U.putLong(d + 8, 0);
  }

  static void mpsadbw(long d, long x, long y, int imm) {
    int block = (imm & 3) * 4;
    int start = (imm & 4) != 0 ? 4 : 0;
    long low = 0;
    long high = 0;
    for (int i = 0; i < 8; i++) {
      int sum = 0;
      for (int j = 0; j < 4; j++) {
        int a = U.getByte(x + start + i + j) & 0xff;
        sum += Math.abs(a - (U.getByte(y + block + j) & 0xff));
      }
      if (i < 4) {
        low |= Lanes.putW(sum, i);
      } else {
        high |= Lanes.putW(sum, i - 4);
      }
    }
    U.putLong(d, low);
    U.putLong(d + 8, high);
  }

  private static Op insertps(Insn insn, int offset) {
    int imm = (int) insn.imm & 0xff;
    int d = xmm(insn.reg);
    int a = first(insn);
    boolean vex = isVex(insn);
    if (insn.isMemory()) {
      Ea ea = Ea.of(insn, offset, 4, false);
      return c -> insertps(c, d, a, c.load32(ea.at(c)), imm, vex);
    }
    int s = xmm(insn.rm) + (imm >> 6 & 3) * 4;
    return c -> insertps(c, d, a, c.get32(s), imm, vex);
  }

  private static void insertps(Cpu c, int d, int a, int value, int imm, boolean vex) {
    Operands.copy16(c.state + d, c.state + a);
    U.putInt(c.state + d + (imm >> 4 & 3) * 4, value);
    for (int i = 0; i < 4; i++) {
      if ((imm >> i & 1) != 0) {
        U.putInt(c.state + d + 4 * i, 0);
      }
    }
    if (vex) {
      Operands.clearUpper(c.state + d);
    }
  }

  // --- CRC32 ---

  private static int[] crcTable() {
    int[] table = new int[256];
    for (int i = 0; i < 256; i++) {
      int crc = i;
      for (int bit = 0; bit < 8; bit++) {
        crc = crc >>> 1 ^ ((crc & 1) != 0 ? CRC32C : 0);
      }
      table[i] = crc;
    }
    return table;
  }

  static int crc32c(int crc, long value, int size) {
    for (int i = 0; i < size; i++) {
      crc = crc >>> 8 ^ CRC_TABLE[(crc ^ (int) (value >>> 8 * i)) & 0xff];
    }
    return crc;
  }

  private static Op crc32(Insn insn, int offset) {
    int size = insn.size(1);
    int d = gpr(insn.reg);
    if (insn.isMemory()) {
      Ea ea = Ea.of(insn, offset, size, false);
      return c -> c.put32(d, crc32c(c.get32(d), c.load(ea.at(c), size), size));
    }
    // AH..BH: byte registers 4..7 without REX.
    int s = size == 1 && insn.rex == 0 && insn.rm >= 4 ? gpr(insn.rm - 4) + 1 : gpr(insn.rm);
    return c -> c.put32(d, crc32c(c.get32(d), c.get(s, size), size));
  }
}
