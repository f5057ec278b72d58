package parhelion.xen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static parhelion.cpu.CpuState.*;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import parhelion.abi.ShutdownReason;
import parhelion.cpu.GuestFault;
import parhelion.cpu.Rflags;

/** Frames that take control into the guest's kernel, and the iret that takes it out. */
final class TrapsTest {
  private static final long USER_SP = FakeGuest.USER_STACK_TOP - 0x18;

  private final FakeGuest g = new FakeGuest();
  private final Vcpu v = g.vcpu();

  @BeforeEach
  void handlers() {
    for (int i = 0; i < 32; i++) {
      v.state.trapAddress[i] = FakeGuest.HANDLER + i * 16;
    }
    v.state.eventCallback = FakeGuest.HANDLER + 0x400;
    v.state.syscallCallback = FakeGuest.HANDLER + 0x500;
    v.setUpcallMask(false);
  }

  @AfterEach
  void close() {
    g.close();
  }

  private void enterUser() {
    v.toggleMode();
    g.cpu().put64(RSP, USER_SP);
    g.cpu().rip(FakeGuest.USER_CODE);
    g.cpu().put64(GS_BASE, 0x1111);
    g.cpu().put64(KERNEL_GS_BASE, 0x2222);
  }

  @Test
  void anExceptionOfTheKernelPushesItsFrameOnTheSameStack() {
    long sp = FakeGuest.STACK_TOP - 0x108;
    g.cpu().put64(RSP, sp);
    g.cpu().rip(0x1234);
    g.cpu().put64(RCX, 77);
    g.cpu().put64(R11, 88);
    g.cpu().rflags(Rflags.IF | Rflags.CF | Rflags.TF | Rflags.NT | Rflags.AC | Rflags.DF);
    v.monitor().exception(g.cpu(), GuestFault.GP, 0x28, 0);
    long at = (sp & -16L) - 64;
    assertEquals(at, g.cpu().get64(RSP));
    assertEquals(77, g.read64(at));
    assertEquals(88, g.read64(at + 8));
    assertEquals(0x28, g.read64(at + 16));
    assertEquals(0x1234, g.read64(at + 24));
    assertEquals(0xe030, g.read64(at + 32), "ring 0 shows that it was the kernel");
    long flags = g.read64(at + 40);
    assertEquals(Rflags.IF | Rflags.CF | Rflags.TF | Rflags.NT | Rflags.AC | Rflags.DF | 2, flags);
    assertEquals(sp, g.read64(at + 48));
    assertEquals(0xe02b, g.read64(at + 56));
    assertEquals(FakeGuest.HANDLER + 13 * 16, g.cpu().rip());
    assertEquals(Rflags.IF | Rflags.CF | Rflags.DF | 2, g.cpu().rflags());
    assertFalse(v.upcallMask(), "the gate does not mask events");
  }

  @Test
  void anExceptionOfTheUserSwitchesStackTablesAndGsBase() {
    v.setUserCr3(g.l4 << 12);
    enterUser();
    v.setUpcallMask(true);
    v.state.trapFlags[GuestFault.DE] = 4;
    v.monitor().exception(g.cpu(), GuestFault.DE, 0, 0);
    long at = FakeGuest.STACK_TOP - 56;
    assertTrue(v.state.kernelMode);
    assertEquals(at, g.cpu().get64(RSP));
    assertEquals(FakeGuest.USER_CODE, g.read64(at + 16));
    assertEquals(0xe033 | 1L << 32, g.read64(at + 24), "the mask was set: byte 4");
    assertEquals(0, g.read64(at + 32) & Rflags.IF, "and IF was clear");
    assertEquals(USER_SP, g.read64(at + 40));
    assertEquals(0x2222, g.cpu().get64(GS_BASE));
    assertEquals(0x1111, g.cpu().get64(KERNEL_GS_BASE));
  }

  @Test
  void aGateWithTheMaskFlagMasksEvents() {
    v.state.trapFlags[GuestFault.UD] = 4;
    v.monitor().exception(g.cpu(), GuestFault.UD, 0, 0);
    assertTrue(v.upcallMask());
  }

