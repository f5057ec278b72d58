package parhelion.xen.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static parhelion.xen.memory.PagingLab.RO;
import static parhelion.xen.memory.PagingLab.RW;
import static parhelion.xen.memory.PagingLab.TABLES;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import parhelion.abi.Domid;
import parhelion.abi.Errno;
import parhelion.abi.Hypercall;
import parhelion.abi.MmuExtCmd;
import parhelion.cpu.Cpu;
import parhelion.xen.HypercallContinuation;
import parhelion.xen.HypercallStats;

/** {@code mmuext_op}. */
final class MmuExtTest {
  private static final long EINVAL = Errno.EINVAL.result();
  private static final long EPERM = Errno.EPERM.result();

  private final PagingLab lab = new PagingLab();
  private final PagingLab.Guest a = lab.a;
  private final PagingLab.Guest b = lab.b;

  @AfterEach
  void everyCountIsRight() {
    lab.assertSound();
    lab.close();
  }

  /** Makes page {@code pfn} an L4 with what the first one has. */
  private void copyL4(int pfn) {
    a.makeReadOnly(pfn);
    for (int slot = 0; slot < 512; slot++) {
      a.poke(pfn, slot, a.peek(TABLES, slot));
    }
  }

  @Test
  void aNewBaseTakesEffectAndHoldsItsTable() {
    copyL4(9);
    assertEquals(0, a.ext(MmuExtCmd.NEW_BASEPTR, a.mfn(9), 0));
    assertEquals(a.mfn(9) << 12, a.vcpu.state.kernelCr3);
    assertEquals(1, a.uses(9));
    assertEquals(1, a.uses(TABLES), "its pin");
    assertEquals(0, a.ext(MmuExtCmd.NEW_BASEPTR, a.mfn(9), 0));
    assertEquals(1, a.uses(9));
    assertEquals(0, a.ext(MmuExtCmd.NEW_BASEPTR, a.mfn(TABLES), 0));
    assertEquals(0, a.uses(9));
  }

  @Test
  void aBaseThatIsNoL4IsRefused() {
    assertEquals(EINVAL, a.ext(MmuExtCmd.NEW_BASEPTR, a.mfn(TABLES + 1), 0));
    assertEquals(EINVAL, a.ext(MmuExtCmd.NEW_BASEPTR, a.mfn(7), 0));
    assertEquals(EINVAL, a.ext(MmuExtCmd.NEW_BASEPTR, b.mfn(TABLES), 0));
    assertEquals(EINVAL, a.ext(MmuExtCmd.NEW_BASEPTR, 0, 0));
    assertEquals(EINVAL, a.ext(MmuExtCmd.NEW_USER_BASEPTR, a.mfn(7), 0));
    assertEquals(a.mfn(TABLES) << 12, a.vcpu.state.kernelCr3);
  }

  @Test
  void theUserBaseMayBeTakenAway() {
    copyL4(9);
    assertEquals(0, a.ext(MmuExtCmd.NEW_USER_BASEPTR, a.mfn(9), 0));
    assertEquals(1, a.uses(9));
    assertEquals(0, a.ext(MmuExtCmd.NEW_USER_BASEPTR, 0, 0));
    assertEquals(0, a.uses(9));
    assertEquals(0, a.vcpu.state.userCr3);
  }

  @Test
  void pinsOfOthersFramesAreRefused() {
    assertEquals(EINVAL, a.ext(MmuExtCmd.PIN_L1_TABLE, b.mfn(9), 0));
    assertEquals(EINVAL, a.ext(MmuExtCmd.UNPIN_TABLE, b.mfn(TABLES), 0));
    assertEquals(EINVAL, a.ext(MmuExtCmd.PIN_L4_TABLE, 1L << 50, 0));
    assertEquals(EINVAL, a.ext(MmuExtCmd.PIN_L4_TABLE, -1L, 0));
    assertEquals(EPERM, a.ext(MmuExtCmd.PIN_L1_TABLE, b.mfn(9), 0, b.domain.id()));
    assertEquals(Errno.ESRCH.result(), a.ext(MmuExtCmd.PIN_L1_TABLE, a.mfn(9), 0, a.domain.id()));
    assertEquals(EINVAL, a.ext(MmuExtCmd.PIN_L1_TABLE, a.mfn(9), 0, Domid.IO));
  }

