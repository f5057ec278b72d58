package parhelion.xen.grant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import parhelion.abi.Domid;
import parhelion.abi.Errno;
import parhelion.abi.Gntst;
import parhelion.abi.GnttabArgs.GnttabQuerySize;
import parhelion.abi.GnttabOp;
import parhelion.abi.Gtf;
import parhelion.xen.MicroMachine;
import parhelion.xen.XenError;
import parhelion.xen.memory.Pte;

/** The table itself: its size, its version, its frames. */
final class GrantTableTest {
  private final GrantLab lab = new GrantLab();
  private final GrantLab.Peer a = lab.a;
  private final GrantLab.Peer b = lab.b;

  @AfterEach
  void auditAndClose() {
    lab.close();
  }

  @Test
  void aNewTableHasOneFrameOfVersion1AndMayGrowTo64() {
    a.querySize(Domid.SELF);
    assertEquals(Gntst.OKAY, GnttabQuerySize.STATUS.get(a.bytes(), a.args()));
    assertEquals(1, GnttabQuerySize.NR_FRAMES.get(a.bytes(), a.args()));
    assertEquals(64, GnttabQuerySize.MAX_NR_FRAMES.get(a.bytes(), a.args()));
    assertEquals(1, a.getVersion(Domid.SELF));
  }

  @Test
  void setupTableGrowsTheTableAndListsItsFrames() {
    assertEquals(Gntst.OKAY, a.setupTable(Domid.SELF, 3));
    for (int i = 0; i < 3; i++) {
      assertEquals(a.domain.grants().sharedMfn(i), a.listed(i));
    }
    assertEquals(3, a.domain.grants().frameCount());
    assertEquals(Gntst.OKAY, a.setupTable(Domid.SELF, 1));
    assertEquals(3, a.domain.grants().frameCount());
  }

  @Test
  void setupTableRefusesMoreThan64Frames() {
    assertEquals(Gntst.OKAY, a.setupTable(Domid.SELF, 64));
    assertEquals(Gntst.GENERAL_ERROR, a.setupTable(Domid.SELF, 65));
    assertEquals(Gntst.GENERAL_ERROR, a.setupTable(Domid.SELF, 0x100_0000));
  }

  @Test
  void aListThatCannotBeTheGuestsIsEfaultAndOneThatIsNotMappedIsAStatus() {
    a.setupArgs(Domid.SELF, 1, 0xffff_8000_0000_0000L);
    assertEquals(Errno.EFAULT.result(), a.op(GnttabOp.SETUP_TABLE, 1));
    a.setupArgs(Domid.SELF, 0xffff_ffffL, a.guest.va(1));
    assertEquals(Errno.EFAULT.result(), a.op(GnttabOp.SETUP_TABLE, 1));
    a.setupArgs(Domid.SELF, 1, 0x1000);
    assertEquals(0, a.op(GnttabOp.SETUP_TABLE, 1));
    assertEquals(Gntst.BAD_VIRT_ADDR, a.setupStatus());
  }

  @Test
  void setupTakesExactlyOneStructure() {
    assertEquals(Errno.EINVAL.result(), a.op(GnttabOp.SETUP_TABLE, 0));
    assertEquals(Errno.EINVAL.result(), a.op(GnttabOp.SETUP_TABLE, 2));
    assertEquals(Errno.EINVAL.result(), a.op(GnttabOp.QUERY_SIZE, 2));
    assertEquals(Errno.EINVAL.result(), a.op(GnttabOp.GET_STATUS_FRAMES, 2));
  }

  @Test
  void anotherDomainsTableIsForThePrivilegedOnly() {
    assertEquals(Gntst.PERMISSION_DENIED, a.setupTable(b.id(), 1));
    assertEquals(Gntst.BAD_DOMAIN, a.setupTable(99, 1));
    a.querySize(b.id());
    assertEquals(Gntst.PERMISSION_DENIED, GnttabQuerySize.STATUS.get(a.bytes(), a.args()));
    assertEquals(Errno.EPERM.result(), a.getVersion(b.id()));
    assertEquals(Errno.ESRCH.result(), a.getVersion(99));
    GrantLab.Peer dom0 = lab.privileged();
    assertEquals(Gntst.OKAY, dom0.setupTable(b.id(), 2));
    assertEquals(2, b.domain.grants().frameCount());
    assertEquals(1, dom0.getVersion(b.id()));
  }

