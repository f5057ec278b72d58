package parhelion.cpu.rewrite;

import static parhelion.cpu.rewrite.Routines.HOST;

import parhelion.cpu.CpuState;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.decode.Opcode;
import parhelion.cpu.decode.Operand;

/**
 * Memory accesses of a run that one check can serve: they lie at constant distances from one
 * register and so, nearly always, in one page. A group is opened by the check of the first access,
 * for the range of all that follow until control may come from elsewhere, the interpreter may have
 * changed a mapping, or the register takes a value that is not its old one plus a constant.
 */
final class Groups {
  /** Ranges longer than this would cross a page too often. */
  private static final int MAX_BYTES = 256;

  private static final int UNKNOWN = Integer.MIN_VALUE;

  private final boolean[] open = new boolean[16];
  private final boolean[] write = new boolean[16];

  /** Range, from the register's value when the group was opened. */
  private final int[] low = new int[16];

  private final int[] high = new int[16];

  /** What the register has gained since. */
  private final int[] gained = new int[16];

  /** An offset at which alignment to so many bytes was tested, or 0 bytes. */
  private final int[] alignedAt = new int[16];

  private final int[] alignedBytes = new int[16];

  // Set by start.
  @SuppressWarnings("NullAway.Init")
  private Scanner run;

  // --- the access that was looked at last ---

  private int base;
  private int offset;
  private int bytes;
  private boolean writes;

  // --- the range of a group to be opened ---

  int rangeLow;
  int rangeHigh;
  boolean rangeWrites;

  /** Begins with another run. */
  void start(Scanner next) {
    run = next;
    closeAll();
  }

  void closeAll() {
    java.util.Arrays.fill(open, false);
  }

  boolean anyOpen() {
    for (boolean one : open) {
      if (one) {
        return true;
      }
    }
    return false;
  }

  /** Whether an access at {@code disp} from {@code register} needs no check of its own. */
  boolean serves(int register, int disp, int size, boolean isWrite, int alignment) {
    int at = gained[register] + disp;
    return open[register]
        && at >= low[register]
        && at + size <= high[register]
        && (write[register] || !isWrite)
        && (alignment == 0
            || alignedBytes[register] >= alignment && (at - alignedAt[register]) % alignment == 0);
  }

  /**
   * Finds the range that a group opened by access {@code i} would have; false if it would be alone.
   */
  boolean plan(int i, int register, int disp, int size, boolean isWrite) {
    rangeLow = disp;
    rangeHigh = disp + size;
    rangeWrites = isWrite;
    boolean found = false;
    int delta = effect(i, register);
    for (int j = i + 1; j < run.count && delta != UNKNOWN && !run.isTarget[j]; j++) {
      Treatment treatment = run.treatments[j];
      if (treatment == Treatment.INTERPRET || treatment == Treatment.INTERPRET_LAST) {
        break;
      }
      if (look(j) && base == register) {
        int from = Math.min(rangeLow, delta + offset);
        int to = Math.max(rangeHigh, delta + offset + bytes);
        if (to - from > MAX_BYTES) {
          break;
        }
        rangeLow = from;
        rangeHigh = to;
        rangeWrites |= writes;
        found = true;
      }
      int effect = effect(j, register);
      delta = effect == UNKNOWN ? UNKNOWN : delta + effect;
    }
    return found;
  }

  /** Opens the planned group; {@code alignment} bytes were tested at {@code disp}, or 0. */
  void open(int register, int disp, int alignment) {
    open[register] = true;
    write[register] = rangeWrites;
    low[register] = rangeLow;
    high[register] = rangeHigh;
    gained[register] = 0;
    alignedAt[register] = disp;
    alignedBytes[register] = alignment;
  }

  /** Takes into account what instruction {@code i} did to registers. */
  void executed(int i) {
    for (int register = 0; register < 16; register++) {
      if (open[register]) {
        int effect = effect(i, register);
        if (effect == UNKNOWN) {
          open[register] = false;
        } else {
          gained[register] += effect;
        }
      }
    }
  }

  /** Describes the access of instruction {@code i} if it is of the kind that groups are made of. */
  private boolean look(int i) {
    Insn insn = run.insns[i];
    switch (run.treatments[i]) {
      case EMIT, DIVIDE -> {
        if (!isPlain(insn)) {
          return false;
        }
        base = insn.base;
        offset = (int) insn.disp;
        bytes = Treatment.accessBytes(insn);
        writes = Treatment.writesMemory(insn);
        return true;
      }
      case PUSH -> {
        return !insn.isMemory() && stack(-8, true);
      }
      case PUSHF, CALL -> {
        return stack(-8, true);
      }
      case POP, RET -> {
        return stack(0, false);
      }
      case LEAVE -> {
        base = 5;
        offset = 0;
        bytes = 8;
        writes = false;
        return true;
      }
      default -> {
        return false;
      }
    }
  }

  private boolean stack(int at, boolean isWrite) {
    base = 4;
    offset = at;
    bytes = 8;
    writes = isWrite;
    return true;
  }

  /** Whether the memory operand is a host register of the guest's plus a constant. */
  static boolean isPlain(Insn insn) {
    return insn.isMemory()
        && !insn.ripRelative
        && insn.base != Insn.NONE
        && HOST[insn.base] >= 0
        && insn.index == Insn.NONE
        && insn.segmentOverride != CpuState.FS
        && insn.segmentOverride != CpuState.GS;
  }

  // --- what instructions do to registers ---

  /** What instruction {@code i} adds to a register, or UNKNOWN. */
  private int effect(int i, int register) {
    Insn insn = run.insns[i];
    switch (run.treatments[i]) {
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
      case SKIP, CLD, JCC, JMP, JMP_INDIRECT -> {
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
      case READ_SELECTOR -> {
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
