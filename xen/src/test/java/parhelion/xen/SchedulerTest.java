package parhelion.xen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static parhelion.cpu.CpuState.*;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import parhelion.abi.Errno;
import parhelion.abi.Hypercall;
import parhelion.abi.Runstate;
import parhelion.abi.SchedOp;
import parhelion.abi.ShutdownReason;
import parhelion.cpu.memory.MachineMemory;

/** sched_op, timers and the scheduler, under a virtual clock. */
final class SchedulerTest {
  private static final long PATIENCE_NANOS = 100_000;

  private FakeGuest g = new FakeGuest(2);

  private static final int[] SPIN = {0xeb, 0xfe};

  @BeforeEach
  void spin() {
    g.write(FakeGuest.CODE, SPIN);
    g.write(FakeGuest.HANDLER, SPIN);
    g.cpu().rip(FakeGuest.CODE);
    g.vcpu().state.eventCallback = FakeGuest.HANDLER;
  }

  @AfterEach
  void close() {
    g.close();
  }

  private long sched(SchedOp op, long arg) {
    return g.call(Hypercall.SCHED_OP, op.nr(), arg);
  }

  private long now() {
    return g.hypervisor.clock().systemNanos();
  }

  private int timerPort() {
    long arg = g.room(12);
    assertEquals(0, g.call(Hypercall.EVENT_CHANNEL_OP, 1, arg));
    return g.bytes().getInt(arg + 8);
  }

  private void runUntil(java.util.function.BooleanSupplier done) {
    int[] steps = new int[1];
    g.hypervisor.run(() -> done.getAsBoolean() || steps[0]++ > 5000);
    assertTrue(done.getAsBoolean());
  }

  /** {@code mov eax, nr; mov edi, cmd; mov rsi, arg; syscall}, then spin. */
  private void hypercallCode(int nr, int cmd, long arg) {
    g.write(FakeGuest.CODE, 0xb8, nr, 0, 0, 0, 0xbf, cmd, 0, 0, 0, 0x48, 0xbe);
    g.write64(FakeGuest.CODE + 12, arg);
    g.write(FakeGuest.CODE + 20, 0x0f, 0x05, 0xeb, 0xfe);
    g.cpu().rip(FakeGuest.CODE);
  }

  @Test
  void aBlockedVcpuWakesAtItsTimerAndTimeJumps() {
    timerPort();
    assertEquals(0, g.call(Hypercall.SET_TIMER_OP, 50_000_000L));
    hypercallCode(29, SchedOp.BLOCK.nr(), 0);
    runUntil(() -> g.cpu().rip() == FakeGuest.HANDLER);
    assertTrue(now() >= 50_000_000L && now() < 70_000_000L, "now " + now());
    assertTrue(g.cpu().retired < 30_000_000L, "it did not spin for the time");
    assertTrue(g.vcpu().upcallMask());
  }

  @Test
  void blockingWithAnEventWaitingReturnsAtOnce() {
    g.vcpu().markEventsPending();
    assertEquals(0, sched(SchedOp.BLOCK, 0));
    assertFalse(g.vcpu().state.blocked);
    assertFalse(g.vcpu().upcallMask(), "events are unmasked");
  }

  @Test
  void anEventFromAnotherThreadWakesABlockedVcpu() throws Exception {
    g.close();
    g = new FakeGuest(new Hypervisor(new MachineMemory(4096), new RealClock()), 1);
    spin();
    hypercallCode(29, SchedOp.BLOCK.nr(), 0);
    var port = g.domain.events().bindToHost(() -> {});
    Thread other = new Thread(() -> g.hypervisor.post(port::notifyGuest));
    runUntil(
        () -> {
          if (g.vcpu().state.blocked && other.getState() == Thread.State.NEW) {
            other.start();
          }
          return g.cpu().rip() == FakeGuest.HANDLER;
        });
    other.join();
  }

  // --- poll ---

  private long poll(long ports, long count, long timeout) {
    long arg = g.room(24);
    g.bytes().putLong(arg, ports);
    g.bytes().putInt(arg + 8, (int) count);
    g.bytes().putLong(arg + 16, timeout);
    return sched(SchedOp.POLL, arg);
  }

  @Test
  void pollWaitsForItsPortEvenWithEventsMasked() {
    int port = timerPort();
    long ports = g.room(4);
    g.bytes().putInt(ports, port);
    assertEquals(0, poll(ports, 1, 0));
    assertTrue(g.vcpu().state.blocked);
    assertTrue(g.vcpu().upcallMask());
    g.vcpu().time().setSingleshot(1_000_000);
    runUntil(() -> !g.vcpu().state.blocked);
    assertTrue(now() >= 1_000_000);
  }

  @Test
  void pollEndsAtItsTimeout() {
    int port = timerPort();
    long ports = g.room(4);
    g.bytes().putInt(ports, port);
    assertEquals(0, poll(ports, 1, 7_000_000));
    runUntil(() -> !g.vcpu().state.blocked);
    assertTrue(now() >= 7_000_000 && now() < 30_000_000, "now " + now());
  }

