package parhelion.xen.memory;

import parhelion.cpu.memory.MachineMemory;
import parhelion.xen.Domain;
import parhelion.xen.Vcpu;

/**
 * Puts granted frames into a guest's page tables and takes them out again. The grant code decides
 * whether that is allowed and holds the frame; a mapping here takes over the reference that the
 * grant code took with {@link FrameTable#getPage} (read-only) or {@link FrameTable#getPageAndType}
 * as WRITABLE, and gives it back to the grant code when it is taken out.
 *
 * <p>After {@link #unmap} the grant code flushes the mapping vcpus' TLBs ({@link #flush}) and only
 * then puts its references: until then the guest could still reach the frame.
 */
public final class GrantMappings {
  private static final long PRESENT = Pte.PRESENT | Pte.ACCESSED | Pte.DIRTY | Pte.GNTTAB | Pte.NX;

  private final FrameTable frames;
  private final PageTypes types;
  private final MachineMemory memory;
  private final Paging paging;

  GrantMappings(FrameTable frames, MachineMemory memory, Paging paging) {
    this.frames = frames;
    this.memory = memory;
    this.paging = paging;
    types = frames.types();
  }

  /**
   * Maps {@code mfn} at {@code where}: a virtual address of the running vcpu's kernel, or, with
   * {@code isEntry}, the machine address of an L1 entry. {@code flags} are {@link Pte} bits: RW,
   * USER and AVAIL are heeded; nothing can be executed there. What was mapped there is unmapped.
   * False, with nothing changed, where there is no L1 table of the caller's.
   */
  public boolean map(Vcpu v, long where, boolean isEntry, long mfn, long flags) {
    long pa = entryAddress(v, where, isEntry);
    if (pa < 0) {
      return false;
    }
    long kept = flags & (Pte.RW | Pte.USER | Pte.AVAIL);
    long entry = Pte.adjustL1(Pte.of(mfn, PRESENT | kept));
    long old = memory.getLong(pa);
    memory.putLong(pa, entry);
    types.putL1Entry(old, v.domain());
    paging.punishGrantAbuse(v.domain());
    return true;
  }

  /**
   * Takes a mapping of {@code mfn} out again; false, with nothing changed, where {@code where} does
   * not map that frame with that right to write as a grant. Afterwards the references are the
   * caller's.
   */
  public boolean unmap(Vcpu v, long where, boolean isEntry, long mfn, boolean writable) {
    long pa = entryAddress(v, where, isEntry);
    if (pa < 0 || !maps(memory.getLong(pa), mfn, writable)) {
      return false;
    }
    memory.putLong(pa, 0);
    return true;
  }

  /**
   * The same, and moves the mapping that is at virtual address {@code newVa} to {@code va} ({@code
   * unmap_and_replace}); nothing is mapped at {@code newVa} afterwards.
   */
  public boolean replace(Vcpu v, long va, long mfn, boolean writable, long newVa) {
    long pa = entryAddress(v, va, false);
    long newPa = entryAddress(v, newVa, false);
    if (pa < 0 || newPa < 0 || pa == newPa || !maps(memory.getLong(pa), mfn, writable)) {
      return false;
    }
    long moved = memory.getLong(newPa);
    memory.putLong(newPa, 0);
    memory.putLong(pa, moved);
    return true;
  }

  private static boolean maps(long entry, long mfn, boolean writable) {
    boolean same = Pte.present(entry) && Pte.mfn(entry) == mfn;
    return same && (entry & Pte.GNTTAB) != 0 && ((entry & Pte.RW) != 0) == writable;
  }

  /** Machine address of the L1 entry in a live table of the caller's, or -1. */
  private long entryAddress(Vcpu v, long where, boolean isEntry) {
    long pa = isEntry ? where : paging.l1EntryAddress(v, where);
    long table = pa >>> 12;
    boolean fits = (pa & 7) == 0 && pa >= 0 && frames.owner(table) == v.domain();
    return fits && paging.isLiveL1((int) table) ? pa : -1;
  }

  /** Forgets every translation of the domain's vcpus. */
  public void flush(Domain d) {
    d.vcpus().forEach(v -> v.cpu().flushTlbs());
  }
}
