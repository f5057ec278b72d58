package parhelion.cpu.fpu;

import static parhelion.cpu.memory.Host.U;

import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.GuestFault;

/**
 * How MMX instructions use the x87 registers (SDM volume 3, chapter 12): MMi is the significand of
 * physical register i.
 */
final class Mmx {
  private static final long CR0_NE = 1 << 5;
  private static final int FSW_ES = 0x80;
  private static final int FSW_TOP = 0x3800;

  private Mmx() {}

  /**
   * Raises the #MF of a pending unmasked x87 exception. With CR0.NE clear the exception would be an
   * external interrupt (FERR#), which no platform here wires: nothing is raised then.
   */
  static void check(Cpu c) {
    if ((U.getByte(c.state + CpuState.FSW) & FSW_ES) != 0) {
      pending(c);
    }
  }

  private static void pending(Cpu c) {
    if ((c.get64(CpuState.CR0) & CR0_NE) != 0) {
      throw c.fault(GuestFault.MF);
    }
  }

  /** The state change of every MMX instruction but EMMS: all registers valid, TOP 0. */
  static void enter(Cpu c) {
    U.putShort(c.state + CpuState.FTW, (short) 0);
    U.putShort(c.state + CpuState.FSW, (short) (U.getShort(c.state + CpuState.FSW) & ~FSW_TOP));
  }

  /** Writes the MMX register at {@code offset} of the state block. */
  static void put(Cpu c, int offset, long value) {
    enter(c);
    U.putLong(c.state + offset, value);
    U.putShort(c.state + offset + 8, (short) 0xffff);
  }
}
