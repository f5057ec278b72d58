package parhelion.xen.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static parhelion.xen.memory.PagingLab.RO;
import static parhelion.xen.memory.PagingLab.RW;
import static parhelion.xen.memory.PagingLab.TABLES;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import parhelion.abi.Errno;
import parhelion.abi.MmuExtCmd;

/** What a hostile kernel tries with its page tables. */
final class PageTypesTest {
  private static final long EINVAL = Errno.EINVAL.result();
  private static final long EBUSY = Errno.EBUSY.result();

  private final PagingLab lab = new PagingLab();
  private final PagingLab.Guest a = lab.a;
  private final PagingLab.Guest b = lab.b;

  @AfterEach
  void everyCountIsRight() {
    lab.assertSound();
    lab.close();
  }

  @Test
  void theBuiltAddressSpaceIsMadeOfTypedTables() {
    assertEquals(FrameTable.L4, a.type(TABLES));
    assertEquals(FrameTable.L3, a.type(TABLES + 1));
    assertEquals(FrameTable.L2, a.type(TABLES + 2));
    assertEquals(FrameTable.L1, a.type(TABLES + 3));
    assertEquals(2, a.uses(TABLES), "pinned, and the vcpu's base");
    assertEquals(FrameTable.WRITABLE, a.type(5));
  }

  @Test
  void aPageTableCannotBeMappedWritable() {
    for (int level = 0; level < 4; level++) {
      assertEquals(EBUSY, a.remap(7, Pte.of(a.mfn(TABLES + level), RW)));
      assertEquals(0, a.remap(7, Pte.of(a.mfn(TABLES + level), RO)));
    }
  }

  @Test
  void aPageThatIsMappedWritableCannotBecomeAPageTable() {
    for (int level = 1; level <= 4; level++) {
      assertEquals(EINVAL, a.pin(level, 9));
    }
    assertEquals(FrameTable.WRITABLE, a.type(9));
  }

  @Test
  void anEmptyPageThatIsMappedReadOnlyCanBeAnyTable() {
    a.makeReadOnly(9);
    for (int level = 1; level <= 4; level++) {
      assertEquals(0, a.pin(level, 9));
      assertEquals(level, a.type(9));
      assertEquals(EBUSY, a.remap(9, Pte.of(a.mfn(9), RW)));
      assertEquals(0, a.unpin(9));
    }
    a.makeWritable(9);
    assertEquals(EINVAL, a.pin(1, 9));
  }

  @Test
  void anotherDomainsFrameCannotBeMapped() {
    assertEquals(EBUSY, a.remap(7, Pte.of(b.mfn(7), RW)));
    assertEquals(EBUSY, a.remap(7, Pte.of(b.mfn(7), RO)));
    assertEquals(EBUSY, a.remap(7, Pte.of(b.mfn(TABLES), RO)));
  }

  @Test
  void anotherDomainsFrameCannotBeMappedByATableThatIsPinned() {
    a.makeReadOnly(9);
    a.poke(9, 3, Pte.of(a.mfn(20), RO));
    a.poke(9, 4, Pte.of(b.mfn(20), RO));
    assertEquals(EBUSY, a.pin(1, 9));
    assertEquals(0, a.uses(9));
  }

  @Test
  void framesOfXenAndFreeFramesCannotBeMapped() {
    long m2p = lab.frames.m2p().pa() >>> 12;
    long free = lab.frames.size() - 1;
    assertEquals(EBUSY, a.remap(7, Pte.of(0, RO)));
    assertEquals(EBUSY, a.remap(7, Pte.of(m2p, RO)));
    assertEquals(EBUSY, a.remap(7, Pte.of(m2p, RW)));
    assertEquals(EBUSY, a.remap(7, Pte.of(free, RW)));
  }

  @Test
  void memoryThatDoesNotExistCannotBeMapped() {
    assertEquals(Errno.EPERM.result(), a.remap(7, Pte.of(lab.frames.size(), RW)));
    assertEquals(Errno.EPERM.result(), a.remap(7, Pte.of(1L << 30, RO)));
    assertEquals(EINVAL, a.remap(7, Pte.of((1L << 40) - 1, RO)));
  }

  @Test
  void aGuestMayMapItsSharedInfoButNeverMakeItATable() {
    long shared = a.domain.sharedInfoMfn();
    assertEquals(0, a.remap(7, Pte.of(shared, RW)));
    assertEquals(0, a.remap(8, Pte.of(shared, RO)));
    assertEquals(EINVAL, a.ext(MmuExtCmd.PIN_L1_TABLE, shared, 0));
    assertEquals(EBUSY, b.remap(7, Pte.of(shared, RO)));
  }

  @Test
  void aDescriptorPageCannotBeMappedWritable() {
    a.makeReadOnly(9);
    a.poke(9, 1, 0x00af_9b00_0000_ffffL);
    assertTrue(lab.frames.getPageAndType(a.domain, a.mfn(9), FrameTable.SEGDESC));
    assertEquals(EBUSY, a.remap(9, Pte.of(a.mfn(9), RW)));
    assertEquals(0x00af_fb00_0000_ffffL, a.peek(9, 1), "its privilege level is 3 now");
    lab.frames.putPageAndType(a.mfn(9));
    a.makeWritable(9);
  }

  @Test
  void aPageWithAGateToXenIsNoDescriptorPage() {
    a.makeReadOnly(9);
    a.poke(9, 3, 0x0000_8e00_e030_0000L);
    assertFalse(lab.frames.getPageAndType(a.domain, a.mfn(9), FrameTable.SEGDESC));
    a.poke(9, 3, 0x0000_ec00_e010_0000L);
    assertFalse(lab.frames.getPageAndType(a.domain, a.mfn(9), FrameTable.SEGDESC));
    a.poke(9, 3, 0x0000_ec00_0010_0000L);
    assertTrue(lab.frames.getPageAndType(a.domain, a.mfn(9), FrameTable.SEGDESC));
    assertEquals(0x0000_8c00_0013_0000L, a.peek(9, 3), "a call gate faults when used");
    lab.frames.putPageAndType(a.mfn(9));
  }

