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
 */
public record PcConfig(
    long memoryBytes, int vcpus, CpuModel model, Engine engine, byte[] firmware) {
  public static final int MAX_VCPUS = 32;

  public PcConfig {
    if (vcpus < 1 || vcpus > MAX_VCPUS) {
      throw new IllegalArgumentException(vcpus + " processors");
    }
  }
}
