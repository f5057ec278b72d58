package parhelion.cpu.decode;

/**
 * One row of the opcode map: an encoding, its mnemonic, operands and attributes. The map in {@link
 * OpcodeMap} is the only list of instructions in the project; decoder, disassembler, CPUID gating
 * and test generation all read it.
 *
 * @param map 0 one-byte, 1 0F, 2 0F38, 3 0F3A
 * @param code opcode byte
 * @param prefix mandatory prefix: 0 none, 0x66, 0xF3, 0xF2; -1 any (prefixes keep their ordinary
 *     meaning)
 * @param regField required ModRM.reg (0..7) or -1
 * @param rmField required ModRM.rm with mod == 3 (0..7) or -1
 * @param modForm 0 any, 1 memory only, 3 register only; -1 no ModRM byte
 * @param feature CPUID feature that offers it
 * @param attributes bit set of the ATTR constants
 * @param flagsRead RFLAGS bits read
 * @param flagsWritten RFLAGS bits written with a defined result
 * @param flagsUndefined RFLAGS bits left undefined
 */
public record Opcode(
    int map,
    int code,
    int prefix,
    int regField,
    int rmField,
    int modForm,
    Mnemonic mnemonic,
    Operand[] operands,
    Feature feature,
    int attributes,
    int flagsRead,
    int flagsWritten,
    int flagsUndefined) {
  /** LOCK is allowed with a memory destination. */
  public static final int LOCK = 1;

  /** Not in 64-bit mode. */
  public static final int NOT64 = 1 << 1;

  /** Only in 64-bit mode. */
  public static final int ONLY64 = 1 << 2;

  /**
   * Operand size defaults to 64 bits in 64-bit mode, 32 not encodable (push, pop, near branches).
   */
  public static final int D64 = 1 << 3;

  /** Privileged: CPL 0 only. */
  public static final int PRIVILEGED = 1 << 4;

  /** REP/REPNE have string meaning. */
  public static final int STRING = 1 << 5;

  /** Ends a basic block: changes RIP or mode. */
  public static final int ENDS_BLOCK = 1 << 6;

  /** Uses x87 or MMX state. */
  public static final int X87 = 1 << 7;

  /** Uses XMM state. */
  public static final int SSE = 1 << 8;

  /** Memory operand that must be aligned to its size: legacy SSE, and the aligned moves of AVX. */
  public static final int ALIGNED = 1 << 9;

  /** VEX encoded. */
  public static final int VEX = 1 << 10;

  /** IOPL-sensitive: in, out, ins, outs, cli, sti. */
  public static final int IOPL = 1 << 11;

  /** REX.W distinguishes the row: needs W=1. */
  public static final int W1 = 1 << 12;

  /** Needs W=0. */
  public static final int W0 = 1 << 13;

  /**
   * Operand size is 64 bits in 64-bit mode whatever the prefixes say (near branches; AMD would
   * honour 66).
   */
  public static final int F64 = 1 << 14;

  /** VEX.L must be 0, or must be 1; neither: any. */
  public static final int L0 = 1 << 15;

  public static final int L1 = 1 << 16;

  /** The memory operand's index is a vector register (gathers). */
  public static final int VSIB = 1 << 17;

  /** REX.B must be clear (90 is NOP, 41 90 is XCHG). */
  public static final int B0 = 1 << 18;

  /** F2 and F3 are not allowed, 66 keeps its ordinary meaning (MOVBE, RDRAND). */
  public static final int NO_REP = 1 << 19;

  /** The opcode's low three bits name a register: the row stands for eight opcode bytes. */
  public static final int PLUS_R = 1 << 20;

  /** What the decoder gives for bytes that no row matches. */
  public static final Opcode INVALID =
      new Opcode(
          0,
          0,
          -1,
          -1,
          -1,
          -1,
          Mnemonic.INVALID,
          new Operand[0],
          Feature.BASE,
          ENDS_BLOCK,
          0,
          0,
          0);

  public boolean has(int attribute) {
    return (attributes & attribute) != 0;
  }
}
