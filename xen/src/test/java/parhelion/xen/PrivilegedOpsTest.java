package parhelion.xen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static parhelion.cpu.CpuState.*;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Privileged instructions, executed by the guest: which are emulated, and that the others are
 * #GP(0).
 */
final class PrivilegedOpsTest {
  private static final long GP_HANDLER = FakeGuest.HANDLER;

  private final FakeGuest g = new FakeGuest();
  private final Vcpu v = g.vcpu();

  @BeforeEach
  void handlers() {
    v.state.trapAddress[13] = GP_HANDLER;
    v.state.trapAddress[6] = GP_HANDLER + 0x100;
    v.state.trapAddress[14] = GP_HANDLER + 0x200;
    g.write(GP_HANDLER, 0xeb, 0xfe);
    g.write(GP_HANDLER + 0x100, 0xeb, 0xfe);
    g.write(GP_HANDLER + 0x200, 0xeb, 0xfe);
  }

  @AfterEach
  void close() {
    g.close();
  }

  /** Runs one instruction followed by an endless loop; true if it got there. */
  private boolean emulated(int... insn) {
    int[] code = java.util.Arrays.copyOf(insn, insn.length + 2);
    code[insn.length] = 0xeb;
    code[insn.length + 1] = 0xfe;
    g.run(code);
    if (g.cpu().rip() == FakeGuest.CODE + insn.length) {
      return true;
    }
    assertEquals(GP_HANDLER, g.cpu().rip(), "#GP");
    assertEquals(0, g.read64(g.cpu().get64(RSP) + 16));
    assertEquals(FakeGuest.CODE, g.read64(g.cpu().get64(RSP) + 24));
    g.cpu().put64(RSP, FakeGuest.STACK_TOP - 0x100);
    return false;
  }

  private void assertEmulated(int... insn) {
    assertEquals(true, emulated(insn));
  }

  private void assertFaults(int... insn) {
    assertEquals(false, emulated(insn));
  }

  // --- ports ---

  @Test
  void portsNeedIoplOrTheBitmap() {
    assertFaults(0xe4, 0x42);
    v.state.iopl = 1;
    assertEmulated(0xe4, 0x42);
    assertEquals(0xff, g.cpu().get64(RAX) & 0xff);
    g.cpu().put64(RDX, 0x3f8);
    assertEmulated(0xee);
    assertEmulated(0xed);
    assertEquals(0xffff_ffffL, g.cpu().get64(RAX));
  }

  @Test
  void theBitmapIsReadFromTheGuest() {
    v.state.ioBitmapVa = FakeGuest.ARGS;
    v.state.ioBitmapPorts = 0x400;
    for (int i = 0; i < 0x80; i++) {
      g.write(FakeGuest.ARGS + i, 0xff);
    }
    g.cpu().put64(RDX, 0x3f8);
    assertFaults(0xec);
    g.write(FakeGuest.ARGS + 0x7f, 0xfe);
    assertEmulated(0xec);
    assertFaults(0xed);
    g.cpu().put64(RDX, 0x3ff);
    g.write(FakeGuest.ARGS + 0x7f, 0x7f);
    assertEmulated(0xec);
    assertFaults(0xef);
    v.state.ioBitmapVa = FakeGuest.UNMAPPED;
    assertFaults(0xec);
  }

  @Test
  void twoLatchesRememberWhatWasWritten() {
    v.state.iopl = 1;
    g.cpu().put64(RAX, 0x8000_1234L);
    g.cpu().put64(RDX, 0xcf8);
    assertEmulated(0xef);
    g.cpu().put64(RAX, 0);
    assertEmulated(0xed);
    assertEquals(0x8000_1234L, g.cpu().get64(RAX));
    g.cpu().put64(RAX, 0x8f);
    assertEmulated(0xe6, 0x70);
    assertEmulated(0xe4, 0x70);
    assertEquals(0x0f, g.cpu().get64(RAX) & 0xff);
    g.cpu().put64(RDX, 0xcfc);
    assertEmulated(0xed);
    assertEquals(0xffff_ffffL, g.cpu().get64(RAX));
  }

  @Test
  void stringInputFillsMemoryElementByElement() {
    v.state.iopl = 1;
    g.cpu().put64(RDX, 0x60);
    g.cpu().put64(RDI, FakeGuest.ARGS);
    g.cpu().put64(RCX, 3);
    assertEmulated(0xf3, 0x6d);
    assertEquals(0, g.cpu().get64(RCX));
    assertEquals(FakeGuest.ARGS + 12, g.cpu().get64(RDI));
    assertEquals(-1L, g.read64(FakeGuest.ARGS));
    assertEquals(0xffff_ffffL, g.read64(FakeGuest.ARGS + 8));
  }

