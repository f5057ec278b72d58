package parhelion.xen.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static parhelion.xen.memory.PagingLab.TABLES;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import parhelion.abi.Domid;
import parhelion.abi.MemoryOp;
import parhelion.abi.MmuExtCmd;
import parhelion.cpu.Cpu;
import parhelion.cpu.GuestFault;
import parhelion.xen.DomainCrash;

/**
 * Two kernels that do anything that comes to mind, most of it nearly right: pages between {@link
 * #FIRST} and {@link #LAST} become tables, descriptor pages, grants and holes. Whatever they do,
 * every count is right and nothing of one is reachable by the other.
 */
final class RandomOperationsTest {
  private static final int OPERATIONS = 25_000;
  private static final int BETWEEN_AUDITS = 250;
  private static final int FIRST = 16;
  private static final int LAST = 64;

  private final PagingLab lab = new PagingLab(1024);
  private Random random = new Random(0);

  /** References that this test holds in the place of descriptor tables and grants. */
  private final List<Long> descriptorPages = new ArrayList<>();

  private record Mapped(PagingLab.Guest mapper, PagingLab.Guest owner, int pfn, long mfn) {}

  private final List<Mapped> grants = new ArrayList<>();
  private int succeeded;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void countsStayRightWhateverGuestsDo(long seed) {
    random = new Random(seed);
    for (PagingLab.Guest g : List.of(lab.a, lab.b)) {
      lab.paging.installBases(g.domain.vcpus().get(1), g.mfn(TABLES), 0);
    }
    for (int i = 1; i <= OPERATIONS; i++) {
      operate(random.nextBoolean() ? lab.a : lab.b);
      if (i % BETWEEN_AUDITS == 0) {
        audit("seed " + seed + ", operation " + i);
      }
    }
    assertTrue(succeeded > OPERATIONS / 10, succeeded + " operations succeeded");
    descriptorPages.forEach(lab.frames::putPageAndType);
    descriptorPages.clear();
    lab.hypervisor.destroyDomain(lab.a.domain);
    audit("the first domain's end");
    lab.hypervisor.destroyDomain(lab.b.domain);
    audit("the second domain's end");
    assertEquals(0, lab.a.domain.totPages + lab.b.domain.totPages);
    lab.close();
  }

  private void audit(String when) {
    List<String> found =
        Auditor.audit(
            lab.hypervisor, count -> descriptorPages.forEach(mfn -> count.reference(mfn, true)));
    assertEquals(List.of(), found, when);
  }

  private int page() {
    return FIRST + random.nextInt(LAST - FIRST);
  }

  private void operate(PagingLab.Guest g) {
    lab.abandons = random.nextInt(3) == 0;
    if (random.nextInt(4) == 0) {
      g.vcpu.cpu().requestAttention();
    } else {
      g.vcpu.cpu().clearAttention();
    }
    try {
      if (step(g) == 0) {
        succeeded++;
      }
    } catch (DomainCrash e) {
      // The domain would run no more; this one goes on, but knows nothing of before.
      g.domain.vcpus().forEach(v -> v.cpu().flushTlbs());
      grants.removeIf(m -> !isMapped(m));
    }
  }

  private long step(PagingLab.Guest g) {
    return switch (random.nextInt(20)) {
      case 16, 17, 18, 19 -> touch(g);
      case 0, 1, 2, 3 -> g.remap(page(), entry(g, 1));
      case 4, 5 -> updateTable(g);
      case 6 -> fill(g);
      case 7, 8 -> g.pin(1 + random.nextInt(4), page());
      case 9 -> g.unpin(page());
      case 10 -> newBase(g);
      case 11 ->
          g.ext(
              random.nextBoolean() ? MmuExtCmd.CLEAR_PAGE : MmuExtCmd.COPY_PAGE,
              frame(g),
              frame(g));
      case 12 -> descriptors(g);
      case 13 -> grant(g);
      case 14 -> balloon(g);
      default -> store(g);
    };
  }

