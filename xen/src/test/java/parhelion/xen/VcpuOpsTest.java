package parhelion.xen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static parhelion.cpu.CpuState.*;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import parhelion.abi.CpuUserRegs;
import parhelion.abi.Errno;
import parhelion.abi.Field;
import parhelion.abi.Hypercall;
import parhelion.abi.Runstate;
import parhelion.abi.ShutdownReason;
import parhelion.abi.TrapInfo;
import parhelion.abi.VcpuArgs.VcpuRegisterVcpuInfo;
import parhelion.abi.VcpuGuestContext;
import parhelion.abi.VcpuOp;
import parhelion.abi.VcpuRunstateInfo;
import parhelion.abi.VcpuTimeInfo;
import parhelion.abi.Vgcf;

/** vcpu_op. */
final class VcpuOpsTest {
  private final FakeGuest g = new FakeGuest(2);
  private final Vcpu second = g.domain.vcpus().get(1);

  @AfterEach
  void close() {
    g.close();
  }

  private long op(VcpuOp op, long vcpu, long arg) {
    return g.call(Hypercall.VCPU_OP, op.nr(), vcpu, arg);
  }

  @ParameterizedTest
  @EnumSource(VcpuOp.class)
  void aVcpuThatThereIsNotIsENOENTForEverySubOp(VcpuOp op) {
    for (long id : new long[] {2, 32, 8191, 0x8000_0000L, 0xffff_ffffL}) {
      assertEquals(Errno.ENOENT.result(), op(op, id, FakeGuest.ARGS));
    }
  }

  @Test
  void unknownSubOpsAreENOSYS() {
    assertEquals(Errno.ENOSYS.result(), g.call(Hypercall.VCPU_OP, 16, 0, 0));
    assertEquals(Errno.ENOSYS.result(), g.call(Hypercall.VCPU_OP, 0xffff_ffffL, 0, 0));
    assertEquals(Errno.ENOSYS.result(), op(VcpuOp.REGISTER_RUNSTATE_PHYS_AREA, 0, 0));
  }

  // --- initialise ---

  private long context() {
    long at = g.room(VcpuGuestContext.STRUCT);
    var b = g.bytes();
    long regs = VcpuGuestContext.USER_REGS.at(at);
    VcpuGuestContext.FLAGS.put(b, at, Vgcf.IN_KERNEL);
    CpuUserRegs.RIP.put(b, regs, FakeGuest.CODE);
    CpuUserRegs.RSP.put(b, regs, FakeGuest.STACK_TOP);
    CpuUserRegs.CS.put(b, regs, 0xe033);
    CpuUserRegs.SS.put(b, regs, 0xe02b);
    CpuUserRegs.RSI.put(b, regs, 0x1234);
    CpuUserRegs.RFLAGS.put(b, regs, 0x1200);
    VcpuGuestContext.KERNEL_SP.put(b, at, FakeGuest.STACK_TOP);
    VcpuGuestContext.KERNEL_SS.put(b, at, 0xe02b);
    VcpuGuestContext.SYSCALL_CALLBACK_EIP.put(b, at, FakeGuest.HANDLER);
    VcpuGuestContext.FS_BASE.put(b, at, 0x77);
    VcpuGuestContext.GS_BASE_KERNEL.put(b, at, 0x88);
    VcpuGuestContext.GS_BASE_USER.put(b, at, 0x99);
    b.putLong(VcpuGuestContext.CTRLREG.at(at, 3), validL4());
    return at;
  }

  /** A top-level table for the second vcpu: whatever the paging in use accepts. */
  private long validL4() {
    return g.emptyL4() << 12;
  }

