package parhelion.xen.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static parhelion.xen.memory.PagingLab.PAGES;
import static parhelion.xen.memory.PagingLab.TABLES;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import parhelion.abi.Domid;
import parhelion.abi.Errno;
import parhelion.abi.MemoryOp;

/** {@code memory_op}: argument structures in page 0, lists in pages 1 and 2. */
final class MemoryOpsTest {
  private final PagingLab lab = new PagingLab();
  private final PagingLab.Guest a = lab.a;
  private final PagingLab.Guest b = lab.b;

  @AfterEach
  void everyCountIsRight() {
    lab.assertSound();
    lab.close();
  }

  private long reservation(MemoryOp op, long extents, int order, int domid) {
    a.args(a.va(1), extents, order, domid);
    return a.memoryOp(op.nr());
  }

  private long exchange(long inExtents, int inOrder, long outExtents, int outOrder) {
    a.args(a.va(1), inExtents, inOrder, Domid.SELF, a.va(2), outExtents, outOrder, Domid.SELF, 0);
    return a.memoryOp(MemoryOp.EXCHANGE.nr());
  }

  private long domainOp(MemoryOp op, int domid) {
    a.args(domid);
    return a.memoryOp(op.nr());
  }

  @Test
  void aBalloonShrinksAndGrowsTheDomain() {
    for (int i = 0; i < 10; i++) {
      assertEquals(0, a.remap(20 + i, 0));
      a.poke(1, i, a.mfn(20 + i));
    }
    assertEquals(10, reservation(MemoryOp.DECREASE_RESERVATION, 10, 0, Domid.SELF));
    assertEquals(PAGES - 10, domainOp(MemoryOp.CURRENT_RESERVATION, Domid.SELF));
    assertEquals(null, lab.owner(a.mfn(25)));
    for (int i = 0; i < 10; i++) {
      a.poke(1, i, 20 + i);
    }
    assertEquals(10, reservation(MemoryOp.POPULATE_PHYSMAP, 10, 0, Domid.SELF));
    assertEquals(PAGES, a.domain.totPages);
    for (int i = 0; i < 10; i++) {
      long mfn = a.peek(1, i);
      assertEquals(a.domain, lab.owner(mfn));
      assertEquals(20 + i, lab.frames.m2p().get(mfn));
    }
  }

  @Test
  void aDomainCannotGrowPastItsLimit() {
    assertEquals(64, reservation(MemoryOp.INCREASE_RESERVATION, 100, 0, Domid.SELF));
    assertEquals(PAGES + 64, domainOp(MemoryOp.CURRENT_RESERVATION, Domid.SELF));
    assertEquals(PAGES + 64, domainOp(MemoryOp.MAXIMUM_RESERVATION, Domid.SELF));
    assertEquals(0, reservation(MemoryOp.INCREASE_RESERVATION, 1, 0, Domid.SELF));
  }

  @Test
  void extentsAreContiguousAndAligned() {
    a.poke(1, 0, 1000);
    assertEquals(1, reservation(MemoryOp.POPULATE_PHYSMAP, 1, 4, Domid.SELF));
    long first = a.peek(1, 0);
    assertEquals(0, first & 15);
    for (int i = 0; i < 16; i++) {
      assertEquals(1000 + i, lab.frames.m2p().get(first + i));
    }
  }

  @Test
  void hugeOrdersAndCountsAreRefused() {
    assertEquals(0, reservation(MemoryOp.POPULATE_PHYSMAP, 1, 10, Domid.SELF));
    assertEquals(0, reservation(MemoryOp.POPULATE_PHYSMAP, 1, -1, Domid.SELF));
    assertEquals(0, reservation(MemoryOp.POPULATE_PHYSMAP, 1L << 40, 0, Domid.SELF));
    assertEquals(0, reservation(MemoryOp.POPULATE_PHYSMAP, -1L, 0, Domid.SELF));
    assertEquals(PAGES, a.domain.totPages);
  }

