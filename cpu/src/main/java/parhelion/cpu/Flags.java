package parhelion.cpu;

/**
 * The six arithmetic flags, kept lazily in two longs of the {@link Cpu}: {@code fRes}, the last
 * result sign-extended to 64 bits, and {@code fAux}: bit 63 CF, bit 62 CF xor OF, bit 3 AF, bits
 * 15..8 a byte to xor into the result before its parity is taken, bit 0 SF xor the result's sign.
 * An arithmetic instruction stores two longs; a condition reads what it needs. (Sizes are given as
 * {@code shift} = 64 - operand bits.)
 */
public final class Flags {
  private static final long TOP = 0xc000000000000000L;

  private Flags() {}

  // --- arithmetic: each returns the raw result (upper bits above the operand size are garbage) ---

  public static long add64(Cpu c, long a, long b) {
    long r = a + b;
    long carries = (a & b) | ((a | b) & ~r);
    c.fRes = r;
    c.fAux = carries & (TOP | 8);
    return r;
  }

  public static long sub64(Cpu c, long a, long b) {
    long r = a - b;
    long borrows = (~a & b) | (~(a ^ b) & r);
    c.fRes = r;
    c.fAux = borrows & (TOP | 8);
    return r;
  }

  public static int add32(Cpu c, int a, int b) {
    int r = a + b;
    int carries = (a & b) | ((a | b) & ~r);
    c.fRes = r;
    c.fAux = (((long) carries << 32) & TOP) | (carries & 8);
    return r;
  }

  public static int sub32(Cpu c, int a, int b) {
    int r = a - b;
    int borrows = (~a & b) | (~(a ^ b) & r);
    c.fRes = r;
    c.fAux = (((long) borrows << 32) & TOP) | (borrows & 8);
    return r;
  }

  public static long logic64(Cpu c, long r) {
    c.fRes = r;
    c.fAux = 0;
    return r;
  }

  public static int logic32(Cpu c, int r) {
    c.fRes = r;
    c.fAux = 0;
    return r;
  }

  public static long add(Cpu c, long a, long b, int shift) {
    return carried(c, a, b, a + b, shift);
  }

  public static long adc(Cpu c, long a, long b, int shift) {
    return carried(c, a, b, a + b + (c.fAux >>> 63), shift);
  }

  private static long carried(Cpu c, long a, long b, long r, int shift) {
    long carries = (a & b) | ((a | b) & ~r);
    c.fRes = r << shift >> shift;
    c.fAux = ((carries << shift) & TOP) | (carries & 8);
    return r;
  }

  public static long sub(Cpu c, long a, long b, int shift) {
    return borrowed(c, a, b, a - b, shift);
  }

  public static long sbb(Cpu c, long a, long b, int shift) {
    return borrowed(c, a, b, a - b - (c.fAux >>> 63), shift);
  }

  private static long borrowed(Cpu c, long a, long b, long r, int shift) {
    long borrows = (~a & b) | (~(a ^ b) & r);
    c.fRes = r << shift >> shift;
    c.fAux = ((borrows << shift) & TOP) | (borrows & 8);
    return r;
  }

  public static long logic(Cpu c, long r, int shift) {
    c.fRes = r << shift >> shift;
    c.fAux = 0;
    return r;
  }

  /** INC: ADD 1 with CF kept. */
  public static long inc(Cpu c, long a, int shift) {
    long carry = c.fAux & Long.MIN_VALUE;
    long r = add(c, a, 1, shift);
    keepCarry(c, carry);
    return r;
  }

  /** DEC: SUB 1 with CF kept. */
  public static long dec(Cpu c, long a, int shift) {
    long carry = c.fAux & Long.MIN_VALUE;
    long r = sub(c, a, 1, shift);
    keepCarry(c, carry);
    return r;
  }

  private static void keepCarry(Cpu c, long carry) {
    long overflow = (c.fAux ^ (c.fAux << 1)) & Long.MIN_VALUE;
    c.fAux = (c.fAux & ~TOP) | carry | ((overflow ^ carry) >>> 1);
  }