  @Test
  void initialiseGivesAVcpuItsWholeState() {
    long at = context();
    assertEquals(0, op(VcpuOp.INITIALISE, 1, at));
    assertTrue(second.state.initialised);
    assertTrue(second.state.down, "it waits for up");
    assertEquals(FakeGuest.CODE, second.cpu().rip());
    assertEquals(0x1234, second.cpu().get64(RSI));
    assertEquals(0x77, second.cpu().get64(FS_BASE));
    assertEquals(0x88, second.cpu().get64(GS_BASE));
    assertEquals(0x99, second.cpu().get64(KERNEL_GS_BASE));
    assertEquals(1, second.state.iopl);
    assertEquals(0x202, second.cpu().rflags());
    assertEquals(FakeGuest.HANDLER, second.state.syscallCallback);
    assertEquals(Errno.EEXIST.result(), op(VcpuOp.INITIALISE, 1, at));
  }

  @Test
  void upNeedsInitialiseAndThenItRuns() {
    assertEquals(Errno.EINVAL.result(), op(VcpuOp.UP, 1, 0));
    assertEquals(0, op(VcpuOp.IS_UP, 1, 0));
    assertEquals(1, op(VcpuOp.IS_UP, 0, 0));
    assertEquals(0, op(VcpuOp.INITIALISE, 1, context()));
    assertEquals(0, op(VcpuOp.UP, 1, 0));
    assertEquals(1, op(VcpuOp.IS_UP, 1, 0));
    assertTrue(second.isRunnable());
    assertEquals(0, op(VcpuOp.DOWN, 1, 0));
    assertFalse(second.isRunnable());
    assertEquals(null, g.domain.shutdownReason());
    assertEquals(0, op(VcpuOp.DOWN, 0, 0));
    assertEquals(ShutdownReason.POWEROFF, g.domain.shutdownReason(), "the last one");
  }

  @ParameterizedTest
  @ValueSource(strings = {"KERNEL_SP", "FS_BASE", "GS_BASE_KERNEL", "GS_BASE_USER", "LDT_BASE"})
  void addressesMustBeCanonical(String name) throws Exception {
    long at = context();
    var field = (Field.U64) VcpuGuestContext.class.getField(name).get(null);
    field.put(g.bytes(), at, 1L << 47);
    assertEquals(Errno.EINVAL.result(), op(VcpuOp.INITIALISE, 1, at));
    assertFalse(second.state.initialised);
  }

  @Test
  void badContextsAreRefusedAndChangeNothing() {
    long at = context();
    var b = g.bytes();
    long trap = VcpuGuestContext.TRAP_CTXT.at(at, 14);
    TrapInfo.ADDRESS.put(b, trap, 1L << 60);
    assertEquals(Errno.EINVAL.result(), op(VcpuOp.INITIALISE, 1, at));
    TrapInfo.ADDRESS.put(b, trap, 0);
    VcpuGuestContext.GDT_ENTS.put(b, at, 0x1c01);
    assertEquals(Errno.EINVAL.result(), op(VcpuOp.INITIALISE, 1, at));
    VcpuGuestContext.GDT_ENTS.put(b, at, -1);
    assertEquals(Errno.EINVAL.result(), op(VcpuOp.INITIALISE, 1, at));
    VcpuGuestContext.GDT_ENTS.put(b, at, 1);
    assertEquals(Errno.EINVAL.result(), op(VcpuOp.INITIALISE, 1, at), "frame 0");
    VcpuGuestContext.GDT_ENTS.put(b, at, 0);
    VcpuGuestContext.LDT_ENTS.put(b, at, 8193);
    assertEquals(Errno.EINVAL.result(), op(VcpuOp.INITIALISE, 1, at));
    VcpuGuestContext.LDT_ENTS.put(b, at, 0);
    VcpuGuestContext.FLAGS.put(b, at, 0);
    assertEquals(Errno.EINVAL.result(), op(VcpuOp.INITIALISE, 1, at), "user without tables");
    VcpuGuestContext.FLAGS.put(b, at, Vgcf.IN_KERNEL);
    CpuUserRegs.RIP.put(b, VcpuGuestContext.USER_REGS.at(at), 1L << 47);
    assertEquals(Errno.EINVAL.result(), op(VcpuOp.INITIALISE, 1, at));
    assertEquals(Errno.EFAULT.result(), op(VcpuOp.INITIALISE, 1, FakeGuest.UNMAPPED - 8));
    assertFalse(second.state.initialised);
    assertEquals(0, second.state.gdtEntries);
  }

