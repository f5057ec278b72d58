package parhelion.xen.grant;

import parhelion.abi.Gntst;
import parhelion.abi.GrantEntryHeader;
import parhelion.abi.GrantEntryV1;
import parhelion.abi.GrantEntryV2;
import parhelion.abi.Gtf;
import parhelion.cpu.memory.MachineMemory;

/**
 * The entries that a guest shares, live: the guest may change any of them at any time, so that each
 * field is read once and flags change by compare-and-set. Entry numbers are the caller's to check.
 */
final class GrantEntries {
  private static final int V1_PER_FRAME = 4096 / GrantEntryV1.STRUCT.size();
  private static final int V2_PER_FRAME = 4096 / GrantEntryV2.STRUCT.size();
  private static final int STATUS_PER_FRAME = 4096 / 2;

  /** How often a guest may change an entry under our hands before it is refused. */
  private static final int ATTEMPTS = 5;

  private final MachineMemory memory;
  private final GrantTableState state;

  GrantEntries(MachineMemory memory, GrantTableState state) {
    this.memory = memory;
    this.state = state;
  }

  /** Entries that {@code frames} frames have room for. */
  static int entries(int version, int frames) {
    return frames * (version == 1 ? V1_PER_FRAME : V2_PER_FRAME);
  }

  /** Frames of status words that {@code frames} frames of version 2 entries need. */
  static int statusFrames(int frames) {
    return (frames * V2_PER_FRAME + STATUS_PER_FRAME - 1) / STATUS_PER_FRAME;
  }

  int count() {
    return entries(state.version, state.sharedMfns.length);
  }

  /** Machine address of an entry. */
  long pa(int ref) {
    return state.version == 1
        ? (state.sharedMfns[ref / V1_PER_FRAME] << 12) + ref % V1_PER_FRAME * 8L
        : (state.sharedMfns[ref / V2_PER_FRAME] << 12) + ref % V2_PER_FRAME * 16L;
  }

  /** Machine address of a version 2 entry's status word. */
  long statusPa(int ref) {
    return (state.statusMfns[ref / STATUS_PER_FRAME] << 12) + ref % STATUS_PER_FRAME * 2L;
  }

  /** Flags in the low half and domid in the high one. */
  private int header(int ref) {
    return memory.getInt(pa(ref));
  }

  int flags(int ref) {
    return header(ref) & 0xffff;
  }

  /** The status word, wherever it is; for tests and auditors. */
  int status(int ref) {
    int word = state.version == 1 ? flags(ref) : memory.getShort(statusPa(ref)) & 0xffff;
    return word & (Gtf.READING | Gtf.WRITING);
  }

  long frame(int ref) {
    return state.version == 1
        ? memory.getInt(pa(ref) + GrantEntryV1.FRAME.offset()) & 0xffff_ffffL
        : memory.getLong(pa(ref) + GrantEntryV2.FULL_PAGE_FRAME.offset());
  }

  int pageOffset(int ref) {
    return memory.getShort(pa(ref) + GrantEntryV2.SUB_PAGE_PAGE_OFF.offset()) & 0xffff;
  }

  int length(int ref) {
    return memory.getShort(pa(ref) + GrantEntryV2.SUB_PAGE_LENGTH.offset()) & 0xffff;
  }

  int transitiveDomid(int ref) {
    return memory.getShort(pa(ref) + GrantEntryV2.TRANSITIVE_TRANS_DOMID.offset()) & 0xffff;
  }

  long transitiveRef(int ref) {
    return memory.getInt(pa(ref) + GrantEntryV2.TRANSITIVE_GREF.offset()) & 0xffff_ffffL;
  }

  /** Writes an entry as a toolstack does: the frame first. */
  void put(int ref, int flags, int domid, long mfn) {
    long pa = pa(ref);
    if (state.version == 1) {
      memory.putInt(pa + GrantEntryV1.FRAME.offset(), (int) mfn);
    } else {
      memory.putLong(pa + GrantEntryV2.FULL_PAGE_FRAME.offset(), mfn);
    }
    memory.putInt(pa + GrantEntryHeader.FLAGS.offset(), flags | domid << 16);
  }

