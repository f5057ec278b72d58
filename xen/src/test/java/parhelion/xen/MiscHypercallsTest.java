package parhelion.xen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static parhelion.cpu.CpuState.*;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import parhelion.abi.CallbackArgs.CallbackRegister;
import parhelion.abi.CallbackType;
import parhelion.abi.Errno;
import parhelion.abi.Hypercall;
import parhelion.abi.MulticallEntry;
import parhelion.abi.PhysdevOp;
import parhelion.abi.TrapInfo;
import parhelion.abi.VmAssist;
import parhelion.abi.XenVersionOp;

/** The hypercalls that have no family of their own, multicall, and the roster. */
final class MiscHypercallsTest {
  private final FakeGuest g = new FakeGuest();
  private final Vcpu v = g.vcpu();

  @AfterEach
  void close() {
    g.close();
  }

  // --- roster ---

  @ParameterizedTest
  @EnumSource(
      value = Hypercall.class,
      names = {
        "ARGO_OP",
        "XENPMU_OP",
        "HVM_OP",
        "TMEM_OP",
        "XSM_OP",
        "KEXEC_OP",
        "DM_OP",
        "HYPFS_OP",
        "XENOPROF_OP",
        "SCHED_OP_COMPAT",
        "EVENT_CHANNEL_OP_COMPAT",
        "PHYSDEV_OP_COMPAT"
      })
  void whatIsNotOfferedIsENOSYS(Hypercall call) {
    assertEquals(Errno.ENOSYS.result(), g.call(call, 0, FakeGuest.ARGS));
  }

  @ParameterizedTest
  @ValueSource(longs = {11, 47, 56, 64, 0xffff_ffffL, -1, Long.MIN_VALUE})
  void numbersThatAreNoneAreENOSYS(long nr) {
    assertEquals(Errno.ENOSYS.result(), g.hypervisor.hypercalls().call(v, nr, 0, 0, 0, 0, 0));
  }

  @Test
  void callsAreCountedAndTold() {
    StringBuilder told = new StringBuilder();
    g.hypervisor
        .hypercalls()
        .setListener((who, nr, a1, a2, a3, a4, r) -> told.append(who + " " + nr + " " + r + ";"));
    g.call(Hypercall.XEN_VERSION, 0);
    g.call(Hypercall.XEN_VERSION, 99);
    HypercallStats stats = g.hypervisor.hypercalls().stats();
    assertEquals(2, stats.count(17));
    assertEquals(1, stats.subOpCount(17, 0));
    assertEquals(1, stats.subOpCount(17, 63), "beyond the last counter");
    assertTrue(stats.hostNanos(17) > 0);
    assertEquals(stats.hostNanos(17), stats.subOpHostNanos(17, 0) + stats.subOpHostNanos(17, 63));
    assertEquals(0, stats.subOpHostNanos(17, 1));
    assertEquals(0, stats.subOpHostNanos(12, 0));
    assertEquals("d1v0 17 262161;d1v0 17 -38;", told.toString());
  }

  // --- multicall ---

  private void entry(long list, int i, long op, long... args) {
    long at = list + i * 64L;
    MulticallEntry.OP.put(g.bytes(), at, op);
    MulticallEntry.RESULT.put(g.bytes(), at, 0x5555);
    for (int a = 0; a < args.length; a++) {
      g.bytes().putLong(at + 16 + a * 8L, args[a]);
    }
  }

  private long result(long list, int i) {
    return MulticallEntry.RESULT.get(g.bytes(), list + i * 64L);
  }

  @Test
  void aMulticallDoesAllItsEntriesAndGivesEachItsResult() {
    long list = g.room(3 * 64);
    entry(list, 0, 17, 0);
    entry(list, 1, 60);
    entry(list, 2, 25, 0, 0x1234);
    assertEquals(0, g.call(Hypercall.MULTICALL, list, 3));
    assertEquals(4 << 16 | 17, result(list, 0));
    assertEquals(Errno.ENOSYS.result(), result(list, 1));
    assertEquals(0, result(list, 2));
    assertEquals(0x1234, g.cpu().get64(FS_BASE));
  }