  // --- vcpu_info ---

  private long registerVcpuInfo(long vcpu, long mfn, long offset) {
    long arg = g.room(VcpuRegisterVcpuInfo.STRUCT);
    VcpuRegisterVcpuInfo.MFN.put(g.bytes(), arg, mfn);
    VcpuRegisterVcpuInfo.OFFSET.put(g.bytes(), arg, offset);
    return op(VcpuOp.REGISTER_VCPU_INFO, vcpu, arg);
  }

  @Test
  void vcpuInfoMovesOnceWithItsContentAndEverythingPending() {
    g.vcpu().traps().setCr2(0x4321);
    assertEquals(0, registerVcpuInfo(0, g.mfns[5], 0x840));
    long va = FakeGuest.BASE + 5 * 4096 + 0x840;
    assertEquals(1, g.read64(va) & 0xff, "upcall pending");
    assertEquals(1, g.read64(va) >> 8 & 0xff, "still masked");
    assertEquals(-1L, g.read64(va + 8));
    assertEquals(0x4321, g.read64(va + 16));
    assertEquals(0, g.read64(va + 32) & 1, "time info is there, and even");
    assertEquals(0x8000_0000L, g.read64(va + 32 + 24) & 0xffff_ffffL);
    assertEquals(Errno.EINVAL.result(), registerVcpuInfo(0, g.mfns[6], 0));
  }

  @Test
  void vcpuInfoLiesInOneFrameOfTheDomain() {
    assertEquals(Errno.ENXIO.result(), registerVcpuInfo(0, g.mfns[5], 4040));
    assertEquals(Errno.ENXIO.result(), registerVcpuInfo(0, g.mfns[5], 0xffff_fff8L));
    assertEquals(Errno.ENXIO.result(), registerVcpuInfo(0, g.mfns[5], 4));
    assertEquals(Errno.EINVAL.result(), registerVcpuInfo(0, 0, 0));
    assertEquals(Errno.EINVAL.result(), registerVcpuInfo(0, -1L, 0));
    assertEquals(Errno.EINVAL.result(), registerVcpuInfo(0, g.memory.frames(), 0));
    assertEquals(0, registerVcpuInfo(1, g.mfns[5], 0), "of a vcpu that is down");
  }

  // --- time ---

  @Test
  void theClockPageSaysOneTickIsANanosecond() {
    long area = g.room(VcpuTimeInfo.STRUCT);
    long arg = g.room(8);
    g.bytes().putLong(arg, area);
    assertEquals(0, op(VcpuOp.REGISTER_VCPU_TIME_MEMORY_AREA, 0, arg));
    long tsc = VcpuTimeInfo.TSC_TIMESTAMP.get(g.bytes(), area);
    long base = VcpuTimeInfo.SYSTEM_TIME.get(g.bytes(), area);
    long mul = VcpuTimeInfo.TSC_TO_SYSTEM_MUL.get(g.bytes(), area);
    int shift = VcpuTimeInfo.TSC_SHIFT.get(g.bytes(), area);
    long later = tsc + 1_000_003;
    assertEquals(base + 1_000_003, base + ((later - tsc << shift) * mul >>> 32));
    assertEquals(2, VcpuTimeInfo.VERSION.get(g.bytes(), area));
    g.bytes().putLong(arg, 0xffff_8000_0000_0000L);
    assertEquals(Errno.EFAULT.result(), op(VcpuOp.REGISTER_VCPU_TIME_MEMORY_AREA, 0, arg));
  }

