package parhelion.xen.memory;

import java.util.Arrays;
import java.util.BitSet;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import parhelion.abi.Domid;
import parhelion.abi.Errno;
import parhelion.cpu.interp.CodeCache;
import parhelion.cpu.memory.MachineMemory;
import parhelion.xen.Domain;
import parhelion.xen.XenError;

/**
 * Who owns each machine frame, what it is used as, and how often it is referenced (Xen's {@code
 * page_info}). A frame that is in use as a page table is never writable: that is what isolates
 * domains. Here are owners, general references and the free frames; the rules of types are in
 * {@link PageTypes}.
 *
 * <p>A frame has an owner as long as it has a reference: one for being allocated, one for each
 * mapping, type use or foreign use. The last one to go frees it; its bytes are cleared then.
 * Scheduler's thread only.
 */
public final class FrameTable {
  /** Types, as Xen's {@code PGT_*}: page tables of level 1 to 4 are 1 to 4. */
  public static final int NONE = 0;

  public static final int L1 = 1;
  public static final int L2 = 2;
  public static final int L3 = 3;
  public static final int L4 = 4;
  public static final int SEGDESC = 5;
  public static final int WRITABLE = 7;

  static final int COUNT = (1 << 29) - 1;

  /**
   * The reference of a frame that belongs to its owner's memory (Xen's PGC_allocated); counted,
   * too.
   */
  static final int ALLOCATED = 1 << 30;

  /** Xen's own frame that the owner may map: no part of its reservation. */
  static final int SHARED = 1 << 29;

  private final MachineMemory memory;
  private final CodeCache code;
  private final @Nullable Domain[] owner;
  private final int[] refs;
  private final PageTypes types;
  private final TlbFlushes tlbs;
  private final MachToPhysTable m2p;
  private final FreeFrames free;
  private final HypervisorHole hole;
  private final int firstOwn;

  /** Freed frames that have not been cleared yet; only within {@link #freeingMany}. */
  private final BitSet gathered = new BitSet();

  private boolean gathering;

  /** Free frames that are set aside for domains that are being built. */
  private long claimed;

  /**
   * Most references that a frame can have; one below, so that Xen's own operations always find
   * room.
   */
  private int refLimit = COUNT - 1;

  /** The frames from {@code first} on are Xen's to give; those below it are somebody else's. */
  public FrameTable(MachineMemory memory, CodeCache code, int first) {
    this.memory = memory;
    this.code = code;
    firstOwn = first;
    int frames = Math.toIntExact(memory.frames());
    owner = new @Nullable Domain[frames];
    refs = new int[frames];
    tlbs = new TlbFlushes(code, frames);
    types = new PageTypes(this, memory, tlbs, frames);
    m2p = new MachToPhysTable(memory, first);
    free = new FreeFrames((int) (first + m2p.frames()), frames);
    hole = new HypervisorHole(memory, this);
  }

  public MachToPhysTable m2p() {
    return m2p;
  }

  HypervisorHole hole() {
    return hole;
  }

  PageTypes types() {
    return types;
  }

  TlbFlushes tlbs() {
    return tlbs;
  }

  /** Machine frames, free or not. */
  public int size() {
    return owner.length;
  }

  /** Host memory that the tables take: owner, references, type, and time of the last mapping. */
  public long hostBytes() {
    return size() * (4L + Integer.BYTES + Integer.BYTES + Long.BYTES);
  }

  /** Frames that nobody has. */
  public long freeFrames() {
    return free.count();
  }

  /** Lets a test reach the limits of the counters. */
  void limitCounts(int refLimit, int typeLimit) {
    this.refLimit = refLimit;
    types.limitCounts(typeLimit);
  }

  /** Owner of a frame; null for free frames, Xen's own and frames that do not exist. */
  public @Nullable Domain owner(long mfn) {
    return mfn >= 0 && mfn < owner.length ? owner[(int) mfn] : null;
  }

  /** Domain number of the owner, {@link Domid#XEN} for Xen's. */
  public int ownerId(long mfn) {
    Domain d = owner(mfn);
    return d == null ? Domid.XEN : d.id();
  }

