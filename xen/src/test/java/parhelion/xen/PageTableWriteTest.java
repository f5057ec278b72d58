package parhelion.xen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static parhelion.cpu.CpuState.*;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import parhelion.abi.Hypercall;

/**
 * Plain stores of guest code to its own page tables, and reads of the machine-to-physical table.
 */
final class PageTableWriteTest {
  private static final long PF_HANDLER = FakeGuest.HANDLER;
  private static final long TABLE_VA = FakeGuest.BASE + 40 * 4096L;

  private final FakeGuest g = new FakeGuest();
  private final Vcpu v = g.vcpu();
  private long slotVa;

  @BeforeEach
  void mapTheL1TableReadOnly() {
    v.state.trapAddress[14] = PF_HANDLER;
    g.write(PF_HANDLER, 0xeb, 0xfe);
    g.domain.vmAssist = 1 << 2;
    long l1 = l1Of(FakeGuest.BASE);
    assertEquals(0, g.call(Hypercall.UPDATE_VA_MAPPING, TABLE_VA, l1 << 12 | 5, 2));
    slotVa = TABLE_VA + (FakeGuest.BASE + 50 * 4096L >>> 12 & 511) * 8;
    g.cpu().put64(RDI, slotVa);
  }

  @AfterEach
  void close() {
    g.close();
  }

  private long l1Of(long va) {
    long table = g.l4;
    for (int shift = 39; shift > 12; shift -= 9) {
      table = g.memory.getLong((table << 12) + (va >>> shift & 511) * 8) >>> 12;
    }
    return table;
  }

  private long entry() {
    return g.memory.getLong((l1Of(FakeGuest.BASE) << 12) + (slotVa & 4095));
  }

  private void store(long value) {
    g.cpu().put64(RAX, value);
    g.run(0x48, 0x89, 0x07, 0xeb, 0xfe); // mov [rdi], rax
  }

  @Test
  void aValidEntryIsWritten() {
    store(g.mfns[60] << 12 | 0x67);
    assertEquals(FakeGuest.CODE + 3, g.cpu().rip());
    assertEquals(g.mfns[60], entry() >>> 12);
  }

  @Test
  void atomicInstructionsWorkOnEntries() {
    g.cpu().put64(RAX, 0);
    g.run(0x48, 0x87, 0x07, 0xeb, 0xfe); // xchg [rdi], rax
    assertEquals(FakeGuest.CODE + 3, g.cpu().rip());
    assertEquals(g.mfns[50], g.cpu().get64(RAX) >>> 12 & 0xffff_ffffL, "the old entry");
    assertEquals(0, entry());
    store(g.mfns[50] << 12 | 0x67);
    g.run(0xf0, 0x48, 0x0f, 0xba, 0x37, 1, 0xeb, 0xfe); // lock btr qword [rdi], 1
    assertEquals(FakeGuest.CODE + 6, g.cpu().rip());
    assertEquals(0, entry() & 2, "write-protected");
  }

  @Test
  void anEntryThatIsNotAllowedIsAPageFaultWithNothingWritten() {
    long before = entry();
    store(1L << 12 | 0x67);
    assertEquals(PF_HANDLER, g.cpu().rip());
    assertEquals(slotVa, v.state.cr2);
    assertEquals(3, g.read64(g.cpu().get64(RSP) + 16), "present, write, not user");
    assertEquals(before, entry());
  }

  @Test
  void aWritableMappingOfATableIsNotToBeHad() {
    store(l1Of(FakeGuest.BASE) << 12 | 0x67);
    assertEquals(PF_HANDLER, g.cpu().rip());
  }

  @Test
  void withoutTheAssistTheStoreIsAPageFault() {
    g.domain.vmAssist = 0;
    store(g.mfns[60] << 12 | 0x67);
    assertEquals(PF_HANDLER, g.cpu().rip());
  }

  @Test
  void userModeCannotWriteIt() {
    v.state.kernelSp = FakeGuest.STACK_TOP;
    v.toggleMode();
    store(g.mfns[60] << 12 | 0x67);
    assertEquals(PF_HANDLER, g.cpu().rip());
    assertEquals(7, g.read64(g.cpu().get64(RSP) + 16), "present, write, user");
  }

  @Test
  void hypercallsDoNotWriteTablesAsData() {
    long before = entry();
    assertEquals(-14, g.call(Hypercall.XEN_VERSION, 1, slotVa & -64L));
    assertEquals(before, entry());
  }

  @Test
  void framesOnTheStackOfATableEndTheDomain() {
    g.cpu().put64(RSP, TABLE_VA + 2048);
    g.cpu().put64(RDI, 8);
    g.run(0x48, 0x89, 0x07);
    assertEquals(parhelion.abi.ShutdownReason.CRASH, g.domain.shutdownReason());
  }

  @Test
  void theMachineToPhysicalTableIsReadOnly() {
    g.cpu().put64(RDI, 0xffff_8000_0000_0000L + g.mfns[33] * 8);
    g.run(0x48, 0x8b, 0x07, 0xeb, 0xfe); // mov rax, [rdi]
    assertEquals(33, g.cpu().get64(RAX));
    store(5);
    assertEquals(PF_HANDLER, g.cpu().rip());
    assertEquals(33, g.hypervisor.frames().m2p().get(g.mfns[33]));
  }

  @Test
  void theRestOfXensRangeIsNotThere() {
    for (long va :
        new long[] {
          DescriptorTables.GDT_VA + 0xe000,
          DescriptorTables.LDT_VA,
          0xffff_8000_0000_0000L + g.memory.frames() * 8 + 4096,
          0xffff_87ff_ffff_fff8L
        }) {
      g.cpu().put64(RDI, va);
      g.run(0x48, 0x8b, 0x07, 0xeb, 0xfe);
      assertEquals(PF_HANDLER, g.cpu().rip());
      assertEquals(va, v.state.cr2);
    }
  }

  @Test
  void codeInXensRangeIsNotExecuted() {
    g.cpu().put64(RAX, 0xffff_8000_0000_0000L);
    g.run(0xff, 0xe0); // jmp rax
    assertEquals(PF_HANDLER, g.cpu().rip());
    assertEquals(0x10, g.read64(g.cpu().get64(RSP) + 16) & 0x12);
  }
}
