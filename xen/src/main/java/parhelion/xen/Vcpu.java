package parhelion.xen;

import parhelion.cpu.Cpu;

/**
 * A virtual processor of a domain: its {@link Cpu}, what Xen keeps of it ({@link VcpuState}), and
 * its ways to guest memory. Runs on the scheduler's thread.
 */
public final class Vcpu {
  public final VcpuState state = new VcpuState();

  /** Arguments with which an interrupted hypercall is to go on. */
  public final long[] continuation = new long[5];

  private final Domain domain;
  private final int id;
  private final XenMonitor monitor;
  private final Cpu cpu;
  private final GuestAccess guest;

  Vcpu(Domain domain, int id) {
    this.domain = domain;
    this.id = id;
    Hypervisor hypervisor = domain.hypervisor();
    monitor = new XenMonitor(this);
    cpu = new Cpu(hypervisor.memory(), hypervisor.code(), monitor);
    guest = new GuestAccess(this);
  }

  public Domain domain() {
    return domain;
  }

  public int id() {
    return id;
  }

  public Cpu cpu() {
    return cpu;
  }

  public XenMonitor monitor() {
    return monitor;
  }

  /**
   * This vcpu's guest-virtual memory as its kernel sees it; for the running hypercall's arguments.
   */
  public GuestAccess guest() {
    return guest;
  }

  /**
   * True when something else ought to run before a long hypercall goes on; ask every few hundred
   * steps.
   */
  public boolean shouldYield() {
    return cpu.attentionRequested();
  }

  /**
   * Write {@code throw v.continueHypercall(...)}: the same hypercall is called again with these
   * arguments, soon.
   */
  public HypercallContinuation continueHypercall(long a1, long a2, long a3, long a4, long a5) {
    continuation[0] = a1;
    continuation[1] = a2;
    continuation[2] = a3;
    continuation[3] = a4;
    continuation[4] = a5;
    return HypercallContinuation.INSTANCE;
  }

  @Override
  public String toString() {
    return "d" + domain.id() + "v" + id;
  }
}