  /** Current or last type of a frame that exists. */
  public int type(long mfn) {
    return types.type((int) mfn);
  }

  /** How often the frame is in use as its {@link #type}. */
  public int typeCount(long mfn) {
    return types.count((int) mfn);
  }

  public boolean isPinned(long mfn) {
    return types.isPinned((int) mfn);
  }

  /** References of all kinds, the one for being allocated included. */
  public int references(long mfn) {
    return refs[(int) mfn] & COUNT;
  }

  /**
   * True when the frame is part of its owner's memory; false when only other references keep it.
   */
  public boolean isAllocated(long mfn) {
    return (refs[(int) mfn] & ALLOCATED) != 0;
  }

  /** True for Xen's own frames that their owner may map. */
  public boolean isShared(long mfn) {
    return (refs[(int) mfn] & SHARED) != 0;
  }

  // --- allocation ---

  /**
   * A zeroed frame that counts towards the domain's {@code totPages}; ENOMEM past its {@code
   * maxPages} or out of memory.
   */
  public long allocate(Domain d) {
    long mfn = tryAllocate(d, 0);
    if (mfn < 0) {
      throw new XenError(Errno.ENOMEM);
    }
    return mfn;
  }

  long tryAllocate(Domain d, int order) {
    return tryAllocate(d, order, owner.length);
  }

  /**
   * The first of 2<sup>order</sup> zeroed frames in a row, below {@code limit} and aligned to their
   * number; -1 when there are none to be had.
   */
  long tryAllocate(Domain d, int order, int limit) {
    return d.totPages + (1L << order) > d.maxPages ? -1 : allocateBeyondLimit(d, order, limit);
  }

  /** The same whatever the domain may have: it is about to give as much back. */
  long allocateBeyondLimit(Domain d, int order, int limit) {
    long count = 1L << order;
    long others = claimed - d.memory.claimed;
    if (free.count() - others < count) {
      return -1;
    }
    int mfn = free.take(order, limit);
    if (mfn >= 0) {
      for (int i = 0; i < count; i++) {
        assign(d, mfn + i, ALLOCATED | 1);
      }
      d.totPages += count;
      claim(d, Math.max(0, d.memory.claimed - count));
    }
    return mfn;
  }

  /**
   * Makes memory of a machine's, which Xen has never given to anybody, a domain's: it counts as if
   * it had been allocated.
   */
  public void adopt(Domain d, long mfn) {
    if (owner[(int) mfn] != null || mfn >= firstOwn) {
      throw new IllegalStateException("frame " + mfn + " is not to be adopted");
    }
    assign(d, (int) mfn, ALLOCATED | 1);
    d.totPages++;
  }

  /** Whether nobody uses a frame of a domain's memory but the domain itself. */
  public boolean isUnused(Domain d, long mfn) {
    return owner(mfn) == d && isAllocated(mfn) && references(mfn) == 1;
  }

  /** Sets free frames aside for a domain that is being built; false when there are not as many. */
  boolean claim(Domain d, long count) {
    if (count > 0 && free.count() - (claimed - d.memory.claimed) < count) {
      return false;
    }
    claimed += count - d.memory.claimed;
    d.memory.claimed = count;
    return true;
  }

  private void assign(Domain d, int mfn, int bits) {
    tlbs.dropAll(mfn);
    owner[mfn] = d;
    refs[mfn] = bits;
  }

  /**
   * A zeroed frame of Xen's that {@code d} may map but that is not part of its reservation:
   * shared_info, grant table.
   */
  public long allocateShared(Domain d) {
    int mfn = free.take(0, owner.length);
    if (mfn < 0) {
      throw new XenError(Errno.ENOMEM);
    }
    assign(d, mfn, SHARED | ALLOCATED | 1);
    types.shareWritable(mfn);
    return mfn;
  }

  /**
   * Ends {@link #allocateShared}; mappings that the guest still has keep the frame until they go.
   */
  public void releaseShared(long mfn) {
    if (!isShared(mfn) || !isAllocated(mfn)) {
      throw new IllegalStateException("frame " + mfn + " is no shared frame");
    }
    types.put((int) mfn);
    release((int) mfn);
  }

