package parhelion.cpu;

import static parhelion.cpu.memory.Host.U;

/**
 * Software TLB of one CPU mode: direct mapped, off-heap so that generated code can use it. An entry
 * for data is four longs: read tag, write tag, addend (host address = va + addend), host page. A
 * tag is the page's virtual address; {@code va - tag} compared unsigned with {@code 4096 - size}
 * tests hit and page crossing at once.
 *
 * <p>Behind the data entries lie as many for code: execute tag and addend; and a 32-bit number
 * each, by which generated code asserts what is mapped where it runs: the number of the (virtual
 * page, frame) pair, or 0 while that is not known (see {@code rewrite.CodePages}).
 */
public final class Tlb {
  public static final int ENTRIES = 1024;
  public static final int ENTRY_BYTES = 32;
  public static final int READ_TAG = 0;
  public static final int WRITE_TAG = 8;
  public static final int ADDEND = 16;
  public static final int HOST_PAGE = 24;

  /** Entries for code, from the start of the TLB: tag and addend, two longs. */
  static final int EXECUTE = ENTRIES * ENTRY_BYTES;

  /** Numbers of code pages, from the start of the TLB: an int each. */
  public static final int CODE_PAGES = EXECUTE + ENTRIES * 16;

  /**
   * Fills a tag that matches only pages 0x55555.. and the next, whose entries get the other value.
   */
  private static final byte INVALID_FILL = 0x55;

  private static final long INVALID = 0x5555555555555555L;
  private static final long INVALID_OTHER = 0x2aaaaaaaaaaaaaaaL;

  final long base;

  /** Changes whenever a translation for code may have been dropped: who cached one compares it. */
  long epoch = EPOCHS.incrementAndGet();

  /**
   * Epochs are unique among all TLBs, as decoded code that remembers one may be shared by several
   * CPUs.
   */
  private static final java.util.concurrent.atomic.AtomicLong EPOCHS =
      new java.util.concurrent.atomic.AtomicLong();

  private long flushedAt = epoch;

  /** There may be translations of global pages, which are in no list. */
  boolean mayHoldGlobal;

  Tlb(long base) {
    this.base = base;
    clear();
  }

  /**
   * Which entries were filled since the last flush, but for those of global pages: their number,
   * then the offsets of their data entries, an int each, as long as they are fewer than {@link
   * #MAX_FILLED}. A flush of a few entries is the everyday case of a context switch.
   */
  public static final int FILLED = CODE_PAGES + ENTRIES * 4;

  public static final int MAX_FILLED = 127;

  /**
   * Which entries hold user pages that a supervisor may access only while RFLAGS.AC is set (SMAP):
   * their number, then the offsets of their data entries. They go when AC does.
   */
  public static final int OPENED = FILLED + 4 * (MAX_FILLED + 1);

  public static final int MAX_OPENED = 15;

  /**
   * Which numbers of code pages were noted since the last flush, likewise: how many, then their
   * offsets from {@link #CODE_PAGES}, as long as they are fewer than {@link #MAX_FILLED}.
   */
  public static final int CODE_FILLED = OPENED + 4 * (MAX_OPENED + 1);

  public static final int BYTES = CODE_FILLED + 4 * (MAX_FILLED + 1);

  static long executeSlot(long base, long va) {
    return base + EXECUTE + (((va >>> 12) & (ENTRIES - 1)) << 4);
  }

  /** Offset from the TLB's start of the code-page number of {@code va}. */
  public static int codePageSlot(long va) {
    return CODE_PAGES + ((int) (va >>> 12) & (ENTRIES - 1)) * 4;
  }

  static long slot(long base, long va) {
    return base + (((va >>> 12) & (ENTRIES - 1)) << 5);
  }

  private void clear() {
    U.setMemory(base, CODE_PAGES, INVALID_FILL);
    U.setMemory(base + CODE_PAGES, FILLED - CODE_PAGES, (byte) 0);
    U.putInt(base + FILLED, 0);
    U.putInt(base + OPENED, 0);
    U.putInt(base + CODE_FILLED, 0);
    invalidateEntry(INVALID);
    invalidateEntry(INVALID + 4096);
  }

  private void invalidateEntry(long va) {
    long tag = invalidTag(va);
    U.putLong(slot(base, va) + READ_TAG, tag);
    U.putLong(slot(base, va) + WRITE_TAG, tag);
    U.putLong(executeSlot(base, va), tag);
  }

  /** A tag that no address of the entry of {@code va} matches. */
  private static long invalidTag(long va) {
    long index = va >>> 12 & (ENTRIES - 1);
    long invalid = INVALID >>> 12 & (ENTRIES - 1);
    return index == invalid || index == invalid + 1 ? INVALID_OTHER : INVALID;
  }

  /** Drops every translation. */
  public void flush() {
    if (!mayHoldGlobal && U.getInt(base + FILLED) < MAX_FILLED) {
      invalidateFilled();
      U.setMemory(base + CODE_PAGES, FILLED - CODE_PAGES, (byte) 0);
      U.putInt(base + OPENED, 0);
      U.putInt(base + CODE_FILLED, 0);
    } else {
      clear();
    }
    epoch = EPOCHS.incrementAndGet();
    flushedAt = epoch;
  }

