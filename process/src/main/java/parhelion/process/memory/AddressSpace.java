package parhelion.process.memory;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.Access;
import parhelion.cpu.Cpu;
import parhelion.process.Errno;
import parhelion.process.LinuxError;

/**
 * The memory of a process as it sees it: mappings, and the pages that have been touched so far. The
 * CPU's translations come from here, and so do the checks of every pointer that a system call is
 * handed.
 *
 * <p>A page comes into being when it is touched: of zeroes, or from the mapping's {@link Backing}.
 * Frames with several owners are mapped without the write right and copied when written to; a page
 * table entry never has more rights than its area. Used under the kernel's lock.
 */
public final class AddressSpace {
  public static final int READ = Access.MAY_READ;
  public static final int WRITE = Access.MAY_WRITE;
  public static final int EXECUTE = Access.MAY_EXECUTE;

  /** First address beyond what a process can map (47 bits less a guard page, as in Linux). */
  public static final long TOP = 0x7fff_ffff_f000L;

  /** Below this nothing can be mapped, so that null pointers fault. */
  public static final long BOTTOM = 0x1_0000L;

  /** Results of {@link #translate}. */
  public static final long UNMAPPED = -1;

  public static final long FORBIDDEN = -2;

  /** Beyond the end of the file behind the mapping. */
  public static final long NO_PAGE = -3;

  private static final int PRESENT = 8;
  private static final int MAX_AREAS = 65_530;
  private static final long STACK_LIMIT_BYTES = 8L << 20;
  private static final long STACK_GUARD_BYTES = 1L << 20;
  private static final int LEAF_CACHE = 64;

  private final FramePool pool;
  private final TreeMap<Long, Area> areas = new TreeMap<>();

  /** Page table entries by page number / 512. */
  private final TreeMap<Long, long[]> leaves = new TreeMap<>();

  /** Empty where nothing is cached. */
  private final long[][] leafCache = new long[LEAF_CACHE][0];

  private final long[] leafCacheKey = new long[LEAF_CACHE];
  private final List<Cpu> cpus = new ArrayList<>();
  private int users = 1;
  private int countedAreas;
  private long privateWritableBytes;

  /** Heap: from where to where, and the mapping top from which areas are given out downward. */
  public long brkStart;

  public long brk;
  private final long mapTop;

  /** An empty space that gives out areas below {@code mapTop}. */
  public AddressSpace(FramePool pool, long mapTop) {
    this.pool = pool;
    this.mapTop = mapTop;
    Arrays.fill(leafCacheKey, -1);
  }

  public FramePool pool() {
    return pool;
  }

  // --- owners ---

  public void retain() {
    users++;
  }

  /** Number of processes in this space: above 1 between vfork and exec. */
  public int users() {
    return users;
  }

  public void release() {
    if (--users == 0) {
      unmapAll();
    }
  }

  public void attach(Cpu cpu) {
    cpus.add(cpu);
  }

  public void detach(Cpu cpu) {
    cpus.remove(cpu);
  }

  private void flush() {
    for (Cpu cpu : cpus) {
      cpu.flushTlbs();
    }
  }

  private void flushPage(long va) {
    for (Cpu cpu : cpus) {
      cpu.flushPage(va);
    }
  }

  /** A copy-on-write copy: fork. */
  public AddressSpace fork() {
    checkAreas(areas.size());
    pool.countTables(leaves.size());
    AddressSpace child = new AddressSpace(pool, mapTop);
    child.brkStart = brkStart;
    child.brk = brk;
    child.privateWritableBytes = privateWritableBytes;
    for (Area area : areas.values()) {
      child.areas.put(area.start, area.part(area.start, area.end));
    }
    for (Map.Entry<Long, long[]> entry : leaves.entrySet()) {
      long[] mine = entry.getValue();
      for (int i = 0; i < 512; i++) {
        if ((mine[i] & PRESENT) != 0) {
          long va = (entry.getKey() << 9 | i) << 12;
          pool.share(mfn(mine[i]));
          if ((mine[i] & WRITE) != 0 && !areaAt(va).isShared()) {
            mine[i] &= ~WRITE;
          }
        }
      }
      child.leaves.put(entry.getKey(), mine.clone());
    }
    child.recount();
    flush();
    return child;
  }