  @Test
  void stringInputToUnmappedMemoryIsAPageFaultAtItsElement() {
    v.state.iopl = 1;
    g.cpu().put64(RDX, 0x60);
    g.cpu().put64(RDI, FakeGuest.UNMAPPED - 4);
    g.cpu().put64(RCX, 3);
    g.run(0xf3, 0x6d);
    assertEquals(GP_HANDLER + 0x200, g.cpu().rip());
    assertEquals(2, g.cpu().get64(RCX));
    assertEquals(FakeGuest.UNMAPPED, v.state.cr2);
  }

  @Test
  void cliAndStiDoNothingWithIoplAndFaultWithout() {
    assertFaults(0xfa);
    v.state.iopl = 1;
    v.setUpcallMask(false);
    assertEmulated(0xfa);
    assertEquals(false, v.upcallMask());
    assertEmulated(0xfb);
  }

  // --- control registers ---

  @Test
  void controlRegistersReadAsTheGuestsOwn() {
    assertEmulated(0x0f, 0x20, 0xc0); // mov rax, cr0
    assertEquals(0x8001_0033L, g.cpu().get64(RAX));
    assertEmulated(0x0f, 0x20, 0xd8); // mov rax, cr3
    assertEquals(g.l4 << 12, g.cpu().get64(RAX));
    v.state.cr2 = 99;
    assertEmulated(0x0f, 0x20, 0xd0);
    assertEquals(99, g.cpu().get64(RAX));
    assertFaults(0x44, 0x0f, 0x20, 0xc0); // mov rax, cr8
  }

  @Test
  void ofCr0OnlyTsChanges() {
    g.cpu().put64(RAX, 0x8001_003bL);
    assertEmulated(0x0f, 0x22, 0xc0);
    assertEquals(true, v.state.taskSwitched);
    assertEmulated(0x0f, 0x06); // clts
    assertEquals(false, v.state.taskSwitched);
    g.cpu().put64(RAX, 0x8000_0033L);
    assertFaults(0x0f, 0x22, 0xc0);
  }

  @Test
  void cr4KeepsWhatIsXens() {
    g.cpu().put64(RAX, 0x1_0000); // FSGSBASE, and PAE cleared
    assertEmulated(0x0f, 0x22, 0xe0);
    assertEmulated(0x0f, 0x20, 0xe0);
    assertEquals(0x1_0000 | XenCpuid.CR4_FIXED, g.cpu().get64(RAX));
    assertEquals(0x20, g.cpu().get64(CR4) & 0x20);
  }

  @Test
  void userModeGetsNothing() {
    v.state.kernelSp = FakeGuest.STACK_TOP;
    v.toggleMode();
    assertFaults(0x0f, 0x20, 0xc0);
    v.toggleMode();
    assertFaults(0x0f, 0x06);
    v.toggleMode();
    g.cpu().put64(RCX, 0xc000_0080L);
    assertFaults(0x0f, 0x32);
  }

  @ParameterizedTest
  @ValueSource(ints = {0x0f01d8, 0x0f00d0, 0x0f01f8, 0x0f08, 0xf4, 0x0f07, 0x0f01f0})
  void whatXenDoesNotEmulateFaults(int code) {
    // vmrun is undefined here; the others: lldt, swapgs, invd, hlt, sysret, lmsw.
    if (code == 0x0f01d8) {
      return;
    }
    int[] bytes =
        code > 0xffff
            ? new int[] {code >> 16, code >> 8 & 255, code & 255}
            : code > 0xff ? new int[] {code >> 8, code & 255} : new int[] {code};
    assertFaults(bytes);
  }

  @Test
  void wbinvdIsIgnored() {
    assertEmulated(0x0f, 0x09);
  }

  @Test
  void xsetbvTakesWhatTheProcessorHas() {
    g.cpu().put64(RCX, 0);
    g.cpu().put64(RDX, 0);
    g.cpu().put64(RAX, 3);
    v.monitor().setCr4(XenCpuid.CR4_OSXSAVE);
    assertEmulated(0x0f, 0x01, 0xd1);
    assertEquals(3, g.cpu().get64(XCR0));
    g.cpu().put64(RAX, 2);
    assertFaults(0x0f, 0x01, 0xd1);
    g.cpu().put64(RAX, 0x1003);
    assertFaults(0x0f, 0x01, 0xd1);
    g.cpu().put64(RAX, 1);
    g.cpu().put64(RCX, 1);
    assertFaults(0x0f, 0x01, 0xd1);
  }

  // --- MSRs ---

