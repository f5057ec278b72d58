package parhelion.testkit.oracle;

import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.decode.Operand;

/** Which flags an instruction leaves undefined, where that depends on a shift's count. */
final class FlagMasks {
  static final int ARITHMETIC = 0x8d5;
  private static final int CF = 1;
  private static final int AF = 0x10;
  private static final int OF = 0x800;

  private FlagMasks() {}

  /** True for shifts and rotates with a count that is not the constant 1. */
  static boolean dependsOnCount(Insn insn) {
    return switch (insn.mnemonic()) {
      case ROL, ROR, RCL, RCR, SHL, SHR, SAR, SHLD, SHRD -> lastOperand(insn) != Operand.One;
      default -> false;
    };
  }

  private static Operand lastOperand(Insn insn) {
    Operand[] operands = insn.opcode.operands();
    return operands[operands.length - 1];
  }

  /** The count of a shift as the processor masks it. */
  static int count(Insn insn, long rcx) {
    long raw = lastOperand(insn) == Operand.CL ? rcx : insn.imm;
    return (int) raw & (insn.size(0) == 8 ? 63 : 31);
  }

  /** Flags that are undefined after {@code insn}, with RCX before it. */
  static int undefined(Insn insn, long rcx) {
    if (!dependsOnCount(insn)) {
      return insn.opcode.flagsUndefined();
    }
    int count = count(insn, rcx);
    if (count == 0) {
      return 0;
    }
    return undefinedForCount(insn, count);
  }

  private static int undefinedForCount(Insn insn, int count) {
    int mask = count == 1 ? 0 : OF;
    switch (insn.mnemonic()) {
      case SHL, SHR, SAR -> {
        mask |= AF;
        if (insn.mnemonic() != Mnemonic.SAR && count >= insn.size(0) * 8) {
          mask |= CF;
        }
      }
      case SHLD, SHRD -> mask |= AF;
      default -> {}
    }
    return mask;
  }

  /** Flags that may be undefined after {@code insn} whatever RCX is. */
  static int mayBeUndefined(Insn insn) {
    if (!dependsOnCount(insn)) {
      return insn.opcode.flagsUndefined();
    }
    return OF | AF | CF;
  }

  /** Double shifts of 16 bits by more than 16: result and flags are undefined. */
  static boolean isResultUndefined(Insn insn, long rcx) {
    return (insn.mnemonic() == Mnemonic.SHLD || insn.mnemonic() == Mnemonic.SHRD)
        && insn.size(0) == 2
        && count(insn, rcx) > 16;
  }
}
