package parhelion.toolstack.hvm;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.abi.Bytes;
import parhelion.abi.E820Entry;
import parhelion.abi.HvmStartInfo;
import parhelion.cpu.ControlRegisters;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.Rflags;
import parhelion.cpu.Segments;
import parhelion.cpu.memory.MachineMemory;
import parhelion.pc.PcMachine;
import parhelion.pc.PcMemory;
import parhelion.pc.acpi.AcpiTables;
import parhelion.toolstack.UserError;
import parhelion.toolstack.image.ElfImage;
import parhelion.xen.Domain;

/**
 * Begins a domain without firmware as Xen does (docs/misc/pvh.pandoc of Xen): the kernel's parts
 * where they want to be, a description of memory and modules, and the first processor in 32-bit
 * protected mode without paging at the entry that the kernel's PHYS32_ENTRY note names.
 *
 * <pre>
 *   0x1000   hvm_start_info, memory map, module list
 *   0x2000   command line
 *   0xe0000  ACPI tables
 *   then the kernel, and the initial RAM disk at the top
 * </pre>
 */
public final class PvhBoot {
  private static final long START_INFO = 0x1000;
  private static final long MEMORY_MAP = START_INFO + 0x100;
  private static final long MODULES = START_INFO + 0x800;
  private static final long COMMAND_LINE = 0x2000;
  private static final int MAX_COMMAND_LINE = 4096;
  private static final long ACPI_TABLES = 0xe_0000;
  private static final long LOW_END = 0xa_0000;
  private static final long HIGH_START = 0x10_0000;
  private static final int CODE32 = 0xc09b;
  private static final int DATA32 = 0xc093;
  private static final int TSS32 = 0x8b;
  private static final long MAX_LIMIT = 0xffff_ffffL;

  private final PcMemory ram;
  private final MachineMemory memory;
  private final ElfImage kernel;
  private int mapEntries;

  private PvhBoot(PcMachine machine, ElfImage kernel) {
    ram = machine.ram();
    memory = ram.machine();
    this.kernel = kernel;
  }

  /**
   * Fills memory and the first processor.
   *
   * @throws UserError if the kernel has no such entry, or does not fit
   */
  public static void load(
      PcMachine machine,
      Domain domain,
      ElfImage kernel,
      @Nullable ByteBuffer initrd,
      String commandLine) {
    PvhBoot boot = new PvhBoot(machine, kernel);
    boot.load(machine, initrd, commandLine);
    domain.memory.e820(boot.e820());
  }

  private UserError doesNotFit(String what) {
    return new UserError(
        kernel.name()
            + ": there is no room in memory for "
            + what
            + ": give more --memory, or another kernel");
  }

