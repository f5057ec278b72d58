package parhelion.xen.grant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import parhelion.abi.Domid;
import parhelion.abi.Errno;
import parhelion.abi.Gntmap;
import parhelion.abi.Gntst;
import parhelion.abi.GnttabArgs.GnttabMapGrantRef;
import parhelion.abi.GnttabOp;
import parhelion.abi.Gtf;
import parhelion.abi.Hypercall;
import parhelion.xen.DomainCrash;
import parhelion.xen.memory.FrameTable;
import parhelion.xen.memory.Pte;

/** Mapping and unmapping others' frames. */
final class GrantMapTest {
  private static final int REF = 20;
  private static final int PAGE = 10;
  private static final int MAPPED_AT = 12;

  private final GrantLab lab = new GrantLab();
  private final GrantLab.Peer a = lab.a;
  private final GrantLab.Peer b = lab.b;
  private final long mfn = a.guest.mfn(PAGE);
  private final FrameTable frames = a.domain.hypervisor().frames();

  @AfterEach
  void auditAndClose() {
    lab.close();
  }

  private void grant(int flags) {
    a.grant(REF, b.id(), mfn, flags);
  }

  @Test
  void aGrantedFrameIsMappedAndTheGranterSeesTheUse() {
    grant(Gtf.PERMIT_ACCESS);
    assertEquals(Gntst.OKAY, b.map(a.id(), REF, MAPPED_AT));
    assertEquals(mfn << 12, b.busAddress());
    long pte = b.guest.pte(MAPPED_AT);
    assertEquals(mfn, Pte.mfn(pte));
    long wanted = Pte.PRESENT | Pte.RW | Pte.USER | Pte.GUEST_KERNEL | Pte.GNTTAB | Pte.NX;
    assertEquals(wanted, pte & (wanted | Pte.GLOBAL));
    b.bytes().putLong(b.guest.va(MAPPED_AT) + 8, 0x6d61);
    assertEquals(0x6d61, a.bytes().getLong(a.guest.va(PAGE) + 8));
    assertEquals(Gtf.PERMIT_ACCESS | Gtf.READING | Gtf.WRITING, a.entryFlags(REF));
    lab.assertSound();

    assertEquals(Gntst.OKAY, b.unmap(MAPPED_AT, b.handle()));
    assertEquals(0, b.guest.pte(MAPPED_AT));
    assertEquals(Gtf.PERMIT_ACCESS, a.entryFlags(REF));
    assertEquals(1, frames.typeCount(mfn));
  }

  @Test
  void whatWasMappedThereBeforeGivesItsReferenceBack() {
    long before = frames.references(b.guest.mfn(MAPPED_AT));
    grant(Gtf.PERMIT_ACCESS);
    b.map(a.id(), REF, MAPPED_AT);
    assertEquals(before - 1, frames.references(b.guest.mfn(MAPPED_AT)));
  }

  @Test
  void aReadOnlyGrantIsMappedReadOnlyOnly() {
    grant(Gtf.PERMIT_ACCESS | Gtf.READONLY);
    assertEquals(Gntst.GENERAL_ERROR, b.map(a.id(), REF, MAPPED_AT));
    assertEquals(Gtf.PERMIT_ACCESS | Gtf.READONLY, a.entryFlags(REF));
    assertEquals(Gntst.OKAY, b.mapReadOnly(a.id(), REF, MAPPED_AT));
    assertEquals(Gtf.PERMIT_ACCESS | Gtf.READONLY | Gtf.READING, a.entryFlags(REF));
    assertEquals(0, b.guest.pte(MAPPED_AT) & Pte.RW);
    assertThrows(RuntimeException.class, () -> b.bytes().putLong(b.guest.va(MAPPED_AT), 1));
  }

  @Test
  void onlyTheDomainThatTheEntryNamesMayMap() {
    a.grant(REF, 77, mfn, Gtf.PERMIT_ACCESS);
    assertEquals(Gntst.GENERAL_ERROR, b.map(a.id(), REF, MAPPED_AT));
    GrantLab.Peer dom0 = lab.privileged();
    assertEquals(Gntst.GENERAL_ERROR, dom0.map(a.id(), REF, MAPPED_AT));
  }