  @ParameterizedTest
  @CsvSource({
    "0x1b, 0xfee00900",
    "0x277, 0x50100070406",
    "0xc0000080, 0xd01",
    "0x345, 0",
    "0x1a0, 0x801801",
    "0x8b, 0"
  })
  void knownRegistersRead(String msr, String value) {
    g.cpu().put64(RCX, Long.decode(msr));
    assertEmulated(0x0f, 0x32);
    assertEquals(Long.decode(value).longValue(), g.cpu().get64(RDX) << 32 | g.cpu().get64(RAX));
  }

  @ParameterizedTest
  @ValueSource(longs = {0xc000_0081L, 0x174, 0xfe, 0x4000_0001L, 0xc001_0015L, 0xffff_ffffL})
  void unknownRegistersFault(long msr) {
    g.cpu().put64(RCX, msr);
    assertFaults(0x0f, 0x32);
    g.cpu().put64(RAX, 0);
    g.cpu().put64(RDX, 0);
    assertFaults(0x0f, 0x30);
  }

  @Test
  void segmentBasesMustBeCanonical() {
    g.cpu().put64(RCX, 0xc000_0101L);
    g.cpu().put64(RAX, 0x1000);
    g.cpu().put64(RDX, 0xffff_8800);
    assertEmulated(0x0f, 0x30);
    assertEquals(0xffff_8800_0000_1000L, g.cpu().get64(GS_BASE));
    g.cpu().put64(RDX, 0x8000);
    assertFaults(0x0f, 0x30);
    assertEquals(0xffff_8800_0000_1000L, g.cpu().get64(GS_BASE));
    g.cpu().put64(RCX, 0xc000_0102L);
    g.cpu().put64(RDX, 1);
    assertEmulated(0x0f, 0x30);
    assertEquals(0x1_0000_1000L, g.cpu().get64(KERNEL_GS_BASE));
  }

  @Test
  void eferCanBeWrittenBackOnly() {
    g.cpu().put64(RCX, 0xc000_0080L);
    g.cpu().put64(RAX, 0xd01);
    g.cpu().put64(RDX, 0);
    assertEmulated(0x0f, 0x30);
    g.cpu().put64(RAX, 0x501);
    assertFaults(0x0f, 0x30);
  }

  @Test
  void theHypercallPageIsFilledInAFrameOfTheDomain() {
    g.cpu().put64(RCX, 0x4000_0000);
    g.cpu().put64(RAX, g.mfns[9] << 12);
    g.cpu().put64(RDX, 0);
    assertEmulated(0x0f, 0x30);
    long page = FakeGuest.BASE + 9 * 4096;
    assertEquals(0x51_4153_b811_0000L, bigEndian(page + 17 * 32, 7));
    assertEquals(0x5141_5350_b817_0000L, bigEndian(page + 23 * 32, 8));
    g.cpu().put64(RAX, 1 << 12);
    assertFaults(0x0f, 0x30);
    g.cpu().put64(RAX, (g.memory.frames() + 9) << 12);
    assertFaults(0x0f, 0x30);
  }

  private long bigEndian(long va, int bytes) {
    long value = 0;
    for (int i = 0; i < bytes; i++) {
      value = value << 8 | g.memory.getByte(g.pa(va + i)) & 0xff;
    }
    return value;
  }

  // --- debug registers ---

  @Test
  void debugRegistersAreChecked() {
    g.cpu().put64(RAX, 0x1234);
    assertEmulated(0x0f, 0x23, 0xc0); // mov dr0, rax
    assertEmulated(0x0f, 0x21, 0xc3); // mov rbx, dr0
    assertEquals(0x1234, g.cpu().get64(RBX));
    g.cpu().put64(RAX, 0xffff_8000_0000_0000L);
    assertFaults(0x0f, 0x23, 0xc0);
    g.cpu().put64(RAX, 1 << 13);
    assertFaults(0x0f, 0x23, 0xf8); // dr7, general detect
    g.cpu().put64(RAX, 1L << 32);
    assertFaults(0x0f, 0x23, 0xf8);
  }

  @Test
  void timeStampsAreNotPrivilegedUntilTheGuestSaysSo() {
    assertEmulated(0x0f, 0x31);
    v.monitor().setCr4(XenCpuid.CR4_TSD);
    assertEmulated(0x0f, 0x31);
    v.toggleMode();
    assertFaults(0x0f, 0x31);
  }

  @Test
  void emulationsAndDeliveriesAreCounted() {
    v.state.iopl = 1;
    assertEmulated(0xe4, 0x42);
    assertEmulated(0xe4, 0x42);
    assertFaults(0xf4);
    TrapStats stats = g.hypervisor.trapStats();
    assertEquals(2, stats.emulatedCount(parhelion.cpu.decode.Mnemonic.IN));
    assertEquals(1, stats.deliveredCount(13));
    assertEquals(java.util.Set.of("emulated IN", "delivered #GP"), stats.all().keySet());
    assertEquals(2, stats.all().get("emulated IN").count());
  }
}
