package parhelion.xen.grant;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import parhelion.abi.Errno;
import parhelion.abi.Gntmap;
import parhelion.abi.Gntst;
import parhelion.abi.GnttabReserved;
import parhelion.abi.Gtf;
import parhelion.cpu.memory.MachineMemory;
import parhelion.xen.Domain;
import parhelion.xen.HvmDomain;
import parhelion.xen.XenError;
import parhelion.xen.event.EventChannels;
import parhelion.xen.memory.FrameTable;

/**
 * The pages that a domain lends to others, and those that it has borrowed. One per domain.
 *
 * <p>A guest grants a frame by writing an entry into its table, which it shares with the
 * hypervisor; who the entry names may then map the frame ({@link GrantMaps}), copy from or to it
 * ({@link GrantCopies}), or, where it names domain 0, reach it from Java ({@link #mapForHost}).
 * While anybody does, the entry has an {@link ActiveGrant} here and status bits in the guest's
 * memory. References on the frame are taken with each use, so that neither end's death frees it
 * under the other.
 *
 * <p>Scheduler's thread only.
 */
public final class GrantTable {
  /** Xen's gnttab_max_frames. */
  public static final int MAX_FRAMES = 64;

  /** Frames of entries of version 2 whose status words fill a frame. */
  private static final int STATUS_RATIO = 8;

  private final Domain domain;
  private final MachineMemory memory;
  private final FrameTable frames;
  private final GrantTableState state = new GrantTableState();
  private final GrantEntries entries;

  /** One frame of entries; ENOMEM. */
  public GrantTable(Domain domain) {
    this.domain = domain;
    memory = domain.hypervisor().memory();
    frames = domain.hypervisor().frames();
    entries = new GrantEntries(memory, state);
    grow(1);
  }

  public Domain domain() {
    return domain;
  }

  GrantTableState state() {
    return state;
  }

  GrantEntries entries() {
    return entries;
  }

  Maptrack maptrack() {
    return state.maptrack;
  }

  /** Form of the entries, 1 or 2. */
  public int version() {
    return state.version;
  }

  /** Frames of entries; 0 once the domain is dead. */
  public int frameCount() {
    return state.sharedMfns.length;
  }

  /** Machine frame of the {@code index}th frame of entries. */
  public long sharedMfn(int index) {
    return state.sharedMfns[index];
  }

  /** Who uses an entry, as the guest sees it: {@link Gtf#READING} and {@link Gtf#WRITING}. */
  public int statusOf(int ref) {
    return entries.status(ref);
  }

  int statusFrameCount() {
    return state.statusMfns.length;
  }

  long statusMfn(int index) {
    return state.statusMfns[index];
  }

  // --- size and version ---

  /** Makes room for {@code count} frames of entries, if there is less; false without memory. */
  boolean ensureFrames(int count) {
    boolean enough =
        count <= state.sharedMfns.length
            && (state.version == 1 || GrantEntries.statusFrames(count) <= state.statusMfns.length);
    if (enough) {
      return true;
    }
    try {
      grow(Math.max(count, state.sharedMfns.length));
      return true;
    } catch (XenError e) {
      return false;
    }
  }

  private void grow(int count) {
    long[] shared = extend(state.sharedMfns, count);
    try {
      if (state.version == 2) {
        state.statusMfns = extend(state.statusMfns, GrantEntries.statusFrames(count));
      }
    } catch (XenError e) {
      releaseFrom(shared, state.sharedMfns.length);
      throw e;
    }
    state.sharedMfns = shared;
    state.active = Arrays.copyOf(state.active, GrantEntries.entries(1, count));
  }

  /** The frames and as many new ones as are missing to {@code count}; ENOMEM, with none taken. */
  private long[] extend(long[] mfns, int count) {
    long[] all = Arrays.copyOf(mfns, Math.max(mfns.length, count));
    for (int i = mfns.length; i < count; i++) {
      try {
        all[i] = frames.allocateShared(domain);
      } catch (XenError e) {
        releaseFrom(Arrays.copyOf(all, i), mfns.length);
        throw e;
      }
    }
    return all;
  }

  private void releaseFrom(long[] mfns, int first) {
    HvmDomain hvm = domain.hvm();
    for (int i = first; i < mfns.length; i++) {
      if (hvm != null) {
        hvm.withdraw(mfns[i]);
      }
      frames.releaseShared(mfns[i]);
    }
  }

  /**
   * The {@code index}th frame of entries, or of their status words, which are made if the table has
   * fewer; -1 where it cannot have as many.
   */
  public long frameFor(long index, boolean status) {
    if (index < 0 || index >= MAX_FRAMES || status && state.version != 2) {
      return -1;
    }
    int i = (int) index;
    int frames = status ? i * STATUS_RATIO + 1 : i + 1;
    if (frames > MAX_FRAMES || !ensureFrames(frames)) {
      return -1;
    }
    return status ? state.statusMfns[i] : state.sharedMfns[i];
  }

