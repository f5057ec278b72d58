package parhelion.testkit.oracle;

/**
 * Where code and data lie, the same for host and interpreter: low enough that absolute and 32-bit
 * addresses reach it. After the host frame's own two pages come the code, a page that does not
 * exist for the interpreter, and the data.
 *
 * @param va linear address of its start
 */
record Arena(long va) {
  static final int PAGE = 4096;
  static final int FRAME_PAGES = 2;
  static final int CODE_PAGES = 3;
  static final int DATA_PAGES = 3;
  static final int CODE_BYTES = CODE_PAGES * PAGE;
  static final int DATA_BYTES = DATA_PAGES * PAGE;

  /** Offsets from the start. */
  static final int CODE = FRAME_PAGES * PAGE;

  static final int DATA = CODE + CODE_BYTES + PAGE;
  static final int BYTES = DATA + DATA_BYTES + PAGE;

  /**
   * Operands lie from here to there; what is around them is for strings, stacks and bit offsets.
   */
  static final int OPERANDS_FROM = 1536;

  static final int OPERANDS_TO = DATA_BYTES - 2048;

  /** Where arenas may lie: below 2 GiB, so that every form of address reaches them. */
  static final long[] PLACES = {
    0x7000_0000L, 0x2000_0000L, 0x6000_0000L, 0x3000_0000L, 0x5000_0000L, 0x1000_0000L, 0x4000_0000L
  };

  long codeVa() {
    return va + CODE;
  }

  long dataVa() {
    return va + DATA;
  }
}
