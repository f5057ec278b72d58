package parhelion.cpu.rewrite;

import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.decode.Operand;

/** Values of general registers that the instructions of a run in front of a place tell. */
final class Constants {
  /** Not known. */
  static final int UNKNOWN = RegisterEffects.UNKNOWN;

  /** Larger ones are of no use in an address. */
  private static final int MAX = 1 << 20;

  private Constants() {}

  /**
   * The value of a register where control comes to instruction {@code i} from the one in front of
   * it, from 0 up to a million, or UNKNOWN.
   */
  static int before(Scanner run, int i, int register) {
    long gained = 0;
    for (int j = i - 1; j >= 0 && !run.treatments[j].endsRun() && run.goesOn[j] < 0; j--) {
      int set = set(run, j, register);
      if (set != UNKNOWN) {
        long value = set + gained;
        return value >= 0 && value <= MAX ? (int) value : UNKNOWN;
      }
      int effect = RegisterEffects.of(run.insns[j], run.treatments[j], register);
      if (effect == UNKNOWN || run.isTarget[j]) {
        return UNKNOWN;
      }
      gained += effect;
    }
    return UNKNOWN;
  }

  /** What an instruction sets a register to, from 0 up to a million, or UNKNOWN. */
  private static int set(Scanner run, int i, int register) {
    Insn insn = run.insns[i];
    if (run.treatments[i] != Treatment.EMIT || insn.operandSize < 4) {
      return UNKNOWN;
    }
    Operand[] operands = insn.opcode.operands();
    switch (insn.mnemonic()) {
      case XOR, SUB -> {
        boolean itself =
            operands[0] == Operand.Ev && operands[1] == Operand.Gv
                || operands[0] == Operand.Gv && operands[1] == Operand.Ev;
        return itself && insn.mod == 3 && insn.rm == register && insn.reg == register ? 0 : UNKNOWN;
      }
      case MOV -> {
        boolean sets =
            operands[0] == Operand.Zv && insn.opcodeReg == register
                || operands[0] == Operand.Ev && insn.mod == 3 && insn.rm == register;
        boolean small = operands[1].kind() == Operand.Kind.I && insn.imm >= 0 && insn.imm <= MAX;
        return sets && small ? (int) insn.imm : UNKNOWN;
      }
      default -> {
        return UNKNOWN;
      }
    }
  }

  /**
   * How often in a row, at least once and at most {@code most} times, the loop from {@code head} to
   * the conditional branch {@code end} runs, whose way in is known to set what it counts; 0 where
   * that is not known.
   */
  static int rounds(Scanner run, int head, int end, int most) {
    if (end == head) {
      return 0;
    }
    Insn compare = run.insns[end - 1];
    Operand[] operands = compare.opcode.operands();
    if (compare.mnemonic() != Mnemonic.CMP
        || run.treatments[end - 1] != Treatment.EMIT
        || compare.mod != 3
        || operands[0] != Operand.Ev
        || operands[1].kind() != Operand.Kind.I
        || compare.operandSize < 4) {
      return 0;
    }
    int condition = run.insns[end].opcode.code() & 15;
    switch (condition >> 1) {
      case 1, 2, 3, 6, 7 -> {}
      default -> {
        return 0; // overflow, sign and parity
      }
    }
    int register = compare.rm;
    int start = before(run, head, register);
    if (start == UNKNOWN) {
      return 0;
    }
    long step = 0;
    for (int i = head; i < end; i++) {
      int effect = RegisterEffects.of(run.insns[i], run.treatments[i], register);
      if (effect == UNKNOWN || Math.abs((long) effect) > MAX) {
        return 0;
      }
      step += effect;
    }
    long value = start;
    for (int round = 1; round <= most; round++) {
      value += step;
      if (value < 0 || value > MAX) {
        return 0;
      }
      if (!holds(condition, value, compare.operandSize == 8 ? compare.imm : (int) compare.imm)) {
        return round;
      }
    }
    return 0;
  }

  /**
   * Whether a condition code holds after a comparison of {@code value}, from 0 on, with another.
   */
  private static boolean holds(int condition, long value, long other) {
    boolean holds =
        switch (condition >> 1) {
          case 1 -> Long.compareUnsigned(value, other) < 0;
          case 2 -> value == other;
          case 3 -> Long.compareUnsigned(value, other) <= 0;
          case 6 -> value < other;
          default -> value <= other;
        };
    return holds ^ (condition & 1) != 0;
  }
}