  /**
   * GNTTABOP_set_version: 0 or a negative errno. Refused while an entry is in use; the first eight,
   * which the toolstack fills, keep what they grant.
   */
  long setVersion(long version) {
    if (version != 1 && version != 2) {
      return Errno.EINVAL.result();
    }
    if (version == state.version) {
      return 0;
    }
    for (int ref = GnttabReserved.NR_RESERVED_ENTRIES; ref < state.active.length; ref++) {
      ActiveGrant act = state.active[ref];
      if (act != null && act.isPinned()) {
        return Errno.EBUSY.result();
      }
    }
    return version == 2 ? toVersion2() : toVersion1();
  }

  /** A reserved entry between two versions. */
  private record Reserved(int flags, int domid, long frame) {}

  private Reserved[] reserved() {
    Reserved[] saved = new Reserved[GnttabReserved.NR_RESERVED_ENTRIES];
    for (int ref = 0; ref < saved.length; ref++) {
      int header = memory.getInt(entries.pa(ref));
      saved[ref] =
          new Reserved(header & 0xffff | entries.status(ref), header >>> 16, entries.frame(ref));
    }
    return saved;
  }

  private long toVersion2() {
    long[] status;
    try {
      status = extend(new long[0], GrantEntries.statusFrames(state.sharedMfns.length));
    } catch (XenError e) {
      return e.result();
    }
    Reserved[] saved = reserved();
    clearEntries();
    state.statusMfns = status;
    state.version = 2;
    for (int ref = 0; ref < saved.length; ref++) {
      Reserved r = saved[ref];
      int inUse = Gtf.READING | Gtf.WRITING;
      memory.putShort(entries.statusPa(ref), (short) (r.flags & inUse));
      entries.put(ref, r.flags & ~inUse, r.domid, r.frame);
    }
    return 0;
  }

  private long toVersion1() {
    Reserved[] saved = reserved();
    for (Reserved r : saved) {
      int type = r.flags & Gtf.TYPE_MASK;
      if (type == Gtf.TRANSITIVE || (type == Gtf.PERMIT_ACCESS && r.frame >>> 32 != 0)) {
        return Errno.ERANGE.result();
      }
    }
    for (long mfn : state.statusMfns) {
      if (frames.references(mfn) != 1) {
        return Errno.EBUSY.result();
      }
    }
    releaseFrom(state.statusMfns, 0);
    state.statusMfns = new long[0];
    clearEntries();
    state.version = 1;
    for (int ref = 0; ref < saved.length; ref++) {
      Reserved r = saved[ref];
      if ((r.flags & Gtf.TYPE_MASK) == Gtf.PERMIT_ACCESS) {
        entries.put(ref, r.flags, r.domid, r.frame);
      }
    }
    return 0;
  }

  private void clearEntries() {
    for (long mfn : state.sharedMfns) {
      memory.fill(mfn << 12, 4096, (byte) 0);
    }
  }

  // --- what a toolstack and backends do ---

  /**
   * What a toolstack does before a domain runs: grants the frames of its console and of its
   * xenstore ring to domain 0 by the two references that are reserved for them.
   */
  public void grantReserved(long consoleMfn, long xenstoreMfn) {
    entries.put(
        GnttabReserved.RESERVED_CONSOLE, Gtf.PERMIT_ACCESS, EventChannels.HOST_DOMID, consoleMfn);
    entries.put(
        GnttabReserved.RESERVED_XENSTORE, Gtf.PERMIT_ACCESS, EventChannels.HOST_DOMID, xenstoreMfn);
  }

  /**
   * Maps a frame that the guest has granted to domain 0 for a backend in Java, until it is closed.
   *
   * @param ref grant reference, as the guest told it: any number
   * @throws GrantRefused if the guest has not granted it so
   */
  public HostGrant mapForHost(long ref, boolean writable) {
    int status = pinForMap(ref, EventChannels.HOST_DOMID, !writable, true, false);
    if (status != Gntst.OKAY) {
      throw new GrantRefused(domain, ref, status);
    }
    int entry = (int) ref;
    long mfn = active(entry).mfn;
    if (!hold(mfn, !writable)) {
      unpin(entry, !writable, true, false);
      throw new GrantRefused(domain, ref, Gntst.GENERAL_ERROR);
    }
    HostGrant grant = new HostGrant(this, entry, mfn, writable);
    domain.hypervisor().grantOps().hostGrants().add(grant);
    return grant;
  }

  /**
   * GNTTABOP_copy from a frame that the guest has granted to domain 0, for a backend in Java.
   *
   * @param ref grant reference, as the guest told it: any number
   * @param offset in the frame
   * @return false if the guest has not granted it so; nothing is copied then
   */
  public boolean copyToHost(long ref, int offset, byte[] target, int at, int length) {
    return domain.hypervisor().grantOps().copies().toHost(this, ref, offset, target, at, length);
  }

  /** The other way: {@link #copyToHost}. */
  public boolean copyFromHost(long ref, int offset, byte[] source, int at, int length) {
    return domain.hypervisor().grantOps().copies().fromHost(this, ref, offset, source, at, length);
  }