  @Test
  void whatAMulticallListsIsNoEntryOfItsOwn() {
    HypercallStats stats = g.hypervisor.hypercalls().stats();
    int version = Hypercall.XEN_VERSION.nr();
    int multicall = Hypercall.MULTICALL.nr();
    long before = stats.count(version);
    long list = g.room(2 * 64);
    entry(list, 0, version, 0);
    entry(list, 1, version, 0);
    assertEquals(0, g.call(Hypercall.MULTICALL, list, 2));
    assertEquals(before + 2, stats.count(version));
    assertEquals(before, stats.entries(version));
    assertEquals(1, stats.entries(multicall));
    assertEquals(stats.hostNanos(multicall), stats.entryHostNanos(multicall));
    g.call(Hypercall.XEN_VERSION, 0, 0);
    assertEquals(before + 1, stats.entries(version));
  }

  @Test
  void multicallsDoNotNest() {
    long list = g.room(64);
    entry(list, 0, 13, list, 1);
    assertEquals(0, g.call(Hypercall.MULTICALL, list, 1));
    assertEquals(Errno.EINVAL.result(), result(list, 0));
    assertEquals(0, g.call(Hypercall.MULTICALL, list, 1), "and the next one works");
  }

  @Test
  void aMulticallListMustBeTheGuests() {
    assertEquals(Errno.EFAULT.result(), g.call(Hypercall.MULTICALL, FakeGuest.UNMAPPED, 1));
    assertEquals(Errno.EFAULT.result(), g.call(Hypercall.MULTICALL, FakeGuest.ARGS, 0xffff_ffffL));
    assertEquals(Errno.EFAULT.result(), g.call(Hypercall.MULTICALL, 0xffff_8000_0000_0000L, 1));
    assertEquals(Errno.EFAULT.result(), g.call(Hypercall.MULTICALL, FakeGuest.READ_ONLY, 1));
    assertEquals(0, g.call(Hypercall.MULTICALL, 0, 0));
  }

  @Test
  void anInterruptedMulticallGoesOnWhereItWas() {
    long list = g.room(2 * 64);
    entry(list, 0, 17, 0);
    entry(list, 1, 25, 0, 0x4321);
    g.cpu().requestAttention();
    boolean thrown = false;
    try {
      g.call(Hypercall.MULTICALL, list, 2);
    } catch (HypercallContinuation c) {
      thrown = true;
    }
    assertTrue(thrown);
    assertEquals(list + 64, v.continuation[0]);
    assertEquals(1, v.continuation[1]);
    assertEquals(4 << 16 | 17, result(list, 0));
    g.cpu().clearAttention();
    assertEquals(0, g.call(Hypercall.MULTICALL, v.continuation[0], v.continuation[1]));
    assertEquals(0x4321, g.cpu().get64(FS_BASE));
  }

  @Test
  void aContinuedHypercallReexecutesItsInstruction() {
    g.write(FakeGuest.CODE, 0x0f, 0x05);
    g.cpu().rip(FakeGuest.CODE + 2);
    g.cpu().put64(RAX, 18);
    g.cpu().put64(RDI, 0);
    g.cpu().put64(RSI, 1000);
    g.cpu().put64(RDX, FakeGuest.BASE);
    g.cpu().requestAttention();
    v.monitor().syscall(g.cpu());
    assertEquals(FakeGuest.CODE, g.cpu().rip());
    assertEquals(18, g.cpu().get64(RAX));
    assertEquals(1000 - 128, g.cpu().get64(RSI));
    assertEquals(FakeGuest.BASE + 128, g.cpu().get64(RDX));
  }

  // --- xen_version ---

