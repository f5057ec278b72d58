package parhelion.cpu.decode;

/**
 * One decoded instruction: the row of the opcode map that matched and what the bytes said. Filled
 * by {@link Decoder}; read by the disassembler, by the interpreter's translation into ops, by
 * monitors that emulate privileged instructions, and by tests. Instances may be reused: whoever
 * keeps one must own it.
 */
public final class Insn {
  public static final int NONE = -1;

  /**
   * The matching row of the opcode map, or {@link Opcode#INVALID} (then the instruction is #UD).
   */
  public Opcode opcode = Opcode.INVALID;

  /** Code size of the mode that it was decoded for, in bits: 16, 32 or 64. */
  public int codeBits;

  /** Length in bytes, prefixes included, 1 to 15. */
  public int length;

  /** Prefix bytes seen. */
  public boolean lock;

  public boolean rep; // F3, where it is not a mandatory prefix
  public boolean repne; // F2, likewise
  public boolean opSizePrefix; // 66 was present
  public boolean addrSizePrefix; // 67 was present

  /** Legacy prefix bytes as they came, the last one in the low byte; the last eight are kept. */
  public long prefixes;

  /** REX prefix byte (0x40..0x4f) or 0. For VEX-encoded rows the equivalent W/R/X/B bits. */
  public int rex;

  /**
   * Segment override: ES 0, CS 1, SS 2, DS 3, FS 4, GS 5, or NONE. In 64-bit mode only FS and GS
   * are kept.
   */
  public int segmentOverride = NONE;

  /** Effective operand size ("v") in bytes: 2, 4 or 8. */
  public int operandSize;

  /** Effective address size in bytes: 2, 4 or 8. */
  public int addressSize;

  /** ModRM byte, or NONE; reg and rm carry their REX bits (0..15). */
  public int modrm = NONE;

  public int mod;
  public int reg;
  public int rm;

  /** Register number in the low three bits of the opcode, with REX.B (operand kinds Z). */
  public int opcodeReg;

  /** Second source register of VEX rows, 0..15, or NONE. */
  public int vvvv = NONE;

  /** VEX.L as vector length in bytes: 16 or 32; 16 without VEX. */
  public int vectorLength = 16;

  /**
   * Memory operand (mod != 3): base and index register numbers 0..15 or NONE, scale as log2,
   * displacement sign-extended. With ripRelative the base is the address of the next instruction.
   * 16-bit forms use the same fields (base BX/BP/SI/DI, index SI/DI).
   */
  public int base = NONE;

  public int index = NONE;
  public int scale;
  public long disp;
  public boolean ripRelative;

  /**
   * Immediates: sign- or zero-extended as the row says; far pointers: imm = offset, imm2 =
   * selector; ENTER: imm, imm2.
   */
  public long imm;

  public long imm2;

  /** Makes it blank, for the decoder. */
  void reset(int bits) {
    opcode = Opcode.INVALID;
    codeBits = bits;
    length = 0;
    lock = false;
    rep = false;
    repne = false;
    opSizePrefix = false;
    addrSizePrefix = false;
    prefixes = 0;
    rex = 0;
    segmentOverride = NONE;
    modrm = NONE;
    mod = 0;
    reg = 0;
    rm = 0;
    opcodeReg = 0;
    vvvv = NONE;
    vectorLength = 16;
    base = NONE;
    index = NONE;
    scale = 0;
    disp = 0;
    ripRelative = false;
    imm = 0;
    imm2 = 0;
  }

  /** An instance of one's own with the same content. */
  public Insn copy() {
    Insn to = new Insn();
    to.opcode = opcode;
    to.codeBits = codeBits;
    to.length = length;
    to.lock = lock;
    to.rep = rep;
    to.repne = repne;
    to.opSizePrefix = opSizePrefix;
    to.addrSizePrefix = addrSizePrefix;
    to.rex = rex;
    to.segmentOverride = segmentOverride;
    to.operandSize = operandSize;
    to.addressSize = addressSize;
    to.modrm = modrm;
    to.mod = mod;
    to.reg = reg;
    to.rm = rm;
    to.opcodeReg = opcodeReg;
    to.vvvv = vvvv;
    to.vectorLength = vectorLength;
    to.base = base;
    to.index = index;
    to.scale = scale;
    to.disp = disp;
    to.ripRelative = ripRelative;
    to.imm = imm;
    to.imm2 = imm2;
    return to;
  }

  public Mnemonic mnemonic() {
    return opcode.mnemonic();
  }

  public boolean isMemory() {
    return modrm != NONE && mod != 3;
  }

  /**
   * Segment register that the memory operand uses, 0..5: the override or DS, or SS for rSP and rBP
   * bases.
   */
  public int segment() {
    if (segmentOverride != NONE) {
      return segmentOverride;
    }
    return base == 4 || base == 5 ? 2 : 3;
  }

  /** Size in bytes of operand {@code i} for this instruction (resolves "v", "z", "y"). */
  public int size(int i) {
    return opcode.operands()[i].sizeBytes(this);
  }
}
