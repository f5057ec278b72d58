package parhelion.cpu.decode;

/** Operand codes in the notation of the SDM, volume 2, appendix A: addressing method, then size. */
public enum Operand {
  Eb(Kind.E, 1),
  Ew(Kind.E, 2),
  Ed(Kind.E, 4),
  Eq(Kind.E, 8),
  Ev(Kind.E, Operand.V_SIZE),
  /** 4 bytes, or 8 with REX.W. */
  Ey(Kind.E, Operand.Y_SIZE),
  Gb(Kind.G, 1),
  Gw(Kind.G, 2),
  Gd(Kind.G, 4),
  Gq(Kind.G, 8),
  Gv(Kind.G, Operand.V_SIZE),
  Gy(Kind.G, Operand.Y_SIZE),
  ;

  /** Where the operand is. */
  public enum Kind {
    /** ModRM.rm: general register or memory. */
    E,
    /** ModRM.reg: general register. */
    G,
    /** ModRM.rm, memory only. */
    M,
    /** ModRM.rm, general register only. */
    R,
    /** General register in the opcode's low three bits ({@link Insn#opcodeReg}). */
    Z,
    /** A fixed general register: {@link Operand#fixedReg}. */
    FIXED,
    /** Immediate in {@link Insn#imm} (or imm2 for the second of ENTER). */
    I,
    /** The constant 1. */
    ONE,
    /** Displacement relative to the next instruction, in imm. */
    J,
    /** Absolute offset without ModRM, in disp. */
    O,
    /** Far pointer imm2:imm. */
    A,
    /** Segment register in ModRM.reg, or fixed. */
    S,
    /** Control register in ModRM.reg. */
    C,
    /** Debug register in ModRM.reg. */
    D,
    /** Memory at DS:rSI (segment can be overridden). */
    X,
    /** Memory at ES:rDI. */
    Y,
    /** XMM/YMM register in ModRM.reg. */
    V,
    /** XMM/YMM register or memory in ModRM.rm. */
    W,
    /** XMM/YMM register in ModRM.rm only. */
    U,
    /** XMM/YMM register in VEX.vvvv. */
    H,
    /** MMX register in ModRM.reg. */
    P,
    /** MMX register or memory in ModRM.rm. */
    Q,
    /** MMX register in ModRM.rm only. */
    N,
    /** x87 top of stack. */
    ST,
    /** x87 ST(i), i = ModRM.rm. */
    STI
  }

  private static final int V_SIZE = -1;
  private static final int Y_SIZE = -2;

  private final Kind kind;
  private final int size;

  Operand(Kind kind, int size) {
    this.kind = kind;
    this.size = size;
  }

  public Kind kind() {
    return kind;
  }

  public int sizeBytes(Insn insn) {
    return switch (size) {
      case V_SIZE -> insn.operandSize;
      case Y_SIZE -> (insn.rex & 8) != 0 ? 8 : 4;
      default -> size;
    };
  }
}
