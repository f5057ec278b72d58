package parhelion.xen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import parhelion.abi.Domid;
import parhelion.abi.Errno;
import parhelion.abi.EvtchnArgs.EvtchnAllocUnbound;
import parhelion.abi.EvtchnArgs.EvtchnBindInterdomain;
import parhelion.abi.EvtchnArgs.EvtchnBindIpi;
import parhelion.abi.EvtchnArgs.EvtchnBindVcpu;
import parhelion.abi.EvtchnArgs.EvtchnBindVirq;
import parhelion.abi.EvtchnArgs.EvtchnStatus;
import parhelion.abi.EvtchnOp;
import parhelion.abi.EvtchnStat;
import parhelion.abi.Hypercall;
import parhelion.abi.Virq;
import parhelion.xen.event.HostPort;

/**
 * event_channel_op with two-level events: every sub-op, its errors, and what the guest sees in
 * shared_info.
 */
final class EventChannelsTest {
  private final FakeGuest g = new FakeGuest(2);
  private final FakeGuest other = new FakeGuest(g.hypervisor, 1);

  @AfterEach
  void close() {
    g.close();
  }

  private long op(FakeGuest who, EvtchnOp op, long arg) {
    return who.call(Hypercall.EVENT_CHANNEL_OP, op.nr(), arg);
  }

  private static int allocUnbound(FakeGuest who, int dom, int remote, long[] result) {
    long arg = who.room(EvtchnAllocUnbound.STRUCT);
    EvtchnAllocUnbound.DOM.put(who.bytes(), arg, dom);
    EvtchnAllocUnbound.REMOTE_DOM.put(who.bytes(), arg, remote);
    result[0] = who.call(Hypercall.EVENT_CHANNEL_OP, EvtchnOp.ALLOC_UNBOUND.nr(), arg);
    return (int) EvtchnAllocUnbound.PORT.get(who.bytes(), arg);
  }

  private static int allocUnbound(FakeGuest who, int remote) {
    long[] result = new long[1];
    int port = allocUnbound(who, Domid.SELF, remote, result);
    assertEquals(0, result[0]);
    return port;
  }

  private long bindInterdomain(FakeGuest who, int remoteDom, long remotePort, int[] local) {
    long arg = who.room(EvtchnBindInterdomain.STRUCT);
    EvtchnBindInterdomain.REMOTE_DOM.put(who.bytes(), arg, remoteDom);
    EvtchnBindInterdomain.REMOTE_PORT.put(who.bytes(), arg, remotePort);
    long result = op(who, EvtchnOp.BIND_INTERDOMAIN, arg);
    local[0] = (int) EvtchnBindInterdomain.LOCAL_PORT.get(who.bytes(), arg);
    return result;
  }

  private long bindVirq(FakeGuest who, long virq, long vcpu, int[] port) {
    long arg = who.room(EvtchnBindVirq.STRUCT);
    EvtchnBindVirq.VIRQ.put(who.bytes(), arg, virq);
    EvtchnBindVirq.VCPU.put(who.bytes(), arg, vcpu);
    long result = op(who, EvtchnOp.BIND_VIRQ, arg);
    port[0] = (int) EvtchnBindVirq.PORT.get(who.bytes(), arg);
    return result;
  }

  private long bindIpi(FakeGuest who, long vcpu, int[] port) {
    long arg = who.room(EvtchnBindIpi.STRUCT);
    EvtchnBindIpi.VCPU.put(who.bytes(), arg, vcpu);
    long result = op(who, EvtchnOp.BIND_IPI, arg);
    port[0] = (int) EvtchnBindIpi.PORT.get(who.bytes(), arg);
    return result;
  }

  /** Sub-ops whose only argument is a port. */
  private long portOp(FakeGuest who, EvtchnOp op, long port) {
    long arg = who.room(4);
    who.bytes().putInt(arg, (int) port);
    return op(who, op, arg);
  }

  private long bindVcpu(FakeGuest who, long port, long vcpu) {
    long arg = who.room(EvtchnBindVcpu.STRUCT);
    EvtchnBindVcpu.PORT.put(who.bytes(), arg, port);
    EvtchnBindVcpu.VCPU.put(who.bytes(), arg, vcpu);
    return op(who, EvtchnOp.BIND_VCPU, arg);
  }

  private EvtchnStat status(FakeGuest who, int port) {
    long arg = who.room(EvtchnStatus.STRUCT);
    EvtchnStatus.DOM.put(who.bytes(), arg, Domid.SELF);
    EvtchnStatus.PORT.put(who.bytes(), arg, port);
    assertEquals(0, op(who, EvtchnOp.STATUS, arg));
    return EvtchnStat.of(EvtchnStatus.STATUS.get(who.bytes(), arg));
  }

