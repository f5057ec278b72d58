package parhelion.cpu;

/** Kinds of access, and what a translation allows. Plain ints: they are on the hottest path. */
public final class Access {
  public static final int READ = 0;
  public static final int WRITE = 1;
  public static final int EXECUTE = 2;

  /**
   * May be added to READ or WRITE: the access is a supervisor's whatever the privilege level
   * (descriptor tables, TSS).
   */
  public static final int IMPLICIT = 4;

  /**
   * Bits of a translation result, beside the page-aligned machine address: it may be read from the
   * TLB.
   */
  public static final int MAY_READ = 1;

  /** Stores may go through the TLB: the page is writable and its dirty bit is set. */
  public static final int MAY_WRITE = 2;

  public static final int MAY_EXECUTE = 4;

  /**
   * Every access of this kind goes to the monitor's {@link Monitor#load} or {@link Monitor#store}:
   * device registers, and page tables whose writes are validated. Never cached in the TLB.
   */
  public static final int HOOKED = 8;

  /**
   * The page is in all address spaces: its translation outlives MOV to CR3. Set only where the CPU
   * {@link Cpu#keepsGlobalPages}.
   */
  public static final int GLOBAL = 16;

  /** A translation result that is a page fault with this error code; negative, as no other is. */
  public static long pageFault(int errorCode) {
    return Long.MIN_VALUE | errorCode;
  }

  /** The error code of a negative translation result. */
  public static int errorCode(long pageFault) {
    return (int) pageFault;
  }

  private Access() {}
}