  /** Zeroed frames in a row for Xen itself, never given back; -1 when there are none. */
  public long allocateForXen(int order) {
    return free.take(order, owner.length);
  }

  /**
   * Takes the frame out of its owner's memory: it is freed once its last reference goes. False if
   * it is not in it.
   */
  boolean release(int mfn) {
    if ((refs[mfn] & ALLOCATED) == 0) {
      return false;
    }
    refs[mfn] &= ~ALLOCATED;
    putPage(mfn);
    return true;
  }

  // --- references ---

  /**
   * Takes a general reference: false if {@code d} does not own the frame or the count would
   * overflow.
   */
  public boolean getPage(Domain d, long mfn) {
    if (mfn < 0 || mfn >= owner.length || owner[(int) mfn] != d) {
      return false;
    }
    int count = refs[(int) mfn] & COUNT;
    if (count == 0 || count >= refLimit) {
      return false;
    }
    refs[(int) mfn]++;
    return true;
  }

  /** A reference beside one that is held already; always finds room. */
  void holdPage(int mfn) {
    refs[mfn]++;
  }

  /** Gives a reference back; the last one frees the frame. */
  public void putPage(long mfn) {
    int i = (int) mfn;
    if ((refs[i] & COUNT) == 0) {
      throw new IllegalStateException("frame " + mfn + " has no reference to give back");
    }
    refs[i]--;
    if ((refs[i] & COUNT) == 0) {
      free(i);
    }
  }

  private void free(int mfn) {
    Domain d = owner[mfn];
    if (d == null || types.count(mfn) != 0) {
      throw new IllegalStateException("frame " + mfn + " is freed while in use");
    }
    if ((refs[mfn] & SHARED) == 0) {
      d.totPages--;
    }
    owner[mfn] = null;
    refs[mfn] = 0;
    types.forget(mfn);
    m2p.set(mfn, MachToPhysTable.INVALID);
    code.dropFrame(mfn);
    // No TLB may write to it once it is clean; what can still be read of it is nothing, until it
    // has a new owner.
    tlbs.dropAll(mfn);
    if (gathering) {
      gathered.set(mfn);
    } else {
      clean(mfn, mfn + 1);
    }
  }

  private void clean(int from, int to) {
    memory.clear((long) from << 12, (long) (to - from) << 12);
    for (int mfn = from; mfn < to; mfn++) {
      tlbs.left(mfn);
      free.give(mfn);
    }
  }

  /**
   * Does something that frees many frames: they are cleared, and can be had, at its end, in runs as
   * long as may be. No vcpu runs meanwhile.
   */
  boolean freeingMany(BooleanSupplier action) {
    if (gathering) {
      throw new IllegalStateException("frames are being gathered already");
    }
    gathering = true;
    try {
      return action.getAsBoolean();
    } finally {
      gathering = false;
      int to;
      for (int from = gathered.nextSetBit(0); from >= 0; from = gathered.nextSetBit(to)) {
        to = gathered.nextClearBit(from);
        clean(from, to);
      }
      gathered.clear();
    }
  }

  /**
   * Takes a general and a type reference: false if not the owner's or if the type conflicts (or
   * does not validate). A page table is validated in one go here; hypercalls use the preemptible
   * way.
   */
  public boolean getPageAndType(Domain d, long mfn, int wanted) {
    return types.getPageAndType(d, mfn, wanted, null) == 0;
  }

  /**
   * Gives both back. Entries of a page table whose last use this was are given back by {@link
   * Paging#finishDropped}.
   */
  public void putPageAndType(long mfn) {
    types.putPageAndType((int) mfn);
  }

  /** Takes a type reference on a frame that the caller has a general one on. */
  public boolean getType(long mfn, int wanted) {
    return types.get((int) mfn, wanted, null) == 0;
  }

  /** Gives it back. */
  public void putType(long mfn) {
    types.put((int) mfn);
  }

  int refBits(int mfn) {
    return refs[mfn];
  }

  @Override
  public String toString() {
    return owner.length
        + " frames, "
        + free.count()
        + " free, types "
        + Arrays.toString(types.histogram());
  }
}