  private long version(XenVersionOp op, long arg) {
    return g.call(Hypercall.XEN_VERSION, op.nr(), arg);
  }

  @Test
  void stringsArePaddedToTheirWholeBuffer() {
    long at = g.room(1100);
    for (int i = 0; i < 1100; i += 8) {
      g.write64(at + i, -1L);
    }
    assertEquals(0, version(XenVersionOp.CAPABILITIES, at));
    assertTrue(g.text(at).contains("xen-3.0-x86_64"));
    assertEquals(0, g.read64(at + 1016));
    assertEquals(-1L, g.read64(at + 1024));
    assertEquals(0, version(XenVersionOp.EXTRAVERSION, at));
    assertEquals(0, g.bytes().getByte(at + 15));
    assertEquals(0, version(XenVersionOp.CHANGESET, at));
    assertEquals(0, version(XenVersionOp.COMPILE_INFO, at));
    assertEquals(0, version(XenVersionOp.COMMANDLINE, at));
    assertEquals("<denied>", g.text(at));
  }

  @Test
  void theFeaturesAreThoseOfAParavirtualGuest() {
    long at = g.room(8);
    assertEquals(0, version(XenVersionOp.GET_FEATURES, at));
    int map = g.bytes().getInt(at + 4);
    assertEquals(0xe0, map & 0xff & ~0x10, "5, 6 and 7, not 0 and 2");
    assertEquals(0, map & 1 << 4);
    g.domain.vmAssist = 1 << 3;
    version(XenVersionOp.GET_FEATURES, at);
    assertEquals(1 << 4, g.bytes().getInt(at + 4) & 1 << 4);
    g.bytes().putInt(at, 1);
    assertEquals(Errno.EINVAL.result(), version(XenVersionOp.GET_FEATURES, at));
  }

  @Test
  void theRestOfXenVersion() {
    long at = g.room(16);
    assertEquals(4096, version(XenVersionOp.PAGESIZE, 0));
    assertEquals(Errno.EINVAL.result(), version(XenVersionOp.PAGESIZE, at));
    assertEquals(0, version(XenVersionOp.PLATFORM_PARAMETERS, at));
    assertEquals(0xffff_8000_0000_0000L, g.read64(at));
    assertEquals(0, version(XenVersionOp.GUEST_HANDLE, at));
    assertEquals(Errno.EPERM.result(), version(XenVersionOp.BUILD_ID, at));
    assertEquals(Errno.ENOSYS.result(), version(XenVersionOp.EXTRAVERSION2, at));
    assertEquals(Errno.EFAULT.result(), version(XenVersionOp.EXTRAVERSION, FakeGuest.READ_ONLY));
    assertEquals(Errno.EFAULT.result(), version(XenVersionOp.COMPILE_INFO, FakeGuest.UNMAPPED - 8));
  }

  // --- console_io, vm_assist ---

  @Test
  void debugOutputComesByLinesWithoutWhatIsNotPrintable() {
    long s = g.string("hello\u0007 world\r\nsecond");
    assertEquals(0, g.call(Hypercall.CONSOLE_IO, 0, 21, s));
    assertEquals(List.of("hello world"), g.lines);
    assertEquals(0, g.call(Hypercall.CONSOLE_IO, 0, 1, g.string("\n")));
    assertEquals(List.of("hello world", "second"), g.lines);
    assertEquals(Errno.EFAULT.result(), g.call(Hypercall.CONSOLE_IO, 0, 10, FakeGuest.UNMAPPED));
    assertEquals(Errno.EPERM.result(), g.call(Hypercall.CONSOLE_IO, 1, 10, s));
    assertEquals(Errno.EPERM.result(), g.call(Hypercall.CONSOLE_IO, 2, 10, s));
  }

