package parhelion.cpu.rewrite;

import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.decode.Opcode;
import parhelion.cpu.decode.Operand;

/**
 * What instructions do to general registers, as far as it is a constant that they add: by that,
 * several accesses are known to lie near each other.
 */
final class RegisterEffects {
  /** The register may be anything afterwards. */
  static final int UNKNOWN = Integer.MIN_VALUE;

  private RegisterEffects() {}

  /** What an instruction adds to a register, or UNKNOWN. */
  static int of(Insn insn, Treatment treatment, int register) {
    switch (treatment) {
      case PUSH, PUSHF, CALL, CALL_INDIRECT -> {
        return register == 4 ? -8 : 0;
      }
      case POP -> {
        int to = insn.modrm == Insn.NONE ? insn.opcodeReg : insn.rm;
        return to == register ? UNKNOWN : register == 4 ? 8 : 0;
      }
      case READ_TSC -> {
        boolean aux = register == 1 && insn.mnemonic() == Mnemonic.RDTSCP;
        return register == 0 || register == 2 || aux ? UNKNOWN : 0;
      }
      case SKIP, CLD, WRITE_BASE, JCC, JMP, JMP_INDIRECT -> {
        return 0;
      }
      case LEAVE -> {
        return register == 4 || register == 5 ? UNKNOWN : 0;
      }
      case RET -> {
        return register == 4 ? UNKNOWN : 0;
      }
      case LOOP -> {
        return register == 1 ? UNKNOWN : 0;
      }
      case DIVIDE -> {
        return register == 0 || register == 2 ? UNKNOWN : 0;
      }
      case REPEAT -> {
        return register == 1 || register == 6 || register == 7 ? UNKNOWN : 0;
      }
      case ABSOLUTE -> {
        return register == 0 ? UNKNOWN : 0;
      }
      case READ_SELECTOR, READ_CONTROL, READ_BASE -> {
        return insn.rm == register ? UNKNOWN : 0;
      }
      case LEA -> {
        if (insn.reg != register) {
          return 0;
        }
        boolean moves =
            insn.base == register
                && insn.index == Insn.NONE
                && !insn.ripRelative
                && insn.operandSize == 8;
        return moves ? (int) insn.disp : UNKNOWN;
      }
      case INTERPRET, INTERPRET_LAST -> {
        return UNKNOWN;
      }
      default -> {
        return emitted(insn, register);
      }
    }
  }

  private static int emitted(Insn insn, int register) {
    if (!mayWrite(insn, register)) {
      return 0;
    }
    boolean whole = insn.modrm != Insn.NONE && insn.mod == 3 && insn.rm == register;
    Operand[] operands = insn.opcode.operands();
    if (whole && insn.operandSize == 8 && operands[0] == Operand.Ev) {
      switch (insn.mnemonic()) {
        case ADD, SUB -> {
          if (operands[1].kind() == Operand.Kind.I) {
            return (int) (insn.mnemonic() == Mnemonic.ADD ? insn.imm : -insn.imm);
          }
        }
        case INC -> {
          return 1;
        }
        case DEC -> {
          return -1;
        }
        default -> {}
      }
    }
    return UNKNOWN;
  }

  /** False only if the instruction surely leaves the register alone. */
  private static boolean mayWrite(Insn insn, int register) {
    switch (insn.mnemonic()) {
      case CMP, TEST, BT -> {
        return false;
      }
      case MUL, IMUL, CMPXCHG, CMPXCHG8B, CMPXCHG16B, CBW, CWD, MULX, LAHF, FNSTSW -> {
        if (register == 0 || register == 2) {
          return true;
        }
      }
      case PCMPESTRI, PCMPISTRI, VPCMPESTRI, VPCMPISTRI -> {
        if (register == 1) {
          return true;
        }
      }
      default -> {}
    }
    Operand[] operands = insn.opcode.operands();
    for (int i = 0; i < operands.length; i++) {
      if (register(insn, operands[i]) == register && (i == 0 || writesAll(insn))) {
        return true;
      }
    }
    return false;
  }

  private static boolean writesAll(Insn insn) {
    return switch (insn.mnemonic()) {
      case XCHG, XADD, MULX -> true;
      default -> false;
    };
  }

  /** General register of an operand, or -1. A high byte register counts as its own. */
  private static int register(Insn insn, Operand operand) {
    int number =
        switch (operand.kind()) {
          case G -> insn.reg;
          case Z -> insn.opcodeReg;
          case B -> insn.vvvv;
          case FIXED -> operand.fixedReg();
          case E, R -> insn.mod == 3 ? insn.rm : -1;
          default -> -1;
        };
    boolean high =
        number >= 0
            && operand.sizeBytes(insn) == 1
            && !insn.opcode.has(Opcode.VEX)
            && Treatment.isHighByte(insn, number);
    return high ? number - 4 : number;
  }
}
