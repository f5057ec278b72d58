package parhelion.xen.memory;

import static parhelion.xen.memory.FrameTable.L1;
import static parhelion.xen.memory.FrameTable.L4;
import static parhelion.xen.memory.FrameTable.NONE;
import static parhelion.xen.memory.FrameTable.SEGDESC;
import static parhelion.xen.memory.FrameTable.WRITABLE;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.memory.MachineMemory;
import parhelion.xen.Domain;
import parhelion.xen.Vcpu;

/**
 * What a frame is used as, and how often: page table of a level, descriptor page or writable
 * memory, one at a time. The type can change only while its count is 0. A page table is validated
 * when its first use begins: each of its entries takes a reference to what it maps, of the type
 * that the level says; when the last use ends the entries give them back. So a frame that is a page
 * table has no writable mapping anywhere, and a table in use refers to nothing that its owner may
 * not have.
 *
 * <p>Long work is cut in pieces. A validation that is interrupted leaves the table {@code PARTIAL}:
 * it holds one use and one reference of itself, and whoever takes the type next goes on with it. A
 * table whose last use went becomes {@code DYING}, with the same holds, and waits in its owner's
 * {@link DomainMemory} until {@link #drain} has given back its entries, so that nothing here
 * recurses by more than the four levels.
 *
 * <p>Results are 0, a negative errno, or {@link #RESTART}.
 */
final class PageTypes extends TypeWords {
  /** To be done again, with the same arguments, after others have had their turn. */
  static final int RESTART = -85;

  static final int EPERM = -1;
  static final int EACCES = -13;
  static final int EBUSY = -16;
  static final int EINVAL = -22;

  /** Entries after which a preemptible walk asks whether to go on. */
  private static final int STRIDE = 16;

  private final FrameTable frames;
  private final MachineMemory memory;
  private final TlbFlushes tlbs;
  private int steps;

  /**
   * A live domain's granted mapping was overwritten by its own doing; what Xen crashes the domain
   * for.
   */
  private @Nullable Domain grantAbuser;

  PageTypes(FrameTable frames, MachineMemory memory, TlbFlushes tlbs, int size) {
    super(size);
    this.frames = frames;
    this.memory = memory;
    this.tlbs = tlbs;
  }

  /** The domain that overwrote a granted mapping since the last call, or null. */
  @Nullable Domain takeGrantAbuser() {
    Domain d = grantAbuser;
    grantAbuser = null;
    return d;
  }

  // --- uses ---

  int getPageAndType(Domain d, long mfn, int type, @Nullable Vcpu preemptible) {
    if (!frames.getPage(d, mfn)) {
      return EINVAL;
    }
    int rc = get((int) mfn, type, preemptible);
    if (rc != 0) {
      frames.putPage(mfn);
    }
    return rc;
  }

  void putPageAndType(int mfn) {
    put(mfn);
    frames.putPage(mfn);
  }

  /** Takes a use; the caller holds a general reference. */
  int get(int mfn, int type, @Nullable Vcpu preemptible) {
    int t = types[mfn];
    if ((t & DYING) != 0 || ((t & PARTIAL) != 0 && (t & TYPE) != of(type))) {
      demote(mfn);
      t = types[mfn];
    }
    if ((t & PARTIAL) != 0) {
      types[mfn] = t & ~PARTIAL;
      frames.putPage(mfn);
      return validate(mfn, type, preemptible);
    }
    int count = t & COUNT;
    if (count >= countLimit) {
      return EINVAL;
    }
    if (count == 0) {
      if ((t & TYPE) != of(type)) {
        if (type != WRITABLE && (t & TYPE) == of(WRITABLE)) {
          tlbs.dropWritable(mfn);
        }
        t = of(type) | (type == WRITABLE ? VALIDATED : 0);
      }
      types[mfn] = t + 1;
      if ((t & VALIDATED) != 0) {
        return 0;
      }
      validated[mfn] = 0;
      linear[mfn] = 0;
      return validate(mfn, type, preemptible);
    }
    if ((t & TYPE) != of(type)) {
      return EINVAL;
    }
    if ((t & VALIDATED) == 0) {
      throw new IllegalStateException(
          "frame " + mfn + " is in use as type " + type + " unvalidated");
    }
    types[mfn] = t + 1;
    return 0;
  }

  /** Gives a use back. */
  void put(int mfn) {
    int t = types[mfn];
    int count = t & COUNT;
    if (count == 0) {
      throw new IllegalStateException("frame " + mfn + " has no use to give back");
    }
    if (count > 1) {
      types[mfn] = t - 1;
      return;
    }
    if (isTable(t) && (t & VALIDATED) != 0) {
      types[mfn] = t & ~VALIDATED;
      die(mfn, Pte.ENTRIES);
      return;
    }
    types[mfn] = t - 1;
    tlbs.left(mfn);
  }

