package parhelion.toolstack.guest;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import parhelion.abi.Hypercall;
import parhelion.toolstack.UserError;
import parhelion.xen.HypercallStats;
import parhelion.xen.Hypervisor;
import parhelion.xen.TrapStats;
import parhelion.xen.Vcpu;

/**
 * Writes a line for each hypercall, delivered trap and emulated instruction: system time, vcpu,
 * RIP, what it was, and for hypercalls arguments and result. A disk that fills up ends the trace,
 * not the guest.
 */
final class GuestTrace implements HypercallStats.Listener, TrapStats.Listener {
  private final Hypervisor hypervisor;
  private final BufferedWriter out;
  private @Nullable IOException failure;

  private GuestTrace(Hypervisor hypervisor, Path file) throws IOException {
    this.hypervisor = hypervisor;
    out = Files.newBufferedWriter(file);
  }

  /** Writes all that a hypervisor is asked for from now on to a file. */
  static GuestTrace begin(Hypervisor hypervisor, Path file) {
    GuestTrace trace;
    try {
      trace = new GuestTrace(hypervisor, file);
    } catch (IOException e) {
      throw new UserError(
          "--trace: cannot write to " + file + ": give a file that can be written", e);
    }
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
    if (failure != null) {
      return;
    }
    long nanos = v.domain().hypervisor().clock().systemNanos();
    try {
      out.write(
          "%d.%09d %s %016x %s%n"
              .formatted(nanos / 1_000_000_000, nanos % 1_000_000_000, v, v.cpu().rip(), what));
    } catch (IOException e) {
      failure = e;
    }
  }

  /** Ends the trace; what kept it from being whole, or null. */
  @Nullable IOException finish() {
    hypervisor.hypercalls().setListener(null);
    hypervisor.trapStats().setListener(null);
    try {
      out.close();
    } catch (IOException e) {
      return failure == null ? e : failure;
    }
    return failure;
  }
}
