package parhelion.pc.boot;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import parhelion.cpu.ControlRegisters;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.Rflags;
import parhelion.cpu.Segments;
import parhelion.cpu.memory.MachineMemory;
import parhelion.pc.PcMachine;
import parhelion.pc.PcMemory;
import parhelion.pc.serial.Uart;

/**
 * Boots a kernel without firmware by the Multiboot Specification 0.6.96: kernel, modules and a
 * description are in memory, the first processor is in 32-bit protected mode without paging.
 *
 * <pre>
 *   0x400    the BIOS's data area
 *   0x1000   description       0x1100  memory map      0x1400  modules
 *   0x2000   command lines     0xe0000 ACPI tables
 *   then the kernel where it wants to be, the modules behind it, on pages
 * </pre>
 */
public final class MultibootBoot {
  /** What the kernel is told in EAX. */
  private static final long BOOTED = 0x2bad_b002L;

  private static final long BIOS_DATA = 0x400;
  private static final long DESCRIPTION = 0x1000;
  private static final long MEMORY_MAP = 0x1100;
  private static final long MODULES = 0x1400;
  private static final long LINES = 0x2000;
  private static final long LINES_END = 0x8000;

  /** Modules that {@link #MODULES} has room for. */
  public static final int MAX_MODULES = 64;

  private static final long LOW_END = 0x9_fc00;
  private static final long HIGH_START = 0x10_0000;

  private static final int HAS_MEMORY = 1;
  private static final int HAS_LINE = 1 << 2;
  private static final int HAS_MODULES = 1 << 3;
  private static final int HAS_MAP = 1 << 6;
  private static final int HAS_LOADER = 1 << 9;
  private static final int HAS_SCREEN = 1 << 12;

  private static final int TEXT = 2;
  private static final int RAM = 1;
  private static final int RESERVED = 2;
  private static final int CODE32 = 0xc09b;
  private static final int DATA32 = 0xc093;

  /** A file beside the kernel, with the words that it is given. */
  public record Module(ByteBuffer bytes, String line) {}

  private final PcMemory ram;
  private final MachineMemory memory;
  private long nextLine = LINES;
  private int mapBytes;

  private MultibootBoot(PcMachine machine) {
    ram = machine.ram();
    memory = ram.machine();
  }

  /**
   * Fills memory and the first processor.
   *
   * @param acpi the tables, made for {@link LinuxBoot#ACPI_TABLES}
   */
  public static void load(
      PcMachine machine,
      List<LinuxBoot.Segment> kernel,
      long entryPa,
      List<Module> modules,
      String commandLine,
      byte[] acpi)
      throws LinuxBoot.DoesNotFit {
    MultibootBoot boot = new MultibootBoot(machine);
    long end = boot.kernel(kernel);
    boot.biosData();
    boot.memory.write(LinuxBoot.ACPI_TABLES, acpi, 0, acpi.length);
    boot.describe(commandLine);
    boot.modules(modules, end);
    processor(machine.vcpus().getFirst().cpu(), entryPa);
  }

  /** Where the kernel ends, above 1 MiB. */
  private long kernel(List<LinuxBoot.Segment> parts) throws LinuxBoot.DoesNotFit {
    long last = HIGH_START;
    for (LinuxBoot.Segment part : parts) {
      long end = part.pa() + part.memBytes();
      boolean low = part.pa() >= LINES_END && end <= LOW_END;
      boolean high = part.pa() >= HIGH_START && end <= ram.lowEnd();
      if (!low && !high) {
        throw new LinuxBoot.DoesNotFit("a part of the kernel at 0x" + Long.toHexString(part.pa()));
      }
      copy(part.pa(), part.bytes().duplicate());
      last = high ? Math.max(last, end) : last;
    }
    return last;
  }

  private void copy(long to, ByteBuffer bytes) {
    byte[] chunk = new byte[1 << 16];
    long at = to;
    while (bytes.hasRemaining()) {
      int n = Math.min(chunk.length, bytes.remaining());
      bytes.get(chunk, 0, n);
      memory.write(at, chunk, 0, n);
      at += n;
    }
  }

  /** What a BIOS would have left in its data area: kernels look there for low memory's end. */
  private void biosData() {
    memory.putShort(BIOS_DATA, (short) Uart.COM1);
    memory.putShort(BIOS_DATA + 0x0e, (short) (LOW_END >> 4)); // the extended data area
    memory.putShort(BIOS_DATA + 0x10, (short) 0x26); // 80 columns, a mouse, a coprocessor
    memory.putShort(BIOS_DATA + 0x13, (short) (LOW_END >> 10));
    memory.putByte(BIOS_DATA + 0x49, (byte) 3);
    memory.putShort(BIOS_DATA + 0x4a, (short) 80);
    memory.putShort(BIOS_DATA + 0x63, (short) 0x3d4);
    memory.putByte(BIOS_DATA + 0x84, (byte) 24);
  }