  @Test
  void aPageFaultTellsItsAddressInVcpuInfoAndWhoWasRunning() {
    v.monitor().exception(g.cpu(), GuestFault.PF, 7, 0x7777_0000);
    assertEquals(0x7777_0000, g.memory.getLong(v.state.vcpuInfoPa + 16));
    assertEquals(3, g.read64(g.cpu().get64(RSP) + 16), "not the user bit");
    enterUser();
    v.monitor().exception(g.cpu(), GuestFault.PF, 3, 0x1000);
    assertEquals(7, g.read64(g.cpu().get64(RSP) + 16));
  }

  @Test
  void aMissingFpuIsReportedOnceAndTsIsClear() {
    v.traps().setTaskSwitched(g.cpu(), true);
    v.monitor().exception(g.cpu(), GuestFault.NM, 0, 0);
    assertFalse(v.state.taskSwitched);
    assertEquals(0, g.cpu().get64(CR0) & 8);
  }

  @Test
  void aWaitingEventIsDeliveredOnTheWayBack() {
    v.markEventsPending();
    v.monitor().exception(g.cpu(), GuestFault.UD, 0, 0);
    assertEquals(FakeGuest.HANDLER + 0x400, g.cpu().rip());
    assertTrue(v.upcallMask());
    long at = g.cpu().get64(RSP);
    assertEquals(FakeGuest.HANDLER + 6 * 16, g.read64(at + 16), "nested on the exception's entry");
  }

  @Test
  void aMaskedEventWaits() {
    v.setUpcallMask(true);
    v.markEventsPending();
    v.monitor().exception(g.cpu(), GuestFault.UD, 0, 0);
    assertEquals(FakeGuest.HANDLER + 6 * 16, g.cpu().rip());
  }

  @Test
  void anNmiIsMaskedUntilItsIret() {
    v.state.nmiPending = true;
    v.traps().exitToGuest();
    assertEquals(FakeGuest.HANDLER + 2 * 16, g.cpu().rip());
    v.state.nmiPending = true;
    v.traps().exitToGuest();
    assertEquals(FakeGuest.HANDLER + 2 * 16, g.cpu().rip());
    assertTrue(v.state.nmiPending);
    frame(0, FakeGuest.CODE, 0xe030, Rflags.IF, FakeGuest.STACK_TOP, 0xe02b);
    v.traps().iret(v, 0, 0, 0, 0, 0);
    v.traps().exitToGuest();
    assertFalse(v.state.nmiPending);
  }

  @Test
  void aSystemCallOfTheUserEntersTheRegisteredCallback() {
    enterUser();
    g.cpu().rflags(Rflags.IF | Rflags.DF);
    v.state.syscallMasksEvents = true;
    v.monitor().syscall(g.cpu());
    assertEquals(FakeGuest.HANDLER + 0x500, g.cpu().rip());
    long at = g.cpu().get64(RSP);
    assertEquals(FakeGuest.USER_CODE, g.read64(at), "rcx");
    assertEquals(FakeGuest.USER_CODE, g.read64(at + 16));
    assertEquals(0xe033, g.read64(at + 24));
    assertTrue(v.upcallMask());
    assertEquals(0, g.cpu().rflags() & Rflags.DF);
  }

  @Test
  void aSystemCallWithoutCallbackIsAnInvalidOpcode() {
    enterUser();
    v.state.syscallCallback = 0;
    g.cpu().rip(FakeGuest.USER_CODE + 2);
    v.monitor().syscall(g.cpu());
    assertEquals(FakeGuest.HANDLER + 6 * 16, g.cpu().rip());
    assertEquals(FakeGuest.USER_CODE, g.read64(g.cpu().get64(RSP) + 16));
  }

  @Test
  void softwareInterruptsNeedAGateForTheirMode() {
    enterUser();
    v.state.trapAddress[0x80] = FakeGuest.HANDLER + 0x800;
    v.state.trapFlags[0x80] = 3;
    v.monitor().softwareInterrupt(g.cpu(), 0x80, 2);
    assertEquals(FakeGuest.HANDLER + 0x800, g.cpu().rip());
    enterUser();
    v.state.trapFlags[0x80] = 1;
    g.cpu().rip(FakeGuest.USER_CODE + 2);
    v.monitor().softwareInterrupt(g.cpu(), 0x80, 2);
    assertEquals(FakeGuest.HANDLER + 13 * 16, g.cpu().rip());
    assertEquals(0x80 << 3 | 2, g.read64(g.cpu().get64(RSP) + 16));
    assertEquals(FakeGuest.USER_CODE, g.read64(g.cpu().get64(RSP) + 24), "at the instruction");
    v.monitor().softwareInterrupt(g.cpu(), 0x80, 2);
    assertEquals(FakeGuest.HANDLER + 0x800, g.cpu().rip(), "the kernel counts as ring 1");
  }