  /** ENOMEM unless so many more areas may come into being. */
  private void checkAreas(int more) {
    if (areas.size() + more > 2 * MAX_AREAS) {
      throw new LinuxError(Errno.ENOMEM);
    }
    pool.countAreas(more);
    pool.countAreas(-more);
  }

  private void recount() {
    pool.countAreas(areas.size() - countedAreas);
    countedAreas = areas.size();
  }

  /** Whether the program may store to {@code va}. */
  public boolean isWritable(long va) {
    Area area = find(va);
    return area != null && area.isWritable();
  }

  private Area areaAt(long va) {
    Area area = find(va);
    if (area == null) {
      throw new IllegalStateException("page without area at 0x" + Long.toHexString(va));
    }
    return area;
  }

  // --- pages ---

  private static int mfn(long entry) {
    return (int) (entry >>> 12);
  }

  private long @Nullable [] leaf(long va) {
    long key = va >>> 21;
    int slot = (int) key & (LEAF_CACHE - 1);
    long[] cached = leafCache[slot];
    if (leafCacheKey[slot] == key) {
      return cached;
    }
    long[] leaf = leaves.get(key);
    if (leaf != null) {
      leafCache[slot] = leaf;
      leafCacheKey[slot] = key;
    }
    return leaf;
  }

  private long entry(long va) {
    long[] leaf = leaf(va);
    return leaf == null ? 0 : leaf[(int) (va >>> 12) & 511];
  }

  private void setEntry(long va, long entry) {
    long[] leaf = leaf(va);
    if (leaf == null) {
      pool.countTables(1);
      leaf = new long[512];
      leaves.put(va >>> 21, leaf);
    }
    leaf[(int) (va >>> 12) & 511] = entry;
  }

  private void forgetLeaves(long fromKey, long toKey) {
    var gone = leaves.subMap(fromKey, toKey);
    pool.countTables(-gone.size());
    gone.clear();
    Arrays.fill(leafCacheKey, -1);
  }

  /**
   * The page's machine address with rights, as {@link parhelion.cpu.Monitor#translate} is to give
   * it, having made the page present and, for a store, private; or one of the negative results.
   *
   * @param access {@link Access#READ}, WRITE or EXECUTE
   */
  public long translate(long va, int access) {
    if (Long.compareUnsigned(va, TOP) >= 0) {
      return UNMAPPED;
    }
    int need = 1 << access;
    long entry = entry(va);
    if ((entry & PRESENT) != 0 && (entry & need) != 0) {
      return entry & ~(long) PRESENT;
    }
    return fault(va & -4096L, need, entry);
  }

  private long fault(long va, int need, long old) {
    Area area = find(va);
    if (area == null) {
      area = growStack(va);
      if (area == null) {
        return UNMAPPED;
      }
    }
    int rights = effective(area.rights);
    if ((rights & need) == 0) {
      return FORBIDDEN;
    }
    boolean write = need == WRITE;
    int mfn;
    if ((old & PRESENT) != 0) {
      mfn = mfn(old);
      if (write && !area.isShared() && pool.isShared(mfn)) {
        mfn = replaceByCopy(mfn);
        flushPage(va);
      }
    } else {
      mfn = newPage(area, va, write);
      if (mfn < 0) {
        return NO_PAGE;
      }
    }
    boolean mayWrite = area.isShared() || (write && !pool.isShared(mfn));
    long entry = (long) mfn << 12 | (mayWrite ? rights : rights & ~WRITE);
    setEntry(va, entry | PRESENT);
    return entry;
  }

  private int replaceByCopy(int mfn) {
    int copy = pool.copyOf(mfn);
    pool.release(mfn);
    return copy;
  }

  private int newPage(Area area, long va, boolean write) {
    if (area.backing == null) {
      return write ? pool.allocate() : pool.zero();
    }
    int mfn = area.backing.page(pool, (area.offset + va - area.start) >>> 12);
    if (mfn >= 0 && write && !area.isShared() && pool.isShared(mfn)) {
      mfn = replaceByCopy(mfn);
    }
    return mfn;
  }