  private void die(int mfn, int entries) {
    types[mfn] |= DYING;
    validated[mfn] = (short) entries;
    frames.holdPage(mfn);
    owner(mfn).memory.pushDying(mfn);
  }

  private Domain owner(int mfn) {
    Domain d = frames.owner(mfn);
    if (d == null) {
      throw new IllegalStateException("frame " + mfn + " has no owner");
    }
    return d;
  }

  /**
   * Keeps a table in use until it is unpinned; false if it is pinned already. The caller's use
   * becomes the pin's.
   */
  boolean pin(int mfn) {
    if (isPinned(mfn)) {
      return false;
    }
    types[mfn] |= PINNED;
    return true;
  }

  /** False if it is not pinned; otherwise the pin's use is the caller's to put. */
  boolean unpin(int mfn) {
    if (!isPinned(mfn)) {
      return false;
    }
    types[mfn] &= ~PINNED;
    return true;
  }

  // --- validation ---

  private int validate(int mfn, int type, @Nullable Vcpu preemptible) {
    return switch (type) {
      case SEGDESC -> validateDescriptors(mfn);
      case L1 -> validateL1(mfn);
      default -> validateUpper(mfn, type, preemptible);
    };
  }

  private int refuse(int mfn, int rc) {
    types[mfn] = of(NONE);
    return rc;
  }

  private int validateDescriptors(int mfn) {
    long pa = (long) mfn << 12;
    for (int i = 0; i < 4096; i += 8) {
      long old = memory.getLong(pa + i);
      long checked = SegmentDescriptors.checked(old);
      if (checked == SegmentDescriptors.REFUSED) {
        return refuse(mfn, EINVAL);
      }
      if (checked != old) {
        memory.putLong(pa + i, checked);
      }
    }
    types[mfn] |= VALIDATED;
    return 0;
  }

  private int validateL1(int mfn) {
    Domain d = owner(mfn);
    long pa = (long) mfn << 12;
    for (int i = 0; i < Pte.ENTRIES; i++) {
      long entry = memory.getLong(pa + i * 8L);
      if (!Pte.present(entry)) {
        continue;
      }
      int rc = getL1Entry(entry, d, d);
      if (rc != 0) {
        while (--i >= 0) {
          putL1Entry(memory.getLong(pa + i * 8L), d);
        }
        return refuse(mfn, rc);
      }
      long stored = Pte.adjustL1(entry);
      if (stored != entry) {
        memory.putLong(pa + i * 8L, stored);
      }
    }
    types[mfn] |= VALIDATED;
    return 0;
  }

  private int validateUpper(int mfn, int level, @Nullable Vcpu preemptible) {
    Domain d = owner(mfn);
    long pa = (long) mfn << 12;
    for (int i = validated[mfn]; i < Pte.ENTRIES; i++) {
      if (!Pte.isGuestSlot(level, i)) {
        continue;
      }
      long entry = memory.getLong(pa + i * 8L);
      if (!Pte.present(entry)) {
        continue;
      }
      int rc = getUpperEntry(level, entry, mfn, d, preemptible);
      if (rc != 0) {
        return rc == RESTART ? suspend(mfn, i) : abort(mfn, i, rc);
      }
      long stored = Pte.adjust(level, entry);
      if (stored != entry) {
        memory.putLong(pa + i * 8L, stored);
      }
      if (preemptible != null && ++steps % STRIDE == 0 && preemptible.shouldYield()) {
        return suspend(mfn, i + 1);
      }
    }
    if (level == L4) {
      frames.hole().fill(pa);
    }
    types[mfn] |= VALIDATED;
    return 0;
  }

  private int suspend(int mfn, int entries) {
    types[mfn] |= PARTIAL;
    validated[mfn] = (short) entries;
    frames.holdPage(mfn);
    return RESTART;
  }

  private int abort(int mfn, int entries, int rc) {
    if (entries == 0) {
      return refuse(mfn, rc);
    }
    die(mfn, entries);
    return rc;
  }

  /**
   * Gives back the entries of a DYING or PARTIAL table and its holds; it is in no use afterwards.
   */
  private void demote(int mfn) {
    int level = type(mfn);
    Domain d = owner(mfn);
    long pa = (long) mfn << 12;
    for (int i = validated[mfn] - 1; i >= 0; i--) {
      if (!Pte.isGuestSlot(level, i)) {
        continue;
      }
      long entry = memory.getLong(pa + i * 8L);
      if (level == L1) {
        putL1Entry(entry, d);
      } else {
        putUpperEntry(level, entry, mfn);
      }
    }
    if (level == L4) {
      frames.hole().clear(pa);
    }
    if (linear[mfn] != 0) {
      throw new IllegalStateException("table " + mfn + " ends with linear count " + linear[mfn]);
    }
    types[mfn] &= TYPE;
    tlbs.left(mfn);
    frames.putPage(mfn);
  }

