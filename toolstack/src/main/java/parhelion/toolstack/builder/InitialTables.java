package parhelion.toolstack.builder;

import parhelion.cpu.memory.MachineMemory;

/**
 * Writes a new domain's page tables: takes the table frames from a run of pfns as it needs them.
 */
final class InitialTables {
  private static final long LEAF = 0x1 | 0x2 | 0x20; // present, writable, accessed
  private static final long NODE = LEAF | 0x4 | 0x40; // and user, dirty
  private static final long WRITABLE = 0x2;

  private final MachineMemory memory;
  private final long[] p2m;
  private final long l4Mfn;
  private long nextPfn;
  private final long endPfn;

  /** Starts with the L4 in the first frame of {@code [firstPfn, endPfn)}. */
  InitialTables(MachineMemory memory, long[] p2m, long firstPfn, long endPfn) {
    this.memory = memory;
    this.p2m = p2m;
    this.endPfn = endPfn;
    l4Mfn = p2m[(int) firstPfn];
    nextPfn = firstPfn + 1;
  }

  private InitialTables(InitialTables main, long firstPfn, long endPfn) {
    memory = main.memory;
    p2m = main.p2m;
    l4Mfn = main.l4Mfn;
    nextPfn = firstPfn;
    this.endPfn = endPfn;
  }

  /** The same tables, taking further frames from another run. */
  InitialTables takingFrom(long firstPfn, long lastPfn) {
    return new InitialTables(this, firstPfn, lastPfn);
  }

  long l4Mfn() {
    return l4Mfn;
  }

  /** Maps {@code frames} frames from {@code pfn} at {@code va}, writable. */
  void map(long va, long pfn, long frames) {
    for (long i = 0; i < frames; i++) {
      memory.putLong(entryPa(va + (i << 12)), (p2m[(int) (pfn + i)] << 12) | LEAF);
    }
  }

  /** Takes the write right from mappings made before. */
  void protect(long va, long frames) {
    for (long i = 0; i < frames; i++) {
      long pa = entryPa(va + (i << 12));
      memory.putLong(pa, memory.getLong(pa) & ~WRITABLE);
    }
  }

  /** Machine address of the L1 entry for {@code va}, tables in between made as needed. */
  private long entryPa(long va) {
    long table = l4Mfn << 12;
    for (int shift = 39; shift > 12; shift -= 9) {
      long pa = table + ((va >>> shift) & 511) * 8;
      long entry = memory.getLong(pa);
      if ((entry & 1) == 0) {
        if (nextPfn >= endPfn) {
          throw new IllegalStateException("page tables were counted wrongly");
        }
        entry = (p2m[(int) nextPfn++] << 12) | NODE;
        memory.putLong(pa, entry);
      }
      table = entry & 0x000f_ffff_ffff_f000L;
    }
    return table + ((va >>> 12) & 511) * 8;
  }
}