  /**
   * Mostly a frame of the guest's own play pages; at times a table of the builder's, another's,
   * Xen's or none.
   */
  private long frame(PagingLab.Guest g) {
    return switch (random.nextInt(24)) {
      case 0 -> (g == lab.a ? lab.b : lab.a).mfn(page());
      case 1 -> g.mfn(TABLES + random.nextInt(4));
      case 2 -> g.domain.sharedInfoMfn();
      case 3 -> random.nextInt(lab.frames.size() + 10);
      case 4 -> random.nextLong() >>> 24;
      default -> g.mfn(page());
    };
  }

  private long entry(PagingLab.Guest g, int level) {
    long flags = Pte.PRESENT | Pte.USER | Pte.ACCESSED;
    if (random.nextInt(3) != 0) {
      flags |= level > 1 || random.nextInt(3) == 0 ? Pte.RW : 0;
    }
    return switch (random.nextInt(10)) {
      case 0, 1 -> random.nextInt() & ~1L;
      case 2 -> Pte.of(frame(g), flags | 1L << random.nextInt(64));
      default -> Pte.of(frame(g), flags);
    };
  }

  private long updateTable(PagingLab.Guest g) {
    int pfn = random.nextInt(6) == 0 ? TABLES + random.nextInt(3) : page();
    int slot = pfn >= TABLES ? 5 + random.nextInt(200) : slot();
    int level = Math.clamp(g.type(pfn), 1, 4);
    long kind = random.nextInt(4) == 0 ? 2 : 0;
    return g.update(g.at(pfn, slot) | kind, entry(g, level));
  }

  private int slot() {
    return random.nextInt(10) == 0 ? random.nextInt(512) : random.nextInt(4);
  }

  /**
   * What a guest can write by itself: into a page that is neither a table nor a descriptor page.
   */
  private long fill(PagingLab.Guest g) {
    int pfn = page();
    if (lab.owner(g.mfn(pfn)) != g.domain
        || g.uses(pfn) != 0 && g.type(pfn) != FrameTable.WRITABLE) {
      return -1;
    }
    if (random.nextBoolean()) {
      lab.memory.fill(g.mfn(pfn) << 12, 4096, (byte) 0);
    }
    int level = 1 + random.nextInt(4);
    for (int i = random.nextInt(5); i > 0; i--) {
      g.poke(pfn, slot(), entry(g, level));
    }
    return 0;
  }

  /** A base under which the kernel still finds its argument page, or one that is refused. */
  private long newBase(PagingLab.Guest g) {
    if (random.nextInt(3) != 0) {
      long mfn = random.nextInt(3) == 0 ? 0 : frame(g);
      return g.ext(MmuExtCmd.NEW_USER_BASEPTR, mfn, 0);
    }
    int pfn = page();
    if (g.type(pfn) == FrameTable.L4 && g.uses(pfn) != 0) {
      g.update(g.at(pfn, 511), g.peek(TABLES, 511));
    }
    long rc = g.ext(MmuExtCmd.NEW_BASEPTR, g.mfn(pfn), 0);
    if (rc == 0 && g.peek(pfn, 511) != g.peek(TABLES, 511)) {
      lab.paging.installBases(g.vcpu, g.mfn(TABLES), 0);
    }
    return rc;
  }

  private long descriptors(PagingLab.Guest g) {
    if (descriptorPages.size() > 8 || random.nextBoolean()) {
      if (!descriptorPages.isEmpty()) {
        lab.frames.putPageAndType(descriptorPages.removeFirst());
      }
      return 0;
    }
    long mfn = frame(g);
    if (lab.frames.getPageAndType(g.domain, mfn, FrameTable.SEGDESC)) {
      descriptorPages.add(mfn);
      return 0;
    }
    return -1;
  }

  private boolean isMapped(Mapped m) {
    long entry = m.mapper.pte(m.pfn);
    return Pte.mfn(entry) == m.mfn && (entry & Pte.GNTTAB) != 0 && Pte.present(entry);
  }

