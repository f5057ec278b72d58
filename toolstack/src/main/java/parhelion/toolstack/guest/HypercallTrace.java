package parhelion.toolstack.guest;

import java.io.BufferedWriter;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import parhelion.abi.Hypercall;
import parhelion.xen.HypercallStats;
import parhelion.xen.Vcpu;

/** Writes a line for each hypercall: system time, vcpu, RIP, name, arguments, result. */
final class HypercallTrace implements HypercallStats.Listener, Closeable {
  private final BufferedWriter out;

  HypercallTrace(Path file) throws IOException {
    out = Files.newBufferedWriter(file);
  }

  @Override
  public void hypercall(
      Vcpu v, long nr, long a1, long a2, long a3, long a4, @Nullable Long result) {
    Hypercall call = Hypercall.of(nr);
    long nanos = v.domain().hypervisor().clock().systemNanos();
    try {
      out.write(
          "%d.%09d %s %016x %s(0x%x, 0x%x, 0x%x, 0x%x) = %s%n"
              .formatted(
                  nanos / 1_000_000_000,
                  nanos % 1_000_000_000,
                  v,
                  v.cpu().rip(),
                  call == null ? "hypercall_" + nr : call.cName(),
                  a1,
                  a2,
                  a3,
                  a4,
                  result == null ? "continued" : result.toString()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() throws IOException {
    out.close();
  }
}