  @Test
  void entriesThatDoNotPermitAccessCannotBeMapped() {
    for (int flags :
        new int[] {Gtf.INVALID, Gtf.ACCEPT_TRANSFER, Gtf.PERMIT_ACCESS | Gtf.SUB_PAGE}) {
      grant(flags);
      assertEquals(Gntst.GENERAL_ERROR, b.map(a.id(), REF, MAPPED_AT));
      assertEquals(flags, a.entryFlags(REF));
    }
    a.setVersion(2);
    for (int flags : new int[] {Gtf.INVALID, Gtf.TRANSITIVE, Gtf.PERMIT_ACCESS | Gtf.SUB_PAGE}) {
      grant(flags);
      assertEquals(Gntst.GENERAL_ERROR, b.map(a.id(), REF, MAPPED_AT));
      assertEquals(0, a.status(REF));
    }
  }

  @Test
  void aFrameThatIsNotTheGrantersIsABadPage() {
    for (long frame : new long[] {b.guest.mfn(5), 0, 0xffff_ffffL, 1023}) {
      a.grant(REF, b.id(), frame, Gtf.PERMIT_ACCESS);
      assertEquals(Gntst.BAD_PAGE, b.map(a.id(), REF, MAPPED_AT));
      assertEquals(Gtf.PERMIT_ACCESS, a.entryFlags(REF));
    }
    a.setVersion(2);
    a.grant(REF, b.id(), -1, Gtf.PERMIT_ACCESS);
    assertEquals(Gntst.BAD_PAGE, b.map(a.id(), REF, MAPPED_AT));
    assertEquals(0, a.status(REF));
  }

  @Test
  void argumentsThatMakeNoSenseAreNamed() {
    grant(Gtf.PERMIT_ACCESS);
    long va = b.guest.va(MAPPED_AT);
    assertEquals(Gntst.BAD_GNTREF, b.map(a.id(), REF, va, 0));
    assertEquals(Gntst.BAD_GNTREF, b.map(a.id(), REF, va, Gntmap.READONLY));
    assertEquals(Gntst.BAD_GNTREF, b.map(a.id(), 512, va, Gntmap.HOST_MAP));
    assertEquals(Gntst.BAD_GNTREF, b.map(a.id(), 0xffff_ffffL, va, Gntmap.HOST_MAP));
    assertEquals(Gntst.BAD_DOMAIN, b.map(99, REF, va, Gntmap.HOST_MAP));
    assertEquals(Gntst.BAD_DOMAIN, b.map(Domid.SELF, REF, va, Gntmap.HOST_MAP));
    assertEquals(Gntst.BAD_DOMAIN, b.map(0, REF, va, Gntmap.HOST_MAP));
    for (long bad : new long[] {0, 0x1000, -4096, 0xffff_8000_0000_0000L, 1L << 50}) {
      assertEquals(Gntst.GENERAL_ERROR, b.map(a.id(), REF, bad, Gntmap.HOST_MAP));
      assertEquals(Gtf.PERMIT_ACCESS, a.entryFlags(REF));
    }
  }

  @Test
  void aPageTableIsNeverMappedWritable() {
    a.grant(REF, b.id(), a.guest.mfn(a.guest.l1Page()), Gtf.PERMIT_ACCESS);
    assertEquals(Gntst.GENERAL_ERROR, b.map(a.id(), REF, MAPPED_AT));
    assertEquals(Gtf.PERMIT_ACCESS, a.entryFlags(REF));
    assertEquals(Gntst.OKAY, b.mapReadOnly(a.id(), REF, MAPPED_AT));
    assertEquals(Gntst.GENERAL_ERROR, b.map(a.id(), REF, MAPPED_AT + 1));
    assertEquals(Gtf.PERMIT_ACCESS | Gtf.READING, a.entryFlags(REF));
  }

  @Test
  void aFrameThatIsMappedWritableCannotBecomeAPageTable() {
    grant(Gtf.PERMIT_ACCESS);
    b.map(a.id(), REF, MAPPED_AT);
    assertEquals(0, a.remap(PAGE, Pte.of(mfn, Pte.PRESENT | Pte.ACCESSED)));
    assertEquals(Errno.EINVAL.result(), a.pinL1(mfn));
    long handle = b.handle();
    b.unmap(MAPPED_AT, handle);
    assertEquals(0, a.pinL1(mfn));
  }