  @Test
  void aLineWithoutEndIsNotKeptForever() {
    for (int i = 0; i < 100; i++) {
      g.write(FakeGuest.BASE + i, 'x');
    }
    for (int i = 0; i < 50; i++) {
      g.call(Hypercall.CONSOLE_IO, 0, 100, FakeGuest.BASE);
    }
    assertEquals(4, g.lines.size());
    assertEquals(1024, g.lines.getFirst().length());
  }

  @Test
  void assistsAreTurnedOnAndOff() {
    assertEquals(0, g.call(Hypercall.VM_ASSIST, 0, VmAssist.WRITABLE_PAGETABLES.nr()));
    assertEquals(4, g.domain.vmAssist);
    assertEquals(0, g.call(Hypercall.VM_ASSIST, 1, 2));
    assertEquals(0, g.domain.vmAssist);
    assertEquals(Errno.EINVAL.result(), g.call(Hypercall.VM_ASSIST, 0, 6));
    assertEquals(Errno.EINVAL.result(), g.call(Hypercall.VM_ASSIST, 0, 64));
    assertEquals(Errno.EINVAL.result(), g.call(Hypercall.VM_ASSIST, 0, 0xffff_ffffL));
    assertEquals(Errno.ENOSYS.result(), g.call(Hypercall.VM_ASSIST, 2, 2));
  }

  // --- traps and callbacks ---

  @Test
  void aTrapTableIsReadToItsEnd() {
    long at = g.room(3 * 16);
    TrapInfo.VECTOR.put(g.bytes(), at, 14);
    TrapInfo.FLAGS.put(g.bytes(), at, 7);
    TrapInfo.ADDRESS.put(g.bytes(), at, 0x1000);
    TrapInfo.VECTOR.put(g.bytes(), at + 16, 200);
    TrapInfo.ADDRESS.put(g.bytes(), at + 16, -4096L);
    assertEquals(0, g.call(Hypercall.SET_TRAP_TABLE, at));
    assertEquals(0x1000, v.state.trapAddress[14]);
    assertEquals(-4096L, v.state.trapAddress[200]);
    TrapInfo.ADDRESS.put(g.bytes(), at + 16, 1L << 47);
    TrapInfo.ADDRESS.put(g.bytes(), at, 0x2000);
    assertEquals(Errno.EINVAL.result(), g.call(Hypercall.SET_TRAP_TABLE, at));
    assertEquals(0x2000, v.state.trapAddress[14], "what came before stays");
    assertEquals(0, g.call(Hypercall.SET_TRAP_TABLE, 0));
    assertEquals(0, v.state.trapAddress[14]);
    assertEquals(Errno.EFAULT.result(), g.call(Hypercall.SET_TRAP_TABLE, FakeGuest.UNMAPPED));
  }

  private long register(long type, long flags, long address) {
    long at = g.room(CallbackRegister.STRUCT);
    CallbackRegister.TYPE.put(g.bytes(), at, (int) type);
    CallbackRegister.FLAGS.put(g.bytes(), at, (int) flags);
    CallbackRegister.ADDRESS.put(g.bytes(), at, address);
    return g.call(Hypercall.CALLBACK_OP, 0, at);
  }

  @Test
  void everyCallbackTypeIsRegistered() {
    assertEquals(0, register(CallbackType.EVENT.nr(), 0, 0x1000));
    assertEquals(0, register(CallbackType.FAILSAFE.nr(), 1, 0x2000));
    assertEquals(0, register(CallbackType.SYSCALL.nr(), 1, 0x3000));
    assertEquals(0, register(CallbackType.SYSCALL32.nr(), 1, 0x4000));
    assertEquals(0, register(CallbackType.SYSENTER.nr(), 1, 0x5000));
    assertEquals(0, register(CallbackType.NMI.nr(), 0, 0x6000));
    assertEquals(0x1000, v.state.eventCallback);
    assertTrue(v.state.failsafeMasksEvents && v.state.syscallMasksEvents);
    assertEquals(0x4000, v.state.syscall32Callback);
    assertEquals(0x5000, v.state.sysenterCallback);
    assertEquals(0x6000, v.state.trapAddress[2]);
    assertEquals(Errno.ENOSYS.result(), register(3, 0, 0x1000));
    assertEquals(Errno.ENOSYS.result(), register(99, 0, 0x1000));
    assertEquals(Errno.EINVAL.result(), register(0, 0, 1L << 47));
    assertEquals(Errno.ENOSYS.result(), g.call(Hypercall.CALLBACK_OP, 2, FakeGuest.ARGS));
  }

