package parhelion.cpu.fpu;

import static parhelion.cpu.fpu.Operands.isVex;
import static parhelion.cpu.fpu.Operands.operation;
import static parhelion.cpu.fpu.Operands.sources;
import static parhelion.cpu.memory.Host.U;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.Flags;
import parhelion.cpu.Rflags;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.interp.Op;

/**
 * PCMPESTRI, PCMPESTRM, PCMPISTRI and PCMPISTRM (SDM volume 2, 4.1). Operand 1 (the register) is
 * the set, range list or needle, operand 2 (register or memory) the text; the intermediate results
 * have a bit for each element of the text.
 */
final class StringCompareOps {
  private StringCompareOps() {}

  static @Nullable Op translate(Insn insn, int offset) {
    return switch (operation(insn)) {
      case PCMPESTRI -> compare(insn, offset, true, true);
      case PCMPESTRM -> compare(insn, offset, true, false);
      case PCMPISTRI -> compare(insn, offset, false, true);
      case PCMPISTRM -> compare(insn, offset, false, false);
      default -> null;
    };
  }

  private static Op compare(Insn insn, int offset, boolean explicit, boolean index) {
    int imm = (int) insn.imm & 0x7f;
    boolean wide = insn.codeBits == 64 && (insn.rex & 8) != 0;
    boolean clear = isVex(insn) && !index;
    return sources(
        insn,
        offset,
        (c, d, a, b, bytes) -> {
          run(c, d, b, imm, explicit, index, wide);
          if (clear) {
            Operands.clearUpper(c.state + CpuState.XMM);
          }
        });
  }

  private static void run(
      Cpu c, long a, long b, int imm, boolean explicit, boolean index, boolean wide) {
    int count = (imm & 1) != 0 ? 8 : 16;
    int lengthA = explicit ? length(c, CpuState.RAX, count, wide) : length(a, count);
    int lengthB = explicit ? length(c, CpuState.RDX, count, wide) : length(b, count);
    int result = aggregate(a, b, lengthA, lengthB, imm, count);
    int all = (1 << count) - 1;
    int polarity = imm >> 4 & 3;
    if (polarity == 1) {
      result ^= all;
    } else if (polarity == 3) {
      result ^= (1 << lengthB) - 1;
    }
    if (index) {
      int last =
          (imm & 0x40) != 0
              ? 31 - Integer.numberOfLeadingZeros(result)
              : Integer.numberOfTrailingZeros(result);
      c.put64(CpuState.RCX, result == 0 ? count : last);
    } else {
      putMask(c, result, count, (imm & 0x40) != 0);
    }
    int flags = result != 0 ? Rflags.CF : 0;
    flags |= lengthB < count ? Rflags.ZF : 0;
    flags |= lengthA < count ? Rflags.SF : 0;
    flags |= (result & 1) != 0 ? Rflags.OF : 0;
    Flags.set(c, flags);
  }

  private static void putMask(Cpu c, int result, int count, boolean elements) {
    long low = result;
    long high = 0;
    if (elements) {
      low = 0;
      int bits = 128 / count;
      for (int i = 0; i < count; i++) {
        long ones = (result >> i & 1) != 0 ? (1L << bits) - 1 : 0;
        if (i < count / 2) {
          low |= ones << i * bits;
        } else {
          high |= ones << (i - count / 2) * bits;
        }
      }
    }
    c.put64(CpuState.XMM, low);
    c.put64(CpuState.XMM + 8, high);
  }

  /** Explicit length: the absolute value of the register, at most {@code count}. */
  private static int length(Cpu c, int register, int count, boolean wide) {
    long v = wide ? c.get64(register) : c.get32(register);
    long size = Math.abs(v);
    return size < 0 || size > count ? count : (int) size;
  }

  /** Implicit length: elements before the first zero. */
  private static int length(long p, int count) {
    for (int i = 0; i < count; i++) {
      if ((count == 8 ? U.getShort(p + 2 * i) : U.getByte(p + i)) == 0) {
        return i;
      }
    }
    return count;
  }

  private static int element(long p, int i, int imm) {
    return switch (imm & 3) {
      case 0 -> U.getByte(p + i) & 0xff;
      case 1 -> U.getShort(p + 2 * i) & 0xffff;
      case 2 -> U.getByte(p + i);
      default -> U.getShort(p + 2 * i);
    };
  }

  private static int aggregate(long a, long b, int lengthA, int lengthB, int imm, int count) {
    int result = 0;
    for (int j = 0; j < count; j++) {
      boolean bit =
          switch (imm >> 2 & 3) {
            case 0 -> j < lengthB && any(a, lengthA, element(b, j, imm), imm);
            case 1 -> j < lengthB && inRange(a, lengthA, element(b, j, imm), imm);
            case 2 -> equalEach(a, b, j, lengthA, lengthB, imm);
            default -> equalOrdered(a, b, j, lengthA, lengthB, imm, count);
          };
      result |= bit ? 1 << j : 0;
    }
    return result;
  }

  private static boolean any(long a, int lengthA, int value, int imm) {
    for (int i = 0; i < lengthA; i++) {
      if (element(a, i, imm) == value) {
        return true;
      }
    }
    return false;
  }

  private static boolean inRange(long a, int lengthA, int value, int imm) {
    for (int i = 0; i + 1 < lengthA; i += 2) {
      if (value >= element(a, i, imm) && value <= element(a, i + 1, imm)) {
        return true;
      }
    }
    return false;
  }

  private static boolean equalEach(long a, long b, int j, int lengthA, int lengthB, int imm) {
    boolean validA = j < lengthA;
    boolean validB = j < lengthB;
    return validA && validB ? element(a, j, imm) == element(b, j, imm) : validA == validB;
  }

  /** The needle, as far as it fits, stands at {@code j}. */
  private static boolean equalOrdered(
      long a, long b, int j, int lengthA, int lengthB, int imm, int count) {
    for (int i = 0; i < lengthA && i + j < count; i++) {
      if (i + j >= lengthB || element(a, i, imm) != element(b, i + j, imm)) {
        return false;
      }
    }
    return true;
  }
}