  @Test
  void anEntryIsMappedByItsMachineAddress() {
    grant(Gtf.PERMIT_ACCESS);
    long flags = Gntmap.HOST_MAP | Gntmap.CONTAINS_PTE;
    assertEquals(
        Gntst.OKAY,
        b.map(
            a.id(), REF, b.guest.pteAddress(MAPPED_AT), flags | Gntmap.APPLICATION_MAP | 5L << 16));
    long pte = b.guest.pte(MAPPED_AT);
    assertEquals(5L << 9, pte & Pte.AVAIL);
    assertEquals(Pte.USER | Pte.GLOBAL, pte & (Pte.USER | Pte.GLOBAL | Pte.GUEST_KERNEL));
    long handle = b.handle();
    assertEquals(Gntst.GENERAL_ERROR, b.unmap(0x1000, 0, handle));
    assertEquals(Gntst.GENERAL_ERROR, b.unmap(b.guest.pteAddress(MAPPED_AT + 1), 0, handle));
    assertEquals(Gntst.OKAY, b.unmap(b.guest.pteAddress(MAPPED_AT), 0, handle));
  }

  @Test
  void anEntryThatIsNotInOnesOwnL1TableIsRefused() {
    grant(Gtf.PERMIT_ACCESS);
    long flags = Gntmap.HOST_MAP | Gntmap.CONTAINS_PTE;
    long l2 = b.guest.mfn(b.guest.l1Page() - 1) << 12;
    long[] wrong = {
      b.guest.pteAddress(MAPPED_AT) + 1, // misaligned
      a.guest.pteAddress(MAPPED_AT), // another's
      l2 + 8 * 300, // not of level 1
      b.guest.mfn(5) << 12, // plain memory
      -8, // nowhere
      1L << 40
    };
    for (long pa : wrong) {
      assertEquals(Gntst.GENERAL_ERROR, b.map(a.id(), REF, pa, flags), () -> "" + pa);
    }
  }

  @Test
  void unmappingWithTheWrongHandleOrAddressDoesNothing() {
    grant(Gtf.PERMIT_ACCESS);
    b.map(a.id(), REF, MAPPED_AT);
    long handle = b.handle();
    assertEquals(Gntst.BAD_HANDLE, b.unmap(MAPPED_AT, handle + 1));
    assertEquals(Gntst.BAD_HANDLE, b.unmap(MAPPED_AT, 0xffff_ffffL));
    assertEquals(Gntst.GENERAL_ERROR, b.unmap(MAPPED_AT + 1, handle));
    assertEquals(Gntst.GENERAL_ERROR, b.unmap(0x1000, 0, handle));
    assertEquals(Gntst.OKAY, b.unmap(0, 0, handle));
    lab.assertSound();
    assertEquals(Gntst.OKAY, b.unmap(MAPPED_AT, handle));
    assertEquals(Gntst.BAD_HANDLE, b.unmap(MAPPED_AT, handle));
  }

  @Test
  void theRightToWriteMustMatchWhenUnmapping() {
    grant(Gtf.PERMIT_ACCESS);
    b.map(a.id(), REF, MAPPED_AT);
    long writable = b.handle();
    b.mapReadOnly(a.id(), REF, MAPPED_AT + 1);
    long readOnly = b.handle();
    assertEquals(Gntst.GENERAL_ERROR, b.unmap(MAPPED_AT + 1, writable));
    assertEquals(Gntst.GENERAL_ERROR, b.unmap(MAPPED_AT, readOnly));
    assertEquals(Gntst.OKAY, b.unmap(MAPPED_AT, writable));
    assertEquals(Gtf.PERMIT_ACCESS | Gtf.READING, a.entryFlags(REF));
    assertEquals(Gntst.OKAY, b.unmap(MAPPED_AT + 1, readOnly));
  }

  @Test
  void aDeviceMappingHoldsTheFrameWithoutAPageTableEntry() {
    grant(Gtf.PERMIT_ACCESS);
    assertEquals(Gntst.OKAY, b.map(a.id(), REF, 0, Gntmap.DEVICE_MAP));
    long handle = b.handle();
    assertEquals(2, frames.typeCount(mfn));
    assertEquals(Gntst.BAD_DEV_ADDR, b.unmap(0, 0x5000, handle));
    assertEquals(Gntst.OKAY, b.unmap(0, mfn << 12, handle));
    assertEquals(1, frames.typeCount(mfn));
    assertEquals(Gtf.PERMIT_ACCESS, a.entryFlags(REF));
  }