  @Test
  void onlyTheNmiCallbackCanGo() {
    long at = g.room(4);
    g.bytes().putShort(at, (short) CallbackType.NMI.nr());
    v.state.trapAddress[2] = 5;
    assertEquals(0, g.call(Hypercall.CALLBACK_OP, 1, at));
    assertEquals(0, v.state.trapAddress[2]);
    g.bytes().putShort(at, (short) CallbackType.EVENT.nr());
    assertEquals(Errno.EINVAL.result(), g.call(Hypercall.CALLBACK_OP, 1, at));
    g.bytes().putShort(at, (short) 44);
    assertEquals(Errno.ENOSYS.result(), g.call(Hypercall.CALLBACK_OP, 1, at));
  }

  @Test
  void setCallbacksTakesThreeAddresses() {
    assertEquals(0, g.call(Hypercall.SET_CALLBACKS, 0x1000, 0x2000, 1L << 47));
    assertEquals(0x1000, v.state.eventCallback);
    assertEquals(0x2000, v.state.failsafeCallback);
    assertEquals(0, v.state.syscallCallback);
  }

  @Test
  void nmiOpRegistersAndUnregisters() {
    long at = g.room(16);
    g.bytes().putLong(at, 0x9000);
    assertEquals(0, g.call(Hypercall.NMI_OP, 0, at));
    assertEquals(0x9000, v.state.trapAddress[2]);
    assertEquals(4, v.state.trapFlags[2]);
    assertEquals(0, g.call(Hypercall.NMI_OP, 1, 0));
    assertEquals(0, v.state.trapAddress[2]);
    assertEquals(Errno.ENOSYS.result(), g.call(Hypercall.NMI_OP, 2, 0));
  }

  @Test
  void stackSwitchForcesRing3() {
    assertEquals(0, g.call(Hypercall.STACK_SWITCH, 0xe028, 0x7000));
    assertEquals(0xe02b, v.state.kernelSs);
    assertEquals(0x7000, v.state.kernelSp);
  }

  // --- the processor's state ---

  @Test
  void segmentBasesAreSetAndChecked() {
    assertEquals(0, g.call(Hypercall.SET_SEGMENT_BASE, 0, 0x10));
    assertEquals(0, g.call(Hypercall.SET_SEGMENT_BASE, 1, 0x20));
    assertEquals(0, g.call(Hypercall.SET_SEGMENT_BASE, 2, 0x30));
    assertEquals(0x10, g.cpu().get64(FS_BASE));
    assertEquals(0x20, g.cpu().get64(KERNEL_GS_BASE));
    assertEquals(0x30, g.cpu().get64(GS_BASE));
    for (int which = 0; which < 3; which++) {
      assertEquals(Errno.EINVAL.result(), g.call(Hypercall.SET_SEGMENT_BASE, which, 1L << 47));
    }
    assertEquals(0, g.call(Hypercall.SET_SEGMENT_BASE, 3, 0xe02b));
    assertEquals(0xe02b, g.cpu().get64(SEG_SELECTOR + GS * 8));
    assertEquals(0, g.cpu().get64(KERNEL_GS_BASE), "the base of the descriptor");
    assertEquals(0x30, g.cpu().get64(GS_BASE));
    assertEquals(0, g.call(Hypercall.SET_SEGMENT_BASE, 3, 0x1003), "never fails");
    assertEquals(0, g.cpu().get64(SEG_SELECTOR + GS * 8));
    assertEquals(Errno.EINVAL.result(), g.call(Hypercall.SET_SEGMENT_BASE, 4, 0));
  }