  @Test
  void pollReturnsAtOnceForAPendingPort() {
    int port = timerPort();
    g.domain.events().raiseVirq(g.vcpu(), parhelion.abi.Virq.TIMER);
    long ports = g.room(4);
    g.bytes().putInt(ports, port);
    assertEquals(0, poll(ports, 1, 0));
    assertFalse(g.vcpu().state.blocked);
  }

  @Test
  void pollChecksItsArguments() {
    assertEquals(Errno.EINVAL.result(), poll(FakeGuest.ARGS, 129, 0));
    assertEquals(Errno.EFAULT.result(), poll(FakeGuest.UNMAPPED, 1, 0));
    assertEquals(Errno.EFAULT.result(), poll(0xffff_8000_0000_0000L, 1, 0));
    long ports = g.room(4);
    g.bytes().putInt(ports, 99_999);
    assertEquals(Errno.EINVAL.result(), poll(ports, 1, 0));
    assertFalse(g.vcpu().state.blocked);
  }

  // --- timers ---

  @Test
  void aPeriodicTimerTicksWhileTheVcpuRuns() {
    int port = timerPort();
    g.vcpu().setUpcallMask(true);
    g.vcpu().time().setPeriodic(1_000_000);
    int[] ticks = new int[1];
    long pending = (g.domain.sharedInfoMfn() << 12) + 2048;
    runUntil(
        () -> {
          if ((g.memory.getLong(pending) >>> port & 1) != 0) {
            g.memory.putLong(pending, 0);
            ticks[0]++;
          }
          return now() > 10_500_000;
        });
    assertTrue(ticks[0] >= 9 && ticks[0] <= 11, "ticks " + ticks[0]);
  }

  @Test
  void setTimerOpTakesAbsurdTimesAsSoonAndZeroAsStop() {
    assertEquals(0, g.call(Hypercall.SET_TIMER_OP, -5L));
    assertEquals(now() + 100_000_000, g.vcpu().state.singleshotAtNanos);
    assertEquals(0, g.call(Hypercall.SET_TIMER_OP, 1L << 62));
    assertEquals(now() + 100_000_000, g.vcpu().state.singleshotAtNanos);
    assertEquals(0, g.call(Hypercall.SET_TIMER_OP, 0));
    assertEquals(-1, g.vcpu().state.singleshotAtNanos);
  }

  // --- shutdown ---

  @Test
  void everyReasonShutsDownOnce() {
    for (ShutdownReason reason : ShutdownReason.values()) {
      long arg = g.room(4);
      g.bytes().putInt(arg, reason.nr());
      assertEquals(0, sched(SchedOp.SHUTDOWN, arg));
      assertEquals(reason, g.domain.shutdownReason());
      assertFalse(g.vcpu().isRunnable());
      g.bytes().putInt(arg, 3);
      sched(SchedOp.SHUTDOWN, arg);
      assertEquals(reason, g.domain.shutdownReason());
      g.domain.resume();
    }
    assertEquals(ShutdownReason.values().length, g.shutDown.size());
  }

  @Test
  void aReasonWithoutNameIsACrash() {
    long arg = g.room(4);
    g.bytes().putInt(arg, 0x77);
    assertEquals(0, sched(SchedOp.SHUTDOWN, arg));
    assertEquals(ShutdownReason.CRASH, g.domain.shutdownReason());
  }

  @Test
  void aShutDownDomainDoesNotRun() {
    long arg = g.room(4);
    hypercallCode(29, SchedOp.SHUTDOWN.nr(), arg);
    g.step();
    long retired = g.cpu().retired;
    assertEquals(ShutdownReason.POWEROFF, g.domain.shutdownReason());
    g.step();
    assertEquals(retired, g.cpu().retired);
    assertFalse(g.hypervisor.scheduler().step());
  }

  @Test
  void remoteShutdownIsNotForGuests() {
    long arg = g.room(8);
    g.bytes().putShort(arg, (short) g.domain.id());
    assertEquals(Errno.EPERM.result(), sched(SchedOp.REMOTE_SHUTDOWN, arg));
    g.bytes().putShort(arg, (short) 99);
    assertEquals(Errno.ESRCH.result(), sched(SchedOp.REMOTE_SHUTDOWN, arg));
    assertEquals(Errno.EPERM.result(), sched(SchedOp.PIN_OVERRIDE, arg));
    assertEquals(Errno.ENOSYS.result(), g.call(Hypercall.SCHED_OP, 8, arg));
  }

  @Test
  void aWatchdogThatIsNotFedBites() {
    long arg = g.room(8);
    g.bytes().putInt(arg + 4, 2);
    assertEquals(1, sched(SchedOp.WATCHDOG, arg));
    assertEquals(2, sched(SchedOp.WATCHDOG, arg));
    assertEquals(Errno.ENOSPC.result(), sched(SchedOp.WATCHDOG, arg));
    g.bytes().putInt(arg, 2);
    g.bytes().putInt(arg + 4, 0);
    assertEquals(0, sched(SchedOp.WATCHDOG, arg));
    assertEquals(Errno.EINVAL.result(), sched(SchedOp.WATCHDOG, arg), "it is stopped");
    g.bytes().putInt(arg, 3);
    assertEquals(Errno.EINVAL.result(), sched(SchedOp.WATCHDOG, arg));
    g.vcpu().block();
    runUntil(() -> g.domain.shutdownReason() != null);
    assertEquals(ShutdownReason.WATCHDOG, g.domain.shutdownReason());
    assertTrue(now() >= 2_000_000_000L);
  }

