package parhelion.cpu.decode;

import org.jspecify.annotations.Nullable;

/** Writes the operands of one instruction in Intel syntax. */
final class OperandText {
  static final String[] SEGMENTS = {"es", "cs", "ss", "ds", "fs", "gs", "?", "?"};

  private static final String[] NAMES = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};
  private static final String[] BYTES = {"al", "cl", "dl", "bl", "ah", "ch", "dh", "bh"};
  private static final String[] REX_BYTES = {"al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"};

  private final Insn insn;
  private final long rip;
  private final Disassembler.@Nullable Symbols symbols;
  private final StringBuilder out;
  private int immediates;
  private long target;
  private boolean hasTarget;

  OperandText(Insn insn, long rip, Disassembler.@Nullable Symbols symbols, StringBuilder out) {
    this.insn = insn;
    this.rip = rip;
    this.symbols = symbols;
    this.out = out;
  }

  void operand(Operand operand) {
    int size = operand.sizeBytes(insn);
    switch (operand.kind()) {
      case E -> {
        if (insn.mod == 3) {
          out.append(register(insn.rm, size));
        } else {
          memory(size);
        }
      }
      case G -> out.append(register(insn.reg, size));
      case M -> memory(size);
      case R -> out.append(register(insn.rm, size));
      case Z -> out.append(register(insn.opcodeReg, size));
      case FIXED -> out.append(register(operand.fixedReg(), size));
      case B -> out.append(register(insn.vvvv, size));
      case I -> immediate(operand, size);
      case ONE -> out.append('1');
      case J -> target();
      case O -> absolute(insn.disp);
      case A -> {
        hex(insn.imm2);
        out.append(':');
        hex(insn.imm);
      }
      case S -> out.append(SEGMENTS[operand.fixedReg() >= 0 ? operand.fixedReg() : insn.reg]);
      case C -> out.append("cr").append(insn.reg);
      case D -> out.append("dr").append(insn.reg);
      case X -> string(size, 6, segment(insn));
      case Y -> string(size, 7, "es");
      case V -> vector(operand.fixedReg() >= 0 ? operand.fixedReg() : insn.reg, size);
      case W -> {
        if (insn.mod == 3) {
          vector(insn.rm, size);
        } else {
          memory(size);
        }
      }
      case U -> vector(insn.rm, size);
      case H -> vector(insn.vvvv, size);
      case L -> vector((int) insn.imm >> 4 & (insn.codeBits == 64 ? 15 : 7), size);
      case P -> out.append("mm").append(insn.reg & 7);
      case Q -> {
        if (insn.mod == 3) {
          out.append("mm").append(insn.rm & 7);
        } else {
          memory(size);
        }
      }
      case N -> out.append("mm").append(insn.rm & 7);
      case ST -> out.append("st");
      case STI -> out.append("st(").append(insn.rm & 7).append(')');
    }
  }

  /** The segment of an operand that is at DS unless overridden. */
  static String segment(Insn insn) {
    return SEGMENTS[insn.segmentOverride == Insn.NONE ? 3 : insn.segmentOverride];
  }

  /** Writes the address that a rip-relative operand means. */
  void comment() {
    if (hasTarget) {
      out.append("        # ");
      hex(target);
      name(target);
    }
  }

  private String register(int number, int size) {
    if (number >= 8) {
      return switch (size) {
        case 1 -> "r" + number + "b";
        case 2 -> "r" + number + "w";
        case 4 -> "r" + number + "d";
        default -> "r" + number;
      };
    }
    return switch (size) {
      case 1 -> insn.rex != 0 ? REX_BYTES[number] : BYTES[number];
      case 2 -> NAMES[number];
      case 4 -> "e" + NAMES[number];
      default -> "r" + NAMES[number];
    };
  }

  private void vector(int number, int size) {
    out.append(size > 16 ? "ymm" : "xmm").append(number);
  }

  private void immediate(Operand operand, int size) {
    long value = immediates++ == 0 ? insn.imm : insn.imm2;
    boolean wide = insn.opcode.has(Opcode.D64);
    hex(size == 2 && !wide || operand == Operand.Iw ? value & 0xffff : mask(value, size));
  }

  private static long mask(long value, int size) {
    return size >= 8 ? value : value & (1L << size * 8) - 1;
  }

  private void target() {
    long va = rip + insn.length + insn.imm;
    if (insn.codeBits != 64) {
      va = insn.operandSize == 2 ? va & 0xffff : va & 0xffff_ffffL;
    }
    hex(va);
    name(va);
  }

  private void name(long va) {
    String name = symbols == null ? null : symbols.at(va);
    if (name != null) {
      out.append(" <").append(name).append('>');
    }
  }

  private void hex(long value) {
    out.append("0x").append(Long.toHexString(value));
  }

  private void size(int bytes) {
    String name =
        switch (bytes) {
          case 1 -> "BYTE";
          case 2 -> "WORD";
          case 4 -> "DWORD";
          case 6 -> "FWORD";
          case 8 -> "QWORD";
          case 10 -> "TBYTE";
          case 16 -> "XMMWORD";
          case 32 -> "YMMWORD";
          default -> "";
        };
    if (!name.isEmpty()) {
      out.append(name).append(" PTR ");
    }
  }

  private void string(int size, int register, String segment) {
    size(size);
    out.append(segment).append(":[").append(register(register, insn.addressSize)).append(']');
  }

  private void absolute(long offset) {
    out.append(segment(insn)).append(':');
    hex(offset);
  }

  private void memory(int size) {
    switch (insn.mnemonic()) {
      case CMPXCHG16B -> out.append("OWORD PTR ");
      case INVPCID, LDDQU, VLDDQU, SGDT, SIDT, LGDT, LIDT -> {}
      case CALLF, JMPF, LDS, LES, LSS, LFS, LGS ->
          size(insn.codeBits == 16 != insn.opSizePrefix ? 4 : 6);
      default -> size(size);
    }
    boolean sib = insn.addressSize != 2 && (insn.modrm & 7) == 4;
    boolean zeroIndex = sib && insn.index == Insn.NONE && showsZeroIndex();
    if (insn.base == Insn.NONE && insn.index == Insn.NONE && !insn.ripRelative && !zeroIndex) {
      absolute(insn.codeBits == 64 ? insn.disp : mask(insn.disp, insn.addressSize));
      return;
    }
    if (insn.segmentOverride != Insn.NONE && !Disassembler.isNotrack(insn)) {
      out.append(SEGMENTS[insn.segmentOverride]).append(':');
    }
    out.append('[');
    if (insn.ripRelative) {
      out.append(insn.addressSize == 8 ? "rip" : "eip");
      target = rip + insn.length + insn.disp;
      target = insn.addressSize == 4 ? target & 0xffff_ffffL : target;
      hasTarget = true;
    } else if (insn.base != Insn.NONE) {
      out.append(register(insn.base, insn.addressSize));
    }
    if (insn.index != Insn.NONE || zeroIndex) {
      index();
    }
    displacement();
    out.append(']');
  }

  /**
   * Whether a SIB byte without index is told from the plain form, which objdump does by naming riz.
   */
  private boolean showsZeroIndex() {
    if (insn.codeBits == 16 && insn.base == Insn.NONE) {
      return insn.scale != 0;
    }
    if (insn.scale != 0 || insn.base != Insn.NONE && (insn.base & 7) != 4) {
      return true;
    }
    return insn.base == Insn.NONE && (insn.codeBits != 64 || insn.addrSizePrefix);
  }

  private void index() {
    if (insn.base != Insn.NONE) {
      out.append('+');
    }
    if (insn.opcode.has(Opcode.VSIB)) {
      vector(insn.index, dwordIndexOfQwords() ? 16 : insn.vectorLength);
    } else if (insn.index == Insn.NONE) {
      out.append(insn.addressSize == 8 ? "riz" : "eiz");
    } else {
      out.append(register(insn.index, insn.addressSize));
    }
    if (insn.addressSize != 2) {
      out.append('*').append(1 << insn.scale);
    }
  }

  /** Gathers of 8-byte elements by 4-byte indexes need only half of an index register. */
  private boolean dwordIndexOfQwords() {
    return (insn.opcode.code() & 1) == 0 && insn.opcode.has(Opcode.W1);
  }

  private void displacement() {
    boolean needed = insn.mod != 0 || insn.ripRelative || insn.base == Insn.NONE;
    if (insn.disp < 0 && !insn.ripRelative) {
      out.append('-');
      hex(-insn.disp);
    } else if (needed) {
      out.append('+');
      hex(insn.disp);
    }
  }
}