  @Test
  void anInterruptedListGoesOnWhereItWas() {
    a.vcpu.cpu().requestAttention();
    for (int i = 0; i < 200; i++) {
      assertEquals(0, a.remap(20 + i, 0));
      a.poke(1, i, a.mfn(20 + i));
    }
    assertEquals(200, reservation(MemoryOp.DECREASE_RESERVATION, 200, 0, Domid.SELF));
    assertEquals(PAGES - 200, a.domain.totPages);
  }

  @Test
  void onlyOnesOwnFramesCanBeGivenBack() {
    a.poke(1, 0, b.mfn(20));
    assertEquals(0, reservation(MemoryOp.DECREASE_RESERVATION, 1, 0, Domid.SELF));
    a.poke(1, 0, a.domain.sharedInfoMfn());
    assertEquals(0, reservation(MemoryOp.DECREASE_RESERVATION, 1, 0, Domid.SELF));
    a.poke(1, 0, -1L);
    assertEquals(0, reservation(MemoryOp.DECREASE_RESERVATION, 1, 0, Domid.SELF));
    a.poke(1, 0, b.mfn(20));
    assertEquals(0, reservation(MemoryOp.DECREASE_RESERVATION, 1, 0, b.domain.id()));
    assertEquals(b.domain, lab.owner(b.mfn(20)));
  }

  @Test
  void aTableThatIsGivenBackStaysUntilItIsNoTable() {
    a.poke(1, 0, a.mfn(TABLES + 3));
    assertEquals(1, reservation(MemoryOp.DECREASE_RESERVATION, 1, 0, Domid.SELF));
    assertEquals(FrameTable.L1, a.type(TABLES + 3));
    assertEquals(a.domain, lab.owner(a.mfn(TABLES + 3)));
  }

  @Test
  void framesAreExchangedForContiguousOnes() {
    for (int i = 0; i < 8; i++) {
      assertEquals(0, a.remap(20 + i, 0));
      a.poke(1, i, a.mfn(20 + i));
    }
    a.poke(2, 0, 20);
    a.poke(2, 1, 24);
    assertEquals(0, exchange(8, 0, 2, 2));
    assertEquals(8, a.peek(0, 8), "nr_exchanged");
    assertEquals(PAGES, a.domain.totPages);
    for (int i = 0; i < 8; i++) {
      long mfn = a.peek(2, i / 4) + i % 4;
      assertEquals(a.domain, lab.owner(mfn));
      assertEquals(20 + i, lab.frames.m2p().get(mfn));
    }
  }

  @Test
  void framesInUseAreNotExchanged() {
    a.poke(1, 0, a.mfn(20));
    a.poke(2, 0, 20);
    assertEquals(Errno.EINVAL.result(), exchange(1, 0, 1, 0), "mapped");
    a.poke(1, 0, b.mfn(20));
    assertEquals(Errno.EINVAL.result(), exchange(1, 0, 1, 0), "another's");
    assertEquals(0, a.remap(20, 0));
    a.poke(1, 0, a.mfn(20));
    a.poke(1, 1, a.mfn(20));
    a.poke(2, 1, 21);
    assertEquals(Errno.EINVAL.result(), exchange(2, 0, 1, 1), "twice the same");
    assertEquals(a.domain, lab.owner(a.mfn(20)));
    a.poke(1, 0, a.domain.sharedInfoMfn());
    assertEquals(Errno.EINVAL.result(), exchange(1, 0, 1, 0), "Xen's");
  }

  @Test
  void listsThatDoNotMatchAreNotExchanged() {
    assertEquals(Errno.EINVAL.result(), exchange(3, 0, 1, 2));
    assertEquals(Errno.EPERM.result(), exchange(1, 10, 1, 10));
    assertEquals(Errno.EINVAL.result(), exchange(1L << 62, 2, 1L << 62, 2));
    assertEquals(0, exchange(0, 0, 0, 0));
  }

  @Test
  void whatIsAskedOfOthersNeedsPrivilege() {
    assertEquals(Errno.EPERM.result(), domainOp(MemoryOp.CURRENT_RESERVATION, b.domain.id()));
    assertEquals(Errno.ESRCH.result(), domainOp(MemoryOp.CURRENT_RESERVATION, 999));
    assertEquals(PAGES, domainOp(MemoryOp.CURRENT_RESERVATION, a.domain.id()));
    PagingLab.Guest dom0 = lab.privilegedGuest();
    dom0.args(b.domain.id());
    assertEquals(PAGES, dom0.memoryOp(MemoryOp.CURRENT_RESERVATION.nr()));
  }

