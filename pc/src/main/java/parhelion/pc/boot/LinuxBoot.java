package parhelion.pc.boot;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.ControlRegisters;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.Segments;
import parhelion.cpu.memory.MachineMemory;
import parhelion.pc.PcMachine;
import parhelion.pc.PcMemory;

/**
 * Boots a Linux kernel without firmware by the 64-bit boot protocol (Documentation/x86/boot.rst,
 * zero-page.rst): kernel, initial RAM disk, command line and tables are in memory, the first
 * processor is in long mode at the kernel's entry.
 *
 * <pre>
 *   0x10000  boot_params        0x20000  command line
 *   0x30000  page tables        0x3f000  descriptors
 *   0xe0000  ACPI tables        then the kernel where it wants to be, the RAM disk at the top
 * </pre>
 */
public final class LinuxBoot {
  public static final long ACPI_TABLES = 0xe_0000;

  /** Bytes of the command line, with its end. */
  public static final int MAX_COMMAND_LINE = 2048;

  private static final long BOOT_PARAMS = 0x1_0000;
  private static final long COMMAND_LINE = 0x2_0000;
  private static final long PAGE_TABLES = 0x3_0000;
  private static final long DESCRIPTORS = 0x3_f000;
  private static final long LOW_END = 0x9_fc00;
  private static final long HIGH_START = 0x10_0000;
  private static final long INITRD_LAST = 0x7fff_ffffL;

  private static final int CS_SELECTOR = 0x10;
  private static final int DS_SELECTOR = 0x18;
  private static final int CODE64 = 0xa09b;
  private static final int DATA = 0xc093;

  private static final int RAM = 1;
  private static final int RESERVED = 2;

  /**
   * A part of the kernel.
   *
   * @param pa physical address
   * @param bytes what is there, from position to limit
   * @param memBytes length in memory, zeroes behind the bytes
   */
  public record Segment(long pa, ByteBuffer bytes, long memBytes) {}

  /** Something does not fit: the message says what, in a phrase. */
  public static final class DoesNotFit extends Exception {
    private static final long serialVersionUID = 1;

    DoesNotFit(String what) {
      super(what);
    }
  }

  private final PcMachine machine;
  private final PcMemory ram;
  private final MachineMemory memory;
  private int mapEntries;

  private LinuxBoot(PcMachine machine) {
    this.machine = machine;
    ram = machine.ram();
    memory = ram.machine();
  }

  /**
   * Fills memory and the first processor.
   *
   * @param entryPa where the kernel is entered
   * @param acpi the tables, made for {@link #ACPI_TABLES}
   */
  public static void load(
      PcMachine machine,
      List<Segment> kernel,
      long entryPa,
      @Nullable ByteBuffer initrd,
      String commandLine,
      byte[] acpi)
      throws DoesNotFit {
    new LinuxBoot(machine).load(kernel, entryPa, initrd, commandLine, acpi);
  }