  /** On x86 what can be written or executed can be read. */
  private static int effective(int rights) {
    return (rights & (WRITE | EXECUTE)) != 0 ? rights | READ : rights;
  }

  private @Nullable Area growStack(long va) {
    Map.Entry<Long, Area> above = areas.higherEntry(va);
    if (above == null || !above.getValue().stack) {
      return null;
    }
    Area stack = above.getValue();
    Map.Entry<Long, Area> below = areas.lowerEntry(stack.start);
    long floor = below == null ? BOTTOM : below.getValue().end + STACK_GUARD_BYTES;
    if (va < floor || stack.end - va > STACK_LIMIT_BYTES) {
      return null;
    }
    areas.remove(stack.start);
    Area grown = new Area(va, stack.end, stack.rights, null, 0, true);
    areas.put(va, grown);
    privateWritableBytes += stack.start - va;
    return grown;
  }

  // --- areas ---

  private @Nullable Area find(long va) {
    Map.Entry<Long, Area> entry = areas.floorEntry(va);
    return entry != null && va < entry.getValue().end ? entry.getValue() : null;
  }

  /** Whether the page is one that other processes may have, too. */
  public boolean isShared(long va) {
    Area area = find(va);
    return area != null && area.isShared();
  }

  /** Splits the area that holds {@code va} so that one begins there. */
  private void splitAt(long va) {
    Area area = find(va);
    if (area == null || area.start == va) {
      return;
    }
    checkAreas(1);
    areas.put(area.start, area.part(area.start, va));
    areas.put(va, area.part(va, area.end));
    recount();
    if (area.backing != null) {
      area.backing.release(pool);
    }
  }

  private void count(Area area, int sign) {
    if (area.isWritable() && !area.isShared()) {
      privateWritableBytes += sign * area.bytes();
    }
  }

  /** Whether {@code [va, va + length)} is page-aligned and within what can be mapped. */
  public static boolean isRange(long va, long length) {
    return (va & 4095) == 0 && va >= 0 && length >= 0 && length <= TOP && va <= TOP - length;
  }

  /** Length rounded up to pages; ENOMEM when that is beyond the space. */
  public static long roundUp(long length) {
    if (Long.compareUnsigned(length, TOP) > 0) {
      throw new LinuxError(Errno.ENOMEM);
    }
    return (length + 4095) & -4096L;
  }

  /**
   * Maps {@code [va, va + length)}, replacing what is there. The backing's reference becomes the
   * area's.
   */
  public void map(
      long va, long length, int rights, @Nullable Backing backing, long offset, boolean stack) {
    if (length == 0 || !isRange(va, length)) {
      throw new LinuxError(Errno.ENOMEM);
    }
    if (areas.size() >= MAX_AREAS) {
      throw new LinuxError(Errno.ENOMEM);
    }
    Area area = new Area(va, va + length, rights, backing, offset, stack);
    if (area.isWritable() && !area.isShared()) {
      checkCommit(length);
    }
    checkAreas(3);
    unmap(va, length);
    areas.put(va, area);
    recount();
    count(area, 1);
  }

  private void checkCommit(long bytes) {
    if (privateWritableBytes + bytes > pool.total() << 12) {
      throw new LinuxError(Errno.ENOMEM);
    }
  }

  /** The highest free range of this length, or one at {@code hint} when that is free. */
  public long findFree(long length, long hint) {
    if (hint >= BOTTOM && isRange(hint & -4096L, length) && isFree(hint & -4096L, length)) {
      return hint & -4096L;
    }
    long ceiling = mapTop;
    for (Area area : areas.headMap(mapTop, false).descendingMap().values()) {
      if (area.end <= ceiling && ceiling - area.end >= length) {
        return ceiling - length;
      }
      ceiling = Math.min(ceiling, area.stack ? area.start - STACK_GUARD_BYTES : area.start);
    }
    if (ceiling - BOTTOM >= length) {
      return ceiling - length;
    }
    throw new LinuxError(Errno.ENOMEM);
  }