  private static long shared(FakeGuest who, int offset) {
    return (who.domain.sharedInfoMfn() << 12) + offset;
  }

  private static boolean pending(FakeGuest who, int port) {
    return (who.memory.getLong(shared(who, 2048) + port / 64 * 8L) >>> port & 1) != 0;
  }

  private static void clearPending(FakeGuest who, int port) {
    long pa = shared(who, 2048) + port / 64 * 8L;
    who.memory.putLong(pa, who.memory.getLong(pa) & ~(1L << port));
    for (Vcpu v : who.domain.vcpus()) {
      who.memory.putLong(v.state.vcpuInfoPa + 8, 0);
      who.memory.putByte(v.state.vcpuInfoPa, (byte) 0);
    }
  }

  private static void mask(FakeGuest who, int port) {
    long pa = shared(who, 2560) + port / 64 * 8L;
    who.memory.putLong(pa, who.memory.getLong(pa) | 1L << port);
  }

  @Test
  void portsAreGivenOutFromOneOnAndReused() {
    assertEquals(1, allocUnbound(g, 7));
    assertEquals(2, allocUnbound(g, 7));
    assertEquals(0, portOp(g, EvtchnOp.CLOSE, 1));
    assertEquals(EvtchnStat.CLOSED, status(g, 1));
    assertEquals(1, allocUnbound(g, 7));
  }

  @Test
  void thereAre4095Ports() {
    for (int i = 1; i < 4096; i++) {
      assertEquals(i, g.domain.events().allocUnbound(0));
    }
    long[] result = new long[1];
    allocUnbound(g, Domid.SELF, 0, result);
    assertEquals(Errno.ENOSPC.result(), result[0]);
  }

  @Test
  void aPortForAnotherDomainIsNotOursToOpen() {
    long[] result = new long[1];
    allocUnbound(g, other.domain.id(), Domid.SELF, result);
    assertEquals(Errno.EPERM.result(), result[0]);
    allocUnbound(g, 77, Domid.SELF, result);
    assertEquals(Errno.ESRCH.result(), result[0]);
  }

  @Test
  void anInterdomainChannelNotifiesBothWays() {
    int port = allocUnbound(g, other.domain.id());
    int[] local = new int[1];
    assertEquals(0, bindInterdomain(other, g.domain.id(), port, local));
    assertTrue(pending(other, local[0]), "nothing may have been lost");
    assertEquals(EvtchnStat.INTERDOMAIN, status(g, port));
    assertFalse(pending(g, port));
    assertEquals(0, portOp(other, EvtchnOp.SEND, local[0]));
    assertTrue(pending(g, port));
    clearPending(other, local[0]);
    assertEquals(0, portOp(g, EvtchnOp.SEND, port));
    assertTrue(pending(other, local[0]));
  }

  @Test
  void onlyTheInvitedDomainBindsAndOnlyOnce() {
    int port = allocUnbound(g, 55);
    int[] local = new int[1];
    assertEquals(Errno.EINVAL.result(), bindInterdomain(other, g.domain.id(), port, local));
    assertEquals(Errno.EINVAL.result(), bindInterdomain(other, g.domain.id(), 9999, local));
    assertEquals(Errno.EINVAL.result(), bindInterdomain(other, g.domain.id(), 0, local));
    assertEquals(Errno.ESRCH.result(), bindInterdomain(other, 55, port, local));
    int own = allocUnbound(g, other.domain.id());
    assertEquals(0, bindInterdomain(other, g.domain.id(), own, local));
    assertEquals(Errno.EINVAL.result(), bindInterdomain(other, g.domain.id(), own, local));
  }

  @Test
  void aFailedBindDoesNotUseUpAPort() {
    int[] local = new int[1];
    for (int i = 0; i < 5000; i++) {
      assertEquals(Errno.EINVAL.result(), bindInterdomainQuiet(local));
    }
    assertEquals(1, allocUnbound(other, 1));
  }

  private long arg;

  private long bindInterdomainQuiet(int[] local) {
    if (arg == 0) {
      arg = other.room(EvtchnBindInterdomain.STRUCT);
      EvtchnBindInterdomain.REMOTE_DOM.put(other.bytes(), arg, g.domain.id());
      EvtchnBindInterdomain.REMOTE_PORT.put(other.bytes(), arg, 5);
    }
    return op(other, EvtchnOp.BIND_INTERDOMAIN, arg);
  }