  @Test
  void theFpuIsSwitchedOffAndOn() {
    assertEquals(0, g.call(Hypercall.FPU_TASKSWITCH, 1));
    assertEquals(8, g.cpu().get64(CR0) & 8);
    assertEquals(0, g.call(Hypercall.FPU_TASKSWITCH, 0));
    assertEquals(0, g.cpu().get64(CR0) & 8);
  }

  @Test
  void debugRegistersComeBack() {
    assertEquals(0, g.call(Hypercall.SET_DEBUGREG, 1, 0x5000));
    assertEquals(0x5000, g.call(Hypercall.GET_DEBUGREG, 1));
    assertEquals(0, g.call(Hypercall.SET_DEBUGREG, 7, 0xd802));
    assertEquals(0x402, g.call(Hypercall.GET_DEBUGREG, 7));
    assertEquals(0x402, g.call(Hypercall.GET_DEBUGREG, 5), "without CR4.DE 5 is 7");
    assertEquals(Errno.EPERM.result(), g.call(Hypercall.SET_DEBUGREG, 0, -1L << 47));
    assertEquals(Errno.EINVAL.result(), g.call(Hypercall.SET_DEBUGREG, 6, 1L << 32));
    assertEquals(Errno.EPERM.result(), g.call(Hypercall.SET_DEBUGREG, 7, 1 << 13));
    assertEquals(Errno.EPERM.result(), g.call(Hypercall.SET_DEBUGREG, 7, 2 << 16 | 1));
    assertEquals(Errno.ENODEV.result(), g.call(Hypercall.SET_DEBUGREG, 8, 0));
    assertEquals(Errno.ENODEV.result(), g.call(Hypercall.GET_DEBUGREG, -1));
    v.monitor().setCr4(XenCpuid.CR4_DE);
    assertEquals(Errno.ENODEV.result(), g.call(Hypercall.SET_DEBUGREG, 5, 0));
  }

  // --- descriptors ---

  private static final long CODE64 = 0x00af_9a00_0000_ffffL;

  @Test
  void aGdtOfTheGuestIsUsed() {
    long list = g.room(16);
    g.bytes().putLong(list, g.mfns[20]);
    long va = FakeGuest.BASE + 20 * 4096;
    g.write64(va + 0x10, 0x00cf_f200_1234_ffffL);
    assertEquals(Errno.EINVAL.result(), g.call(Hypercall.SET_GDT, list, 512), "still writable");
    assertEquals(0, g.call(Hypercall.UPDATE_VA_MAPPING, va, g.mfns[20] << 12 | 5, 2));
    assertEquals(0, g.call(Hypercall.SET_GDT, list, 512));
    assertEquals(0, g.call(Hypercall.SET_SEGMENT_BASE, 3, 0x13));
    assertEquals(0x1234, g.cpu().get64(KERNEL_GS_BASE));
    assertEquals(0, g.call(Hypercall.UPDATE_DESCRIPTOR, (g.mfns[20] << 12) + 0x18, CODE64));
    assertEquals(CODE64 | 3L << 45, g.read64(FakeGuest.BASE + 20 * 4096 + 0x18), "DPL 3");
  }

  @Test
  void aGdtIsMadeOfTheDomainsFrames() {
    long list = g.room(16);
    assertEquals(Errno.EINVAL.result(), g.call(Hypercall.SET_GDT, list, 1), "frame 0");
    g.bytes().putLong(list, g.memory.frames() + 1);
    assertEquals(Errno.EINVAL.result(), g.call(Hypercall.SET_GDT, list, 1));
    assertEquals(Errno.EINVAL.result(), g.call(Hypercall.SET_GDT, list, 0x1c01));
    assertEquals(Errno.EINVAL.result(), g.call(Hypercall.SET_GDT, list, 0xffff_ffffL));
    assertEquals(Errno.EFAULT.result(), g.call(Hypercall.SET_GDT, FakeGuest.UNMAPPED, 1));
    assertEquals(0, g.call(Hypercall.SET_GDT, 0, 0));
  }

