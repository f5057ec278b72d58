package parhelion.xen.memory;

import parhelion.xen.Domain;

/**
 * Bits of a page-table entry, and what of them a 64-bit paravirtual guest may set. Guest kernel and
 * user mode both run at CPL 3, so that Xen adds the user bit to every entry and remembers in an
 * available bit which of them were the kernel's.
 */
public final class Pte {
  public static final long PRESENT = 1;
  public static final long RW = 1 << 1;
  public static final long USER = 1 << 2;
  public static final long PWT = 1 << 3;
  public static final long PCD = 1 << 4;
  public static final long ACCESSED = 1 << 5;
  public static final long DIRTY = 1 << 6;

  /** PAT in an L1 entry, page size above. */
  public static final long PAT_OR_PSE = 1 << 7;

  public static final long GLOBAL = 1 << 8;

  /** Bits 9..11, for software. */
  public static final long AVAIL = 7 << 9;

  /** Machine frame number. */
  public static final long FRAME = 0x000f_ffff_ffff_f000L;

  /** Set by Xen in L1 entries that the guest wrote without the user bit. */
  public static final long GUEST_KERNEL = 1L << 52;

  /** Set by Xen in L1 entries that map a grant; the guest may not. */
  public static final long GNTTAB = 1L << 62;

  /** Bits 52..62, for software. */
  public static final long AVAIL_HIGH = 0x7ffL << 52;

  public static final long NX = 1L << 63;

  public static final int ENTRIES = 512;

  /** First and last slot of an L4 that is Xen's: 0xffff8000_00000000 up to 0xffff8800_00000000. */
  static final int FIRST_XEN_SLOT = 256;

  static final int LAST_XEN_SLOT = 271;

  private static final long CACHE = PWT | PCD | PAT_OR_PSE;

  /** What no entry above L1 may have: superpages, global and cache attributes. */
  static final long UPPER_DISALLOWED = CACHE | GLOBAL;

  private static final long L1_DISALLOWED = CACHE | GNTTAB;

  /**
   * What may change in a present entry without its references changing. GNTTAB is not among them: a
   * granted mapping stays one until it is unmapped.
   */
  static final long HARMLESS =
      NX | (AVAIL_HIGH & ~GNTTAB) | AVAIL | GLOBAL | DIRTY | ACCESSED | USER;

  private Pte() {}

  public static long mfn(long entry) {
    return (entry & FRAME) >>> 12;
  }

  public static long of(long mfn, long flags) {
    return mfn << 12 | flags;
  }

  static boolean present(long entry) {
    return (entry & PRESENT) != 0;
  }

  /**
   * Bits that an L1 entry of this domain may not have; cache attributes are for domains with
   * devices.
   */
  static long l1Disallowed(Domain d) {
    return d.isPrivileged() ? GNTTAB : L1_DISALLOWED;
  }

  static boolean hasCacheAttributes(long entry) {
    return (entry & CACHE) != 0;
  }

  /** A valid L1 entry as it is stored. */
  static long adjustL1(long entry) {
    if ((entry & PRESENT) == 0) {
      return entry;
    }
    if ((entry & USER) == 0) {
      entry |= GUEST_KERNEL | USER;
    }
    return (entry & GUEST_KERNEL) == 0 ? entry | GLOBAL | USER : entry;
  }

  /** A valid entry of a table of that level as it is stored. */
  static long adjust(int level, long entry) {
    if (level == FrameTable.L1) {
      return adjustL1(entry);
    }
    return (entry & PRESENT) == 0 ? entry : entry | USER;
  }

  /** False for the slots of an L4 that are Xen's. */
  static boolean isGuestSlot(int level, int slot) {
    return level != FrameTable.L4 || slot < FIRST_XEN_SLOT || slot > LAST_XEN_SLOT;
  }

  /** Index into a table of that level for an address. */
  static int slot(int level, long va) {
    return (int) (va >>> (3 + 9 * level)) & 511;
  }
}
