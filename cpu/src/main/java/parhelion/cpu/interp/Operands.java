package parhelion.cpu.interp;

import parhelion.cpu.CpuState;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Operand;

/** Resolves an instruction's register operands to offsets in the state block. */
final class Operands {
  private Operands() {}

  /**
   * Offset of a general register of {@code size} bytes: without REX, byte registers 4..7 are AH,
   * CH, DH, BH.
   */
  static int register(Insn insn, int number, int size) {
    if (size == 1 && insn.rex == 0 && number >= 4 && number < 8) {
      return CpuState.GPR + (number - 4) * 8 + 1;
    }
    return CpuState.GPR + number * 8;
  }

  static Operand.Kind kind(Insn insn, int i) {
    return insn.opcode.operands()[i].kind();
  }

  static boolean isMemory(Insn insn, int i) {
    return switch (kind(insn, i)) {
      case E, M -> insn.isMemory();
      case O, X, Y -> true;
      default -> false;
    };
  }

  static boolean isImmediate(Insn insn, int i) {
    Operand.Kind kind = kind(insn, i);
    return kind == Operand.Kind.I || kind == Operand.Kind.ONE;
  }

  static long immediate(Insn insn, int i) {
    return kind(insn, i) == Operand.Kind.ONE ? 1 : insn.imm;
  }

  /** State offset of operand {@code i}, which must be a general register. */
  static int register(Insn insn, int i) {
    Operand operand = insn.opcode.operands()[i];
    int number =
        switch (operand.kind()) {
          case E, R -> insn.rm;
          case G -> insn.reg;
          case Z -> insn.opcodeReg;
          case B -> insn.vvvv;
          case FIXED -> operand.fixedReg();
          default -> throw new IllegalStateException(insn.mnemonic() + " operand " + i);
        };
    return register(insn, number, insn.size(i));
  }
}
