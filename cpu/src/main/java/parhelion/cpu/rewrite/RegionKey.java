package parhelion.cpu.rewrite;

import static parhelion.cpu.CpuState.CR4;
import static parhelion.cpu.memory.Host.U;

import parhelion.cpu.Cpu;

/**
 * What generated code depends on beside its bytes and addresses: the CPU's mode key, which TLB
 * serves the mode, and whether floating point has to go through the interpreter because the guest
 * has unmasked an exception.
 */
final class RegionKey {
  /** An x87 or SSE exception is not masked: on the host it would be a signal to the JVM. */
  static final int SOFT_FLOAT = 1 << 29;

  /**
   * The code may store to itself: all flags are taken to be live everywhere, as what was concluded
   * from the bytes behind an instruction could be wrong once it has executed.
   */
  static final int EXACT_FLAGS = 1 << 28;

  /**
   * Every access has a check of its own: the twin of code in which a check for several accesses
   * does not pass.
   */
  static final int SINGLE_CHECKS = 1 << 27;

  /** RDTSC reads the host's counter. */
  static final int HOST_TSC = 1 << 26;

  /** CPL 0, and the monitor shows what interrupts wait. */
  static final int SUPERVISOR = 1 << 25;

  private static final long CR4_TSD = 4;

  private static final int USER_TLB = 1 << 30;

  private RegionKey() {}

  static int of(Cpu cpu, boolean softFloat) {
    boolean hostTsc =
        U.getLong(cpu.state + NativeState.TSC_SCALE) != 0 && (cpu.get64(CR4) & CR4_TSD) == 0;
    return cpu.modeKey
        | (cpu.tlb() == cpu.tlb(1) ? USER_TLB : 0)
        | (softFloat ? SOFT_FLOAT : 0)
        | (hostTsc ? HOST_TSC : 0)
        | (cpu.cpl() == 0 && cpu.monitor.showsInterrupts() ? SUPERVISOR : 0);
  }

  static int withoutExact(int key) {
    return key & ~EXACT_FLAGS;
  }

  /** Without what tells code of the same bytes apart that may be jumped between. */
  static int withoutVariant(int key) {
    return key & ~(SINGLE_CHECKS | EXACT_FLAGS);
  }

  /** Without what tells a supervisor's code from a user's. */
  static int withoutMode(int key) {
    return key & ~(USER_TLB | SUPERVISOR);
  }

  static boolean isSupervisor(int key) {
    return (key & SUPERVISOR) != 0;
  }

  static int tlbIndex(int key) {
    return (key & USER_TLB) != 0 ? 1 : 0;
  }
}
