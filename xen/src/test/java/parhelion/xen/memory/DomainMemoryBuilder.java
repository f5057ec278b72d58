package parhelion.xen.memory;

import java.util.HashSet;
import java.util.Set;
import java.util.function.LongSupplier;
import parhelion.abi.Errno;
import parhelion.cpu.memory.MachineMemory;
import parhelion.xen.Domain;
import parhelion.xen.Hypervisor;
import parhelion.xen.XenError;

/**
 * The initial memory of a test's domain, and the initial page tables in it. (Real guests are built
 * by the toolstack, which knows kernels.) The test writes the frames by machine address; the tables
 * become page tables, with every rule checked, when they are pinned.
 *
 * <pre>
 * var builder = new DomainMemoryBuilder(hypervisor, domain);
 * long[] p2m = builder.allocate(pages);
 * var next = ...;  // the frames set aside for tables, one by one
 * builder.startTables(next);
 * builder.map(va, p2m[pfn], Pte.RW);  // for each page of the initial mapping, tables included
 * long l4 = builder.finish();
 * hypervisor.paging().installBases(vcpu, l4, 0);
 * </pre>
 */
public final class DomainMemoryBuilder {
  private static final long UPPER = Pte.PRESENT | Pte.RW | Pte.USER | Pte.ACCESSED;
  private static final long LEAF = Pte.PRESENT | Pte.ACCESSED;

  private final MachineMemory memory;
  private final FrameTable frames;
  private final Paging paging;
  private final Domain domain;
  private final Set<Long> tables = new HashSet<>();
  private final Set<Long> leaves = new HashSet<>();
  private LongSupplier nextTable = () -> -1;
  private long l4 = -1;

  public DomainMemoryBuilder(Hypervisor hypervisor, Domain domain) {
    memory = hypervisor.memory();
    frames = hypervisor.frames();
    paging = hypervisor.paging();
    this.domain = domain;
  }

  /**
   * Allocates the domain's memory: {@code [pfn]} is the machine frame of each of {@code pages}
   * pages, and the machine-to-physical table says so, too. ENOMEM, with nothing allocated, past the
   * domain's limit or when memory is short.
   */
  public long[] allocate(int pages) {
    if (pages > frames.freeFrames() || domain.totPages + pages > domain.maxPages) {
      throw new XenError(Errno.ENOMEM);
    }
    long[] p2m = new long[pages];
    for (int pfn = 0; pfn < pages; pfn++) {
      p2m[pfn] = frames.allocate(domain);
      frames.m2p().set(p2m[pfn], pfn);
    }
    return p2m;
  }

  /**
   * Begins a tree of page tables whose frames come from {@code nextTable}, the L4 first; they are
   * cleared here.
   */
  public void startTables(LongSupplier nextTable) {
    this.nextTable = nextTable;
    tables.clear();
    leaves.clear();
    l4 = newTable();
  }

  /** Tables so far. */
  public int tableCount() {
    return tables.size();
  }

  /**
   * Tables of all levels that mapping {@code [firstVa, lastVa]} takes; both ends in one half of the
   * address space.
   */
  public static long tablesFor(long firstVa, long lastVa) {
    long count = 1;
    for (int shift = 39; shift > 12; shift -= 9) {
      count += (lastVa >>> shift) - (firstVa >>> shift) + 1;
    }
    return count;
  }

  private long newTable() {
    long mfn = nextTable.getAsLong();
    if (frames.owner(mfn) != domain || !tables.add(mfn)) {
      throw new IllegalArgumentException("no frame for a page table: " + mfn);
    }
    memory.fill(mfn << 12, 4096, (byte) 0);
    return mfn;
  }

  /** Maps one page; {@code flags} of {@link Pte} beside those that every page has, such as RW. */
  public void map(long va, long mfn, long flags) {
    if (!Paging.isGuestAddress(va)) {
      throw new IllegalArgumentException(
          "address 0x" + Long.toHexString(va) + " is not the guest's");
    }
    long table = l4;
    for (int level = FrameTable.L4; level > FrameTable.L1; level--) {
      long pa = (table << 12) + Pte.slot(level, va) * 8L;
      long entry = memory.getLong(pa);
      if (!Pte.present(entry)) {
        long lower = newTable();
        if (level == FrameTable.L2) {
          leaves.add(lower);
        }
        entry = Pte.of(lower, UPPER);
        memory.putLong(pa, entry);
      }
      table = Pte.mfn(entry);
    }
    memory.putLong((table << 12) + Pte.slot(FrameTable.L1, va) * 8L, Pte.of(mfn, LEAF | flags));
  }

  /**
   * Takes the right to write from every mapping of a table, then validates and pins the tree; its
   * L4 frame.
   */
  public long finish() {
    for (long table : leaves) {
      for (long pa = table << 12; pa < (table + 1) << 12; pa += 8) {
        long entry = memory.getLong(pa);
        if (Pte.present(entry) && tables.contains(Pte.mfn(entry))) {
          memory.putLong(pa, entry & ~Pte.RW);
        }
      }
    }
    paging.pinInitial(domain, l4);
    return l4;
  }
}