  @Test
  void aBreakpointArrivesWhateverItsGateSays() {
    enterUser();
    v.state.trapFlags[3] = 0;
    v.monitor().softwareInterrupt(g.cpu(), 3, 1);
    assertEquals(FakeGuest.HANDLER + 3 * 16, g.cpu().rip());
  }

  @ParameterizedTest
  @ValueSource(
      longs = {
        FakeGuest.UNMAPPED + 0x800,
        FakeGuest.READ_ONLY + 0x800,
        0xffff_8000_0000_1000L,
        0x0000_8000_0000_1000L,
        0xffff_8800_0000_0000L
      })
  void aBadKernelStackEndsTheDomain(long sp) {
    g.cpu().put64(RSP, sp);
    g.cpu().rip(FakeGuest.CODE);
    g.write(FakeGuest.CODE, 0x0f, 0x0b);
    g.hypervisor.scheduler().step();
    assertEquals(ShutdownReason.CRASH, g.domain.shutdownReason());
  }

  // --- iret ---

  private void frame(long flags, long rip, long cs, long rflags, long rsp, long ss) {
    long at = FakeGuest.STACK_TOP - 0x200;
    long[] words = {0xaaaa, 0xbbbb, 0xcccc, flags, rip, cs, rflags, rsp, ss};
    for (int i = 0; i < words.length; i++) {
      g.write64(at + i * 8L, words[i]);
    }
    g.cpu().put64(RSP, at);
  }

  private long iret() {
    return v.traps().iret(v, 0, 0, 0, 0, 0);
  }

  @Test
  void iretToTheKernelRestoresRegistersAndMask() {
    frame(0, 0x5000, 0xe030, Rflags.ZF, 0x6000, 0xe02b);
    assertEquals(0xaaaa, iret());
    assertTrue(v.state.kernelMode);
    assertEquals(0x5000, g.cpu().rip());
    assertEquals(0x6000, g.cpu().get64(RSP));
    assertEquals(0xbbbb, g.cpu().get64(R11));
    assertEquals(0xcccc, g.cpu().get64(RCX));
    assertEquals(Rflags.ZF | Rflags.IF | 2, g.cpu().rflags(), "the real IF is always set");
    assertTrue(v.upcallMask(), "the virtual one is the mask");
  }

  @Test
  void iretWithAnEventWaitingLetsTheKernelRunOneInstructionFirst() {
    g.write(FakeGuest.CODE, 0x48, 0xff, 0xc3, 0x48, 0xff, 0xc3); // inc rbx; inc rbx
    g.write(FakeGuest.HANDLER + 0x400, 0xeb, 0xfe); // jmp to itself
    frame(0, FakeGuest.CODE, 0xe030, Rflags.IF, FakeGuest.STACK_TOP, 0xe02b);
    g.cpu().put64(RBX, 0);
    v.markEventsPending();
    iret();
    v.traps().exitToGuest();
    assertEquals(FakeGuest.CODE, g.cpu().rip(), "not at once");
    g.step();
    assertEquals(1, g.cpu().get64(RBX));
    assertEquals(FakeGuest.HANDLER + 0x400, g.cpu().rip());
    assertEquals(FakeGuest.CODE + 3, g.read64(g.cpu().get64(RSP) + 16), "the upcall's frame");
  }

  @Test
  void iretToUserModeTakesTheUsersTables() {
    frame(0, 0x5000, 0xe033, Rflags.IF, 0x6000, 0xe02b);
    v.setUserCr3(0x7000);
    iret();
    assertFalse(v.state.kernelMode);
    assertEquals(0x7000, g.cpu().get64(CR3));
    assertFalse(v.upcallMask());
  }