  // --- status ---

  /**
   * Sets the bits that say that the frame is read (and written) after checking that the entry
   * allows it; the first user's entry must name {@code domid}. A {@link Gntst}.
   */
  int setStatus(int ref, ActiveGrant act, boolean readOnly, boolean map, int domid) {
    return state.version == 1
        ? setStatusV1(ref, act, readOnly, map, domid)
        : setStatusV2(ref, act, readOnly, map, domid);
  }

  private static boolean permits(int header, boolean map, boolean transitive, int domid) {
    int mask = map ? Gtf.TYPE_MASK | Gtf.SUB_PAGE : Gtf.TYPE_MASK;
    int kind = header & mask;
    return header >>> 16 == domid
        && (kind == Gtf.PERMIT_ACCESS || (transitive && !map && kind == Gtf.TRANSITIVE));
  }

  private int setStatusV1(int ref, ActiveGrant act, boolean readOnly, boolean map, int domid) {
    long pa = pa(ref);
    for (int i = 0; i < ATTEMPTS; i++) {
      int header = memory.getInt(pa);
      if (!act.isPinned() && !permits(header, map, false, domid)) {
        return Gntst.GENERAL_ERROR;
      }
      if (!readOnly && (header & Gtf.READONLY) != 0) {
        return Gntst.GENERAL_ERROR;
      }
      int bits = readOnly ? Gtf.READING : Gtf.READING | Gtf.WRITING;
      if (memory.compareAndSetInt(pa, header, header | bits)) {
        return Gntst.OKAY;
      }
    }
    return Gntst.GENERAL_ERROR;
  }

  /** The status is not in the entry: it is set first, and the entry looked at again. */
  private int setStatusV2(int ref, ActiveGrant act, boolean readOnly, boolean map, int domid) {
    int header = header(ref);
    if (!act.isPinned() && !permits(header, map, true, domid)) {
      return Gntst.GENERAL_ERROR;
    }
    if (!readOnly && (header & Gtf.READONLY) != 0) {
      return Gntst.GENERAL_ERROR;
    }
    change16(statusPa(ref), 0, readOnly ? Gtf.READING : Gtf.READING | Gtf.WRITING);
    header = header(ref);
    boolean forbidden = !readOnly && (header & Gtf.READONLY) != 0;
    if (!act.isPinned() && (!permits(header, map, true, domid) || forbidden)) {
      change16(statusPa(ref), Gtf.READING | Gtf.WRITING, 0);
      return Gntst.GENERAL_ERROR;
    }
    if (forbidden) {
      change16(statusPa(ref), Gtf.WRITING, 0);
      return Gntst.GENERAL_ERROR;
    }
    return Gntst.OKAY;
  }

  /** Clears the status bits that no user needs any more. */
  void reduceStatus(int ref, ActiveGrant act, boolean readOnly) {
    int clear = act.isPinned() ? 0 : Gtf.READING;
    if (!readOnly && !act.isWritten()) {
      clear |= Gtf.WRITING;
    }
    if (clear != 0) {
      change16(state.version == 1 ? pa(ref) : statusPa(ref), clear, 0);
    }
  }

  /** Clears and sets bits of a 16-bit word, atomically. */
  private void change16(long pa, int clear, int set) {
    long at = pa & ~3L;
    int shift = (int) (pa & 2) * 8;
    int old;
    do {
      old = memory.getInt(at);
    } while (!memory.compareAndSetInt(at, old, (old & ~(clear << shift)) | set << shift));
  }

  /** Exchanges two entries, status words included. */
  void swap(int a, int b) {
    swapLongs(pa(a), pa(b));
    if (state.version == 2) {
      swapLongs(pa(a) + 8, pa(b) + 8);
      short status = memory.getShort(statusPa(a));
      memory.putShort(statusPa(a), memory.getShort(statusPa(b)));
      memory.putShort(statusPa(b), status);
    }
  }

  private void swapLongs(long pa1, long pa2) {
    long value = memory.getLong(pa1);
    memory.putLong(pa1, memory.getLong(pa2));
    memory.putLong(pa2, value);
  }
}