  void closeHostGrant(HostGrant grant) {
    domain.hypervisor().grantOps().hostGrants().remove(grant);
    release(grant.mfn(), !grant.isWritable());
    unpin(grant.ref(), !grant.isWritable(), true, false);
  }

  // --- uses ---

  /** The active entry of a reference, made on first use. */
  ActiveGrant active(int ref) {
    ActiveGrant act = state.active[ref];
    if (act == null) {
      act = new ActiveGrant();
      state.active[ref] = act;
    }
    return act;
  }

  @Nullable ActiveGrant activeOrNull(int ref) {
    return ref < state.active.length ? state.active[ref] : null;
  }

  /**
   * Begins a use of an entry by mappings of domain {@code domid}; a {@link Gntst}. Takes no
   * reference on the frame: {@link #hold}.
   */
  int pinForMap(long ref, int domid, boolean readOnly, boolean host, boolean device) {
    if (ref < 0 || ref >= entries.count()) {
      return Gntst.BAD_GNTREF;
    }
    int entry = (int) ref;
    ActiveGrant act = active(entry);
    if (act.isPinned()
        && (act.domid != domid || act.isFull(readOnly, host, device) || act.subPage)) {
      return Gntst.GENERAL_ERROR;
    }
    if (!act.isPinned() || (!readOnly && !act.isWritten())) {
      int rc = entries.setStatus(entry, act, readOnly, true, domid);
      if (rc != Gntst.OKAY) {
        return rc;
      }
      if (!act.isPinned()) {
        long mfn = domain.mfnOf(entries.frame(entry));
        if (frames.owner(mfn) != domain) {
          entries.reduceStatus(entry, act, readOnly);
          return Gntst.BAD_PAGE;
        }
        act.domid = domid;
        act.mfn = mfn;
        act.start = 0;
        act.length = MachineMemory.PAGE_SIZE;
        act.subPage = false;
        act.behind = null;
      }
    }
    act.pin(readOnly, host, device, 1);
    return Gntst.OKAY;
  }

  /** Ends a use. */
  void unpin(int ref, boolean readOnly, boolean host, boolean device) {
    ActiveGrant act = active(ref);
    act.pin(readOnly, host, device, -1);
    if (!isDead()) {
      entries.reduceStatus(ref, act, readOnly);
    }
  }

  /**
   * Takes a reference on a frame of this domain's, with the right to write unless {@code readOnly};
   * false if it is not the domain's or is a page table.
   */
  boolean hold(long mfn, boolean readOnly) {
    return readOnly
        ? frames.getPage(domain, mfn)
        : frames.getPageAndType(domain, mfn, FrameTable.WRITABLE);
  }

  /** Gives back what {@link #hold} took. */
  void release(long mfn, boolean readOnly) {
    if (readOnly) {
      frames.putPage(mfn);
    } else {
      frames.putPageAndType(mfn);
    }
  }

  /** GNTTABOP_swap_grant_ref of one pair; a {@link Gntst}. */
  int swap(long refA, long refB) {
    if (refA >= entries.count() || refB >= entries.count()) {
      return Gntst.BAD_GNTREF;
    }
    if (refA == refB) {
      return Gntst.OKAY;
    }
    if (isInUse((int) refA) || isInUse((int) refB)) {
      return Gntst.EAGAIN;
    }
    entries.swap((int) refA, (int) refB);
    return Gntst.OKAY;
  }

  private boolean isInUse(int ref) {
    ActiveGrant act = activeOrNull(ref);
    return act != null && act.isPinned();
  }

  /** Whether domain {@code domid} uses the frame by one of the grants from {@code firstRef} on. */
  boolean isUsedBy(int domid, long mfn, int firstRef) {
    for (int ref = firstRef; ref < state.active.length; ref++) {
      ActiveGrant act = state.active[ref];
      if (act != null && act.isPinned() && act.domid == domid && act.mfn == mfn) {
        return true;
      }
    }
    return false;
  }

  // --- end ---

  private boolean isDead() {
    return state.sharedMfns.length == 0;
  }

  /**
   * Ends all uses of others' grants by a dying domain, before its page tables go: those hold the
   * references of what is mapped. What others have mapped of it stays until they unmap it; its own
   * table goes.
   */
  public void destroy() {
    Maptrack maptrack = state.maptrack;
    for (int handle = 0; handle < maptrack.size(); handle++) {
      Maptrack.Mapping m = maptrack.get(handle);
      if (m == null) {
        continue;
      }
      boolean readOnly = (m.flags() & Gntmap.READONLY) != 0;
      boolean device = (m.flags() & Gntmap.DEVICE_MAP) != 0;
      if (device) {
        m.table().release(m.table().active(m.ref()).mfn, readOnly);
      }
      m.table().unpin(m.ref(), readOnly, (m.flags() & Gntmap.HOST_MAP) != 0, device);
      maptrack.remove(handle);
    }
    releaseFrom(state.sharedMfns, 0);
    releaseFrom(state.statusMfns, 0);
    state.sharedMfns = new long[0];
    state.statusMfns = new long[0];
  }
}
