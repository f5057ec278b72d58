package parhelion.toolstack.guest;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import parhelion.toolstack.CpuChoice;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.toolstack.image.ElfImage;
import parhelion.toolstack.image.KernelSymbols;

/**
 * What a guest is made of.
 *
 * @param name for people and for xenstore
 * @param kernel the kernel's ELF file, with Xen notes
 * @param symbols gives names for addresses in crash reports, or null; asked only when needed
 * @param initrd the initial RAM disk, or null
 * @param commandLine the kernel's command line
 * @param memoryMib memory in MiB
 * @param vcpus number of virtual CPUs
 * @param cpu which processor they are, and what executes their code
 * @param devices what it finds plugged in
 */
public record GuestConfig(
    String name,
    ElfImage kernel,
    Supplier<@Nullable KernelSymbols> symbols,
    @Nullable ByteBuffer initrd,
    String commandLine,
    int memoryMib,
    int vcpus,
    CpuChoice cpu,
    List<DeviceConfig> devices) {
  /** Without devices. */
  public GuestConfig(
      String name,
      ElfImage kernel,
      Supplier<@Nullable KernelSymbols> symbols,
      @Nullable ByteBuffer initrd,
      String commandLine,
      int memoryMib,
      int vcpus,
      CpuChoice cpu) {
    this(name, kernel, symbols, initrd, commandLine, memoryMib, vcpus, cpu, List.of());
  }

  /** With the default processor and no device. */
  public GuestConfig(
      String name,
      ElfImage kernel,
      Supplier<@Nullable KernelSymbols> symbols,
      @Nullable ByteBuffer initrd,
      String commandLine,
      int memoryMib,
      int vcpus) {
    this(
        name,
        kernel,
        symbols,
        initrd,
        commandLine,
        memoryMib,
        vcpus,
        CpuChoice.preferred(),
        List.of());
  }
}