  /** L4 in 100, L3 in 101, L2s from 102 on, L1s from 110 on. */
  private void buildTree(int l2s, int l1s) {
    for (int pfn = 100; pfn < 110 + l2s * l1s; pfn++) {
      a.makeReadOnly(pfn);
    }
    a.poke(100, 0, Pte.of(a.mfn(101), RW));
    for (int i = 0; i < l2s; i++) {
      a.poke(101, i, Pte.of(a.mfn(102 + i), RW));
      for (int j = 0; j < l1s; j++) {
        int l1 = 110 + i * l1s + j;
        a.poke(102 + i, j * 20, Pte.of(a.mfn(l1), RW));
        for (int slot = 0; slot < 512; slot += 8) {
          a.poke(l1, slot, Pte.of(a.mfn(20 + slot % 40), RW));
        }
      }
    }
  }

  @Test
  void aBigTreeIsPinnedAndUnpinnedInPieces() {
    buildTree(8, 16);
    int before = a.uses(20);
    a.vcpu.cpu().requestAttention();
    a.poke(0, 0, MmuExtCmd.PIN_L4_TABLE.nr());
    a.poke(0, 1, a.mfn(100));
    int interruptions = 0;
    long[] args = {a.va(0), 1, 0, Domid.SELF};
    while (true) {
      try {
        long rc = lab.paging.mmuextOp(a.vcpu, args[0], args[1], args[2], args[3], 0);
        assertEquals(0, rc);
        break;
      } catch (HypercallContinuation c) {
        interruptions++;
        args = a.vcpu.continuation.clone();
        lab.assertSound();
      }
    }
    assertTrue(interruptions >= 4, interruptions + " interruptions");
    assertEquals(FrameTable.L4, a.type(100));
    assertEquals(1, a.uses(100));
    assertTrue(a.uses(20) > before);
    assertEquals(0, a.unpin(100));
    assertEquals(before, a.uses(20));
    assertEquals(0, a.uses(101));
  }

  @Test
  void anInterruptedPinThatFailsInTheEndLeavesNothing() {
    buildTree(8, 16);
    a.poke(101, 300, Pte.of(b.mfn(5), RW));
    int before = a.uses(20);
    a.vcpu.cpu().requestAttention();
    assertEquals(EINVAL, a.pin(4, 100));
    assertEquals(before, a.uses(20));
    for (int pfn = 100; pfn < 238; pfn++) {
      assertEquals(0, a.uses(pfn));
    }
  }

  @Test
  void aTableWhosePinningWasGivenUpCanBecomeSomethingElse() {
    buildTree(8, 16);
    a.vcpu.cpu().requestAttention();
    a.poke(0, 0, MmuExtCmd.PIN_L4_TABLE.nr());
    a.poke(0, 1, a.mfn(100));
    assertThrows(
        HypercallContinuation.class,
        () -> lab.paging.mmuextOp(a.vcpu, a.va(0), 1, 0, Domid.SELF, 0));
    a.vcpu.cpu().clearAttention();
    for (int slot = 0; slot < 512; slot++) {
      assertTrue(a.update(a.at(100, slot), 0) == 0, "it is plain memory again");
    }
    a.makeWritable(100);
    assertEquals(FrameTable.WRITABLE, a.type(100));
  }

  @Test
  void flushesForgetStaleTranslations() {
    Cpu cpu = a.vcpu.cpu();
    a.poke(7, 0, 1);
    a.poke(8, 0, 2);
    a.poke(1, 0, 1);
    MmuExtCmd[] flushes = {
      MmuExtCmd.TLB_FLUSH_LOCAL, MmuExtCmd.INVLPG_LOCAL, MmuExtCmd.TLB_FLUSH_ALL,
      MmuExtCmd.INVLPG_ALL, MmuExtCmd.TLB_FLUSH_MULTI, MmuExtCmd.INVLPG_MULTI
    };
    for (MmuExtCmd flush : flushes) {
      assertEquals(0, a.remap(7, Pte.of(a.mfn(7), RO)));
      cpu.flushTlbs();
      assertEquals(1, cpu.load64(a.va(7)), flush.name());
      assertEquals(0, a.remap(7, Pte.of(a.mfn(8), RO)));
      assertEquals(1, cpu.load64(a.va(7)), flush.name());
      assertEquals(0, a.ext(flush, a.va(7), a.va(1)), flush.name());
      assertEquals(2, cpu.load64(a.va(7)), flush.name());
    }
  }

