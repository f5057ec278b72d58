package parhelion.xen.memory;

import parhelion.cpu.memory.MachineMemory;

/**
 * Xen's part of every guest's address space: sixteen slots of each L4, of which the first leads to
 * the machine-to-physical table, read-only. The tables behind it are Xen's, the same for all, and
 * no guest can map or change them.
 */
final class HypervisorHole {
  private static final long READ_ONLY = Pte.PRESENT | Pte.USER | Pte.ACCESSED;

  private final MachineMemory memory;
  private final long slotEntry;

  HypervisorHole(MachineMemory memory, FrameTable frames) {
    this.memory = memory;
    MachToPhysTable m2p = frames.m2p();
    long first = m2p.pa() >>> 12;
    long count = m2p.frames();
    int level = FrameTable.L1;
    long flags = READ_ONLY | Pte.DIRTY;
    for (; level < FrameTable.L4; level++) {
      long tables = (count + Pte.ENTRIES - 1) / Pte.ENTRIES;
      long table = allocateRun(frames, tables);
      for (long i = 0; i < count; i++) {
        memory.putLong((table << 12) + i * 8, Pte.of(first + i, flags));
      }
      first = table;
      count = tables;
      flags = READ_ONLY;
    }
    if (count != 1) {
      throw new IllegalArgumentException(
          "too much machine memory for the machine-to-physical table");
    }
    slotEntry = Pte.of(first, READ_ONLY);
  }

  private static long allocateRun(FrameTable frames, long count) {
    int order = count <= 1 ? 0 : 64 - Long.numberOfLeadingZeros(count - 1);
    long mfn = frames.allocateForXen(order);
    if (mfn < 0) {
      throw new IllegalArgumentException(
          "too little machine memory for the hypervisor's own tables");
    }
    return mfn;
  }

  /** Puts Xen's slots into an L4 that has been validated. */
  void fill(long l4Pa) {
    clear(l4Pa);
    memory.putLong(l4Pa + Pte.FIRST_XEN_SLOT * 8L, slotEntry);
  }

  /** Takes them out of one that is none any more. */
  void clear(long l4Pa) {
    for (int slot = Pte.FIRST_XEN_SLOT; slot <= Pte.LAST_XEN_SLOT; slot++) {
      memory.putLong(l4Pa + slot * 8L, 0);
    }
  }
}
