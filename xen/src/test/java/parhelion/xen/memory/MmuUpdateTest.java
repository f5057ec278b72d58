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
import parhelion.abi.Domid;
import parhelion.abi.Errno;
import parhelion.abi.Uvmf;
import parhelion.cpu.Cpu;
import parhelion.xen.DomainCrash;

/** {@code mmu_update}, {@code update_va_mapping} and stores to live tables. */
final class MmuUpdateTest {
  private static final long EINVAL = Errno.EINVAL.result();
  private static final long EBUSY = Errno.EBUSY.result();
  private static final long PRESERVE_AD = 2;
  private static final long MACHPHYS = 1;

  private final PagingLab lab = new PagingLab();
  private final PagingLab.Guest a = lab.a;
  private final PagingLab.Guest b = lab.b;

  @AfterEach
  void everyCountIsRight() {
    lab.assertSound();
    lab.close();
  }

  private long l1Entry(int pfn) {
    return a.at(TABLES + 3, pfn);
  }

  @Test
  void anEntryIsStoredAsXenStoresIt() {
    long user = Pte.of(a.mfn(9), RO);
    assertEquals(0, a.update(l1Entry(7), user));
    assertEquals(user | Pte.GLOBAL, a.peek(TABLES + 3, 7), "user pages become global");
    long kernel = Pte.of(a.mfn(9), RO & ~Pte.USER);
    assertEquals(0, a.update(l1Entry(7), kernel));
    assertEquals(kernel | Pte.USER | Pte.GUEST_KERNEL, a.peek(TABLES + 3, 7));
  }

  @Test
  void softwareBitsAreKept() {
    long bits = Pte.AVAIL | (Pte.AVAIL_HIGH & ~Pte.GNTTAB) | Pte.NX;
    assertEquals(0, a.update(l1Entry(7), Pte.of(a.mfn(9), RO | bits)));
    assertEquals(bits, a.peek(TABLES + 3, 7) & bits);
  }

  @Test
  void theGrantBitAndCacheAttributesAreRefused() {
    for (long bit : new long[] {Pte.GNTTAB, Pte.PCD, Pte.PWT, Pte.PAT_OR_PSE}) {
      assertEquals(EINVAL, a.update(l1Entry(7), Pte.of(a.mfn(9), RO | bit)));
      assertEquals(EINVAL, a.remap(7, Pte.of(a.mfn(9), RO | bit)));
    }
  }

  @Test
  void aPrivilegedDomainMayChooseCacheAttributesButNotOfXensFrames() {
    PagingLab.Guest dom0 = lab.privilegedGuest();
    assertEquals(0, dom0.remap(7, Pte.of(dom0.mfn(9), RO | Pte.PCD | Pte.PWT)));
    assertEquals(
        Errno.EACCES.result(), dom0.remap(8, Pte.of(dom0.domain.sharedInfoMfn(), RW | Pte.PCD)));
  }

  @Test
  void absentEntriesMayHoldAnything() {
    assertEquals(0, a.update(l1Entry(7), 0xdead_beef_dead_beeeL));
    assertEquals(0xdead_beef_dead_beeeL, a.peek(TABLES + 3, 7));
  }

  @Test
  void accessedAndDirtyBitsArePreservedWhenAsked() {
    long plain = Pte.of(a.mfn(7), RW & ~(Pte.ACCESSED | Pte.DIRTY));
    assertEquals(0, a.update(l1Entry(7), plain | Pte.ACCESSED | Pte.DIRTY));
    assertEquals(0, a.update(l1Entry(7) | PRESERVE_AD, plain));
    assertEquals(Pte.ACCESSED | Pte.DIRTY, a.peek(TABLES + 3, 7) & (Pte.ACCESSED | Pte.DIRTY));
    assertEquals(0, a.update(l1Entry(7), plain));
    assertEquals(0, a.peek(TABLES + 3, 7) & (Pte.ACCESSED | Pte.DIRTY));
  }

