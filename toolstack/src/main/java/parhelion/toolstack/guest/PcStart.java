package parhelion.toolstack.guest;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.pc.PcMachine;
import parhelion.pc.PcMemory;
import parhelion.pc.acpi.AcpiTables;
import parhelion.pc.acpi.PciInterrupts;
import parhelion.pc.boot.LinuxBoot;
import parhelion.pc.boot.MultibootBoot;
import parhelion.pc.firmware.FirmwareConfig;
import parhelion.pc.firmware.FirmwareTables;
import parhelion.toolstack.UserError;
import parhelion.toolstack.image.ElfImage;
import parhelion.toolstack.image.MultibootImage;

/** What is in an emulated PC's memory when it is switched on: a kernel, or word for firmware. */
final class PcStart {
  private static final long LOW_GAP = 0x8000_0000L;

  private final PcMachine machine;
  private final PcSetup setup;
  private final @Nullable PcHardware hardware;

  PcStart(PcMachine machine, PcSetup setup, @Nullable PcHardware hardware) {
    this.machine = machine;
    this.setup = setup;
    this.hardware = hardware;
  }

  private AcpiTables.Contents contents() {
    return new AcpiTables.Contents(setup.vcpus(), true, true, true, gapStart());
  }

  /** As firmware has it: 2 GiB, or what is behind more memory than that. */
  private long gapStart() {
    return machine.ram().lowEnd() <= LOW_GAP ? LOW_GAP : PcMemory.GAP_START;
  }

  /** Tells firmware of the machine. */
  void describeToFirmware() {
    FirmwareConfig channel = new FirmwareConfig(machine.memory());
    channel.plug(machine);
    FirmwareTables.describe(machine, contents(), channel);
  }

  /** Puts Linux into memory. */
  void boot(GuestConfig config) {
    if (hardware != null) {
      hardware.devices().assignAddresses(PciInterrupts.lines());
    }
    config.kernel().require64Bit();
    byte[] acpi = new AcpiTables(contents()).at(LinuxBoot.ACPI_TABLES);
    ElfImage kernel = config.kernel();
    List<LinuxBoot.Segment> segments = new ArrayList<>();
    for (ElfImage.Segment segment : kernel.loadable()) {
      ByteBuffer bytes = kernel.file();
      bytes.limit(segment.fileOffset() + segment.fileBytes()).position(segment.fileOffset());
      segments.add(new LinuxBoot.Segment(segment.pa(), bytes, segment.memBytes()));
    }
    try {
      LinuxBoot.load(
          machine, segments, kernel.entryVa(), config.initrd(), config.commandLine(), acpi);
    } catch (LinuxBoot.DoesNotFit e) {
      throw noRoom(kernel.name(), e);
    }
  }

  /** Puts a multiboot kernel and its modules into memory. */
  void boot(PcSetup.Multiboot multiboot) {
    if (hardware != null) {
      hardware.devices().assignAddresses(PciInterrupts.lines());
    }
    List<LinuxBoot.Segment> segments = new ArrayList<>();
    for (MultibootImage.Part part : multiboot.kernel().parts()) {
      segments.add(new LinuxBoot.Segment(part.pa(), part.bytes(), part.memBytes()));
    }
    try {
      MultibootBoot.load(
          machine,
          segments,
          multiboot.kernel().entry(),
          multiboot.modules().stream()
              .map(module -> new MultibootBoot.Module(module.bytes(), module.words()))
              .toList(),
          multiboot.commandLine(),
          new AcpiTables(contents()).at(LinuxBoot.ACPI_TABLES));
    } catch (LinuxBoot.DoesNotFit e) {
      throw noRoom(multiboot.kernel().name(), e);
    }
  }

  private UserError noRoom(String kernel, LinuxBoot.DoesNotFit e) {
    return new UserError(
        kernel
            + ": there is no room in a PC's memory of "
            + setup.memoryMib()
            + " MiB for "
            + e.getMessage()
            + ": give more --memory, or another kernel",
        e);
  }
}