  @Test
  void bothKindsOfMappingEndOneByOne() {
    grant(Gtf.PERMIT_ACCESS);
    long va = b.guest.va(MAPPED_AT);
    assertEquals(Gntst.OKAY, b.map(a.id(), REF, va, Gntmap.DEVICE_MAP | Gntmap.HOST_MAP));
    long handle = b.handle();
    assertEquals(3, frames.typeCount(mfn));
    assertEquals(Gntst.OKAY, b.unmap(va, 0, handle));
    lab.assertSound();
    assertEquals(Gtf.PERMIT_ACCESS | Gtf.READING | Gtf.WRITING, a.entryFlags(REF));
    assertEquals(Gntst.OKAY, b.unmap(0, mfn << 12, handle));
    assertEquals(Gtf.PERMIT_ACCESS, a.entryFlags(REF));
    assertEquals(Gntst.BAD_HANDLE, b.unmap(0, mfn << 12, handle));
  }

  @Test
  void aFailedHostMappingTakesTheDeviceMappingBackToo() {
    a.grant(REF, b.id(), mfn, Gtf.PERMIT_ACCESS);
    long flags = Gntmap.DEVICE_MAP | Gntmap.HOST_MAP;
    assertEquals(Gntst.GENERAL_ERROR, b.map(a.id(), REF, 0x1000, flags));
    assertEquals(1, frames.typeCount(mfn));
    assertEquals(Gtf.PERMIT_ACCESS, a.entryFlags(REF));
  }

  @Test
  void replacingMovesAnotherMappingIntoThePlace() {
    grant(Gtf.PERMIT_ACCESS);
    b.map(a.id(), REF, MAPPED_AT);
    long handle = b.handle();
    long moved = b.guest.pte(30);
    assertEquals(Gntst.GENERAL_ERROR, b.unmapAndReplace(b.guest.va(MAPPED_AT), 0x1000, handle));
    assertEquals(Gntst.OKAY, b.unmapAndReplace(b.guest.va(MAPPED_AT), b.guest.va(30), handle));
    assertEquals(moved, b.guest.pte(MAPPED_AT));
    assertEquals(0, b.guest.pte(30));
    assertEquals(Gtf.PERMIT_ACCESS, a.entryFlags(REF));
  }

  @Test
  void replacingIsNotForEntriesThatWereNamedByMachineAddress() {
    grant(Gtf.PERMIT_ACCESS);
    long at = b.guest.pteAddress(MAPPED_AT);
    b.map(a.id(), REF, at, Gntmap.HOST_MAP | Gntmap.CONTAINS_PTE);
    long handle = b.handle();
    assertEquals(Gntst.GENERAL_ERROR, b.unmapAndReplace(at, b.guest.va(30), handle));
    assertEquals(Gntst.OKAY, b.unmapAndReplace(at, 0, handle));
  }

  @Test
  void anEntryInUseIsGoneByAsItWasWhenItsUseBegan() {
    grant(Gtf.PERMIT_ACCESS);
    b.mapReadOnly(a.id(), REF, MAPPED_AT);
    long first = b.handle();
    a.grant(REF, 77, a.guest.mfn(3), Gtf.PERMIT_ACCESS | Gtf.READING);
    assertEquals(Gntst.OKAY, b.mapReadOnly(a.id(), REF, MAPPED_AT + 1));
    assertEquals(mfn, Pte.mfn(b.guest.pte(MAPPED_AT + 1)));
    a.grant(REF, b.id(), mfn, Gtf.PERMIT_ACCESS | Gtf.READONLY | Gtf.READING);
    assertEquals(Gntst.GENERAL_ERROR, b.map(a.id(), REF, MAPPED_AT + 2));
    assertEquals(Gntst.OKAY, b.unmap(MAPPED_AT + 1, b.handle()));
    assertEquals(Gntst.OKAY, b.unmap(MAPPED_AT, first));
    assertEquals(Gtf.PERMIT_ACCESS | Gtf.READONLY, a.entryFlags(REF));
  }

  @Test
  void anEntryInUseByOneDomainIsNotForAnother() {
    GrantLab.Peer c = lab.another();
    grant(Gtf.PERMIT_ACCESS);
    b.map(a.id(), REF, MAPPED_AT);
    a.grant(REF, c.id(), mfn, Gtf.PERMIT_ACCESS | Gtf.READING | Gtf.WRITING);
    assertEquals(Gntst.GENERAL_ERROR, c.map(a.id(), REF, MAPPED_AT));
  }

