package parhelion.xen.memory;

import static parhelion.xen.memory.FrameTable.L1;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.memory.MachineMemory;
import parhelion.xen.Domain;
import parhelion.xen.Vcpu;

/**
 * One change to one entry of a live page table: the new entry takes its references first, then it
 * is written, then the old one gives its own back. Results as in {@link PageTypes}. No allocation
 * here: a guest boots through 100,000 of these.
 */
final class EntryUpdates {
  private final PageTypes types;
  private final MachineMemory memory;

  /** Entries that were written so far. */
  long done;

  EntryUpdates(PageTypes types, MachineMemory memory) {
    this.types = types;
    this.memory = memory;
  }

  /**
   * Changes an L1 entry of {@code tableOwner}'s to map a frame of {@code pageOwner}'s (null: device
   * memory).
   */
  int l1(long pa, long entry, boolean preserveAd, Domain tableOwner, @Nullable Domain pageOwner) {
    long old = memory.getLong(pa);
    if ((entry & Pte.PRESENT) != 0) {
      if ((entry & Pte.l1Disallowed(tableOwner)) != 0) {
        return PageTypes.EINVAL;
      }
      if (isHarmless(old, entry)) {
        write(pa, Pte.adjustL1(entry), preserveAd);
        return 0;
      }
      int rc = types.getL1Entry(entry, tableOwner, pageOwner);
      if (rc != 0) {
        return rc;
      }
      entry = Pte.adjustL1(entry);
    }
    write(pa, entry, preserveAd);
    types.putL1Entry(old, tableOwner);
    return 0;
  }

  /** Changes an entry of a table of level 2 to 4. */
  int upper(
      int level, long pa, long entry, boolean preserveAd, Domain d, @Nullable Vcpu preemptible) {
    if (!Pte.isGuestSlot(level, (int) (pa & 4095) >>> 3)) {
      return PageTypes.EINVAL;
    }
    int table = (int) (pa >>> 12);
    long old = memory.getLong(pa);
    if ((entry & Pte.PRESENT) != 0) {
      if ((entry & Pte.UPPER_DISALLOWED) != 0) {
        return PageTypes.EINVAL;
      }
      if (isHarmless(old, entry)) {
        write(pa, Pte.adjust(level, entry), preserveAd);
        return 0;
      }
      int rc = types.getUpperEntry(level, entry, table, d, preemptible);
      if (rc != 0) {
        return rc;
      }
      entry = Pte.adjust(level, entry);
    }
    write(pa, entry, preserveAd);
    types.putUpperEntry(level, old, table);
    return 0;
  }

  /** Changes an entry of a table of whatever level it is; EINVAL if it is none. */
  int any(long pa, long entry, boolean preserveAd, Domain d, @Nullable Vcpu preemptible) {
    int mfn = (int) (pa >>> 12);
    return types.type(mfn) == L1
        ? l1(pa, entry, preserveAd, d, d)
        : upper(types.type(mfn), pa, entry, preserveAd, d, preemptible);
  }

  /** Same frame, same rights to write, present before and after. */
  private static boolean isHarmless(long old, long entry) {
    return ((old ^ entry) & ~Pte.HARMLESS) == 0;
  }

  /**
   * The processor sets accessed and dirty bits meanwhile; they are kept where the guest asks for
   * it.
   */
  private void write(long pa, long entry, boolean preserveAd) {
    done++;
    if (!preserveAd) {
      memory.putLong(pa, entry);
      return;
    }
    long old;
    do {
      old = memory.getLong(pa);
    } while (!memory.compareAndSetLong(pa, old, entry | (old & (Pte.ACCESSED | Pte.DIRTY))));
  }
}