  public boolean isFree(long va, long length) {
    Map.Entry<Long, Area> below = areas.lowerEntry(va + length);
    return below == null || below.getValue().end <= va;
  }

  /** Whether every page of the range belongs to an area. */
  public boolean isMapped(long va, long length) {
    long at = va;
    while (at < va + length) {
      Area area = find(at);
      if (area == null) {
        return false;
      }
      at = area.end;
    }
    return true;
  }

  public void unmap(long va, long length) {
    splitAt(va);
    splitAt(va + length);
    var inside = areas.subMap(va, va + length);
    if (inside.isEmpty()) {
      return;
    }
    for (Area area : inside.values()) {
      count(area, -1);
      if (area.backing != null) {
        area.backing.release(pool);
      }
    }
    inside.clear();
    recount();
    dropPages(va, va + length);
  }

  private void unmapAll() {
    for (Area area : areas.values()) {
      if (area.backing != null) {
        area.backing.release(pool);
      }
    }
    areas.clear();
    recount();
    privateWritableBytes = 0;
    dropPages(0, TOP);
    pool.countTables(-leaves.size());
    leaves.clear();
    Arrays.fill(leafCacheKey, -1);
  }

  /** Forgets the contents of a range, which reads as zeroes or as the file afterwards. */
  public void dropPages(long from, long to) {
    forEachLeaf(
        from,
        to,
        (leaf, first, last) -> {
          for (int i = first; i < last; i++) {
            if ((leaf[i] & PRESENT) != 0) {
              pool.release(mfn(leaf[i]));
              leaf[i] = 0;
            }
          }
        });
    long firstWhole = (from + (1L << 21) - 1) >>> 21;
    long lastWhole = to >>> 21;
    if (firstWhole < lastWhole) {
      forgetLeaves(firstWhole, lastWhole);
    }
    flush();
  }

  private interface LeafVisitor {
    void visit(long[] leaf, int first, int last);
  }

  private void forEachLeaf(long from, long to, LeafVisitor visitor) {
    if (from >= to) {
      return;
    }
    for (Map.Entry<Long, long[]> e :
        leaves.subMap(from >>> 21, true, (to - 1) >>> 21, true).entrySet()) {
      long base = e.getKey() << 21;
      int first = base < from ? (int) ((from - base) >>> 12) : 0;
      int last = base + (1L << 21) > to ? (int) ((to - base) >>> 12) : 512;
      visitor.visit(e.getValue(), first, last);
    }
  }

  /** Gives a range, all of which must be mapped, other rights. */
  public void protect(long va, long length, int rights) {
    if (!isMapped(va, length)) {
      throw new LinuxError(Errno.ENOMEM);
    }
    if (areas.size() + 2 > MAX_AREAS) {
      throw new LinuxError(Errno.ENOMEM);
    }
    splitAt(va);
    splitAt(va + length);
    var inside = areas.subMap(va, va + length).values();
    long more = 0;
    for (Area area : inside) {
      if (!area.isWritable() && !area.isShared() && (rights & WRITE) != 0) {
        more += area.bytes();
      }
    }
    checkCommit(more);
    for (Area area : inside) {
      count(area, -1);
      area.rights = rights;
      count(area, 1);
    }
    int allowed = effective(rights);
    forEachLeaf(
        va,
        va + length,
        (leaf, first, last) -> {
          for (int i = first; i < last; i++) {
            // Rights that are gained come with the next fault, which knows about sharing.
            leaf[i] &= ~(7L & ~allowed);
          }
        });
    flush();
    mergeAround(va, va + length);
  }

  /** Joins anonymous neighbours with the same rights, so that heaps do not fall into many areas. */
  private void mergeAround(long from, long to) {
    Map.Entry<Long, Area> entry = areas.lowerEntry(from);
    Area left = entry == null ? null : entry.getValue();
    Area at = areas.get(from);
    while (at != null && at.start <= to) {
      if (left != null
          && left.end == at.start
          && left.backing == null
          && at.backing == null
          && !left.stack
          && !at.stack
          && left.rights == at.rights) {
        Area joined = new Area(left.start, at.end, at.rights, null, 0, false);
        areas.remove(at.start);
        areas.put(joined.start, joined);
        at = joined;
      }
      left = at;
      at = areas.get(at.end);
    }
  }