  @Test
  void aGrantHas128UsersOfAKindAtMost() {
    grant(Gtf.PERMIT_ACCESS);
    for (int i = 0; i < 128; i++) {
      assertEquals(Gntst.OKAY, b.map(a.id(), REF, 0, Gntmap.DEVICE_MAP));
    }
    assertEquals(Gntst.GENERAL_ERROR, b.map(a.id(), REF, 0, Gntmap.DEVICE_MAP));
    assertEquals(Gntst.OKAY, b.map(a.id(), REF, MAPPED_AT));
  }

  @Test
  void handlesAreLimitedAndUsedAgain() {
    b.domain.grants().maptrack().limit(3);
    grant(Gtf.PERMIT_ACCESS);
    long[] handles = new long[3];
    for (int i = 0; i < 3; i++) {
      assertEquals(Gntst.OKAY, b.map(a.id(), REF, MAPPED_AT + i));
      handles[i] = b.handle();
    }
    assertEquals(Gntst.NO_SPACE, b.map(a.id(), REF, MAPPED_AT + 3));
    assertEquals(Gntst.OKAY, b.unmap(MAPPED_AT + 1, handles[1]));
    assertEquals(Gntst.OKAY, b.map(a.id(), REF, MAPPED_AT + 1));
    assertEquals(handles[1], b.handle());
  }

  @Test
  void aDomainMapsItsOwnGrants() {
    a.grant(REF, a.id(), mfn, Gtf.PERMIT_ACCESS);
    assertEquals(Gntst.OKAY, a.map(a.id(), REF, MAPPED_AT));
    a.bytes().putLong(a.guest.va(MAPPED_AT), 0x77);
    assertEquals(0x77, a.guest.peek(PAGE, 0));
    lab.assertSound();
    assertEquals(Gntst.OKAY, a.unmap(MAPPED_AT, a.handle()));
  }

  @Test
  void xensSharedFramesCanBeGranted() {
    a.grant(REF, b.id(), a.domain.sharedInfoMfn(), Gtf.PERMIT_ACCESS);
    assertEquals(Gntst.OKAY, b.map(a.id(), REF, MAPPED_AT));
  }

  @Test
  void overwritingTheMappingOfAGrantCrashesTheGuestAndTheGranterGetsItsFrameBack() {
    grant(Gtf.PERMIT_ACCESS);
    b.map(a.id(), REF, MAPPED_AT);
    assertThrows(DomainCrash.class, () -> b.remap(MAPPED_AT, 0));
    b.guest.destroy();
    assertEquals(Gtf.PERMIT_ACCESS, a.entryFlags(REF));
    assertEquals(1, frames.typeCount(mfn));
  }

  @Test
  void mappingOverAnotherGrantsMappingCrashesTheGuestToo() {
    grant(Gtf.PERMIT_ACCESS);
    b.map(a.id(), REF, MAPPED_AT);
    assertThrows(DomainCrash.class, () -> b.map(a.id(), REF, MAPPED_AT));
    b.guest.destroy();
    assertEquals(Gtf.PERMIT_ACCESS, a.entryFlags(REF));
    assertEquals(1, frames.typeCount(mfn));
  }

  @Test
  void aStatusWordOfVersion2SaysWhoUsesAnEntry() {
    a.setVersion(2);
    a.grant(200, b.id(), mfn, Gtf.PERMIT_ACCESS);
    assertEquals(Gntst.OKAY, b.map(a.id(), 200, MAPPED_AT));
    assertEquals(Gtf.READING | Gtf.WRITING, a.status(200));
    assertEquals(Gtf.PERMIT_ACCESS, a.entryFlags(200));
    assertEquals(0, a.status(201));
    assertEquals(0, a.status(199));
    b.unmap(MAPPED_AT, b.handle());
    assertEquals(0, a.status(200));
  }

  @Test
  void theMappersTranslationsAreForgottenBeforeTheGranterHearsOfTheEnd() {
    grant(Gtf.PERMIT_ACCESS);
    b.map(a.id(), REF, MAPPED_AT);
    long va = b.guest.va(MAPPED_AT);
    b.guest.vcpu.cpu().store64(va, 1);
    b.unmap(MAPPED_AT, b.handle());
    assertThrows(RuntimeException.class, () -> b.guest.vcpu.cpu().store64(va, 2));
    assertEquals(1, a.guest.peek(PAGE, 0));
  }