  @Test
  void plainMemoryMayBeWrittenByMmuUpdateButTablesOfOthersMayNot() {
    assertEquals(0, a.update(a.at(30, 4), 0x1234));
    assertEquals(0x1234, a.peek(30, 4));
    assertEquals(EINVAL, a.update(b.at(30, 4), 0x1234));
    assertEquals(EINVAL, a.update(b.at(TABLES + 3, 4), 0));
    assertEquals(EINVAL, a.update(lab.frames.m2p().pa(), 0));
    assertEquals(EINVAL, a.update(1L << 52, 0));
  }

  @Test
  void aDescriptorPageIsNotWrittenByMmuUpdate() {
    a.makeReadOnly(9);
    assertTrue(lab.frames.getPageAndType(a.domain, a.mfn(9), FrameTable.SEGDESC));
    assertEquals(EINVAL, a.update(a.at(9, 4), -1));
    lab.frames.putPageAndType(a.mfn(9));
    assertEquals(0, a.update(a.at(9, 4), -1));
  }

  @Test
  void anUnknownCommandIsEnosys() {
    assertEquals(Errno.ENOSYS.result(), a.update(l1Entry(7) | 5, 0));
  }

  @Test
  void higherLevelsTakeAndGiveBackWholeSubtrees() {
    a.makeReadOnly(9);
    a.poke(9, 0, Pte.of(a.mfn(20), RW));
    int before = a.uses(20);
    long slot = a.at(TABLES + 2, 100);
    assertEquals(0, a.update(slot, Pte.of(a.mfn(9), RW)));
    assertEquals(FrameTable.L1, a.type(9));
    assertEquals(before + 1, a.uses(20));
    assertEquals(EBUSY, a.remap(9, Pte.of(a.mfn(9), RW)));
    assertEquals(0, a.update(slot, 0));
    assertEquals(0, a.uses(9));
    assertEquals(before, a.uses(20));
    a.makeWritable(9);
  }

  @Test
  void aDirectoryEntryThatBreaksARuleIsRefused() {
    a.makeReadOnly(9);
    long slot = a.at(TABLES + 2, 100);
    assertEquals(EINVAL, a.update(slot, Pte.of(b.mfn(9), RW)));
    assertEquals(EINVAL, a.update(slot, Pte.of(a.mfn(9), RW | Pte.PAT_OR_PSE)));
    assertEquals(EINVAL, a.update(slot, Pte.of(a.mfn(10), RW)), "10 is mapped writable");
    assertEquals(EINVAL, a.update(slot, Pte.of(a.mfn(TABLES + 1), RW)), "an L3 table");
    assertEquals(0, a.peek(TABLES + 2, 100));
  }

  @Test
  void theOldMappingStaysWhereTheNewOneIsRefused() {
    long old = a.pte(7);
    assertEquals(EBUSY, a.remap(7, Pte.of(b.mfn(7), RW)));
    assertEquals(old, a.pte(7));
  }

  @Test
  void doneCountsWhatWasDoneBeforeTheFirstFailure() {
    a.poke(0, 0, l1Entry(7));
    a.poke(0, 1, Pte.of(a.mfn(7), RO));
    a.poke(0, 2, l1Entry(8));
    a.poke(0, 3, 0);
    a.poke(0, 4, l1Entry(9));
    a.poke(0, 5, Pte.of(b.mfn(7), RO));
    a.poke(0, 6, l1Entry(10));
    a.poke(0, 7, 0);
    assertEquals(EBUSY, a.updates(4, a.va(1)));
    assertEquals(2, a.peek(1, 0));
    assertFalse(Pte.present(a.pte(8)));
    assertTrue(Pte.present(a.pte(10)));
  }

  @Test
  void anInterruptedListGoesOnWhereItWas() {
    for (int i = 0; i < 200; i++) {
      a.poke(0, 2 * i, l1Entry(20 + i));
      a.poke(0, 2 * i + 1, Pte.of(a.mfn(20 + i), RO));
    }
    a.vcpu.cpu().requestAttention();
    assertEquals(0, a.updates(200, a.va(1)));
    assertEquals(200, a.peek(1, 0));
    for (int i = 0; i < 200; i++) {
      assertEquals(0, a.pte(20 + i) & Pte.RW);
    }
  }

