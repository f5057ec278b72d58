package parhelion.cpu.rewrite;

import static parhelion.cpu.rewrite.Routines.HOST;
import static parhelion.cpu.rewrite.Routines.SCRATCH0;
import static parhelion.cpu.rewrite.Routines.SCRATCH1;

import parhelion.cpu.CpuState;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.decode.Opcode;
import parhelion.cpu.decode.Operand;

/**
 * Re-emits a guest instruction: the same opcode and immediate, other registers. Guest registers
 * that stay in the state block are fetched into a scratch register before and stored after.
 */
final class InsnEncoder {
  private final Assembler a;

  /** Host registers for ModRM.reg, ModRM.rm, the opcode's register and VEX.vvvv. */
  private int reg;

  private int rm;
  private int opcodeReg;
  private int vvvv;

  /** Scratch registers in use, with the guest register that each stands for. */
  private int scratchCount;

  private final int[] scratch = new int[2];
  private final int[] scratchGuest = new int[2];
  private final boolean[] scratchWritten = new boolean[2];
  private final boolean[] scratchLoaded = new boolean[2];

  /** Whether a byte register without REX would be another one. */
  private boolean needsRex;

  InsnEncoder(Assembler a) {
    this.a = a;
  }

  /** Whether a register operand of {@code insn} beside its memory operand is in the state block. */
  boolean needsScratch(Insn insn) {
    Operand[] operands = insn.opcode.operands();
    for (int i = 0; i < operands.length; i++) {
      int guest =
          switch (operands[i].kind()) {
            case G -> insn.reg;
            case B -> insn.vvvv;
            default -> -1;
          };
      if (guest >= 0
          && !(insn.size(i) == 1 && Treatment.isHighByte(insn, guest))
          && HOST[guest] < 0) {
        return true;
      }
    }
    return false;
  }

  /** Emits an instruction whose operands are all registers; true if it needed SCRATCH1. */
  boolean registers(Insn insn) {
    if (inPlace(insn)) {
      return false;
    }
    scratch[0] = SCRATCH0;
    scratch[1] = SCRATCH1;
    assign(insn);
    prefixesAndOpcode(insn, 0, rm);
    if (insn.modrm != Insn.NONE) {
      a.b(0xc0 | (reg & 7) << 3 | rm & 7);
    }
    immediate(insn);
    writeBack();
    return scratchCount == 2;
  }

  /**
   * Emits an instruction of which one register is in the state block with that as a memory operand;
   * false where that is not the same. A 32-bit result has to clear the upper half, so only 64-bit
   * registers are written in place.
   */
  private boolean inPlace(Insn insn) {
    Opcode opcode = insn.opcode;
    Operand[] operands = opcode.operands();
    if (insn.modrm == Insn.NONE || operands.length < 1 || opcode.has(Opcode.VEX)) {
      return false;
    }
    int general = -1;
    int other = -1;
    for (int i = 0; i < operands.length; i++) {
      switch (operands[i]) {
        case Eb, Ew, Ed, Eq, Ev, Ey, Ez -> general = i;
        case Gb, Gw, Gd, Gv, Gy -> other = i;
        case Ib, Ibs, Iz, One, CL, Vsd, Vss, Vdq -> {}
        default -> {
          return false;
        }
      }
    }
    if (general < 0) {
      return false;
    }
    switch (insn.mnemonic()) {
      case BT, BTS, BTR, BTC, XCHG, XADD, CMPXCHG, IMUL, MUL, SHLD, SHRD -> {
        return false;
      }
      default -> {}
    }
    boolean inState = HOST[insn.rm] < 0 && !(insn.size(general) == 1 && isHigh(insn, insn.rm));
    boolean otherInState =
        other >= 0 && HOST[insn.reg] < 0 && !(insn.size(other) == 1 && isHigh(insn, insn.reg));
    if (inState == otherInState) {
      return false;
    }
    boolean plain = opcode.map() == 0 && (opcode.code() & 0xc4) == 0 && (opcode.code() & 7) < 4;
    boolean move = opcode.map() == 0 && (opcode.code() & 0xfc) == 0x88;
    boolean test = opcode.map() == 0 && (opcode.code() & 0xfe) == 0x84;
    boolean reads = insn.mnemonic() == Mnemonic.CMP || test;
    boolean writesState = !reads && (inState ? general : other) == 0;
    if (writesState && insn.size(0) != 8) {
      return false;
    }
    if (inState) {
      int register = other < 0 ? insn.reg : byteSafe(insn, other, insn.reg);
      if (register < 0) {
        return false;
      }
      stateOperand(insn, register, opcode.code(), insn.rm);
      return true;
    }
    if (!plain && !move && !test) {
      return false;
    }
    int register = byteSafe(insn, general, insn.rm);
    if (register < 0) {
      return false;
    }
    stateOperand(insn, register, test ? opcode.code() : opcode.code() ^ 2, insn.reg);
    return true;
  }