  @Test
  void longArraysAreInterruptedAndAllIsDoneOnce() {
    b.guest.interruptions = new Random(3);
    int n = 40;
    for (int i = 0; i < n; i++) {
      a.grant(REF + i, b.id(), a.guest.mfn(i), Gtf.PERMIT_ACCESS);
      b.mapArgs(i, a.id(), REF + i, b.guest.va(10 + i), Gntmap.HOST_MAP);
    }
    assertEquals(0, b.op(GnttabOp.MAP_GRANT_REF, n));
    long[] handles = new long[n];
    for (int i = 0; i < n; i++) {
      assertEquals(Gntst.OKAY, b.mapStatus(i));
      handles[i] = b.handle(i);
      assertEquals(a.guest.mfn(i), Pte.mfn(b.guest.pte(10 + i)));
    }
    lab.assertSound();
    for (int i = 0; i < n; i++) {
      b.unmapArgs(i, b.guest.va(10 + i), 0, handles[i]);
    }
    assertEquals(0, b.op(GnttabOp.UNMAP_GRANT_REF, n));
    for (int i = 0; i < n; i++) {
      assertEquals(Gntst.OKAY, b.unmapStatus(i));
      assertEquals(Gtf.PERMIT_ACCESS, a.entryFlags(REF + i));
    }
  }

  @Test
  void anArrayThatLeavesMemoryIsEfaultAndWhatWasDoneStays() {
    grant(Gtf.PERMIT_ACCESS);
    int size = GnttabMapGrantRef.STRUCT.size();
    long at = b.guest.va(b.guest.pages()) - size;
    byte[] op = new byte[size];
    b.mapArgs(0, a.id(), REF, b.guest.va(MAPPED_AT), Gntmap.HOST_MAP);
    b.bytes().get(b.args(), op, 0, size);
    // The last page is the L1 table, which cannot be written: the answer cannot be given.
    long last = b.guest.va(b.guest.pages() - GrantLab.TABLE_PAGES) - size;
    b.bytes().put(last, op, 0, size);
    long cmd = GnttabOp.MAP_GRANT_REF.nr();
    assertEquals(Errno.EFAULT.result(), b.guest.call(Hypercall.GRANT_TABLE_OP, cmd, last, 2));
    assertEquals(mfn, Pte.mfn(b.guest.pte(MAPPED_AT)));
    assertEquals(Errno.EFAULT.result(), b.guest.call(Hypercall.GRANT_TABLE_OP, cmd, at, 1));
    long wild = 0xffff_8000_0000_0000L;
    assertEquals(Errno.EFAULT.result(), b.guest.call(Hypercall.GRANT_TABLE_OP, cmd, wild, 1));
    assertEquals(
        Errno.EFAULT.result(), b.guest.call(Hypercall.GRANT_TABLE_OP, cmd, b.args(), 0x7fff_ffff));
  }

  @Test
  void theDeathOfTheMapperEndsItsMappings() {
    grant(Gtf.PERMIT_ACCESS);
    b.map(a.id(), REF, b.guest.va(MAPPED_AT), Gntmap.HOST_MAP | Gntmap.DEVICE_MAP);
    b.mapReadOnly(a.id(), REF, MAPPED_AT + 1);
    b.guest.destroy();
    assertEquals(Gtf.PERMIT_ACCESS, a.entryFlags(REF));
    assertEquals(1, frames.typeCount(mfn));
    assertEquals(2, frames.references(mfn));
  }

  @Test
  void aFrameOutlivesItsGranterUntilItIsUnmapped() {
    long free = frames.freeFrames();
    grant(Gtf.PERMIT_ACCESS);
    b.map(a.id(), REF, MAPPED_AT);
    long handle = b.handle();
    a.guest.poke(PAGE, 0, 0x1234);
    a.guest.destroy();
    lab.assertSound();
    assertEquals(0x1234, b.bytes().getLong(b.guest.va(MAPPED_AT)));
    assertEquals(a.domain, frames.owner(mfn));
    assertEquals(free + GrantLab.PAGES + 1, frames.freeFrames());
    // Another domain of the same number has nothing to do with it.
    GrantLab.Peer next = lab.another();
    assertEquals(a.id(), next.id());
    next.grant(REF, b.id(), next.guest.mfn(3), Gtf.PERMIT_ACCESS);
    assertEquals(Gntst.OKAY, b.unmap(MAPPED_AT, handle));
    assertNull(frames.owner(mfn));
    assertEquals(Gtf.PERMIT_ACCESS, next.entryFlags(REF));
  }

