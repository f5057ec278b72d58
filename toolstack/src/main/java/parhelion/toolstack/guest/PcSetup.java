package parhelion.toolstack.guest;

import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.toolstack.CpuChoice;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.toolstack.device.OptionRoms;
import parhelion.toolstack.device.PcInterface;
import parhelion.toolstack.image.MultibootImage;

/**
 * What an emulated PC is made of.
 *
 * @param memoryMib memory in MiB
 * @param vcpus number of virtual CPUs
 * @param cpu which processor they are, and what executes their code
 * @param devices what is plugged in
 * @param start what it begins with
 * @param offered whose interface it offers beside the hardware
 */
public record PcSetup(
    int memoryMib,
    int vcpus,
    CpuChoice cpu,
    List<DeviceConfig> devices,
    Start start,
    PcInterface offered) {
  /** A PC that offers no interface beside its hardware. */
  public PcSetup(int memoryMib, int vcpus, CpuChoice cpu, List<DeviceConfig> devices, Start start) {
    this(memoryMib, vcpus, cpu, devices, start, PcInterface.NONE);
  }

  /** What a machine begins with. */
  public sealed interface Start {
    /** What is in the cards' ROMs. */
    default OptionRoms roms() {
      return OptionRoms.NONE;
    }
  }

  /**
   * A Linux kernel that is in memory already.
   *
   * @param roms of which the display takes its glyphs
   */
  public record Kernel(GuestConfig config, OptionRoms roms) implements Start {}

  /**
   * A kernel that begins as Xen begins a domain without firmware: there is no hardware but
   * processors and their local APICs, and all else comes by Xen's interface.
   */
  public record Pvh(GuestConfig config) implements Start {}

  /** A file beside a multiboot kernel, and the words that tell the kernel what it is. */
  public record Module(ByteBuffer bytes, String words) {}

  /** A kernel by the Multiboot Specification, with files beside it. */
  public record Multiboot(MultibootImage kernel, List<Module> modules, String commandLine)
      implements Start {}

  /**
   * Firmware, which finds by itself what to start.
   *
   * @param image bytes that end at 4 GiB, a multiple of 4096
   * @param roms what it finds in the cards' ROMs
   */
  public record Firmware(byte[] image, OptionRoms roms) implements Start {}

  /** A PVH guest: one on a board without devices, by Xen's interface alone. */
  public static PcSetup pvh(GuestConfig config) {
    return new PcSetup(
        config.memoryMib(),
        config.vcpus(),
        config.cpu(),
        config.devices(),
        new Pvh(config),
        PcInterface.XEN);
  }

  /** What it is made of where there is a kernel already; null where firmware finds one. */
  @Nullable GuestConfig kernel() {
    return switch (start) {
      case Kernel kernel -> kernel.config();
      case Pvh pvh -> pvh.config();
      case Firmware _, Multiboot _ -> null;
    };
  }

  boolean isBare() {
    return start instanceof Pvh;
  }

  /** A guest with a kernel. */
  public static PcSetup of(GuestConfig config) {
    return of(config, PcInterface.NONE);
  }

  /** A guest with a kernel, to which the PC offers an interface beside its hardware. */
  public static PcSetup of(GuestConfig config, PcInterface offered) {
    return of(config, offered, OptionRoms.NONE);
  }

  /** The same with ROMs in its cards. */
  public static PcSetup of(GuestConfig config, PcInterface offered, OptionRoms roms) {
    return new PcSetup(
        config.memoryMib(),
        config.vcpus(),
        config.cpu(),
        config.devices(),
        new Kernel(config, roms),
        offered);
  }
}