  @Test
  void closingOneEndLeavesTheOtherUnboundForTheSameDomain() {
    int port = allocUnbound(g, other.domain.id());
    int[] local = new int[1];
    bindInterdomain(other, g.domain.id(), port, local);
    assertEquals(0, portOp(other, EvtchnOp.CLOSE, local[0]));
    assertEquals(EvtchnStat.UNBOUND, status(g, port));
    assertEquals(EvtchnStat.CLOSED, status(other, local[0]));
    assertEquals(0, portOp(g, EvtchnOp.SEND, port), "dropped silently");
    assertEquals(0, bindInterdomain(other, g.domain.id(), port, local));
  }

  @Test
  void aDomainThatDiesClosesItsEnds() {
    int port = allocUnbound(g, other.domain.id());
    bindInterdomain(other, g.domain.id(), port, new int[1]);
    g.hypervisor.destroyDomain(other.domain);
    assertEquals(EvtchnStat.UNBOUND, status(g, port));
  }

  @Test
  void perVcpuInterruptsAreBoundOncePerVcpu() {
    int[] port = new int[1];
    assertEquals(0, bindVirq(g, Virq.TIMER.nr(), 0, port));
    assertEquals(Errno.EEXIST.result(), bindVirq(g, Virq.TIMER.nr(), 0, new int[1]));
    assertEquals(0, bindVirq(g, Virq.TIMER.nr(), 1, new int[1]));
    assertEquals(Errno.ENOENT.result(), bindVirq(g, Virq.TIMER.nr(), 2, new int[1]));
    g.domain.events().raiseVirq(g.vcpu(), Virq.TIMER);
    assertTrue(pending(g, port[0]));
    assertEquals(Errno.EINVAL.result(), bindVcpu(g, port[0], 1));
    assertEquals(0, portOp(g, EvtchnOp.CLOSE, port[0]));
    assertFalse(pending(g, port[0]), "nothing is left for the next to bind it");
    assertEquals(0, bindVirq(g, Virq.TIMER.nr(), 0, port));
  }

  @Test
  void globalInterruptsAreBoundOnVcpu0AndCanMove() {
    int[] port = new int[1];
    assertEquals(Errno.EINVAL.result(), bindVirq(g, Virq.CONSOLE.nr(), 1, port));
    assertEquals(0, bindVirq(g, Virq.CONSOLE.nr(), 0, port));
    assertEquals(0, bindVcpu(g, port[0], 1));
    g.domain.events().raiseVirq(g.vcpu(), Virq.CONSOLE);
    assertTrue(g.domain.vcpus().get(1).upcallPending());
    assertFalse(g.vcpu().upcallPending());
    assertEquals(0, portOp(g, EvtchnOp.CLOSE, port[0]));
    assertEquals(0, bindVirq(g, Virq.CONSOLE.nr(), 0, port));
  }

  @ParameterizedTest
  @ValueSource(longs = {24, 255, 0x7fff_ffffL, 0x8000_0000L, 0xffff_ffffL})
  void interruptsThatAreNoneAreRefused(long virq) {
    assertEquals(Errno.EINVAL.result(), bindVirq(g, virq, 0, new int[1]));
  }

  @Test
  void anIpiReachesItsVcpu() {
    int[] port = new int[1];
    assertEquals(0, bindIpi(g, 1, port));
    assertEquals(0, portOp(g, EvtchnOp.SEND, port[0]));
    assertTrue(g.domain.vcpus().get(1).upcallPending());
    assertEquals(Errno.EINVAL.result(), bindVcpu(g, port[0], 0), "an IPI does not move");
    assertEquals(Errno.ENOENT.result(), bindIpi(g, 2, port));
    assertEquals(Errno.ENOENT.result(), bindIpi(g, 0xffff_ffffL, port));
  }

  @Test
  void aMaskedPortIsPendingWithoutUpcallUntilItIsUnmasked() {
    int[] port = new int[1];
    bindIpi(g, 0, port);
    mask(g, port[0]);
    portOp(g, EvtchnOp.SEND, port[0]);
    assertTrue(pending(g, port[0]));
    assertFalse(g.vcpu().upcallPending());
    assertEquals(0, portOp(g, EvtchnOp.UNMASK, port[0]));
    assertTrue(g.vcpu().upcallPending());
    assertEquals(1L << port[0] / 64, g.memory.getLong(g.vcpu().state.vcpuInfoPa + 8));
  }

  @Test
  void aSecondSendWhilePendingDoesNothing() {
    int[] port = new int[1];
    bindIpi(g, 0, port);
    portOp(g, EvtchnOp.SEND, port[0]);
    g.memory.putByte(g.vcpu().state.vcpuInfoPa, (byte) 0);
    portOp(g, EvtchnOp.SEND, port[0]);
    assertFalse(g.vcpu().upcallPending());
  }

