package parhelion.cpu;

import static parhelion.cpu.CpuState.*;

/**
 * Delivery of exceptions and interrupts through the guest's interrupt table (SDM volume 3, chapter
 * 6), in real mode, protected mode and long mode, with the rules for faults in the course of
 * delivery: some pairs are a double fault, a fault during that is a shutdown.
 */
public final class Exceptions {
  /** Nothing is committed of an exception until its whole frame is written. */
  private static final int NO_CODE = -1;

  private static final int EXT = 1;

  private Exceptions() {}

  /**
   * Delivers an exception with RIP at what is to be saved; {@code errorCode} is pushed where the
   * vector has one.
   */
  public static void deliver(Cpu c, int vector, int errorCode, long cr2) {
    int v = vector;
    int code = errorCode;
    long address = cr2;
    while (true) {
      if (v == GuestFault.PF) {
        c.put64(CR2, address);
      }
      boolean fault =
          v != GuestFault.DB && v != GuestFault.BP && v != GuestFault.OF && v != GuestFault.NMI;
      try {
        int pushed = GuestFault.hasErrorCode(v) && c.protectedMode() ? code : NO_CODE;
        enter(c, v, pushed, false, fault ? Rflags.RF : 0);
        return;
      } catch (GuestFault f) {
        if (v == GuestFault.DF) {
          c.monitor.shutdown(c);
          return;
        }
        if (isDoubleFault(v, f.vector)) {
          v = GuestFault.DF;
          code = 0;
        } else {
          v = f.vector;
          code = f.vector == GuestFault.PF ? f.errorCode : f.errorCode | EXT;
          address = f.cr2;
        }
      }
    }
  }

  /** Delivers an external interrupt; the caller has seen to IF and the interrupt shadow. */
  public static void interrupt(Cpu c, int vector) {
    try {
      enter(c, vector, NO_CODE, false, 0);
    } catch (GuestFault f) {
      int code = f.vector == GuestFault.PF ? f.errorCode : f.errorCode | EXT;
      c.monitor.exception(c, f.vector, code, f.cr2);
    }
  }

  /** INT n, INT3, INTO with RIP at the next instruction; throws the fault of the delivery. */
  public static void softwareInterrupt(Cpu c, int vector, int insnLength) {
    enter(c, vector, NO_CODE, true, 0);
  }

  /** Contributory exceptions and page faults (SDM table 6-5). */
  static boolean isDoubleFault(int first, int second) {
    if (first == GuestFault.PF) {
      return second == GuestFault.PF || isContributory(second);
    }
    return isContributory(first) && isContributory(second);
  }

  private static boolean isContributory(int vector) {
    return vector == GuestFault.DE || (vector >= GuestFault.TS && vector <= GuestFault.GP);
  }

  private static void enter(Cpu c, int vector, int code, boolean software, int extraFlags) {
    long flags = c.rflags() | extraFlags;
    if (!c.protectedMode()) {
      InterruptEntry.real(c, vector, flags & ~(long) Rflags.RF);
    } else if (c.longMode()) {
      InterruptEntry.longMode(c, vector, code, software, flags);
    } else {
      InterruptEntry.legacy(c, vector, code, software, flags);
    }
  }
}