  @Test
  void iretFromASystemCallLeavesRcxAndR11AsSysretDoes() {
    frame(0x100, 0x5000, 0x33, Rflags.IF | Rflags.CF, 0x6000, 0x2b);
    iret();
    assertEquals(0x5000, g.cpu().get64(RCX));
    assertEquals(Rflags.IF | Rflags.CF, g.cpu().get64(R11));
    assertEquals(0xe033, g.cpu().get64(SEG_SELECTOR + CS * 8), "and the selectors are flat");
  }

  @Test
  void iretNeverGivesIoplOrVirtual8086Mode() {
    frame(0, 0x5000, 0xe030, Rflags.IOPL | Rflags.VM | Rflags.IF, 0x6000, 0xe02b);
    iret();
    assertEquals(0, g.cpu().rflags() & (Rflags.IOPL | Rflags.VM));
    assertEquals(3, g.cpu().cpl());
  }

  @ParameterizedTest
  @ValueSource(longs = {0x1000b, 0x43, 0xe043, 0xffff, 0xf, 3})
  void iretToACodeSelectorThatIsNoneFaultsInTheNewContext(long cs) {
    v.state.ldtEntries = 0;
    frame(0, 0x5000, cs, Rflags.IF, 0x6000, 0xe02b);
    iret();
    assertEquals(FakeGuest.HANDLER + 13 * 16, g.cpu().rip());
    long at = g.cpu().get64(RSP);
    assertEquals(cs & 0xfffc, g.read64(at + 16));
    assertEquals(0x5000, g.read64(at + 24));
    assertEquals(cs & 0xffff, g.read64(at + 32) & 0xffff);
    assertEquals(0x6000, g.read64(at + 48));
    assertTrue(v.state.kernelMode);
  }

  @Test
  void iretToANonCanonicalAddressFaults() {
    frame(0, 1L << 47, 0xe033, Rflags.IF, 0x6000, 0xe02b);
    iret();
    assertEquals(FakeGuest.HANDLER + 13 * 16, g.cpu().rip());
    assertEquals(0, g.read64(g.cpu().get64(RSP) + 16));
  }

  @Test
  void iretToAStackThatIsCodeFaults() {
    frame(0, 0x5000, 0xe033, Rflags.IF, 0x6000, 0xe033);
    iret();
    assertEquals(FakeGuest.HANDLER + 13 * 16, g.cpu().rip());
    assertEquals(0xe030, g.read64(g.cpu().get64(RSP) + 16));
  }

  @Test
  void iretWithoutAFrameOrWithoutUserTablesEndsTheDomain() {
    g.cpu().put64(RSP, FakeGuest.UNMAPPED);
    assertCrashes();
    frame(0, 0x5000, 0xe033, 0, 0x6000, 0xe02b);
    v.setUserCr3(0);
    assertCrashes();
  }

  private void assertCrashes() {
    String message = null;
    try {
      iret();
    } catch (DomainCrash e) {
      message = e.getMessage();
    }
    assertTrue(message != null && message.startsWith("iret"), message);
  }

  // --- failsafe ---

  @Test
  void aSelectorThatCannotBeLoadedBecomesNullAndEntersTheFailsafeCallback() {
    v.state.failsafeCallback = FakeGuest.HANDLER + 0x600;
    v.state.failsafeMasksEvents = true;
    g.cpu().rip(0x5000);
    long sp = g.cpu().get64(RSP);
    v.traps().loadDataSegments(0xe02b, 0xe02b, 0x1003, 0, 0x10, 0x20);
    assertEquals(FakeGuest.HANDLER + 0x600, g.cpu().rip());
    assertEquals(0, g.cpu().get64(SEG_SELECTOR + FS * 8));
    assertEquals(0x10, g.cpu().get64(FS_BASE));
    assertEquals(0x20, g.cpu().get64(GS_BASE));
    long at = (sp & -16L) - 88;
    assertEquals(at, g.cpu().get64(RSP));
    assertEquals(0xe02b, g.read64(at + 16), "ds");
    assertEquals(0x1003, g.read64(at + 32), "fs as it was wanted");
    assertEquals(0x5000, g.read64(at + 48));
    assertTrue(v.upcallMask());
  }

  @Test
  void goodSelectorsDoNotEnterIt() {
    g.cpu().rip(0x5000);
    v.traps().loadDataSegments(0, 0xe02b, 3, 0, 1, 2);
    assertEquals(0x5000, g.cpu().rip());
    assertNull(g.domain.shutdownReason());
  }
}