  /** Moves the heap's end. Returns the new one, or the old one where that cannot be. */
  public long setBrk(long newBrk) {
    long oldEnd = (brk + 4095) & -4096L;
    if (newBrk < brkStart || newBrk >= mapTop) {
      return brk;
    }
    long newEnd = (newBrk + 4095) & -4096L;
    if (newEnd < oldEnd) {
      unmap(newEnd, oldEnd - newEnd);
    } else if (newEnd > oldEnd) {
      try {
        if (!isFree(oldEnd, newEnd - oldEnd)) {
          return brk;
        }
        map(oldEnd, newEnd - oldEnd, READ | WRITE, null, 0, false);
        mergeAround(oldEnd, newEnd);
      } catch (LinuxError e) {
        return brk;
      }
    }
    brk = newBrk;
    return brk;
  }

  /** mremap: see its manual page; lengths are rounded to pages and not zero. */
  public long remap(long va, long oldLength, long newLength, boolean mayMove, long fixed) {
    Area area = find(va);
    if (area == null || area.end - va < oldLength) {
      throw new LinuxError(Errno.EFAULT);
    }
    if (fixed < 0 && newLength <= oldLength) {
      unmap(va + newLength, oldLength - newLength);
      return va;
    }
    long more = newLength - oldLength;
    if (fixed < 0
        && va + oldLength == area.end
        && isRange(va, newLength)
        && isFree(area.end, more)) {
      if (area.isWritable() && !area.isShared()) {
        checkCommit(more);
      }
      Area grown =
          new Area(area.start, va + newLength, area.rights, area.backing, area.offset, area.stack);
      areas.put(grown.start, grown);
      count(area, -1);
      count(grown, 1);
      return va;
    }
    if (fixed < 0 && !mayMove) {
      throw new LinuxError(Errno.ENOMEM);
    }
    long to = fixed >= 0 ? fixed : findFree(newLength, 0);
    Area source = area.part(va, va + oldLength);
    try {
      map(to, newLength, source.rights, source.backing, source.offset, false);
    } catch (LinuxError e) {
      if (source.backing != null) {
        source.backing.release(pool);
      }
      throw e;
    }
    for (long moved = 0; moved < Math.min(oldLength, newLength); moved += 4096) {
      long entry = entry(va + moved);
      if ((entry & PRESENT) != 0) {
        setEntry(va + moved, 0);
        setEntry(to + moved, entry);
      }
    }
    unmap(va, oldLength);
    return to;
  }

  /** Writes shared file mappings in the range back to their files. */
  public void sync(long va, long length) {
    if (!isMapped(va, length)) {
      throw new LinuxError(Errno.ENOMEM);
    }
    for (Area area : areas.subMap(va, va + length).values()) {
      if (area.backing instanceof SharedPages pages) {
        pages.save(pool);
      }
    }
  }

  /** /proc/PID/maps. */
  public String describe() {
    StringBuilder out = new StringBuilder();
    for (Area a : areas.values()) {
      String name = a.backing != null ? a.backing.name() : a.stack ? "[stack]" : "";
      if (a.backing == null && a.start < brk && a.end > brkStart) {
        name = "[heap]";
      }
      out.append(
          "%08x-%08x %s%s%s%s %08x 00:00 0%s%n"
              .formatted(
                  a.start,
                  a.end,
                  (a.rights & READ) != 0 ? "r" : "-",
                  a.isWritable() ? "w" : "-",
                  (a.rights & EXECUTE) != 0 ? "x" : "-",
                  a.isShared() ? "s" : "p",
                  a.offset,
                  name.isEmpty() ? "" : " " + name));
    }
    return out.toString();
  }

  /** Pages that are mapped, in bytes: the size of the process. */
  public long mappedBytes() {
    long sum = 0;
    for (Area area : areas.values()) {
      sum += area.bytes();
    }
    return sum;
  }
}