  @Test
  void theGuestMapsItsTableWritableAndSeesItsEntries() {
    a.setupTable(Domid.SELF, 1);
    long mfn = a.listed(0);
    long pte = Pte.of(mfn, Pte.PRESENT | Pte.RW | Pte.ACCESSED | Pte.DIRTY);
    assertEquals(0, a.remap(9, pte));
    a.bytes().putLong(a.guest.va(9) + 8 * 20, 0x7700_0000_0000L);
    assertEquals(0x7700_0000_0000L, lab.memory().getLong((mfn << 12) + 8 * 20));
  }

  @Test
  void theTableCannotBecomeAPageTable() {
    a.setupTable(Domid.SELF, 1);
    assertEquals(Errno.EINVAL.result(), a.pinL1(a.listed(0)));
  }

  @Test
  void theVersionCanBeChangedAndIsAnsweredInPlace() {
    assertEquals(0, a.setVersion(2));
    assertEquals(2, a.getVersion(Domid.SELF));
    assertEquals(Gntst.OKAY, a.statusFrames(Domid.SELF, 1));
    assertNotEquals(0, a.listed(0));
    assertEquals(Gntst.GENERAL_ERROR, a.statusFrames(Domid.SELF, 2));
    assertEquals(0, a.setVersion(1));
    assertEquals(Gntst.GENERAL_ERROR, a.statusFrames(Domid.SELF, 1));
    assertEquals(Errno.EINVAL.result(), a.setVersion(3));
    assertEquals(1, a.bytes().getInt(a.args()));
    assertEquals(Errno.EINVAL.result(), a.setVersion(0));
  }

  @Test
  void statusFramesGrowWithTheTable() {
    a.setVersion(2);
    assertEquals(Gntst.OKAY, a.setupTable(Domid.SELF, 9));
    assertEquals(Gntst.OKAY, a.statusFrames(Domid.SELF, 2));
    assertEquals(Gntst.GENERAL_ERROR, a.statusFrames(Domid.SELF, 3));
  }

  @Test
  void statusFramesThatAreMappedKeepVersion2() {
    a.setVersion(2);
    a.statusFrames(Domid.SELF, 1);
    long pte = Pte.of(a.listed(0), Pte.PRESENT | Pte.RW | Pte.ACCESSED);
    long old = a.guest.pte(9);
    assertEquals(0, a.remap(9, pte));
    assertEquals(Errno.EBUSY.result(), a.setVersion(1));
    assertEquals(2, a.bytes().getInt(a.args()));
    assertEquals(0, a.remap(9, old));
    assertEquals(0, a.setVersion(1));
  }

  @Test
  void theFirstEightEntriesSurviveAChangeOfVersionAndTheOthersDoNot() {
    a.domain.grants().grantReserved(a.guest.mfn(5), a.guest.mfn(6));
    a.grant(20, b.id(), a.guest.mfn(7), Gtf.PERMIT_ACCESS);
    HostGrant console = a.domain.grants().mapForHost(0, true);
    assertEquals(Gtf.PERMIT_ACCESS | Gtf.READING | Gtf.WRITING, a.entryFlags(0));
    assertEquals(0, a.setVersion(2));
    assertEquals(Gtf.PERMIT_ACCESS, a.entryFlags(0));
    assertEquals(Gtf.READING | Gtf.WRITING, a.status(0));
    assertEquals(a.guest.mfn(5), a.entryFrame(0));
    assertEquals(a.guest.mfn(6), a.entryFrame(1));
    assertEquals(0, a.entryFlags(20));
    assertEquals(0, a.setVersion(1));
    assertEquals(Gtf.PERMIT_ACCESS | Gtf.READING | Gtf.WRITING, a.entryFlags(0));
    assertEquals(a.guest.mfn(6), a.entryFrame(1));
    console.close();
    assertEquals(Gtf.PERMIT_ACCESS, a.entryFlags(0));
  }

