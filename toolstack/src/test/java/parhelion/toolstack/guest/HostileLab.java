package parhelion.toolstack.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.abi.Hypercall;
import parhelion.abi.ShutdownReason;
import parhelion.abi.StartInfo;
import parhelion.backends.console.ConsoleSink;
import parhelion.backends.xenstore.XenstoreDaemon;
import parhelion.cpu.memory.MachineMemory;
import parhelion.toolstack.builder.DomainBuilder;
import parhelion.toolstack.builder.GuestPage;
import parhelion.toolstack.link.GuestLinks;
import parhelion.toolstack.link.SchedulerAgents;
import parhelion.xen.Domain;
import parhelion.xen.DomainConfig;
import parhelion.xen.Hypervisor;
import parhelion.xen.VirtualClock;
import parhelion.xen.event.EventAuditor;
import parhelion.xen.grant.GrantAuditor;
import parhelion.xen.memory.Auditor;

/**
 * Two domains under one hypervisor: one behaves and counts, the other is the test's. Whatever that
 * does, the first goes on, every count is right, and its end gives everything back.
 */
final class HostileLab implements AutoCloseable {
  private static final int PAGES = 2048;
  private static final long HALF_NANOS = 500_000;
  private static final long HANG_NANOS = 30_000_000_000L;

  private final Hypervisor hypervisor =
      new Hypervisor(new MachineMemory(3 * PAGES), new VirtualClock(0));
  private final XenstoreDaemon store =
      new XenstoreDaemon(domid -> hypervisor.domain(domid) != null);
  private final DomainBuilder.Built good;
  private boolean timeOver;

  HostileLab() {
    SchedulerAgents.attach(hypervisor, store);
    Code counting = new Code().mov(Code.RBP, Code.DATA);
    long top = counting.here();
    counting.bytes(0x48, 0xff, 0x45, 0).hypercall(Hypercall.SCHED_OP, 0, 0).jmp(top);
    good = build(domain(1), counting);
  }

  private Domain domain(int vcpus) {
    return hypervisor.createDomain(new DomainConfig(vcpus, PAGES, false));
  }

  private DomainBuilder.Built build(Domain domain, Code code) {
    return DomainBuilder.build(hypervisor, domain, code.kernel(), null, "", PAGES);
  }

  private long counted() {
    return hypervisor.memory().getLong(good.p2m()[Code.DATA_PFN] << 12);
  }

  private List<String> audit() {
    List<String> found = new ArrayList<>();
    GrantAuditor grants = new GrantAuditor(hypervisor);
    EventAuditor events = new EventAuditor(hypervisor);
    found.addAll(Auditor.audit(hypervisor, grants, events));
    found.addAll(grants.audit());
    found.addAll(events.audit());
    return found;
  }

  private void runHalf() {
    timeOver = false;
    long deadline = System.nanoTime() + HANG_NANOS;
    var timer = hypervisor.scheduler().timers().timer(() -> timeOver = true);
    timer.set(hypervisor.clock().systemNanos() + HALF_NANOS);
    hypervisor.run(() -> timeOver || System.nanoTime() > deadline);
    timer.stop();
    assertTrue(timeOver, "the host hangs");
  }

  /** How a guest ended: a reason or null while it runs, and what it crashed of. */
  record End(
      @Nullable ShutdownReason reason,
      @Nullable String crash,
      long data,
      DomainBuilder.Built built) {
    void crashed(String words) {
      assertEquals(ShutdownReason.CRASH, reason, String.valueOf(crash));
      assertTrue(String.valueOf(crash).contains(words), String.valueOf(crash));
    }

    void stillRuns() {
      assertEquals(null, reason, String.valueOf(crash));
    }

    void poweredOff() {
      assertEquals(ShutdownReason.POWEROFF, reason, String.valueOf(crash));
    }
  }

  End run(Code code) {
    return run(code, 1);
  }

  End run(Code code, int vcpus) {
    long free = hypervisor.frames().freeFrames();
    Domain bad = domain(vcpus);
    final DomainBuilder.Built built = build(bad, code);
    GuestLinks links = GuestLinks.allocate(bad);
    ConsoleSink full = (bytes, offset, length) -> 0;
    links.connect(store, built.storeMfn(), built.consoleMfn(), full);
    GuestPage startInfo = new GuestPage(hypervisor.memory(), built.startInfoPa());
    StartInfo.STORE_EVTCHN.put(startInfo, 0, links.storePort());
    StartInfo.CONSOLE_EVTCHN.put(startInfo, 0, links.consolePort());
    runHalf();
    long counted = counted();
    runHalf();
    assertTrue(counted() > counted, "the other domain has stopped");
    long data = hypervisor.memory().getLong(built.p2m()[Code.DATA_PFN] << 12);
    End end = new End(bad.shutdownReason(), bad.crashReason(), data, built);
    links.close(); // the host's mappings of the rings, of which the auditors do not know
    hypervisor.scheduler().step();
    assertEquals(List.of(), audit());
    hypervisor.destroyDomain(bad);
    assertEquals(List.of(), audit());
    assertEquals(free, hypervisor.frames().freeFrames(), "frames are lost");
    return end;
  }

  @Override
  public void close() {
    hypervisor.close();
  }
}