  /**
   * Drops every translation but those of global pages; of user pages that a supervisor has opened
   * some may stay until RFLAGS.AC goes.
   */
  void flushContext() {
    int code = U.getInt(base + CODE_FILLED);
    if (U.getInt(base + FILLED) >= MAX_FILLED || code >= MAX_FILLED) {
      flush();
      return;
    }
    invalidateFilled();
    for (int i = 0; i < code; i++) {
      U.putInt(base + CODE_PAGES + U.getInt(base + CODE_FILLED + 4 + 4 * i), 0);
    }
    U.putInt(base + CODE_FILLED, 0);
    epoch = EPOCHS.incrementAndGet();
  }

  private void invalidateFilled() {
    int filled = U.getInt(base + FILLED);
    for (int i = 0; i < filled; i++) {
      long index = U.getInt(base + FILLED + 4 + 4 * i) / ENTRY_BYTES;
      invalidateEntry(index << 12);
    }
    U.putInt(base + FILLED, 0);
  }

  /** Generated code was found where it is expected in the page of {@code va}. */
  public void noteCode(long va, int number) {
    int slot = codePageSlot(va);
    if (U.getInt(base + slot) == number) {
      return;
    }
    U.putInt(base + slot, number);
    int filled = U.getInt(base + CODE_FILLED);
    if (filled < MAX_FILLED) {
      U.putInt(base + CODE_FILLED + 4 + 4 * filled, slot - CODE_PAGES);
      U.putInt(base + CODE_FILLED, filled + 1);
    }
  }

  /** Whoever remembers code by its offset in a code segment has to look again. */
  void codeMoved() {
    epoch = EPOCHS.incrementAndGet();
  }

  /**
   * The time that all TLBs share: it passes with every flush. A TLB whose {@link #flushedAt} is
   * later has forgotten what was before.
   */
  public static long now() {
    return EPOCHS.get();
  }

  /** When everything was dropped last. */
  public long flushedAt() {
    return flushedAt;
  }

  /**
   * Drops the translation of the page of {@code va}. Whoever looked up code there found it in its
   * entry for code: where that is empty nobody has since the last epoch began, and all that was
   * looked up elsewhere stays known. Kernels invalidate pages of data for the most part.
   */
  public void flushPage(long va) {
    boolean maybeCode = U.getLong(executeSlot(base, va)) != invalidTag(va);
    invalidateEntry(va);
    U.putInt(base + codePageSlot(va), 0);
    if (maybeCode) {
      epoch = EPOCHS.incrementAndGet();
    }
  }

  void install(long va, long hostPage, int rights) {
    long page = va & -4096L;
    long entry = slot(base, va);
    long invalid = invalidTag(va);
    U.putLong(entry + READ_TAG, (rights & Access.MAY_READ) != 0 ? page : invalid);
    U.putLong(entry + WRITE_TAG, (rights & Access.MAY_WRITE) != 0 ? page : invalid);
    int filled = U.getInt(base + FILLED);
    if (filled < MAX_FILLED && (rights & Access.GLOBAL) == 0) {
      U.putInt(base + FILLED + 4 + 4 * filled, (int) (entry - base));
      U.putInt(base + FILLED, filled + 1);
    }
    U.putLong(entry + ADDEND, hostPage - page);
    U.putLong(entry + HOST_PAGE, hostPage);
    long execute = executeSlot(base, va);
    if ((rights & Access.MAY_EXECUTE) != 0) {
      U.putLong(execute, page);
      U.putLong(execute + 8, hostPage - page);
    } else if (U.getLong(execute) == page) {
      U.putLong(execute, invalid);
      epoch = EPOCHS.incrementAndGet();
    }
  }

  /** The data entry of {@code va} is to go with RFLAGS.AC; those noted before may go now. */
  void noteOpened(long va) {
    if (U.getInt(base + OPENED) == MAX_OPENED) {
      closeOpened();
    }
    int opened = U.getInt(base + OPENED);
    U.putInt(base + OPENED + 4 + 4 * opened, (int) (slot(base, va) - base));
    U.putInt(base + OPENED, opened + 1);
  }

  /** Whether there may be entries that are to go with RFLAGS.AC. */
  boolean holdsOpened() {
    return U.getInt(base + OPENED) != 0;
  }

  /** Drops the data entries that were noted. Where code is mapped stays as it is. */
  void closeOpened() {
    int opened = U.getInt(base + OPENED);
    for (int i = 0; i < opened; i++) {
      int entry = U.getInt(base + OPENED + 4 + 4 * i);
      long tag = invalidTag((long) (entry / ENTRY_BYTES) << 12);
      U.putLong(base + entry + READ_TAG, tag);
      U.putLong(base + entry + WRITE_TAG, tag);
    }
    U.putInt(base + OPENED, 0);
  }

  /**
   * Takes the write right from every entry that maps the host page: it has come to hold decoded
   * code.
   */
  void protectHostPage(long hostPage) {
    for (long entry = base, end = base + EXECUTE; entry < end; entry += ENTRY_BYTES) {
      long tag = U.getLong(entry + WRITE_TAG);
      if (tag + U.getLong(entry + ADDEND) == hostPage) {
        U.putLong(entry + WRITE_TAG, invalidTag((entry - base) / ENTRY_BYTES << 12));
      }
    }
  }
}
