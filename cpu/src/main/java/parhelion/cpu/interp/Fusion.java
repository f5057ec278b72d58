package parhelion.cpu.interp;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.Flags;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Mnemonic;

/**
 * Pairs of instructions that run as one op: a comparison of registers or with an immediate and the
 * conditional jump on it, the most frequent pair of all. Only pairs whose first half cannot fault
 * are fused, so that a fault position stays an instruction.
 */
final class Fusion {
  private Fusion() {}

  /** The op for {@code first} followed by {@code second}, or null when the pair is not fused. */
  static @Nullable Op fuse(Insn first, Insn second) {
    Mnemonic m = first.mnemonic();
    if (second.mnemonic() != Mnemonic.JCC
        || second.codeBits != 64
        || (m != Mnemonic.CMP && m != Mnemonic.TEST)
        || Operands.isMemory(first, 0)
        || Operands.isMemory(first, 1)) {
      return null;
    }
    int size = first.size(0);
    if (size < 4) {
      return null;
    }
    int a = Operands.register(first, 0);
    int cc = second.opcode.code() & 15;
    long disp = second.imm;
    if (Operands.isImmediate(first, 1)) {
      long imm = first.imm;
      return m == Mnemonic.CMP
          ? compareImmediate(size, a, imm, cc, disp)
          : testImmediate(size, a, imm, cc, disp);
    }
    int b = Operands.register(first, 1);
    return m == Mnemonic.CMP
        ? compareRegister(size, a, b, cc, disp)
        : testRegister(size, a, b, cc, disp);
  }

  private static void jumpIf(Cpu c, boolean taken, long disp) {
    if (taken) {
      c.put64(CpuState.RIP, c.get64(CpuState.RIP) + disp);
    }
  }

  private static Op compareImmediate(int size, int a, long imm, int cc, long disp) {
    if (size == 8) {
      return switch (cc) {
        case 4 -> c -> jumpIf(c, Flags.sub64(c, c.get64(a), imm) == 0, disp);
        case 5 -> c -> jumpIf(c, Flags.sub64(c, c.get64(a), imm) != 0, disp);
        default ->
            c -> {
              Flags.sub64(c, c.get64(a), imm);
              jumpIf(c, Flags.condition(c, cc), disp);
            };
      };
    }
    int imm32 = (int) imm;
    return switch (cc) {
      case 4 -> c -> jumpIf(c, Flags.sub32(c, c.get32(a), imm32) == 0, disp);
      case 5 -> c -> jumpIf(c, Flags.sub32(c, c.get32(a), imm32) != 0, disp);
      default ->
          c -> {
            Flags.sub32(c, c.get32(a), imm32);
            jumpIf(c, Flags.condition(c, cc), disp);
          };
    };
  }

  private static Op compareRegister(int size, int a, int b, int cc, long disp) {
    if (size == 8) {
      return switch (cc) {
        case 4 -> c -> jumpIf(c, Flags.sub64(c, c.get64(a), c.get64(b)) == 0, disp);
        case 5 -> c -> jumpIf(c, Flags.sub64(c, c.get64(a), c.get64(b)) != 0, disp);
        default ->
            c -> {
              Flags.sub64(c, c.get64(a), c.get64(b));
              jumpIf(c, Flags.condition(c, cc), disp);
            };
      };
    }
    return switch (cc) {
      case 4 -> c -> jumpIf(c, Flags.sub32(c, c.get32(a), c.get32(b)) == 0, disp);
      case 5 -> c -> jumpIf(c, Flags.sub32(c, c.get32(a), c.get32(b)) != 0, disp);
      default ->
          c -> {
            Flags.sub32(c, c.get32(a), c.get32(b));
            jumpIf(c, Flags.condition(c, cc), disp);
          };
    };
  }

  private static Op testRegister(int size, int a, int b, int cc, long disp) {
    if (size == 8) {
      return switch (cc) {
        case 4 -> c -> jumpIf(c, Flags.logic64(c, c.get64(a) & c.get64(b)) == 0, disp);
        case 5 -> c -> jumpIf(c, Flags.logic64(c, c.get64(a) & c.get64(b)) != 0, disp);
        default ->
            c -> {
              Flags.logic64(c, c.get64(a) & c.get64(b));
              jumpIf(c, Flags.condition(c, cc), disp);
            };
      };
    }
    return switch (cc) {
      case 4 -> c -> jumpIf(c, Flags.logic32(c, c.get32(a) & c.get32(b)) == 0, disp);
      case 5 -> c -> jumpIf(c, Flags.logic32(c, c.get32(a) & c.get32(b)) != 0, disp);
      default ->
          c -> {
            Flags.logic32(c, c.get32(a) & c.get32(b));
            jumpIf(c, Flags.condition(c, cc), disp);
          };
    };
  }

  private static Op testImmediate(int size, int a, long imm, int cc, long disp) {
    // A 32-bit immediate is sign-extended; only the operand's own bits count.
    long mask = size == 8 ? imm : imm & 0xffffffffL;
    int shift = 64 - 8 * size;
    return c -> {
      Flags.logic(c, c.get64(a) & mask, shift);
      jumpIf(c, Flags.condition(c, cc), disp);
    };
  }
}
