package parhelion.xen.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static parhelion.xen.memory.PagingLab.PAGES;
import static parhelion.xen.memory.PagingLab.RO;
import static parhelion.xen.memory.PagingLab.RW;
import static parhelion.xen.memory.PagingLab.TABLES;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import parhelion.abi.MmuExtCmd;
import parhelion.cpu.Cpu;
import parhelion.xen.Domain;

/** A domain's end. */
final class RelinquishTest {
  private final PagingLab lab = new PagingLab();
  private final PagingLab.Guest a = lab.a;
  private final PagingLab.Guest b = lab.b;

  @AfterEach
  void everyCountIsRight() {
    lab.assertSound();
    lab.close();
  }

  private void assertNothingIsLeft(PagingLab.Guest guest) {
    for (long mfn : guest.p2m) {
      assertEquals(null, lab.owner(mfn));
      assertEquals(MachToPhysTable.INVALID, lab.frames.m2p().get(mfn));
      for (int i = 0; i < 4096; i += 8) {
        assertEquals(0, lab.memory.getLong((mfn << 12) + i));
      }
    }
    assertEquals(0, guest.domain.totPages);
  }

  @Test
  void nothingOfADomainIsLeft() {
    long free = lab.frames.freeFrames();
    for (int pfn = 0; pfn < TABLES; pfn++) {
      a.poke(pfn, 5, 0x5ec7e7);
    }
    lab.hypervisor.destroyDomain(a.domain);
    assertNothingIsLeft(a);
    assertEquals(free + PAGES + 2, lab.frames.freeFrames(), "shared_info and grants, too");
  }

  @Test
  void pinsLinearTablesAndHalfPinnedTreesGo() {
    for (int pfn = 100; pfn < 110; pfn++) {
      a.makeReadOnly(pfn);
    }
    assertEquals(0, a.pin(1, 100));
    a.poke(101, 0, Pte.of(a.mfn(100), RW));
    a.poke(101, 1, Pte.of(a.mfn(101), RO));
    assertEquals(0, a.pin(2, 101));
    a.poke(102, 7, Pte.of(a.mfn(101), RO));
    assertEquals(0, a.pin(2, 102));
    for (int slot = 0; slot < 200; slot++) {
      a.poke(103, slot, Pte.of(a.mfn(101), RW));
    }
    a.vcpu.cpu().requestAttention();
    a.poke(0, 0, MmuExtCmd.PIN_L3_TABLE.nr());
    a.poke(0, 1, a.mfn(103));
    try {
      lab.paging.mmuextOp(a.vcpu, a.va(0), 1, 0, parhelion.abi.Domid.SELF, 0);
    } catch (parhelion.xen.HypercallContinuation c) {
      assertEquals(FrameTable.L3, a.type(103));
    }
    lab.hypervisor.destroyDomain(a.domain);
    assertNothingIsLeft(a);
  }

  @Test
  void theEndCanBeInterrupted() {
    int calls = 0;
    while (!Relinquish.some(lab.paging, lab.frames, a.domain, () -> true)) {
      calls++;
      assertTrue(calls < 100);
    }
    assertTrue(calls > 0);
    assertNothingIsLeft(a);
  }

  @Test
  void aFreedFrameIsInNoTlb() {
    Cpu cpu = a.vcpu.cpu();
    long mfn = a.mfn(9);
    cpu.store64(a.va(9), 1);
    assertEquals(0, a.remap(9, 0));
    assertTrue(lab.frames.release((int) mfn));
    Domain next = lab.hypervisor.createDomain(TestHypervisors.config(1, 4096, false));
    while (lab.frames.allocate(next) != mfn) {
      assertTrue(lab.frames.freeFrames() > 0, "the frame comes back");
    }
    lab.memory.putLong(mfn << 12, 0x5ec7e7);
    boolean faulted = false;
    try {
      assertFalse(cpu.load64(a.va(9)) == 0x5ec7e7);
    } catch (parhelion.cpu.GuestFault f) {
      faulted = true;
    }
    assertTrue(faulted);
  }

  @Test
  void aFrameThatIsStillMappedIsNotFreed() {
    assertTrue(lab.frames.release((int) a.mfn(9)));
    assertEquals(a.domain, lab.owner(a.mfn(9)));
    assertFalse(lab.frames.release((int) a.mfn(9)), "once only");
    assertEquals(0, a.remap(9, 0));
    assertEquals(null, lab.owner(a.mfn(9)));
  }
}