  @Test
  void theMachineIsDescribed() {
    assertEquals(lab.memory.frames(), a.memoryOp(MemoryOp.MAXIMUM_RAM_PAGE.nr()));
    assertEquals(0, a.memoryOp(MemoryOp.MACHPHYS_MAPPING.nr()));
    assertEquals(0xffff_8000_0000_0000L, a.peek(0, 0));
    assertEquals(0xffff_8040_0000_0000L, a.peek(0, 1));
    a.args(16, a.va(1), 0);
    assertEquals(0, a.memoryOp(MemoryOp.MACHPHYS_MFN_LIST.nr()));
    assertEquals(lab.frames.m2p().pa() >>> 12, a.peek(1, 0));
    assertEquals(1, a.peek(0, 2));
    assertEquals(Errno.EOPNOTSUPP.result(), a.memoryOp(MemoryOp.MACHPHYS_COMPAT_MFN_LIST.nr()));
  }

  @Test
  void aMemoryMapIsAnsweredOnceItIsSet() {
    a.args(4, a.va(1));
    assertEquals(Errno.ENOSYS.result(), a.memoryOp(MemoryOp.MEMORY_MAP.nr()));
    a.poke(1, 0, 0x1000);
    a.poke(1, 1, 0x2000);
    a.poke(1, 2, 1);
    a.args(Domid.SELF, 1, a.va(1));
    assertEquals(0, a.memoryOp(MemoryOp.SET_MEMORY_MAP.nr()));
    a.args(4, a.va(2));
    assertEquals(0, a.memoryOp(MemoryOp.MEMORY_MAP.nr()));
    assertEquals(1, a.peek(0, 0));
    assertEquals(0x2000, a.peek(2, 1));
    a.args(Domid.SELF, 1000, a.va(1));
    assertEquals(Errno.EINVAL.result(), a.memoryOp(MemoryOp.SET_MEMORY_MAP.nr()));
  }

  @Test
  void whatIsForTranslatedGuestsIsRefused() {
    a.args(Domid.SELF, 0, 0);
    assertEquals(Errno.EACCES.result(), a.memoryOp(MemoryOp.ADD_TO_PHYSMAP.nr()));
    assertEquals(Errno.EACCES.result(), a.memoryOp(MemoryOp.ADD_TO_PHYSMAP_BATCH.nr()));
    assertEquals(Errno.EACCES.result(), a.memoryOp(MemoryOp.REMOVE_FROM_PHYSMAP.nr()));
    assertEquals(Errno.EOPNOTSUPP.result(), a.memoryOp(MemoryOp.GET_VNUMAINFO.nr()));
    assertEquals(Errno.ENOSYS.result(), a.memoryOp(8));
    assertEquals(Errno.ENOSYS.result(), a.memoryOp(63));
    assertEquals(Errno.EINVAL.result(), a.memoryOp(MemoryOp.CURRENT_RESERVATION.nr() | 64));
  }

  @Test
  void claimsKeepFramesForADomain() {
    PagingLab.Guest dom0 = lab.privilegedGuest();
    dom0.args(0, PAGES + 60, 0, b.domain.id());
    assertEquals(0, dom0.memoryOp(MemoryOp.CLAIM_PAGES.nr()));
    assertEquals(60, b.domain.memory.claimed);
    lab.frames.allocate(b.domain);
    assertEquals(59, b.domain.memory.claimed);
    dom0.args(0, 0, 0, b.domain.id());
    assertEquals(0, dom0.memoryOp(MemoryOp.CLAIM_PAGES.nr()));
    assertEquals(0, b.domain.memory.claimed);
    a.args(0, 10, 0, b.domain.id());
    assertEquals(Errno.EPERM.result(), a.memoryOp(MemoryOp.CLAIM_PAGES.nr()));
    assertTrue(lab.frames.freeFrames() > 0);
  }
}