  @Test
  void garbageCannotBePinned() {
    a.makeReadOnly(9);
    for (int slot = 0; slot < 512; slot++) {
      a.poke(9, slot, 0x9e37_79b9_7f4a_7c15L * (slot + 1));
    }
    for (int level = 1; level <= 4; level++) {
      assertTrue(a.pin(level, 9) < 0);
      assertEquals(0, a.uses(9));
    }
  }

  @Test
  void aTableOfOneLevelCannotServeAsAnother() {
    a.makeReadOnly(9);
    a.makeReadOnly(10);
    assertEquals(0, a.pin(1, 9));
    assertEquals(EINVAL, a.pin(2, 9));
    a.poke(10, 0, Pte.of(a.mfn(9), RW));
    assertEquals(EINVAL, a.pin(3, 10));
    assertEquals(0, a.pin(2, 10));
    assertEquals(2, a.uses(9));
    assertEquals(0, a.unpin(10));
    assertEquals(1, a.uses(9));
  }

  @Test
  void theOldUseIsGivenBackWhenPinningFailsHalfWay() {
    for (int pfn = 9; pfn <= 12; pfn++) {
      a.makeReadOnly(pfn);
    }
    a.poke(10, 0, Pte.of(a.mfn(9), RW));
    a.poke(11, 5, Pte.of(a.mfn(10), RW));
    a.poke(11, 6, Pte.of(b.mfn(10), RW));
    assertEquals(EINVAL, a.pin(3, 11));
    assertEquals(0, a.uses(9));
    assertEquals(0, a.uses(10));
    assertEquals(0, a.uses(11));
    a.makeWritable(9);
    a.makeWritable(10);
  }

  @Test
  void superpagesAndGlobalDirectoriesAreRefused() {
    a.makeReadOnly(10);
    a.poke(10, 0, Pte.of(a.mfn(9), RW | Pte.PAT_OR_PSE));
    assertEquals(EINVAL, a.pin(2, 10));
    a.poke(10, 0, Pte.of(a.mfn(9), RW | Pte.GLOBAL));
    assertEquals(EINVAL, a.pin(2, 10));
    a.poke(10, 0, Pte.of(a.mfn(9), RW | Pte.PCD));
    assertEquals(EINVAL, a.pin(2, 10));
  }

  @Test
  void aTableMayMapItselfReadOnlyButNotWritable() {
    a.makeReadOnly(9);
    a.poke(9, 300, Pte.of(a.mfn(9), RW));
    assertEquals(EINVAL, a.pin(4, 9));
    a.poke(9, 300, Pte.of(a.mfn(9), RO));
    assertEquals(0, a.pin(4, 9));
    assertEquals(1, a.uses(9));
    assertEquals(0, a.unpin(9));
    assertEquals(0, a.uses(9));
  }

  @Test
  void linearTablesMakeNoCircles() {
    a.makeReadOnly(9);
    a.makeReadOnly(10);
    assertEquals(0, a.pin(4, 9));
    a.poke(10, 300, Pte.of(a.mfn(9), RO));
    assertEquals(0, a.pin(4, 10));
    assertEquals(2, a.uses(9));
    assertEquals(EINVAL, a.update(a.at(9, 300), Pte.of(a.mfn(10), RO)), "9 is used by 10");
    assertEquals(0, a.unpin(9));
    assertEquals(1, a.uses(9), "10 still maps it");
    assertEquals(0, a.unpin(10));
    assertEquals(0, a.uses(9));
    assertEquals(0, a.uses(10));
  }

  @Test
  void slotsOfXenInAnL4AreXens() {
    a.makeReadOnly(9);
    a.poke(9, 256, Pte.of(b.mfn(3), RW));
    a.poke(9, 271, 0xdead_beefL);
    assertEquals(0, a.pin(4, 9));
    assertEquals(0, a.peek(9, 271));
    assertEquals(0, a.peek(9, 256) & Pte.RW);
    assertEquals(EINVAL, a.update(a.at(9, 256), 0));
    assertEquals(EINVAL, a.update(a.at(9, 271), 0));
    assertEquals(0, a.update(a.at(9, 272), 0));
    assertEquals(0, a.update(a.at(9, 255), 0));
    assertEquals(0, a.unpin(9));
  }

  @Test
  void aUseCountThatIsFullRefusesMore() {
    lab.frames.limitCounts(1 << 20, 2);
    assertEquals(0, a.remap(9, Pte.of(a.mfn(8), RW)));
    assertEquals(EBUSY, a.remap(10, Pte.of(a.mfn(8), RW)));
    assertEquals(2, a.uses(8));
  }

  @Test
  void aReferenceCountThatIsFullRefusesMore() {
    int now = lab.frames.references(a.mfn(8));
    lab.frames.limitCounts(now + 1, 1 << 20);
    assertEquals(0, a.remap(9, Pte.of(a.mfn(8), RO)));
    assertEquals(EBUSY, a.remap(10, Pte.of(a.mfn(8), RO)));
  }

  @Test
  void aTableInUseOutlivesItsUnpinning() {
    assertEquals(0, a.unpin(TABLES));
    assertEquals(1, a.uses(TABLES), "the vcpu's base");
    assertEquals(EINVAL, a.unpin(TABLES));
    assertEquals(0, a.pin(4, TABLES));
    assertEquals(EINVAL, a.pin(4, TABLES), "pinned twice");
  }
}