  @Test
  void entriesThatVersion1CannotHoldKeepVersion2() {
    a.setVersion(2);
    a.grant(3, b.id(), 1L << 32, Gtf.PERMIT_ACCESS);
    assertEquals(Errno.ERANGE.result(), a.setVersion(1));
    a.grant(3, b.id(), 0, Gtf.TRANSITIVE);
    assertEquals(Errno.ERANGE.result(), a.setVersion(1));
    a.grant(3, 0, 0, 0);
    assertEquals(0, a.setVersion(1));
  }

  @Test
  void theVersionStaysWhileAnEntryIsMapped() {
    a.grant(8, b.id(), a.guest.mfn(7), Gtf.PERMIT_ACCESS);
    assertEquals(Gntst.OKAY, b.map(a.id(), 8, 9));
    assertEquals(Errno.EBUSY.result(), a.setVersion(2));
    assertEquals(Gntst.OKAY, b.unmap(9, b.handle()));
    assertEquals(0, a.setVersion(2));
  }

  @Test
  void swappingExchangesTwoEntriesThatNobodyUses() {
    a.grant(10, b.id(), a.guest.mfn(5), Gtf.PERMIT_ACCESS);
    a.grant(11, b.id(), a.guest.mfn(6), Gtf.PERMIT_ACCESS | Gtf.READONLY);
    assertEquals(Gntst.OKAY, a.swap(10, 11));
    assertEquals(a.guest.mfn(6), a.entryFrame(10));
    assertEquals(Gtf.PERMIT_ACCESS, a.entryFlags(11));
    assertEquals(Gntst.OKAY, a.swap(10, 10));
    assertEquals(Gntst.BAD_GNTREF, a.swap(10, 512));
    assertEquals(Gntst.BAD_GNTREF, a.swap(0xffff_ffffL, 10));
    assertEquals(Gntst.OKAY, b.map(a.id(), 11, 9));
    assertEquals(Gntst.EAGAIN, a.swap(10, 11));
    assertEquals(Gntst.EAGAIN, a.swap(11, 10));
    b.unmap(9, b.handle());
    a.setVersion(2);
    a.grant(10, b.id(), a.guest.mfn(5), Gtf.PERMIT_ACCESS);
    assertEquals(Gntst.OKAY, a.swap(10, 300 - 45));
    assertEquals(a.guest.mfn(5), a.entryFrame(255));
    assertEquals(Gntst.BAD_GNTREF, a.swap(10, 256));
  }

  @Test
  void whatXenDoesNotDoForSuchGuestsItRefuses() {
    assertEquals(Errno.EOPNOTSUPP.result(), a.op(GnttabOp.TRANSFER, 1));
    assertEquals(Errno.ENOSYS.result(), a.op(GnttabOp.DUMP_TABLE, 1));
    assertEquals(Errno.ENOSYS.result(), a.raw(13, 1));
    assertEquals(Errno.EINVAL.result(), a.raw(0x1000 | GnttabOp.COPY.nr(), 1));
    assertEquals(Errno.EINVAL.result(), a.raw(GnttabOp.COPY.nr(), 0x8000_0000L));
  }

  @Test
  void aDomainWithoutRoomForItsTableLeavesNothingBehind() {
    try (MicroMachine small = new MicroMachine(150)) {
      MicroMachine.Guest g = small.guest(64);
      while (small.hypervisor.frames().freeFrames() > 1) {
        small.hypervisor.frames().allocateShared(g.domain);
      }
      XenError e = assertThrows(XenError.class, () -> small.guest(8));
      assertEquals(Errno.ENOMEM, e.errno());
      assertEquals(1, small.hypervisor.frames().freeFrames());
    }
  }

  @Test
  void aTableThatCannotGrowForWantOfMemoryStaysAsItIs() {
    try (MicroMachine small = new MicroMachine(150)) {
      MicroMachine.Guest g = small.guest(64);
      while (small.hypervisor.frames().freeFrames() > 5) {
        small.hypervisor.frames().allocateShared(g.domain);
      }
      assertTrue(g.domain.grants().ensureFrames(6));
      assertEquals(0, small.hypervisor.frames().freeFrames());
      assertTrue(!g.domain.grants().ensureFrames(7));
      assertEquals(Errno.ENOMEM.result(), g.domain.grants().setVersion(2));
      assertEquals(6, g.domain.grants().frameCount());
      assertEquals(1, g.domain.grants().version());
    }
  }
}
