package parhelion.toolstack.guest;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import parhelion.abi.Hypercall;
import parhelion.xen.HypercallStats;
import parhelion.xen.Hypervisor;
import parhelion.xen.TrapStats;
import parhelion.xen.Vcpu;

/**
 * Writes a line for each hypercall, delivered trap and emulated instruction: system time, vcpu,
 * RIP, what it was, and for hypercalls arguments and result.
 */
final class GuestTrace implements HypercallStats.Listener, TrapStats.Listener {
  private final Hypervisor hypervisor;
  private final TraceFile file;

  private GuestTrace(Hypervisor hypervisor, TraceFile file) {
    this.hypervisor = hypervisor;
    this.file = file;
  }

  /** Writes all that a hypervisor is asked for from now on to a file. */
  static GuestTrace begin(Hypervisor hypervisor, Path file) {
    GuestTrace trace = new GuestTrace(hypervisor, new TraceFile(file));
    hypervisor.hypercalls().setListener(trace);
    hypervisor.trapStats().setListener(trace);
    return trace;
  }

  @Override
  public void hypercall(
      Vcpu v, long nr, long a1, long a2, long a3, long a4, @Nullable Long result) {
    Hypercall call = Hypercall.of(nr);
    line(
        v,
        "%s(0x%x, 0x%x, 0x%x, 0x%x) = %s"
            .formatted(
                call == null ? "hypercall_" + nr : call.cName(),
                a1,
                a2,
                a3,
                a4,
                result == null ? "continued" : result.toString()));
  }

  @Override
  public void trapped(Vcpu v, String what) {
    line(v, what);
  }

  private void line(Vcpu v, String what) {
    file.line(v.domain().hypervisor().clock().systemNanos(), v, v.cpu().rip(), what);
  }

  /** Ends the trace; what kept it from being whole, or null. */
  @Nullable IOException finish() {
    hypervisor.hypercalls().setListener(null);
    hypervisor.trapStats().setListener(null);
    return file.close();
  }
}