  private static boolean isHigh(Insn insn, int register) {
    return Treatment.isHighByte(insn, register);
  }

  /** Host register of an operand, noting whether it needs REX; -1 for high bytes. */
  private int byteSafe(Insn insn, int operand, int guest) {
    needsRex = false;
    if (insn.size(operand) != 1) {
      return HOST[guest];
    }
    if (isHigh(insn, guest)) {
      return -1;
    }
    needsRex = HOST[guest] >= 4;
    return HOST[guest];
  }

  /** The instruction with gs:[register of the state block] for its ModRM.rm. */
  private void stateOperand(Insn insn, int register, int code, int guest) {
    Opcode opcode = insn.opcode;
    a.b(0x65);
    if (insn.opSizePrefix && opcode.prefix() != 0x66) {
      a.b(0x66);
    }
    if (opcode.prefix() > 0) {
      a.b(opcode.prefix());
    }
    int rex = insn.rex & 8 | (register >> 3 & 1) << 2;
    if (rex != 0 || needsRex) {
      a.b(0x40 | rex);
    }
    needsRex = false;
    map(opcode);
    a.b(code);
    a.b((register & 7) << 3 | 4, 0x25);
    a.d(CpuState.GPR + guest * 8);
    immediate(insn);
  }

  private void map(Opcode opcode) {
    switch (opcode.map()) {
      case 1 -> a.b(0x0f);
      case 2 -> a.b(0x0f, 0x38);
      case 3 -> a.b(0x0f, 0x3a);
      default -> {}
    }
  }

  /**
   * Emits an instruction with its memory operand at [base + (index << scale) + disp]; {@code free}
   * is a scratch register that it may use, or -1.
   */
  void memory(Insn insn, int base, int index, int scale, int disp, int free) {
    scratch[0] = free;
    scratch[1] = -1;
    assign(insn);
    prefixesAndOpcode(insn, Math.max(index, 0), base);
    a.memory(reg, base, index, scale, disp);
    immediate(insn);
    writeBack();
  }

  private void assign(Insn insn) {
    scratchCount = 0;
    needsRex = false;
    reg = insn.reg;
    rm = insn.rm;
    opcodeReg = insn.opcodeReg;
    vvvv = insn.vvvv;
    Operand[] operands = insn.opcode.operands();
    for (int i = 0; i < operands.length; i++) {
      boolean written = i == 0 || writesSecond(insn);
      switch (operands[i].kind()) {
        case G -> reg = host(insn, i, insn.reg, written);
        case E, R -> {
          if (insn.mod == 3) {
            rm = host(insn, i, insn.rm, written);
          }
        }
        case Z -> opcodeReg = host(insn, i, insn.opcodeReg, written);
        case B -> vvvv = host(insn, i, insn.vvvv, written);
        default -> {}
      }
    }
  }

  private static boolean writesSecond(Insn insn) {
    return switch (insn.mnemonic()) {
      case XCHG, XADD, MULX -> true;
      default -> false;
    };
  }

  private int host(Insn insn, int operand, int guest, boolean written) {
    boolean oneByte = insn.size(operand) == 1;
    if (oneByte && Treatment.isHighByte(insn, guest)) {
      return guest; // AH is 4 without REX, as in the guest
    }
    int register = HOST[guest];
    if (register < 0) {
      boolean reads = (operand != 0 || !overwrites(insn)) && !isZero(insn);
      register = fetched(guest, written, reads);
    }
    needsRex |= oneByte && register >= 4;
    return register;
  }

  /** Whether the first operand is a whole register that the instruction does not read. */
  private static boolean overwrites(Insn insn) {
    if (insn.size(0) < 4) {
      return false;
    }
    return switch (insn.mnemonic()) {
      case MOV, MOVZX, MOVSX, MOVSXD, MOVD, MOVQ, MOVBE, POPCNT, LZCNT, TZCNT, RORX -> true;
      case SHLX, SHRX, SARX, ANDN, BEXTR, BZHI, PEXT, PDEP, PMOVMSKB, MOVMSKPS, MOVMSKPD -> true;
      case CVTSD2SI, CVTSS2SI, CVTTSD2SI, CVTTSS2SI, PEXTRB, PEXTRW, PEXTRD, PEXTRQ -> true;
      case IMUL -> insn.opcode.operands().length == 3;
      default -> false;
    };
  }

  /** Whether the result is 0 whatever the register holds. */
  private static boolean isZero(Insn insn) {
    return (insn.mnemonic() == Mnemonic.XOR || insn.mnemonic() == Mnemonic.SUB)
        && insn.modrm != Insn.NONE
        && insn.mod == 3
        && insn.reg == insn.rm
        && insn.size(0) >= 4
        && insn.opcode.operands()[1].kind() != Operand.Kind.I;
  }