  @ParameterizedTest
  @EnumSource(
      value = EvtchnOp.class,
      names = {"CLOSE", "SEND"})
  void portsThatAreNotOpenAreRefused(EvtchnOp op) {
    allocUnbound(g, 0);
    for (long port : new long[] {0, 2, 63, 64, 4096, 0x7fff_ffffL, 0xffff_ffffL}) {
      assertEquals(Errno.EINVAL.result(), portOp(g, op, port), op + " " + port);
    }
    assertEquals(Errno.EINVAL.result(), portOp(g, EvtchnOp.UNMASK, 4096));
  }

  @ParameterizedTest
  @EnumSource(EvtchnOp.class)
  void badPointersAreRefusedByEverySubOp(EvtchnOp op) {
    assertEquals(Errno.EFAULT.result(), op(g, op, FakeGuest.UNMAPPED));
    assertEquals(Errno.EFAULT.result(), op(g, op, 0xffff_8000_0000_0000L));
  }

  @Test
  void anAnswerThatCannotBeWrittenIsEFAULT() {
    assertEquals(Errno.EFAULT.result(), op(g, EvtchnOp.BIND_IPI, FakeGuest.READ_ONLY));
  }

  @ParameterizedTest
  @ValueSource(longs = {14, 99, 0xffff_ffffL, -1})
  void unknownSubOpsAreENOSYS(long cmd) {
    assertEquals(Errno.ENOSYS.result(), g.call(Hypercall.EVENT_CHANNEL_OP, cmd, FakeGuest.ARGS));
  }

  @Test
  void prioritiesNeedFifoEvents() {
    allocUnbound(g, 0);
    long arg = g.room(8);
    g.bytes().putInt(arg, 1);
    assertEquals(Errno.ENOSYS.result(), op(g, EvtchnOp.SET_PRIORITY, arg));
    assertEquals(Errno.EOPNOTSUPP.result(), op(g, EvtchnOp.EXPAND_ARRAY, g.room(8)));
  }

  @Test
  void physicalInterruptsAreNotToBeHad() {
    assertEquals(Errno.EINVAL.result(), op(g, EvtchnOp.BIND_PIRQ, g.room(12)));
  }

  @Test
  void resetClosesEverything() {
    allocUnbound(g, 1);
    bindIpi(g, 0, new int[1]);
    bindVirq(g, Virq.TIMER.nr(), 0, new int[1]);
    long arg = g.room(2);
    g.bytes().putShort(arg, (short) Domid.SELF);
    assertEquals(0, op(g, EvtchnOp.RESET, arg));
    for (int i = 1; i < 4; i++) {
      assertEquals(EvtchnStat.CLOSED, status(g, i));
    }
    g.bytes().putShort(arg, (short) other.domain.id());
    assertEquals(Errno.EPERM.result(), op(g, EvtchnOp.RESET, arg));
  }

  // --- Java's ends ---

  @Test
  void aPortWithJavaBehindItCallsAndIsNotified() {
    int[] calls = new int[1];
    HostPort host = g.domain.events().bindToHost(() -> calls[0]++);
    assertEquals(EvtchnStat.INTERDOMAIN, status(g, host.port()));
    portOp(g, EvtchnOp.SEND, host.port());
    assertEquals(1, calls[0]);
    host.notifyGuest();
    assertTrue(pending(g, host.port()));
  }

  @Test
  void aBackendBindsThePortThatTheFrontendOpened() {
    int port = allocUnbound(g, 0);
    int[] calls = new int[1];
    HostPort host = g.domain.events().bindHost(port, () -> calls[0]++);
    portOp(g, EvtchnOp.SEND, port);
    assertEquals(1, calls[0]);
    XenError e = assertThrows(XenError.class, () -> g.domain.events().bindHost(port, () -> {}));
    assertEquals(Errno.EINVAL, e.errno());
    host.close();
    assertEquals(EvtchnStat.UNBOUND, status(g, port));
    portOp(g, EvtchnOp.SEND, port);
    assertEquals(1, calls[0]);
    assertTrue(g.domain.events().bindHost(port, () -> {}).isOpen());
  }

  @Test
  void aGuestThatClosesItsEndIsNotNotifiedAnyMore() {
    int port = allocUnbound(g, 0);
    HostPort host = g.domain.events().bindHost(port, () -> {});
    portOp(g, EvtchnOp.CLOSE, port);
    assertFalse(host.isOpen());
    assertEquals(port, allocUnbound(g, other.domain.id()));
    host.notifyGuest();
    host.close();
    assertFalse(pending(g, port));
    assertEquals(EvtchnStat.UNBOUND, status(g, port));
  }
}