  @Test
  void aListThatIsNotTheGuestsIsEfault() {
    long efault = Errno.EFAULT.result();
    lab.paging.mmuUpdate(a.vcpu, a.va(0), 0, 0, Domid.SELF, 0);
    assertThrows(
        parhelion.xen.XenError.class,
        () -> lab.paging.mmuUpdate(a.vcpu, 0xffff_8000_0000_0000L, 1, 0, Domid.SELF, 0));
    assertEquals(efault, lab.paging.mmuUpdate(a.vcpu, 0x1000, 1, 0, Domid.SELF, 0));
  }

  @Test
  void otherDomainsArePrivilegedDomainsBusiness() {
    int bId = b.domain.id();
    long entry = Pte.of(b.mfn(7), RO);
    assertEquals(Errno.EPERM.result(), a.update(l1Entry(7), entry, bId));
    assertEquals(Errno.ESRCH.result(), a.update(l1Entry(7), entry, 999));
    assertEquals(Errno.ESRCH.result(), a.update(l1Entry(7), entry, a.domain.id()));
    assertEquals(
        Errno.EPERM.result(), a.update(b.at(TABLES + 3, 7), 0, (bId + 1L) << 16 | Domid.SELF));
    assertEquals(
        Errno.EPERM.result(),
        lab.paging.updateVaMappingOtherdomain(a.vcpu, a.va(7), entry, 0, bId, 0));
  }

  @Test
  void aPrivilegedDomainMapsWhatItNames() {
    PagingLab.Guest dom0 = lab.privilegedGuest();
    long at = dom0.at(TABLES + 3, 7);
    assertEquals(EBUSY, dom0.update(at, Pte.of(b.mfn(7), RW)));
    assertEquals(0, dom0.update(at, Pte.of(b.mfn(7), RW), b.domain.id()));
    assertEquals(EBUSY, dom0.update(at, Pte.of(b.mfn(TABLES), RW), b.domain.id()));
    assertEquals(2, b.uses(7));
    assertEquals(0, dom0.update(at, 0));
    assertEquals(1, b.uses(7));
  }

  @Test
  void deviceMemoryIsNobodys() {
    assertEquals(EBUSY, a.update(l1Entry(7), Pte.of(a.mfn(9), RW), Domid.IO));
    assertEquals(Errno.EPERM.result(), a.update(l1Entry(7), Pte.of(1L << 30, RW), Domid.IO));
  }

  @Test
  void theMachineToPhysicalTableIsTheOwnersToSet() {
    assertEquals(0, a.update(a.mfn(7) << 12 | MACHPHYS, 4711));
    assertEquals(4711, lab.frames.m2p().get(a.mfn(7)));
    assertEquals(EINVAL, a.update(b.mfn(7) << 12 | MACHPHYS, 4711));
    assertEquals(7, lab.frames.m2p().get(b.mfn(7)));
    assertEquals(EINVAL, a.update(1L << 50 | MACHPHYS, 4711));
  }

  @Test
  void theTableIsThereForTheGuestToRead() {
    long va = 0xffff_8000_0000_0000L + a.mfn(7) * 8;
    assertEquals(7, a.vcpu.cpu().load64(va));
  }

  @Test
  void anAddressWithoutATableCannotBeRemapped() {
    long efault = lab.paging.updateVaMapping(a.vcpu, 0x1000, 0, 0, 0, 0);
    assertEquals(EINVAL, efault);
    assertEquals(EINVAL, lab.paging.updateVaMapping(a.vcpu, 0xffff_8000_0000_0000L, 0, 0, 0, 0));
    assertEquals(EINVAL, lab.paging.updateVaMapping(a.vcpu, 1L << 50, 0, 0, 0, 0));
  }

