package parhelion.pc.intercept;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.PageWalker;
import parhelion.cpu.memory.MachineMemory;

/**
 * What a hypervisor with shadow page tables would have to do for a guest in long mode: an account,
 * by which nobody translates. As in KVM's first years (Linux 2.6.20, drivers/kvm/mmu.c), each table
 * of the guest that a walk went through has a shadow, which is filled when a page is touched, kept
 * over changes of CR3, and coherent as the table is write-protected meanwhile. So there are
 *
 * <ul>
 *   <li><b>updates</b>: stores to a table that has a shadow; each empties the entry's shadow;
 *   <li><b>hidden faults</b>: the guest's tables allow the access and the shadows do not yet, as an
 *       entry is empty, or read-only until the guest's dirty bit is set. One fills all levels.
 * </ul>
 *
 * <p>Large pages are shadowed by 4 KiB. A table that is stored to three times, and to no other
 * between, without a fault of the guest's, is taken for memory again, and loses its shadow; so does
 * the oldest where shadows would be more than a fiftieth of memory. On the machine's thread.
 */
public final class ShadowPaging {
  private static final int ENTRIES = 512;
  private static final int FLOOD = 3;
  private static final int LEAST_SHADOWS = 64;
  private static final int PAGES_PER_SHADOW = 50;
  private static final long ADDRESS = 0x000f_ffff_ffff_f000L;

  /** What of an entry its shadow follows. */
  private static final long FOLLOWED =
      ADDRESS
          | PageWalker.PRESENT
          | PageWalker.WRITABLE
          | PageWalker.USER
          | PageWalker.LARGE
          | PageWalker.NO_EXECUTE;

  /** Marks the shadow of a part of a large page, which no table of the guest's is behind. */
  private static final long OF_LARGE_PAGE = 1;

  private final MachineMemory memory;
  private final Intercepts.Counter updates;
  private final Intercepts.Counter hiddenFaults;
  private final int most;

  /** By the table's address; the oldest first. Zero is an empty entry. */
  private final Map<Long, long[]> shadows = new LinkedHashMap<>();

  private long lastSlot = -1;
  private long lastValue;
  private long floodedTable = -1;
  private int flood;

  /**
   * For one machine.
   *
   * @param memory where the guest's tables are
   */
  public ShadowPaging(MachineMemory memory, Intercepts intercepts) {
    this.memory = memory;
    updates = intercepts.counter(Cause.PAGE_TABLE_UPDATE, "cpu", "");
    hiddenFaults = intercepts.counter(Cause.HIDDEN_FAULT, "cpu", "");
    long pages = memory.sizeBytes() >>> MachineMemory.PAGE_SHIFT;
    most = (int) Math.max(LEAST_SHADOWS, pages / PAGES_PER_SHADOW);
  }

  /**
   * A processor has found its way through four-level tables for an access that they allow; their
   * accessed and dirty bits are set.
   *
   * @param cr3 their root
   * @return whether a table is write-protected from now on that was not
   */
  public boolean touched(long cr3, long va) {
    int before = shadows.size();
    boolean missing = false;
    long table = cr3 & ADDRESS;
    long[] made = null;
    for (int level = 4; ; level--) {
      int index = (int) (va >>> 3 + 9 * level) & ENTRIES - 1;
      long at = table + index * 8L;
      if (!memory.contains(at, 8)) {
        break; // it is no memory: devices have no tables that a hypervisor would trust
      }
      long entry = memory.getLong(at);
      boolean large = level > 1 && (entry & PageWalker.LARGE) != 0;
      boolean leaf = level == 1 || large;
      long followed = entry & FOLLOWED;
      if (leaf && (entry & PageWalker.DIRTY) == 0) {
        followed &= ~PageWalker.WRITABLE;
      }
      long[] shadow = shadows.get(table);
      if (shadow == null) {
        shadow = new long[ENTRIES];
        shadows.put(table, shadow);
        made = shadow;
      }
      if (shadow[index] != followed) {
        shadow[index] = followed;
        missing = true;
      }
      if (large) {
        missing |= isMissingOfLarge(entry, level, va, followed);
      }
      if (leaf) {
        break;
      }
      table = entry & ADDRESS;
    }
    if (missing) {
      hiddenFaults.add(0);
    }
    if (made != null || before != shadows.size()) {
      shrink();
    }
    return made != null;
  }

  /** The same of a 4 KiB part of a large page. */
  private boolean isMissingOfLarge(long entry, int level, long va, long followed) {
    long mask = (1L << 12 + 9 * (level - 1)) - 1;
    long page = entry & ADDRESS & ~mask | va & mask;
    long[] parts =
        shadows.computeIfAbsent(page & -(1L << 21) | OF_LARGE_PAGE, key -> new long[ENTRIES]);
    int index = (int) (page >>> 12) & ENTRIES - 1;
    boolean missing = parts[index] != followed;
    parts[index] = followed;
    return missing;
  }

  /** Drops the oldest where there are too many. */
  private void shrink() {
    Iterator<Long> oldest = shadows.keySet().iterator();
    while (shadows.size() > most) {
      oldest.next();
      oldest.remove();
    }
  }

  /** Whether the page of an address is a table that has a shadow, and so is write-protected. */
  public boolean traces(long pa) {
    return shadows.containsKey(pa & ADDRESS);
  }

  /**
   * A store is about to be done to a page that has a shadow. An instruction that loads first comes
   * twice, with the old value in memory both times, and counts once.
   */
  public void storing(long pa) {
    long table = pa & ADDRESS;
    long @Nullable [] shadow = shadows.get(table);
    if (shadow == null) {
      return;
    }
    long slot = pa & -8L;
    long value = memory.getLong(slot);
    if (slot == lastSlot && value == lastValue) {
      return;
    }
    lastSlot = slot;
    lastValue = value;
    updates.add(0);
    shadow[(int) (pa >>> 3) & ENTRIES - 1] = 0;
    flood = table == floodedTable ? flood + 1 : 1;
    floodedTable = table;
    if (flood >= FLOOD) {
      shadows.remove(table);
      floodedTable = -1;
    }
  }

  /** The guest's own tables do not allow an access: it will look after them. */
  public void faulted() {
    floodedTable = -1;
  }
}
