package parhelion.toolstack.guest;

import java.util.List;
import parhelion.toolstack.CpuChoice;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.toolstack.device.OptionRoms;

/**
 * What an emulated PC is made of.
 *
 * @param memoryMib memory in MiB
 * @param vcpus number of virtual CPUs
 * @param cpu which processor they are, and what executes their code
 * @param devices what is plugged in
 * @param start what it begins with
 */
public record PcSetup(
    int memoryMib, int vcpus, CpuChoice cpu, List<DeviceConfig> devices, Start start) {
  /** What a machine begins with. */
  public sealed interface Start {}

  /** A Linux kernel that is in memory already. */
  public record Kernel(GuestConfig config) implements Start {}

  /**
   * Firmware, which finds by itself what to start.
   *
   * @param image bytes that end at 4 GiB, a multiple of 4096
   * @param roms what it finds in the cards' ROMs
   */
  public record Firmware(byte[] image, OptionRoms roms) implements Start {}

  /** A guest with a kernel. */
  public static PcSetup of(GuestConfig config) {
    return new PcSetup(
        config.memoryMib(), config.vcpus(), config.cpu(), config.devices(), new Kernel(config));
  }
}