  @Test
  void runstateIsReportedAndKeptUpToDate() {
    long area = g.room(VcpuRunstateInfo.STRUCT);
    long arg = g.room(8);
    g.bytes().putLong(arg, area);
    assertEquals(0, op(VcpuOp.REGISTER_RUNSTATE_MEMORY_AREA, 0, arg));
    g.run(0xeb, 0xfe);
    assertEquals(Runstate.RUNNABLE.nr(), VcpuRunstateInfo.STATE.get(g.bytes(), area));
    assertTrue(g.bytes().getLong(VcpuRunstateInfo.TIME.at(area, 0)) > 0);
    long info = g.room(VcpuRunstateInfo.STRUCT);
    assertEquals(0, op(VcpuOp.GET_RUNSTATE_INFO, 1, info));
    assertEquals(Runstate.OFFLINE.nr(), VcpuRunstateInfo.STATE.get(g.bytes(), info));
    assertEquals(Errno.EFAULT.result(), op(VcpuOp.GET_RUNSTATE_INFO, 0, FakeGuest.READ_ONLY));
  }

  @Test
  void aRunstateAreaThatVanishesDoesNoHarm() {
    long arg = g.room(8);
    g.bytes().putLong(arg, FakeGuest.UNMAPPED);
    assertEquals(0, op(VcpuOp.REGISTER_RUNSTATE_MEMORY_AREA, 0, arg));
    g.run(0xeb, 0xfe);
    assertEquals(null, g.domain.shutdownReason());
  }

  @Test
  void singleshotTimersAreTheCallersAndCanInsistOnTheFuture() {
    long arg = g.room(16);
    g.bytes().putLong(arg, 5_000_000);
    g.bytes().putInt(arg + 8, 1);
    assertEquals(0, op(VcpuOp.SET_SINGLESHOT_TIMER, 0, arg));
    assertEquals(5_000_000, g.vcpu().state.singleshotAtNanos);
    assertEquals(Errno.EINVAL.result(), op(VcpuOp.SET_SINGLESHOT_TIMER, 1, arg));
    g.hypervisor.clock().advanceTo(6_000_000);
    assertEquals(Errno.ETIME.result(), op(VcpuOp.SET_SINGLESHOT_TIMER, 0, arg));
    g.bytes().putInt(arg + 8, 0);
    assertEquals(0, op(VcpuOp.SET_SINGLESHOT_TIMER, 0, arg));
    assertEquals(0, op(VcpuOp.STOP_SINGLESHOT_TIMER, 0, 0));
    assertEquals(-1, g.vcpu().state.singleshotAtNanos);
    assertEquals(Errno.EINVAL.result(), op(VcpuOp.STOP_SINGLESHOT_TIMER, 1, 0));
  }

  @Test
  void periodsHaveBounds() {
    long arg = g.room(8);
    for (long bad : new long[] {0, 999_999, -1, Long.MIN_VALUE, 31L * 60 * 1_000_000_000}) {
      g.bytes().putLong(arg, bad);
      assertEquals(Errno.EINVAL.result(), op(VcpuOp.SET_PERIODIC_TIMER, 0, arg), "" + bad);
    }
    g.bytes().putLong(arg, 1_000_000);
    assertEquals(0, op(VcpuOp.SET_PERIODIC_TIMER, 0, arg));
    assertEquals(0, op(VcpuOp.STOP_PERIODIC_TIMER, 0, 0));
    assertEquals(0, g.vcpu().state.periodicNanos);
  }

  @Test
  void anNmiIsSent() {
    assertEquals(0, op(VcpuOp.SEND_NMI, 0, 0));
    g.vcpu().state.trapAddress[2] = FakeGuest.HANDLER;
    g.write(FakeGuest.HANDLER, 0xeb, 0xfe);
    g.run(0xeb, 0xfe);
    assertEquals(FakeGuest.HANDLER, g.cpu().rip());
  }

  @Test
  void physicalIdsAreNotTold() {
    assertEquals(Errno.EINVAL.result(), op(VcpuOp.GET_PHYSID, 0, FakeGuest.ARGS));
  }
}