  @Test
  void aStaleTranslationLastsUntilTheFlushThatWasAskedFor() {
    Cpu cpu = a.vcpu.cpu();
    a.poke(7, 0, 1);
    a.poke(8, 0, 2);
    assertEquals(1, cpu.load64(a.va(7)));
    assertEquals(0, a.remap(7, Pte.of(a.mfn(8), RO)));
    assertEquals(1, cpu.load64(a.va(7)));
    assertEquals(0, a.remap(7, Pte.of(a.mfn(8), RO), Uvmf.INVLPG | Uvmf.ALL));
    assertEquals(2, cpu.load64(a.va(7)));
  }

  @Test
  void aFrameThatBecomesATableIsWritableInNoTlb() {
    Cpu cpu = a.vcpu.cpu();
    Cpu other = a.domain.vcpus().get(1).cpu();
    lab.paging.installBases(a.domain.vcpus().get(1), a.mfn(TABLES), 0);
    cpu.store64(a.va(9), 0);
    other.store64(a.va(9), 0);
    a.makeReadOnly(9);
    assertEquals(0, a.pin(1, 9));
    for (Cpu c : new Cpu[] {cpu, other}) {
      assertThrows(parhelion.cpu.GuestFault.class, () -> c.store64(a.va(9), Pte.of(b.mfn(7), RW)));
    }
    assertEquals(0, a.peek(9, 0));
  }

  @Test
  void storesToALiveTableAreValidated() {
    long at = l1Entry(7);
    assertTrue(lab.paging.emulatedWrite(a.vcpu, at, 8, Pte.of(a.mfn(9), RW)));
    assertEquals(2, a.uses(9));
    assertFalse(lab.paging.emulatedWrite(a.vcpu, at, 8, Pte.of(b.mfn(9), RW)));
    assertFalse(lab.paging.emulatedWrite(a.vcpu, at, 8, Pte.of(a.mfn(TABLES), RW)));
    assertTrue(lab.paging.emulatedWrite(a.vcpu, at, 1, RO & 0xff));
    assertEquals(1, a.uses(9));
    assertTrue(lab.paging.emulatedWrite(a.vcpu, at + 4, 4, 0xffff_ffffL & 0));
    assertEquals(0, a.pte(7) >>> 32);
  }

  @Test
  void storesElsewhereAreNotEmulated() {
    assertFalse(lab.paging.emulatedWrite(a.vcpu, a.at(TABLES + 2, 7), 8, 0), "an L2 table");
    assertFalse(lab.paging.emulatedWrite(a.vcpu, a.at(7, 7), 8, 0), "plain memory");
    assertFalse(lab.paging.emulatedWrite(a.vcpu, b.at(TABLES + 3, 7), 8, 0), "another's table");
    assertFalse(lab.paging.emulatedWrite(a.vcpu, l1Entry(7) + 4, 8, 0), "misaligned");
    assertFalse(lab.paging.emulatedWrite(a.vcpu, l1Entry(7) + 3, 2, 0), "misaligned");
    assertFalse(lab.paging.emulatedWrite(a.vcpu, 1L << 50, 8, 0), "no memory");
  }

  @Test
  void overwritingAGrantedMappingIsTheEndOfAGuest() {
    assertTrue(lab.frames.getPageAndType(b.domain, b.mfn(9), FrameTable.WRITABLE));
    lab.memory.putLong(l1Entry(7), Pte.of(b.mfn(9), RW | Pte.GNTTAB));
    lab.frames.putPageAndType(a.mfn(7));
    assertThrows(DomainCrash.class, () -> a.remap(7, 0));
    assertEquals(1, b.uses(9));
  }

  @Test
  void walkingSetsAccessedAndDirtyBitsInTheGuestsTables() {
    long plain = Pte.of(a.mfn(7), RW & ~(Pte.ACCESSED | Pte.DIRTY));
    assertEquals(0, a.remap(7, plain, Uvmf.TLB_FLUSH | Uvmf.ALL));
    a.vcpu.cpu().store(a.va(7), 8, 5);
    assertEquals(Pte.ACCESSED | Pte.DIRTY, a.pte(7) & (Pte.ACCESSED | Pte.DIRTY));
  }
}
