package parhelion.toolstack.guest;

import java.io.BufferedWriter;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import parhelion.abi.Hypercall;
import parhelion.xen.HypercallStats;
import parhelion.xen.TrapStats;
import parhelion.xen.Vcpu;

/**
 * Writes a line for each hypercall, delivered trap and emulated instruction: system time, vcpu,
 * RIP, what it was, and for hypercalls arguments and result. A disk that fills up ends the trace,
 * not the guest.
 */
final class GuestTrace implements HypercallStats.Listener, TrapStats.Listener, Closeable {
  private final BufferedWriter out;
  private @Nullable IOException failure;

  GuestTrace(Path file) throws IOException {
    out = Files.newBufferedWriter(file);
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

  /** Throws what ended the trace early, if anything did. */
  @Override
  public void close() throws IOException {
    if (failure != null) {
      throw failure;
    }
    out.close();
  }
}