  private void describe(String commandLine) throws LinuxBoot.DoesNotFit {
    memory.putInt(
        DESCRIPTION, HAS_MEMORY | HAS_LINE | HAS_MODULES | HAS_MAP | HAS_LOADER | HAS_SCREEN);
    memory.putInt(DESCRIPTION + 4, (int) (LOW_END >> 10));
    memory.putInt(DESCRIPTION + 8, (int) (ram.lowEnd() - HIGH_START >> 10));
    memory.putInt(DESCRIPTION + 16, (int) text(commandLine));
    map(0, LOW_END, RAM);
    map(LOW_END, PcMemory.VIDEO_START, RESERVED);
    map(LinuxBoot.ACPI_TABLES, HIGH_START, RESERVED);
    map(HIGH_START, ram.lowEnd(), RAM);
    map(0xfec0_0000L, PcMemory.GAP_END, RESERVED);
    if (ram.highEnd() > 0) {
      map(PcMemory.GAP_END, ram.highEnd(), RAM);
    }
    memory.putInt(DESCRIPTION + 44, mapBytes);
    memory.putInt(DESCRIPTION + 48, (int) MEMORY_MAP);
    memory.putInt(DESCRIPTION + 64, (int) text("parhelion"));
    memory.putLong(DESCRIPTION + 88, 0xb8000);
    memory.putInt(DESCRIPTION + 96, 160); // bytes a line, then columns, rows and bits
    memory.putInt(DESCRIPTION + 100, 80);
    memory.putInt(DESCRIPTION + 104, 25);
    memory.putByte(DESCRIPTION + 108, (byte) 16);
    memory.putByte(DESCRIPTION + 109, (byte) TEXT);
  }

  private void map(long from, long to, int type) {
    long at = MEMORY_MAP + mapBytes;
    memory.putInt(at, 20); // of the entry without this
    memory.putLong(at + 4, from);
    memory.putLong(at + 12, to - from);
    memory.putInt(at + 20, type);
    mapBytes += 24;
  }

  private long text(String text) throws LinuxBoot.DoesNotFit {
    byte[] bytes = (text + '\0').getBytes(StandardCharsets.UTF_8);
    if (nextLine + bytes.length > LINES_END) {
      throw new LinuxBoot.DoesNotFit("command lines of " + bytes.length + " bytes");
    }
    long at = nextLine;
    memory.write(at, bytes, 0, bytes.length);
    nextLine += bytes.length;
    return at;
  }

  private void modules(List<Module> modules, long kernelEnd) throws LinuxBoot.DoesNotFit {
    if (modules.size() > MAX_MODULES) {
      throw new LinuxBoot.DoesNotFit(modules.size() + " modules, more than " + MAX_MODULES);
    }
    long at = kernelEnd;
    long entry = MODULES;
    for (Module module : modules) {
      at = at + 4095 & -4096L;
      long bytes = module.bytes.remaining();
      if (at + bytes > ram.lowEnd()) {
        throw new LinuxBoot.DoesNotFit("a module of " + bytes + " bytes");
      }
      copy(at, module.bytes.duplicate());
      memory.putInt(entry, (int) at);
      memory.putInt(entry + 4, (int) (at + bytes));
      memory.putInt(entry + 8, (int) text(module.line));
      entry += 16;
      at += bytes;
    }
    memory.putInt(DESCRIPTION + 20, modules.size());
    memory.putInt(DESCRIPTION + 24, (int) MODULES);
  }

  private static void processor(Cpu cpu, long entryPa) {
    for (int segment = CpuState.ES; segment <= CpuState.GS; segment++) {
      boolean code = segment == CpuState.CS;
      Segments.set(cpu, segment, code ? 8 : 16, 0, 0xffff_ffffL, code ? CODE32 : DATA32);
    }
    cpu.put64(CpuState.CR0, ControlRegisters.CR0_PE | 0x10); // ET is fixed
    cpu.put64(CpuState.RAX, BOOTED);
    cpu.put64(CpuState.RBX, DESCRIPTION);
    cpu.put64(CpuState.RFLAGS, Rflags.FIXED);
    cpu.rip(entryPa);
    cpu.stateChanged();
  }
}