  /**
   * Result flags of {@code r} (sign-extended by shift) with explicit carry and overflow; AF clear.
   */
  public static void result(Cpu c, long r, int shift, boolean carry, boolean overflow) {
    c.fRes = r << shift >> shift;
    c.fAux = (carry ? Long.MIN_VALUE : 0) | (carry != overflow ? 1L << 62 : 0);
  }

  /** Sets carry, leaving the other five as they are. */
  public static void setCarry(Cpu c, boolean carry) {
    keepCarryOverflow(c, carry, of(c));
  }

  /** Sets carry and overflow, leaving the other four. */
  public static void keepCarryOverflow(Cpu c, boolean carry, boolean overflow) {
    c.fAux = (c.fAux & ~TOP) | (carry ? Long.MIN_VALUE : 0) | (carry != overflow ? 1L << 62 : 0);
  }

  /**
   * Sets carry (bit 63) and carry xor overflow (bit 62) from the top of {@code bits}, leaving the
   * other four flags: what the result of a rotate holds already, or nearly.
   */
  public static void carryBits(Cpu c, long bits) {
    c.fAux = (c.fAux & ~TOP) | (bits & TOP);
  }

  /**
   * Result flags of {@code r}, sign-extended already, with carry bits as in {@link #carryBits}; AF
   * clear.
   */
  public static void resultWithCarryBits(Cpu c, long r, long bits) {
    c.fRes = r;
    c.fAux = bits & TOP;
  }

  // --- reading ---

  public static boolean cf(Cpu c) {
    return c.fAux < 0;
  }

  public static boolean zf(Cpu c) {
    return c.fRes == 0;
  }

  public static boolean sf(Cpu c) {
    return (c.fRes ^ (c.fAux << 63)) < 0;
  }

  public static boolean of(Cpu c) {
    return (c.fAux ^ (c.fAux << 1)) < 0;
  }

  public static boolean af(Cpu c) {
    return (c.fAux & 8) != 0;
  }

  public static boolean pf(Cpu c) {
    return (Integer.bitCount((int) (c.fRes ^ (c.fAux >>> 8)) & 0xff) & 1) == 0;
  }

  /** SF != OF. */
  public static boolean less(Cpu c) {
    return (c.fRes ^ (c.fAux << 63) ^ c.fAux ^ (c.fAux << 1)) < 0;
  }

  /** Condition code 0..15 as in the low nibble of Jcc opcodes (SDM volume 1, appendix B). */
  public static boolean condition(Cpu c, int cc) {
    boolean value =
        switch (cc >> 1) {
          case 0 -> of(c);
          case 1 -> cf(c);
          case 2 -> zf(c);
          case 3 -> cf(c) || zf(c);
          case 4 -> sf(c);
          case 5 -> pf(c);
          case 6 -> less(c);
          default -> zf(c) || less(c);
        };
    return value ^ ((cc & 1) != 0);
  }

  /** The arithmetic flags as RFLAGS bits. */
  public static int get(Cpu c) {
    return (cf(c) ? Rflags.CF : 0)
        | (pf(c) ? Rflags.PF : 0)
        | (af(c) ? Rflags.AF : 0)
        | (zf(c) ? Rflags.ZF : 0)
        | (sf(c) ? Rflags.SF : 0)
        | (of(c) ? Rflags.OF : 0);
  }

  /** Sets the arithmetic flags from RFLAGS bits. */
  public static void set(Cpu c, long rflags) {
    boolean zero = (rflags & Rflags.ZF) != 0;
    boolean parity = (rflags & Rflags.PF) != 0;
    boolean carry = (rflags & Rflags.CF) != 0;
    boolean overflow = (rflags & Rflags.OF) != 0;
    c.fRes = zero ? 0 : 1;
    c.fAux =
        (carry ? Long.MIN_VALUE : 0)
            | (carry != overflow ? 1L << 62 : 0)
            | ((rflags & Rflags.AF) != 0 ? 8 : 0)
            | (zero == parity ? 0 : 0x100)
            | ((rflags & Rflags.SF) != 0 ? 1 : 0);
  }
}
