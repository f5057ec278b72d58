package parhelion.cpu.decode;

/** Operand codes in the notation of the SDM, volume 2, appendix A: addressing method, then size. */
public enum Operand {
  // General register or memory in ModRM.rm.
  Eb(Kind.E, 1),
  Ew(Kind.E, 2),
  Ed(Kind.E, 4),
  Eq(Kind.E, 8),
  Ev(Kind.E, Operand.V_SIZE),
  Ey(Kind.E, Operand.Y_SIZE),
  Ez(Kind.E, Operand.Z_SIZE),
  // A register of operand size, or a word in memory (SLDT, MOV from Sreg, LAR).
  RvMw(Kind.E, Operand.RV_MW),
  // A 32-bit register, or a byte or word in memory (PINSRB, PEXTRW).
  RdMb(Kind.E, Operand.RD_MB),
  RdMw(Kind.E, Operand.RD_MW),
  // General register in ModRM.reg.
  Gb(Kind.G, 1),
  Gw(Kind.G, 2),
  Gd(Kind.G, 4),
  Gv(Kind.G, Operand.V_SIZE),
  Gy(Kind.G, Operand.Y_SIZE),
  Gn(Kind.G, Operand.N_SIZE),
  // Memory only; M has no size of its own.
  M(Kind.M, 0),
  Mb(Kind.M, 1),
  Mw(Kind.M, 2),
  Md(Kind.M, 4),
  Mq(Kind.M, 8),
  Mt(Kind.M, 10),
  Mdq(Kind.M, 16),
  Mv(Kind.M, Operand.V_SIZE),
  My(Kind.M, Operand.Y_SIZE),
  Mx(Kind.M, Operand.X_SIZE),
  Mp(Kind.M, Operand.P_SIZE),
  Ma(Kind.M, Operand.A_SIZE),
  Ms(Kind.M, Operand.S_SIZE),
  // General register in ModRM.rm; Rn has the width of the mode.
  Rv(Kind.R, Operand.V_SIZE),
  Ry(Kind.R, Operand.Y_SIZE),
  Rn(Kind.R, Operand.N_SIZE),
  // General register in the opcode byte.
  Zb(Kind.Z, 1),
  Zv(Kind.Z, Operand.V_SIZE),
  // Segment register in ModRM.reg, control and debug registers.
  Sw(Kind.S, 2),
  Cd(Kind.C, Operand.N_SIZE),
  Dd(Kind.D, Operand.N_SIZE),
  // Immediates; Ibs is sign-extended to operand size, Iz is at most 4 bytes and sign-extended.
  Ib(Kind.I, 1),
  Ibs(Kind.I, Operand.V_SIZE),
  Iw(Kind.I, 2),
  Iz(Kind.I, Operand.V_SIZE),
  Iv(Kind.I, Operand.V_SIZE),
  One(Kind.ONE, 1),
  // Relative and absolute code and data addresses.
  Jb(Kind.J, 1),
  Jz(Kind.J, Operand.Z_SIZE),
  Ap(Kind.A, Operand.P_SIZE),
  Ob(Kind.O, 1),
  Ov(Kind.O, Operand.V_SIZE),
  // Strings.
  Xb(Kind.X, 1),
  Xv(Kind.X, Operand.V_SIZE),
  Xz(Kind.X, Operand.Z_SIZE),
  Yb(Kind.Y, 1),
  Yv(Kind.Y, Operand.V_SIZE),
  Yz(Kind.Y, Operand.Z_SIZE),
  // XMM (and YMM) registers; the size is what the instruction reads or writes of it.
  Vdq(Kind.V, 16),
  Vps(Kind.V, 16),
  Vpd(Kind.V, 16),
  Vss(Kind.V, 4),
  Vsd(Kind.V, 8),
  Vq(Kind.V, 8),
  Vx(Kind.V, Operand.X_SIZE),
  Wdq(Kind.W, 16),
  Wps(Kind.W, 16),
  Wpd(Kind.W, 16),
  Wss(Kind.W, 4),
  Wsd(Kind.W, 8),
  Wq(Kind.W, 8),
  Wd(Kind.W, 4),
  Ww(Kind.W, 2),
  Wb(Kind.W, 1),
  Wx(Kind.W, Operand.X_SIZE),
  Udq(Kind.U, 16),
  Ups(Kind.U, 16),
  Upd(Kind.U, 16),
  Uq(Kind.U, 8),
  Ux(Kind.U, Operand.X_SIZE),
  Hx(Kind.H, Operand.X_SIZE),
  Hdq(Kind.H, 16),
  Hss(Kind.H, 4),
  Hsd(Kind.H, 8),
  // The mask of BLENDVPS and its like, always XMM0.
  XMM0(Kind.V, 16, 0),
  // General register in VEX.vvvv.
  By(Kind.B, Operand.Y_SIZE),
  // MMX registers.
  Pq(Kind.P, 8),
  Qq(Kind.Q, 8),
  Qd(Kind.Q, 4),
  Nq(Kind.N, 8),
  // Fixed registers.
  AL(Kind.FIXED, 1, 0),
  CL(Kind.FIXED, 1, 1),
  AX(Kind.FIXED, 2, 0),
  DX(Kind.FIXED, 2, 2),
  eAX(Kind.FIXED, Operand.Z_SIZE, 0),
  rAX(Kind.FIXED, Operand.V_SIZE, 0),
  ES(Kind.S, 2, 0),
  CS(Kind.S, 2, 1),
  SS(Kind.S, 2, 2),
  DS(Kind.S, 2, 3),
  FS(Kind.S, 2, 4),
  GS(Kind.S, 2, 5),
  // x87: top of stack, and ST(i).
  ST(Kind.ST, 10, 0),
  STi(Kind.STI, 10),
  // The accumulator of VEX blends: bits 7:4 of the immediate.
  Lx(Kind.L, Operand.X_SIZE),
  // Vector-indexed memory (gathers): 4-byte and 8-byte elements.
  Mvd(Kind.M, 4),
  Mvq(Kind.M, 8);

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
    /** Segment register in ModRM.reg, or fixed ({@link Operand#fixedReg} >= 0). */
    S,
    /** Control register in ModRM.reg. */
    C,
    /** Debug register in ModRM.reg. */
    D,
    /** Memory at DS:rSI (segment can be overridden). */
    X,
    /** Memory at ES:rDI. */
    Y,
    /** XMM/YMM register in ModRM.reg, or fixed ({@link Operand#fixedReg} >= 0). */
    V,
    /** XMM/YMM register or memory in ModRM.rm. */
    W,
    /** XMM/YMM register in ModRM.rm only. */
    U,
    /** XMM/YMM register in VEX.vvvv. */
    H,
    /** General register in VEX.vvvv. */
    B,
    /** MMX register in ModRM.reg; REX bits do not count: use reg & 7. */
    P,
    /** MMX register or memory in ModRM.rm. */
    Q,
    /** MMX register in ModRM.rm only. */
    N,
    /** x87 top of stack. */
    ST,
    /** x87 ST(i), i = ModRM.rm & 7. */
    STI,
    /** XMM/YMM register in imm[7:4]. */
    L
  }

  private static final int V_SIZE = -1; // effective operand size
  private static final int Y_SIZE = -2; // 4, or 8 with REX.W
  private static final int Z_SIZE = -3; // operand size, at most 4
  private static final int N_SIZE = -4; // 8 in 64-bit mode, else 4
  private static final int X_SIZE = -5; // vector length
  private static final int P_SIZE = -6; // far pointer: offset of operand size, selector
  private static final int A_SIZE = -7; // pair of operand size (BOUND)
  private static final int S_SIZE = -8; // limit and base of a descriptor table
  private static final int RV_MW = -9;
  private static final int RD_MB = -10;
  private static final int RD_MW = -11;

  private final Kind kind;
  private final int size;
  private final int fixedReg;

  Operand(Kind kind, int size) {
    this(kind, size, -1);
  }

  Operand(Kind kind, int size, int fixedReg) {
    this.kind = kind;
    this.size = size;
    this.fixedReg = fixedReg;
  }

  public Kind kind() {
    return kind;
  }

  /** Register number of a fixed general or segment register, or -1. */
  public int fixedReg() {
    return fixedReg;
  }

  /**
   * Size in bytes for this instruction; 0 where the operand has no size of its own (LEA, FXSAVE).
   */
  public int sizeBytes(Insn insn) {
    return switch (size) {
      case V_SIZE -> insn.operandSize;
      case Y_SIZE -> insn.codeBits == 64 && (insn.rex & 8) != 0 ? 8 : 4;
      case Z_SIZE -> Math.min(insn.operandSize, 4);
      case N_SIZE -> insn.codeBits == 64 ? 8 : 4;
      case X_SIZE -> insn.vectorLength;
      case P_SIZE -> insn.operandSize + 2;
      case A_SIZE -> insn.operandSize * 2;
      case S_SIZE -> insn.codeBits == 64 ? 10 : 6;
      case RV_MW -> insn.isMemory() ? 2 : insn.operandSize;
      case RD_MB -> insn.isMemory() ? 1 : 4;
      case RD_MW -> insn.isMemory() ? 2 : 4;
      default -> size;
    };
  }

  /** Whether the operand-size prefix changes its size. */
  boolean variesWithOperandSize(Insn insn) {
    return switch (size) {
      case V_SIZE, Z_SIZE, P_SIZE, A_SIZE -> true;
      case RV_MW -> !insn.isMemory();
      default -> false;
    };
  }

  /** Whether REX.W changes its size. */
  boolean variesWithW(Insn insn) {
    return size == Y_SIZE || size != Z_SIZE && variesWithOperandSize(insn);
  }

  /** Whether it is a byte register of this instruction that REX turns from AH..BH into SPL..DIL. */
  boolean isRexByteRegister(Insn insn) {
    return size == 1
        && switch (kind) {
          case G -> (insn.reg & 4) != 0;
          case Z -> (insn.opcodeReg & 4) != 0;
          case E -> insn.mod == 3 && (insn.rm & 4) != 0;
          default -> false;
        };
  }
}