  @Test
  void bothMayDieInAnyOrder() {
    long free = frames.freeFrames();
    a.grant(REF, b.id(), mfn, Gtf.PERMIT_ACCESS);
    b.map(a.id(), REF, b.guest.va(MAPPED_AT), Gntmap.HOST_MAP | Gntmap.DEVICE_MAP);
    b.grant(REF, a.id(), b.guest.mfn(5), Gtf.PERMIT_ACCESS);
    a.map(b.id(), REF, MAPPED_AT);
    a.guest.destroy();
    b.guest.destroy();
    assertEquals(free + 2 * (GrantLab.PAGES + 2), frames.freeFrames());
  }

  @Test
  void aFrameThatLeftTheGrantersMemoryStaysWhileItIsMapped() {
    grant(Gtf.PERMIT_ACCESS);
    b.map(a.id(), REF, MAPPED_AT);
    assertEquals(0, a.remap(PAGE, 0));
    a.decreaseReservation(mfn);
    assertFalse(frames.isAllocated(mfn));
    assertEquals(a.domain, frames.owner(mfn));
    lab.assertSound();
    assertEquals(Gntst.OKAY, b.unmap(MAPPED_AT, b.handle()));
    assertNull(frames.owner(mfn));
  }

  @Test
  void javaMapsWhatIsGrantedToDomain0AndReleasesIt() {
    a.grant(REF, 0, mfn, Gtf.PERMIT_ACCESS);
    HostGrant ring = a.domain.grants().mapForHost(REF, true);
    assertEquals(Gtf.PERMIT_ACCESS | Gtf.READING | Gtf.WRITING, a.entryFlags(REF));
    lab.assertSound();
    ring.storeRelease(4, 77);
    assertEquals(77L << 32, a.guest.peek(PAGE, 0));
    assertEquals(77, ring.loadAcquire(4));
    assertThrows(IndexOutOfBoundsException.class, () -> ring.loadAcquire(4094));
    ring.close();
    ring.close();
    assertThrows(IllegalStateException.class, () -> ring.loadAcquire(0));
    assertEquals(Gtf.PERMIT_ACCESS, a.entryFlags(REF));
  }

  @Test
  void javaIsRefusedWhatIsNotGrantedToIt() {
    grant(Gtf.PERMIT_ACCESS);
    GrantRefused refused =
        assertThrows(GrantRefused.class, () -> a.domain.grants().mapForHost(REF, false));
    assertEquals(Gntst.GENERAL_ERROR, refused.status());
    a.grant(REF, 0, mfn, Gtf.PERMIT_ACCESS | Gtf.READONLY);
    assertThrows(GrantRefused.class, () -> a.domain.grants().mapForHost(REF, true));
    for (long ref : new long[] {512, -1, 1L << 32, Long.MAX_VALUE}) {
      refused = assertThrows(GrantRefused.class, () -> a.domain.grants().mapForHost(ref, false));
      assertEquals(Gntst.BAD_GNTREF, refused.status());
    }
    try (HostGrant grant = a.domain.grants().mapForHost(REF, false)) {
      assertThrows(IllegalStateException.class, () -> grant.storeRelease(0, 1));
    }
    a.grant(REF, 0, b.guest.mfn(1), Gtf.PERMIT_ACCESS);
    refused = assertThrows(GrantRefused.class, () -> a.domain.grants().mapForHost(REF, false));
    assertTrue(refused.getMessage().contains("not its own"), refused.getMessage());
    a.grant(REF, 0, a.guest.mfn(a.guest.l1Page()), Gtf.PERMIT_ACCESS);
    assertThrows(GrantRefused.class, () -> a.domain.grants().mapForHost(REF, true));
  }

  @Test
  void aBackendsMappingOutlivesTheGuest() {
    a.grant(REF, 0, mfn, Gtf.PERMIT_ACCESS);
    HostGrant ring = a.domain.grants().mapForHost(REF, true);
    a.guest.destroy();
    lab.assertSound();
    ring.storeRelease(0, 5);
    assertEquals(5, ring.loadAcquire(0));
    ring.close();
    assertNull(frames.owner(mfn));
    assertThrows(GrantRefused.class, () -> a.domain.grants().mapForHost(REF, true));
  }
}