  private void load(PcMachine machine, @Nullable ByteBuffer initrd, String commandLine) {
    long entry =
        kernel
            .xenNotes()
            .phys32Entry()
            .orElseThrow(
                () ->
                    new UserError(
                        kernel.name()
                            + ": has no entry for PVH (Xen's note PHYS32_ENTRY): give another"
                            + " kernel, or --mode full"));
    byte[] line = commandLine.getBytes(StandardCharsets.UTF_8);
    if (line.length >= MAX_COMMAND_LINE) {
      throw doesNotFit("a command line of " + line.length + " bytes");
    }
    long kernelEnd = HIGH_START;
    for (ElfImage.Segment segment : kernel.loadable()) {
      long end = segment.pa() + segment.memBytes();
      if (segment.pa() < HIGH_START || end < segment.pa() || end > ram.lowEnd()) {
        throw doesNotFit("a part of it at 0x" + Long.toHexString(segment.pa()));
      }
      ByteBuffer bytes = kernel.file();
      bytes.limit(segment.fileOffset() + segment.fileBytes()).position(segment.fileOffset());
      copy(segment.pa(), bytes);
      kernelEnd = Math.max(kernelEnd, end);
    }
    if (entry < HIGH_START || entry >= kernelEnd) {
      throw new UserError(
          kernel.name()
              + ": its PVH entry is 0x"
              + Long.toHexString(entry)
              + ", outside of it: give another kernel");
    }
    memory.write(COMMAND_LINE, line, 0, line.length);
    byte[] acpi = AcpiTables.reduced(machine.vcpus().size()).at(ACPI_TABLES);
    memory.write(ACPI_TABLES, acpi, 0, acpi.length);
    startInfo(initrd, kernelEnd);
    processor(machine.vcpus().getFirst().cpu(), entry);
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

  private void startInfo(@Nullable ByteBuffer initrd, long kernelEnd) {
    Bytes info = Bytes.of(new byte[HvmStartInfo.STRUCT.size()]);
    HvmStartInfo.MAGIC.put(info, 0, HvmStartInfo.Value.START_MAGIC_VALUE);
    HvmStartInfo.VERSION.put(info, 0, 1);
    HvmStartInfo.CMDLINE_PADDR.put(info, 0, COMMAND_LINE);
    HvmStartInfo.RSDP_PADDR.put(info, 0, ACPI_TABLES);
    HvmStartInfo.MEMMAP_PADDR.put(info, 0, MEMORY_MAP);
    if (initrd != null) {
      long bytes = initrd.remaining();
      long at = ram.lowEnd() - bytes & -4096L;
      if (at < kernelEnd) {
        throw doesNotFit("an initial RAM disk of " + bytes + " bytes");
      }
      copy(at, initrd.duplicate());
      Bytes module = Bytes.of(new byte[HvmStartInfo.Module.STRUCT.size()]);
      HvmStartInfo.Module.PADDR.put(module, 0, at);
      HvmStartInfo.Module.SIZE.put(module, 0, bytes);
      write(MODULES, module, HvmStartInfo.Module.STRUCT.size());
      HvmStartInfo.NR_MODULES.put(info, 0, 1);
      HvmStartInfo.MODLIST_PADDR.put(info, 0, MODULES);
    }
    for (long[] range : memoryMap()) {
      Bytes entry = Bytes.of(new byte[HvmStartInfo.MemoryRange.STRUCT.size()]);
      HvmStartInfo.MemoryRange.ADDR.put(entry, 0, range[0]);
      HvmStartInfo.MemoryRange.SIZE.put(entry, 0, range[1] - range[0]);
      HvmStartInfo.MemoryRange.TYPE.put(entry, 0, range[2]);
      int size = HvmStartInfo.MemoryRange.STRUCT.size();
      write(MEMORY_MAP + (long) mapEntries++ * size, entry, size);
    }
    HvmStartInfo.MEMMAP_ENTRIES.put(info, 0, mapEntries);
    write(START_INFO, info, HvmStartInfo.STRUCT.size());
  }

  /** The same map as the domain is told by a hypercall. */
  private byte[] e820() {
    List<long[]> ranges = memoryMap();
    int size = E820Entry.STRUCT.size();
    byte[] entries = new byte[ranges.size() * size];
    for (int i = 0; i < ranges.size(); i++) {
      long[] range = ranges.get(i);
      new E820Entry(range[0], range[1] - range[0], (int) range[2])
          .write(Bytes.of(entries), (long) i * size);
    }
    return entries;
  }

  /** From, to and kind of each range; what Xen shows its own pages at is nobody's. */
  private List<long[]> memoryMap() {
    long[] low = {0, LOW_END, HvmStartInfo.Value.MEMMAP_TYPE_RAM};
    long[] tables = {ACPI_TABLES, HIGH_START, HvmStartInfo.Value.MEMMAP_TYPE_ACPI};
    long[] main = {HIGH_START, ram.lowEnd(), HvmStartInfo.Value.MEMMAP_TYPE_RAM};
    long[] own = {0xfe00_0000L, PcMemory.GAP_END, HvmStartInfo.Value.MEMMAP_TYPE_RESERVED};
    long[] high = {PcMemory.GAP_END, ram.highEnd(), HvmStartInfo.Value.MEMMAP_TYPE_RAM};
    return ram.highEnd() == 0
        ? List.of(low, tables, main, own)
        : List.of(low, tables, main, own, high);
  }

  private void write(long pa, Bytes bytes, int length) {
    byte[] copy = new byte[length];
    bytes.get(0, copy, 0, length);
    memory.write(pa, copy, 0, length);
  }

  private static void processor(Cpu cpu, long entry) {
    for (int segment = CpuState.ES; segment <= CpuState.GS; segment++) {
      boolean code = segment == CpuState.CS;
      Segments.set(cpu, segment, code ? 8 : 16, 0, MAX_LIMIT, code ? CODE32 : DATA32);
    }
    Segments.set(cpu, CpuState.TR, 0, 0, 0x67, TSS32);
    cpu.put64(CpuState.CR0, ControlRegisters.CR0_PE | 0x10); // ET is fixed
    cpu.put64(CpuState.CR4, 0);
    cpu.put64(CpuState.EFER, 0);
    cpu.put64(CpuState.RBX, START_INFO);
    cpu.put64(CpuState.RFLAGS, Rflags.FIXED);
    cpu.rip(entry);
    cpu.stateChanged();
  }
}
