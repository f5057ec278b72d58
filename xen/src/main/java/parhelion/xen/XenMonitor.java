package parhelion.xen;

import parhelion.cpu.Cpu;
import parhelion.cpu.Monitor;

/**
 * Paravirtualisation: what a vcpu cannot do by itself becomes a hypercall, a bounce to the guest's
 * kernel, or an emulation.
 */
public final class XenMonitor implements Monitor {
  private final Vcpu vcpu;

  XenMonitor(Vcpu vcpu) {
    this.vcpu = vcpu;
  }

  public Vcpu vcpu() {
    return vcpu;
  }

  @Override
  public int tlbIndex(Cpu cpu) {
    return vcpu.state.kernelMode ? 0 : 1;
  }

  /** Translation without the write emulation of page tables. */
  long translatePlain(Cpu cpu, long va, int access) {
    return Monitor.super.translate(cpu, va, access);
  }
}
