package parhelion.xen.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static parhelion.xen.memory.PagingLab.RO;
import static parhelion.xen.memory.PagingLab.RW;
import static parhelion.xen.memory.PagingLab.TABLES;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import parhelion.abi.Errno;
import parhelion.xen.DomainCrash;

/** What the grant code asks of page tables. */
final class GrantMappingsTest {
  private final PagingLab lab = new PagingLab();
  private final PagingLab.Guest a = lab.a;
  private final PagingLab.Guest b = lab.b;
  private final GrantMappings grants = lab.paging.grantMappings();

  @AfterEach
  void everyCountIsRight() {
    lab.assertSound();
    lab.close();
  }

  private void mapWritable(int pfn, int foreignPfn) {
    assertTrue(lab.frames.getPageAndType(b.domain, b.mfn(foreignPfn), FrameTable.WRITABLE));
    assertTrue(grants.map(a.vcpu, a.va(pfn), false, b.mfn(foreignPfn), Pte.RW));
  }

  private void unmapWritable(int pfn, int foreignPfn) {
    assertTrue(grants.unmap(a.vcpu, a.va(pfn), false, b.mfn(foreignPfn), true));
    grants.flush(a.domain);
    lab.frames.putPageAndType(b.mfn(foreignPfn));
  }

  @Test
  void aGrantedFrameIsReachedAndLeft() {
    mapWritable(7, 9);
    a.vcpu.cpu().flushTlbs();
    a.vcpu.cpu().store64(a.va(7), 4711);
    assertEquals(4711, b.peek(9, 0));
    assertEquals(2, b.uses(9));
    unmapWritable(7, 9);
    assertEquals(0, a.pte(7));
    assertEquals(1, b.uses(9));
  }

  @Test
  void aFrameThatIsGrantedWritableCannotBecomeATable() {
    mapWritable(7, 9);
    b.makeReadOnly(9);
    assertEquals(Errno.EINVAL.result(), b.pin(1, 9));
    unmapWritable(7, 9);
    assertEquals(0, b.pin(1, 9));
  }

  @Test
  void aGrantedFrameSurvivesItsRelease() {
    mapWritable(7, 9);
    b.poke(9, 0, 77);
    assertEquals(0, b.remap(9, 0));
    assertTrue(lab.frames.release((int) b.mfn(9)));
    assertEquals(b.domain, lab.owner(b.mfn(9)));
    assertEquals(77, b.peek(9, 0));
    unmapWritable(7, 9);
    assertEquals(null, lab.owner(b.mfn(9)));
    assertEquals(0, b.peek(9, 0), "nothing of it is left");
  }

  @Test
  void onlyWhatIsMappedCanBeUnmapped() {
    mapWritable(7, 9);
    assertFalse(grants.unmap(a.vcpu, a.va(8), false, a.mfn(8), true), "no grant");
    assertFalse(grants.unmap(a.vcpu, a.va(7), false, b.mfn(10), true), "another frame");
    assertFalse(grants.unmap(a.vcpu, a.va(7), false, b.mfn(9), false), "another right");
    assertFalse(grants.unmap(a.vcpu, 0x1000, false, b.mfn(9), true), "no table");
    unmapWritable(7, 9);
  }

  @Test
  void entriesAreNamedByMachineAddressToo() {
    long at = a.at(TABLES + 3, 7);
    assertTrue(lab.frames.getPage(b.domain, b.mfn(9)));
    assertFalse(grants.map(a.vcpu, at + 4, true, b.mfn(9), 0), "misaligned");
    assertFalse(grants.map(a.vcpu, a.at(TABLES + 2, 7), true, b.mfn(9), 0), "an L2 table");
    assertFalse(grants.map(a.vcpu, b.at(TABLES + 3, 7), true, b.mfn(9), 0), "another's table");
    assertFalse(grants.map(a.vcpu, a.at(20, 7), true, b.mfn(9), 0), "no table");
    assertTrue(grants.map(a.vcpu, at, true, b.mfn(9), 0));
    assertEquals(0, a.pte(7) & Pte.RW);
    assertTrue(grants.unmap(a.vcpu, at, true, b.mfn(9), false));
    lab.frames.putPage(b.mfn(9));
  }

  @Test
  void aMappingIsReplacedByAnother() {
    mapWritable(7, 9);
    assertTrue(grants.replace(a.vcpu, a.va(7), b.mfn(9), true, a.va(8)));
    lab.frames.putPageAndType(b.mfn(9));
    assertEquals(a.mfn(8), Pte.mfn(a.pte(7)));
    assertEquals(0, a.pte(8));
  }

  @Test
  void aGuestCannotMakeAGrantItsOwnMapping() {
    mapWritable(7, 9);
    long entry = a.pte(7);
    assertEquals(Errno.EBUSY.result(), a.remap(7, entry & ~Pte.GNTTAB));
    assertEquals(Errno.EINVAL.result(), a.remap(7, entry));
    assertEquals(entry, a.pte(7));
    unmapWritable(7, 9);
  }

  @Test
  void droppingATableWithAGrantIsTheEndOfTheGuest() {
    a.makeReadOnly(20);
    assertEquals(0, a.pin(1, 20));
    assertTrue(lab.frames.getPage(b.domain, b.mfn(9)));
    assertTrue(grants.map(a.vcpu, a.at(20, 3), true, b.mfn(9), 0));
    assertThrows(DomainCrash.class, () -> a.unpin(20));
    assertEquals(0, a.uses(20));
  }

  @Test
  void aDyingDomainGivesGrantsBack() {
    mapWritable(7, 9);
    lab.hypervisor.destroyDomain(a.domain);
    assertEquals(1, b.uses(9));
  }

  @Test
  void aDyingDomainsFrameStaysWhileAnotherMapsIt() {
    mapWritable(7, 9);
    b.poke(9, 0, 77);
    long mfn = b.mfn(9);
    lab.hypervisor.destroyDomain(b.domain);
    assertEquals(b.domain, lab.owner(mfn));
    assertEquals(77, lab.memory.getLong(mfn << 12));
    unmapWritable(7, 9);
    assertEquals(null, lab.owner(mfn));
    assertEquals(0, a.remap(7, Pte.of(a.mfn(7), RW)));
    assertEquals(Errno.EBUSY.result(), a.remap(7, Pte.of(mfn, RO)));
  }
}
