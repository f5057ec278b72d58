package parhelion.cpu;

import static parhelion.cpu.memory.Host.U;

/**
 * Software TLB of one CPU mode: direct mapped, off-heap so that generated code can use it. An entry
 * is four longs: read tag, write tag, addend (host address = va + addend), execute tag. A tag is
 * the page's virtual address; {@code va - tag} compared unsigned with {@code 4096 - size} tests hit
 * and page crossing at once.
 */
public final class Tlb {
  public static final int ENTRIES = 1024;
  public static final int ENTRY_BYTES = 32;
  public static final int READ_TAG = 0;
  public static final int WRITE_TAG = 8;
  public static final int ADDEND = 16;
  public static final int EXECUTE_TAG = 24;

  /**
   * Fills a tag that matches only pages 0x55555.. and the next, whose entries get the other value.
   */
  private static final byte INVALID_FILL = 0x55;

  private static final long INVALID = 0x5555555555555555L;
  private static final long INVALID_OTHER = 0x2aaaaaaaaaaaaaaaL;

  final long base;

  /** Changes whenever a translation may have been dropped: whoever cached one compares it. */
  long epoch = EPOCHS.incrementAndGet();

  /**
   * Epochs are unique among all TLBs, as decoded code that remembers one may be shared by several
   * CPUs.
   */
  private static final java.util.concurrent.atomic.AtomicLong EPOCHS =
      new java.util.concurrent.atomic.AtomicLong();

  private long flushedAt = epoch;

  Tlb(long base) {
    this.base = base;
    clear();
  }

  static final int BYTES = ENTRIES * ENTRY_BYTES;

  static long slot(long base, long va) {
    return base + (((va >>> 12) & (ENTRIES - 1)) << 5);
  }

  private void clear() {
    U.setMemory(base, BYTES, INVALID_FILL);
    invalidateEntry(slot(base, INVALID));
    invalidateEntry(slot(base, INVALID + 4096));
  }

  private static void invalidateEntry(long entry) {
    U.putLong(entry + READ_TAG, INVALID_OTHER);
    U.putLong(entry + WRITE_TAG, INVALID_OTHER);
    U.putLong(entry + EXECUTE_TAG, INVALID_OTHER);
  }

  private static long invalidTag(long entry, long base) {
    long invalidSlot = slot(base, INVALID);
    return entry == invalidSlot || entry == slot(base, INVALID + 4096) ? INVALID_OTHER : INVALID;
  }

  /** Drops every translation. */
  public void flush() {
    clear();
    epoch = EPOCHS.incrementAndGet();
    flushedAt = epoch;
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

  /** Drops the translation of the page of {@code va}. */
  public void flushPage(long va) {
    long entry = slot(base, va);
    long tag = invalidTag(entry, base);
    U.putLong(entry + READ_TAG, tag);
    U.putLong(entry + WRITE_TAG, tag);
    U.putLong(entry + EXECUTE_TAG, tag);
    epoch = EPOCHS.incrementAndGet();
  }

  void install(long va, long hostPage, int rights) {
    long page = va & -4096L;
    long entry = slot(base, va);
    long invalid = invalidTag(entry, base);
    U.putLong(entry + READ_TAG, (rights & Access.MAY_READ) != 0 ? page : invalid);
    U.putLong(entry + WRITE_TAG, (rights & Access.MAY_WRITE) != 0 ? page : invalid);
    U.putLong(entry + EXECUTE_TAG, (rights & Access.MAY_EXECUTE) != 0 ? page : invalid);
    U.putLong(entry + ADDEND, hostPage - page);
  }

  /**
   * Takes the write right from every entry that maps the host page: it has come to hold decoded
   * code.
   */
  void protectHostPage(long hostPage) {
    for (long entry = base, end = base + BYTES; entry < end; entry += ENTRY_BYTES) {
      long tag = U.getLong(entry + WRITE_TAG);
      if (tag + U.getLong(entry + ADDEND) == hostPage) {
        U.putLong(entry + WRITE_TAG, invalidTag(entry, base));
      }
    }
  }
}