  /** Gives back what the owner's dropped tables held; false when it is to be gone on with later. */
  boolean drain(Domain d, @Nullable Vcpu preemptible) {
    while (drainOne(d)) {
      if (preemptible != null && d.memory.hasDying() && preemptible.shouldYield()) {
        return false;
      }
    }
    return true;
  }

  /** Gives back what one dropped table held; false if there is none. */
  boolean drainOne(Domain d) {
    if (!d.memory.hasDying()) {
      return false;
    }
    int mfn = d.memory.popDying();
    if (isDying(mfn) && frames.owner(mfn) == d) {
      demote(mfn);
    }
    return true;
  }

  /** Ends an interrupted validation that nobody went on with. */
  void abandonPartial(int mfn) {
    if (isPartial(mfn)) {
      demote(mfn);
    }
  }

  // --- entries ---

  /**
   * Takes what a present L1 entry refers to. {@code pageOwner} is whose frame it claims to map,
   * null for device memory.
   */
  int getL1Entry(long entry, Domain tableOwner, @Nullable Domain pageOwner) {
    if ((entry & Pte.l1Disallowed(tableOwner)) != 0) {
      return EINVAL;
    }
    long mfn = Pte.mfn(entry);
    if (mfn >= types.length) {
      return mfn == Pte.FRAME >>> 12 ? EINVAL : EPERM;
    }
    if (pageOwner == null || !frames.getPage(pageOwner, mfn)) {
      return EBUSY;
    }
    boolean write = (entry & Pte.RW) != 0;
    if (write && get((int) mfn, WRITABLE, null) != 0) {
      frames.putPage(mfn);
      return EBUSY;
    }
    if (Pte.hasCacheAttributes(entry) && frames.isShared(mfn)) {
      if (write) {
        put((int) mfn);
      }
      frames.putPage(mfn);
      return EACCES;
    }
    return 0;
  }

  void putL1Entry(long entry, Domain tableOwner) {
    long at = Pte.mfn(entry);
    if (!Pte.present(entry) || at >= types.length) {
      return;
    }
    int mfn = (int) at;
    if ((entry & Pte.GNTTAB) != 0 && !tableOwner.isDying()) {
      grantAbuser = tableOwner;
    }
    if ((entry & Pte.RW) != 0) {
      putPageAndType(mfn);
      return;
    }
    if (type(mfn) == SEGDESC && count(mfn) != 0 && frames.owner(mfn) == tableOwner) {
      for (Vcpu v : tableOwner.vcpus()) {
        v.descriptorTables().dropLdt();
      }
    }
    frames.putPage(mfn);
  }

  /** Takes what a present entry of a table of level 2 to 4 refers to. */
  int getUpperEntry(int level, long entry, int table, Domain d, @Nullable Vcpu preemptible) {
    if ((entry & Pte.UPPER_DISALLOWED) != 0) {
      return EINVAL;
    }
    int rc = getPageAndType(d, Pte.mfn(entry), level - 1, preemptible);
    return rc == EINVAL && getLinear(level, entry, table, d) ? 0 : rc;
  }

  void putUpperEntry(int level, long entry, int table) {
    int child = (int) Pte.mfn(entry);
    if (!Pte.present(entry) || child == table) {
      return;
    }
    if (type(child) == level) {
      linear[child]++;
      linear[table]--;
    }
    putPageAndType(child);
  }

  /**
   * A read-only entry for a validated table of the same level: the table itself, or one that has no
   * such entries.
   */
  private boolean getLinear(int level, long entry, int table, Domain d) {
    long mfn = Pte.mfn(entry);
    if ((entry & Pte.RW) != 0) {
      return false;
    }
    if (mfn == table) {
      return true;
    }
    if (linear[table] < 0 || linear[table] == Short.MAX_VALUE || !frames.getPage(d, mfn)) {
      return false;
    }
    int child = (int) mfn;
    boolean fits =
        isLiveTable(child)
            && type(child) == level
            && count(child) < countLimit
            && linear[child] <= 0
            && linear[child] != Short.MIN_VALUE;
    if (!fits) {
      frames.putPage(child);
      return false;
    }
    types[child]++;
    linear[table]++;
    linear[child]--;
    return true;
  }
}