  @Test
  void descriptorsThatWouldGivePrivilegeAreRefused() {
    long pa = g.mfns[21] << 12;
    assertEquals(Errno.EINVAL.result(), g.call(Hypercall.UPDATE_DESCRIPTOR, pa + 4, 0));
    assertEquals(
        Errno.EINVAL.result(), g.call(Hypercall.UPDATE_DESCRIPTOR, 1 << 12, 0), "not ours");
    assertEquals(Errno.EINVAL.result(), g.call(Hypercall.UPDATE_DESCRIPTOR, -8L, 0));
    for (int type : new int[] {2, 5, 6, 7, 9, 11, 14, 15}) {
      long descriptor = (0x80L | type) << 40;
      assertEquals(
          Errno.EINVAL.result(),
          g.call(Hypercall.UPDATE_DESCRIPTOR, pa, descriptor),
          "system type " + type);
    }
    assertEquals(0, g.call(Hypercall.UPDATE_DESCRIPTOR, pa, 0x0b00L << 32), "not present");
  }

  // --- physdev_op and what is not for guests ---

  @Test
  void ioPrivilegesAreTheGuestsOwn() {
    long at = g.room(16);
    g.bytes().putInt(at, 1);
    assertEquals(0, g.call(Hypercall.PHYSDEV_OP, PhysdevOp.SET_IOPL.nr(), at));
    assertEquals(1, v.state.iopl);
    g.bytes().putInt(at, 4);
    assertEquals(Errno.EINVAL.result(), g.call(Hypercall.PHYSDEV_OP, 6, at));
    g.bytes().putLong(at, FakeGuest.ARGS);
    g.bytes().putInt(at + 8, 65536);
    assertEquals(0, g.call(Hypercall.PHYSDEV_OP, 7, at));
    g.bytes().putInt(at + 8, 65537);
    assertEquals(Errno.EINVAL.result(), g.call(Hypercall.PHYSDEV_OP, 7, at));
    g.bytes().putLong(at, 0xffff_8000_0000_0000L);
    g.bytes().putInt(at + 8, 8);
    assertEquals(Errno.EINVAL.result(), g.call(Hypercall.PHYSDEV_OP, 7, at));
  }

  @ParameterizedTest
  @EnumSource(PhysdevOp.class)
  void everyPhysdevOpAnswers(PhysdevOp op) {
    long result = g.call(Hypercall.PHYSDEV_OP, op.nr(), g.room(64));
    assertTrue(result <= 0 && result > -200, op + " " + result);
    assertNotNull(g.hypervisor.hypercalls().row(33));
  }

  @Test
  void controlInterfacesAreClosed() {
    long at = g.room(64);
    assertEquals(Errno.EACCES.result(), g.call(Hypercall.DOMCTL, at));
    g.bytes().putInt(at + 4, 0x15);
    assertEquals(Errno.EPERM.result(), g.call(Hypercall.DOMCTL, at));
    assertEquals(Errno.EPERM.result(), g.call(Hypercall.SYSCTL, at));
    assertEquals(Errno.EACCES.result(), g.call(Hypercall.PLATFORM_OP, at));
    g.bytes().putInt(at + 4, 0x0300_0001);
    assertEquals(Errno.EPERM.result(), g.call(Hypercall.PLATFORM_OP, at));
    assertEquals(Errno.EFAULT.result(), g.call(Hypercall.DOMCTL, FakeGuest.UNMAPPED));
    assertFalse(g.domain.isPrivileged());
  }
}