  @Test
  void aMaskThatIsNotTheGuestsIsEinval() {
    assertEquals(EINVAL, a.ext(MmuExtCmd.TLB_FLUSH_MULTI, 0, 0x1000));
    assertEquals(EINVAL, a.ext(MmuExtCmd.INVLPG_MULTI, 0, 0xffff_8000_0000_0000L));
  }

  @Test
  void pagesAreClearedAndCopiedOnlyWhereTheyMayBeWritten() {
    a.poke(8, 3, 77);
    assertEquals(0, a.ext(MmuExtCmd.COPY_PAGE, a.mfn(9), a.mfn(8)));
    assertEquals(77, a.peek(9, 3));
    assertEquals(0, a.ext(MmuExtCmd.CLEAR_PAGE, a.mfn(9), 0));
    assertEquals(0, a.peek(9, 3));
    assertEquals(EINVAL, a.ext(MmuExtCmd.CLEAR_PAGE, a.mfn(TABLES), 0));
    assertEquals(EINVAL, a.ext(MmuExtCmd.CLEAR_PAGE, b.mfn(9), 0));
    assertEquals(EINVAL, a.ext(MmuExtCmd.COPY_PAGE, a.mfn(TABLES), a.mfn(8)));
    assertEquals(EINVAL, a.ext(MmuExtCmd.COPY_PAGE, a.mfn(9), b.mfn(8)));
    assertEquals(0, a.ext(MmuExtCmd.COPY_PAGE, a.mfn(9), a.mfn(TABLES)), "reading is free");
  }

  @Test
  void cachesAreForDomainsWithDevices() {
    assertEquals(Errno.EACCES.result(), a.ext(MmuExtCmd.FLUSH_CACHE, 0, 0));
    assertEquals(EINVAL, a.ext(MmuExtCmd.FLUSH_CACHE_GLOBAL, 0, 0));
    assertEquals(0, lab.privilegedGuest().ext(MmuExtCmd.FLUSH_CACHE, 0, 0));
  }

  @Test
  void superpageMarksAndUnknownCommandsAreRefused() {
    assertEquals(Errno.EOPNOTSUPP.result(), a.ext(MmuExtCmd.MARK_SUPER, a.mfn(9), 0));
    assertEquals(Errno.EOPNOTSUPP.result(), a.ext(MmuExtCmd.UNMARK_SUPER, a.mfn(9), 0));
    a.poke(0, 0, 14);
    assertEquals(Errno.ENOSYS.result(), lab.paging.mmuextOp(a.vcpu, a.va(0), 1, 0, Domid.SELF, 0));
  }

  @Test
  void everyOperationIsCountedAndTimed() {
    HypercallStats stats = lab.hypervisor.hypercalls().stats();
    int nr = Hypercall.MMUEXT_OP.nr();
    int flush = MmuExtCmd.TLB_FLUSH_LOCAL.nr();
    assertEquals(0, stats.subOpCount(nr, flush));
    assertEquals(0, a.ext(MmuExtCmd.TLB_FLUSH_LOCAL, 0, 0));
    assertEquals(EINVAL, a.ext(MmuExtCmd.NEW_BASEPTR, a.mfn(7), 0));
    assertEquals(1, stats.subOpCount(nr, flush));
    assertTrue(stats.subOpHostNanos(nr, flush) > 0);
    assertTrue(stats.subOpHostNanos(nr, MmuExtCmd.NEW_BASEPTR.nr()) > 0, "refused, and timed");
    assertEquals(0, stats.subOpHostNanos(nr, MmuExtCmd.INVLPG_ALL.nr()));
  }
}