  // --- turns ---

  @Test
  void vcpusOfAllDomainsTakeTurns() {
    FakeGuest other = new FakeGuest(g.hypervisor, 1);
    other.write(FakeGuest.CODE, SPIN);
    other.cpu().rip(FakeGuest.CODE);
    runUntil(() -> now() > 20_000_000);
    double share = (double) other.cpu().retired / (g.cpu().retired + other.cpu().retired);
    assertTrue(share > 0.4 && share < 0.6, "share " + share);
  }

  @Test
  void aPausedDomainDoesNotRunAndGoesOn() {
    g.domain.pause();
    assertFalse(g.hypervisor.scheduler().step() && g.cpu().retired > 0);
    g.domain.unpause();
    g.step();
    assertTrue(g.cpu().retired > 0);
  }

  @Test
  void postedWorkRunsBetweenSlicesInOrder() {
    List<Integer> order = new ArrayList<>();
    g.hypervisor.post(() -> order.add(1));
    g.hypervisor.post(() -> order.add(2));
    g.step();
    assertEquals(List.of(1, 2), order);
  }

  @Test
  void deferredWorkWaitsForARunningVcpuButNotForItsWholeSlice() {
    long[] at = {-1};
    g.hypervisor.defer(() -> at[0] = now(), PATIENCE_NANOS);
    runUntil(() -> at[0] >= 0);
    assertTrue(g.cpu().retired > 0, "the vcpu ran first");
    assertTrue(at[0] <= 2 * PATIENCE_NANOS, "after " + at[0]);
  }

  @Test
  void whatIsDeferredInTheMiddleOfASliceShortensIt() {
    long[] at = {-1, -1};
    g.vcpu().state.eventCallback = 0;
    var port =
        g.domain
            .events()
            .bindToHost(
                () -> {
                  at[0] = now();
                  g.hypervisor.defer(() -> at[1] = now(), PATIENCE_NANOS);
                });
    long arg = g.room(4);
    g.bytes().putInt(arg, port.port());
    hypercallCode(32, 4, arg); // EVTCHNOP_send
    runUntil(() -> at[1] >= 0);
    long waited = at[1] - at[0];
    assertTrue(waited > 0 && waited <= 2 * PATIENCE_NANOS, "waited " + waited);
  }

  @Test
  void deferredWorkRunsAtOnceWhenNoVcpuCan() {
    hypercallCode(29, SchedOp.BLOCK.nr(), 0);
    g.domain.vcpus().forEach(v -> v.setUpcallMask(true));
    runUntil(() -> g.vcpu().state.blocked);
    long before = now();
    List<Integer> order = new ArrayList<>();
    g.hypervisor.defer(() -> order.add(1), PATIENCE_NANOS);
    g.hypervisor.defer(() -> order.add(2), PATIENCE_NANOS);
    g.step();
    assertEquals(List.of(1, 2), order);
    assertEquals(before, now());
  }

  @Test
  void theSameRunTwiceTakesTheSamePath() {
    long[] first = trajectory();
    long[] second = trajectory();
    org.junit.jupiter.api.Assertions.assertArrayEquals(first, second);
  }

  private static long[] trajectory() {
    try (FakeGuest g = new FakeGuest()) {
      g.write(FakeGuest.CODE, 0x48, 0xff, 0xc3, 0x0f, 0x31, 0xeb, 0xf9); // inc rbx; rdtsc; loop
      g.write(FakeGuest.HANDLER, 0x48, 0xff, 0xc1, 0xeb, 0xfb); // inc rcx; loop
      g.cpu().rip(FakeGuest.CODE);
      g.vcpu().state.eventCallback = FakeGuest.HANDLER;
      g.vcpu().setUpcallMask(false);
      long arg = g.room(12);
      g.call(Hypercall.EVENT_CHANNEL_OP, 1, arg);
      g.vcpu().time().setSingleshot(123_456);
      g.hypervisor.run(() -> g.hypervisor.clock().systemNanos() > 500_000);
      return new long[] {
        g.cpu().get64(RBX),
        g.cpu().get64(RCX),
        g.cpu().get64(RAX),
        g.cpu().retired,
        g.hypervisor.clock().systemNanos()
      };
    }
  }

  // --- accounts ---

  @Test
  void timeIsAccountedToRunStates() {
    runUntil(() -> now() > 5_000_000);
    long running = g.vcpu().state.runstateNanos[Runstate.RUNNING.nr()];
    assertTrue(running >= 4_000_000, "running " + running);
    g.vcpu().block();
    g.vcpu().time().scheduledOut();
    assertEquals(Runstate.BLOCKED.nr(), g.vcpu().state.runstate);
  }
}
