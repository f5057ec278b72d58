package parhelion.pc;

import parhelion.cpu.CpuModel;
import parhelion.cpu.Engine;

/**
 * What a machine is made of.
 *
 * @param memoryBytes RAM, a multiple of 4096
 * @param vcpus processors, 1 to {@link #MAX_VCPUS}
 * @param model what CPUID shows
 * @param engine what executes guest code
 * @param firmware bytes that end at 4 GiB; empty for none
 * @param board what is on its board beside processors, local APICs and memory
 * @param ownFrames frames of machine memory beyond the guest's, for an interface's own use
 */
public record PcConfig(
    long memoryBytes,
    int vcpus,
    CpuModel model,
    Engine engine,
    byte[] firmware,
    BoardKind board,
    int ownFrames) {
  /** What is on a board. */
  public enum BoardKind {
    /** All that a PC has: interrupt controllers, timers, clock, power management. */
    PC,
    /** Nothing: what there is comes by a paravirtual interface. */
    BARE
  }

  public static final int MAX_VCPUS = 32;

  /** A PC with nothing beyond. */
  public PcConfig(long memoryBytes, int vcpus, CpuModel model, Engine engine, byte[] firmware) {
    this(memoryBytes, vcpus, model, engine, firmware, BoardKind.PC, 0);
  }

  public PcConfig {
    if (vcpus < 1 || vcpus > MAX_VCPUS) {
      throw new IllegalArgumentException(vcpus + " processors");
    }
  }
}