  private int fetched(int guest, boolean written, boolean read) {
    for (int i = 0; i < scratchCount; i++) {
      if (scratchGuest[i] == guest) {
        scratchWritten[i] |= written;
        if (read && !scratchLoaded[i]) {
          // The other operand read it first: the same register as source and destination.
          a.loadState(scratch[i], CpuState.GPR + guest * 8);
          scratchLoaded[i] = true;
        }
        return scratch[i];
      }
    }
    int i = scratchCount++;
    scratchGuest[i] = guest;
    scratchWritten[i] = written;
    scratchLoaded[i] = read;
    if (read) {
      a.loadState(scratch[i], CpuState.GPR + guest * 8);
    }
    return scratch[i];
  }

  private void writeBack() {
    for (int i = 0; i < scratchCount; i++) {
      if (scratchWritten[i]) {
        a.storeState(CpuState.GPR + scratchGuest[i] * 8, scratch[i]);
      }
    }
  }

  private void prefixesAndOpcode(Insn insn, int index, int rmOrBase) {
    Opcode opcode = insn.opcode;
    int low = opcode.has(Opcode.PLUS_R) ? opcodeReg : rmOrBase;
    int code = opcode.has(Opcode.PLUS_R) ? opcode.code() & 0xf8 | opcodeReg & 7 : opcode.code();
    int r = insn.modrm == Insn.NONE ? 0 : reg;
    int b = insn.modrm == Insn.NONE && !opcode.has(Opcode.PLUS_R) ? 0 : low;
    int w = insn.rex & 8;
    if (opcode.has(Opcode.VEX)) {
      vex(insn, r, index, b, w != 0);
      a.b(code);
      return;
    }
    if (insn.lock) {
      a.b(0xf0);
    }
    if (insn.opSizePrefix && opcode.prefix() != 0x66) {
      a.b(0x66);
    }
    if (opcode.prefix() > 0) {
      a.b(opcode.prefix());
    }
    int rex = w | (r >> 3 & 1) << 2 | (index >> 3 & 1) << 1 | b >> 3 & 1;
    if (rex != 0 || needsRex) {
      a.b(0x40 | rex);
    }
    map(opcode);
    a.b(code);
  }

  private void vex(Insn insn, int r, int index, int b, boolean w) {
    Opcode opcode = insn.opcode;
    int pp =
        switch (opcode.prefix()) {
          case 0x66 -> 1;
          case 0xf3 -> 2;
          case 0xf2 -> 3;
          default -> 0;
        };
    int v = insn.vvvv == Insn.NONE ? 0 : vvvv;
    a.b(
        0xc4,
        ((r & 8) != 0 ? 0 : 0x80)
            | ((index & 8) != 0 ? 0 : 0x40)
            | ((b & 8) != 0 ? 0 : 0x20)
            | opcode.map());
    a.b((w ? 0x80 : 0) | (~v & 15) << 3 | (insn.vectorLength == 32 ? 4 : 0) | pp);
  }

  private void immediate(Insn insn) {
    for (Operand operand : insn.opcode.operands()) {
      switch (operand) {
        case Ib, Ibs, Lx -> a.b((int) insn.imm);
        case Iw -> {
          a.b((int) insn.imm, (int) insn.imm >> 8);
        }
        case Iz -> number(insn.imm, Math.min(insn.operandSize, 4));
        case Iv -> number(insn.imm, insn.operandSize);
        default -> {}
      }
    }
  }

  private void number(long value, int bytes) {
    switch (bytes) {
      case 2 -> a.b((int) value, (int) value >> 8);
      case 4 -> a.d((int) value);
      default -> a.q(value);
    }
  }

  /** MOV between AL, AX, EAX or RAX and [base + disp]. */
  void accumulator(boolean load, int bytes, int base, int disp) {
    if (bytes == 2) {
      a.b(0x66);
    }
    a.b(0x40 | (bytes == 8 ? 8 : 0) | base >> 3 & 1);
    a.b((load ? 0x8a : 0x88) | (bytes == 1 ? 0 : 1));
    a.memory(Assembler.RAX, base, -1, 0, disp);
  }

  /** A register of four or eight bytes from [base + index + disp]. */
  void loadOperand(int to, boolean wide, int base, int index, int disp) {
    a.b(
        (wide ? 0x48 : 0x40)
            | (to >> 3 & 1) << 2
            | (index < 0 ? 0 : index >> 3 & 1) << 1
            | base >> 3 & 1);
    a.b(0x8b);
    a.memory(to, base, index, 0, disp);
  }
}