  private long grant(PagingLab.Guest g) {
    GrantMappings mappings = lab.paging.grantMappings();
    if (grants.size() > 6 || (!grants.isEmpty() && random.nextBoolean())) {
      Mapped m = grants.remove(random.nextInt(grants.size()));
      boolean done = mappings.unmap(m.mapper.vcpu, m.mapper.va(m.pfn), false, m.mfn, true);
      if (done) {
        mappings.flush(m.mapper.domain);
        lab.frames.putPageAndType(m.mfn);
      }
      return done ? 0 : -1;
    }
    PagingLab.Guest owner = g == lab.a ? lab.b : lab.a;
    long mfn = owner.mfn(page());
    int pfn = page();
    if (!lab.frames.getPageAndType(owner.domain, mfn, FrameTable.WRITABLE)) {
      return -1;
    }
    if (mappings.map(g.vcpu, g.va(pfn), false, mfn, Pte.RW)) {
      grants.add(new Mapped(g, owner, pfn, mfn));
      return 0;
    }
    lab.frames.putPageAndType(mfn);
    return -1;
  }

  /** Gives a page back, or gets one for a page that was given back. */
  private long balloon(PagingLab.Guest g) {
    int pfn = page();
    boolean gone = lab.owner(g.mfn(pfn)) != g.domain || !lab.frames.isAllocated(g.mfn(pfn));
    g.poke(1, 0, gone ? pfn : g.mfn(pfn));
    g.args(g.va(1), 1, 0, Domid.SELF);
    MemoryOp op = gone ? MemoryOp.POPULATE_PHYSMAP : MemoryOp.DECREASE_RESERVATION;
    long done = g.memoryOp(op.nr());
    if (gone && done == 1) {
      g.p2m[pfn] = g.peek(1, 0);
    }
    return done == 1 ? 0 : -1;
  }

  /**
   * Stores through the TLB of a vcpu, whatever it still remembers: the value may turn up only in
   * plain memory of the guest's own, or in what was granted to it.
   */
  private long touch(PagingLab.Guest g) {
    long marker = random.nextLong() & ~1L;
    Cpu cpu = g.domain.vcpus().get(random.nextInt(2)).cpu();
    try {
      cpu.store64(g.va(page()) + 511 * 8, marker);
    } catch (GuestFault e) {
      return -1;
    }
    int found = 0;
    for (int mfn = 0; mfn < lab.frames.size(); mfn++) {
      if (lab.memory.getLong((mfn << 12) + 511 * 8L) == marker) {
        assertTrue(lab.owner(mfn) == g.domain || isGranted(g, mfn), "a store reached frame " + mfn);
        boolean plain =
            lab.frames.typeCount(mfn) == 0 || lab.frames.type(mfn) == FrameTable.WRITABLE;
        assertTrue(plain, "a store reached a frame of type " + lab.frames.type(mfn));
        found++;
      }
    }
    assertEquals(1, found, "frames that the store reached");
    return 0;
  }

  /** Some L1 table of the guest's maps the frame as a grant. */
  private boolean isGranted(PagingLab.Guest g, long mfn) {
    for (int table = 0; table < lab.frames.size(); table++) {
      boolean live =
          lab.frames.types().isLiveTable(table) && lab.frames.type(table) == FrameTable.L1;
      for (int i = 0; live && lab.owner(table) == g.domain && i < 512; i++) {
        long entry = lab.memory.getLong(((long) table << 12) + i * 8L);
        if (Pte.present(entry) && (entry & Pte.GNTTAB) != 0 && Pte.mfn(entry) == mfn) {
          return true;
        }
      }
    }
    return false;
  }

  private long store(PagingLab.Guest g) {
    int size = 1 << random.nextInt(4);
    long pa = (frame(g) << 12) + slot() * 8L + random.nextInt(8 / size) * size;
    return lab.paging.emulatedWrite(g.vcpu, pa, size, entry(g, 1)) ? 0 : -1;
  }
}