  private void load(
      List<Segment> kernel,
      long entryPa,
      @Nullable ByteBuffer initrd,
      String commandLine,
      byte[] acpi)
      throws DoesNotFit {
    byte[] line = commandLine.getBytes(StandardCharsets.UTF_8);
    if (line.length >= MAX_COMMAND_LINE) {
      throw new DoesNotFit(
          "a command line of " + line.length + " bytes, more than " + (MAX_COMMAND_LINE - 1));
    }
    long kernelEnd = HIGH_START;
    for (Segment segment : kernel) {
      long end = segment.pa + segment.memBytes;
      if (segment.pa < HIGH_START || end < segment.pa || end > ram.lowEnd()) {
        throw new DoesNotFit("a part of the kernel at 0x" + Long.toHexString(segment.pa));
      }
      copy(segment.pa, segment.bytes.duplicate());
      kernelEnd = Math.max(kernelEnd, end);
    }
    if (entryPa < HIGH_START || entryPa >= kernelEnd) {
      throw new DoesNotFit("an entry at 0x" + Long.toHexString(entryPa));
    }
    long initrdAt = 0;
    long initrdBytes = initrd == null ? 0 : initrd.remaining();
    if (initrd != null) {
      initrdAt = Math.min(ram.lowEnd(), INITRD_LAST) - initrdBytes & -4096L;
      if (initrdAt < kernelEnd) {
        throw new DoesNotFit("an initial RAM disk of " + initrdBytes + " bytes");
      }
      copy(initrdAt, initrd.duplicate());
    }
    memory.write(ACPI_TABLES, acpi, 0, acpi.length);
    memory.write(COMMAND_LINE, line, 0, line.length);
    memory.putByte(COMMAND_LINE + line.length, (byte) 0);
    bootParams(initrdAt, initrdBytes);
    pageTables();
    processor(entryPa);
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

  /** The display is a VGA in mode 3, as it is after reset: without this Linux uses none. */
  private void screen() {
    memory.putByte(BOOT_PARAMS + 0x006, (byte) 3);
    memory.putByte(BOOT_PARAMS + 0x007, (byte) 80); // columns
    memory.putByte(BOOT_PARAMS + 0x00e, (byte) 25); // lines
    memory.putByte(BOOT_PARAMS + 0x00f, (byte) 1); // a VGA
    memory.putShort(BOOT_PARAMS + 0x010, (short) 16); // lines of a glyph
  }

  private void bootParams(long initrdAt, long initrdBytes) {
    screen();
    memory.putLong(BOOT_PARAMS + 0x070, ACPI_TABLES);
    memory.putShort(BOOT_PARAMS + 0x1fe, (short) 0xaa55);
    memory.putInt(BOOT_PARAMS + 0x202, 0x53726448); // HdrS
    memory.putShort(BOOT_PARAMS + 0x206, (short) 0x20f);
    memory.putByte(BOOT_PARAMS + 0x210, (byte) 0xff); // a loader without a number
    memory.putByte(BOOT_PARAMS + 0x211, (byte) 1); // loaded high
    memory.putInt(BOOT_PARAMS + 0x218, (int) initrdAt);
    memory.putInt(BOOT_PARAMS + 0x21c, (int) initrdBytes);
    memory.putInt(BOOT_PARAMS + 0x228, (int) COMMAND_LINE);
    memory.putInt(BOOT_PARAMS + 0x22c, (int) INITRD_LAST);
    memory.putInt(BOOT_PARAMS + 0x230, 0x20_0000);
    memory.putInt(BOOT_PARAMS + 0x238, MAX_COMMAND_LINE - 1);
    map(0, LOW_END, RAM);
    map(LOW_END, PcMemory.VIDEO_START, RESERVED);
    map(ACPI_TABLES, HIGH_START, RESERVED);
    map(HIGH_START, ram.lowEnd(), RAM);
    map(0xfec0_0000L, PcMemory.GAP_END, RESERVED);
    if (ram.highEnd() > 0) {
      map(PcMemory.GAP_END, ram.highEnd(), RAM);
    }
    memory.putByte(BOOT_PARAMS + 0x1e8, (byte) mapEntries);
  }

  /** An entry of the e820 map. */
  private void map(long from, long to, int type) {
    long at = BOOT_PARAMS + 0x2d0 + 20L * mapEntries++;
    memory.putLong(at, from);
    memory.putLong(at + 8, to - from);
    memory.putInt(at + 16, type);
  }

  /** The first 4 GiB as they are, by pages of 2 MiB. */
  private void pageTables() {
    long pointers = PAGE_TABLES + 0x1000;
    memory.putLong(PAGE_TABLES, pointers | 3);
    for (int i = 0; i < 4; i++) {
      long directory = PAGE_TABLES + 0x2000 + i * 0x1000L;
      memory.putLong(pointers + i * 8L, directory | 3);
      for (int j = 0; j < 512; j++) {
        memory.putLong(directory + j * 8L, ((long) i << 30 | (long) j << 21) | 0x83);
      }
    }
  }

  private void processor(long entryPa) {
    memory.putLong(DESCRIPTORS + CS_SELECTOR, 0x00af_9b00_0000_ffffL);
    memory.putLong(DESCRIPTORS + DS_SELECTOR, 0x00cf_9300_0000_ffffL);
    Cpu cpu = machine.vcpus().get(0).cpu();
    cpu.put64(CpuState.GDTR, DESCRIPTORS);
    cpu.put64(CpuState.GDTR + 8, 0x1f);
    cpu.put64(CpuState.IDTR + 8, 0);
    for (int segment = CpuState.ES; segment <= CpuState.GS; segment++) {
      boolean code = segment == CpuState.CS;
      Segments.set(
          cpu, segment, code ? CS_SELECTOR : DS_SELECTOR, 0, 0xffff_ffffL, code ? CODE64 : DATA);
    }
    cpu.put64(CpuState.CR3, PAGE_TABLES);
    cpu.put64(CpuState.CR4, ControlRegisters.CR4_PAE);
    cpu.put64(CpuState.EFER, ControlRegisters.EFER_LME | ControlRegisters.EFER_LMA);
    cpu.put64(
        CpuState.CR0, ControlRegisters.CR0_PE | 0x10 | ControlRegisters.CR0_PG); // ET is fixed
    cpu.put64(CpuState.RSI, BOOT_PARAMS);
    cpu.rip(entryPa);
    cpu.stateChanged();
  }
}
