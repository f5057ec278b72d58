package parhelion.cpu.rewrite;

import parhelion.cpu.Cpu;

/**
 * What generated code depends on beside its bytes and addresses: the CPU's mode key, which TLB serves
 * the mode, and whether floating point has to go through the interpreter because the guest has
 * unmasked an exception.
 */
final class RegionKey {
  /** An x87 or SSE exception is not masked: on the host it would be a signal to the JVM. */
  static final int SOFT_FLOAT = 1 << 29;

  private static final int USER_TLB = 1 << 30;

  private RegionKey() {}

  static int of(Cpu cpu, boolean softFloat) {
    return cpu.modeKey
        | (cpu.tlb() == cpu.tlb(1) ? USER_TLB : 0)
        | (softFloat ? SOFT_FLOAT : 0);
  }

  static int withoutTlb(int key) {
    return key & ~USER_TLB;
  }

  static int tlbIndex(int key) {
    return (key & USER_TLB) != 0 ? 1 : 0;
  }
}
