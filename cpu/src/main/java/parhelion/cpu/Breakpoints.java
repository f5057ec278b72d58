package parhelion.cpu;

import static parhelion.cpu.CpuState.*;

/**
 * The four debug registers' breakpoints (SDM volume 3, 18.2). The run loop asks for execution
 * breakpoints before each instruction while DR7 enables any; pages with data breakpoints stay out
 * of the TLB, so that each access to them is checked here.
 */
public final class Breakpoints {
  private static final int EXECUTE = 0;
  private static final int WRITE = 1;
  private static final int IO = 2;

  /** DR7.GD: access to debug registers is a #DB. */
  private static final long GENERAL_DETECT = 1 << 13;

  private static final int[] LENGTHS = {1, 2, 8, 4};

  private Breakpoints() {}

  /**
   * True when the instruction at CS:RIP has an enabled execution breakpoint; its DR6 bits are then
   * set.
   */
  public static boolean hitsExecution(Cpu c) {
    long dr7 = c.get64(DR7);
    if ((dr7 & 0xff) == 0) {
      return false;
    }
    long va = c.codeBits == 64 ? c.rip() : (c.rip() + c.get64(SEG_BASE + CS * 8)) & 0xffff_ffffL;
    int hit = 0;
    int matched = 0;
    for (int i = 0; i < 4; i++) {
      if (kind(dr7, i) == EXECUTE && length(dr7, i) == 1 && c.get64(DR + i * 8) == va) {
        matched |= 1 << i;
        hit |= enabled(dr7, i) ? 1 : 0;
      }
    }
    if (hit != 0) {
      c.put64(DR6, (c.get64(DR6) & ~15L) | matched);
    }
    return hit != 0;
  }

  /**
   * Notes in {@link Cpu#pendingDebug} the data breakpoints that an access of {@code size} bytes
   * hits.
   */
  public static void check(Cpu c, long va, int size, int access) {
    long dr7 = c.get64(DR7);
    int hit = 0;
    int matched = 0;
    for (int i = 0; i < 4; i++) {
      int kind = kind(dr7, i);
      if (kind == EXECUTE || kind == IO || (kind == WRITE && access != Access.WRITE)) {
        continue;
      }
      long length = length(dr7, i);
      long at = c.get64(DR + i * 8) & -length;
      if (va - at < length && at - va < size) {
        matched |= 1 << i;
        hit |= enabled(dr7, i) ? 1 : 0;
      }
    }
    if (hit != 0) {
      c.pendingDebug |= matched;
    }
  }

  /** True when an enabled data breakpoint lies on the page of {@code va}. */
  public static boolean onPage(Cpu c, long va) {
    long dr7 = c.get64(DR7);
    for (int i = 0; i < 4; i++) {
      if (enabled(dr7, i)
          && kind(dr7, i) != EXECUTE
          && ((c.get64(DR + i * 8) ^ va) & -4096L) == 0) {
        return true;
      }
    }
    return false;
  }

  /**
   * Raises #DB when DR7 asks for it at any access to a debug register; to be called before such an
   * access.
   */
  public static void generalDetect(Cpu c) {
    long dr7 = c.get64(DR7);
    if ((dr7 & GENERAL_DETECT) != 0) {
      c.put64(DR6, c.get64(DR6) | GENERAL_DETECT);
      c.put64(DR7, dr7 & ~GENERAL_DETECT);
      throw c.fault(GuestFault.DB, 0);
    }
  }

  private static boolean enabled(long dr7, int i) {
    return (dr7 >>> (2 * i) & 3) != 0;
  }

  private static int kind(long dr7, int i) {
    return (int) (dr7 >>> (16 + 4 * i)) & 3;
  }

  private static int length(long dr7, int i) {
    return LENGTHS[(int) (dr7 >>> (18 + 4 * i)) & 3];
  }
}
