package parhelion.toolstack.guest;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import parhelion.toolstack.UserError;

/**
 * The file of a guest's trace: a line for each thing that it is about. A disk that fills up ends
 * the trace, not the guest. On the guest's thread, but for {@link #close} after that has ended.
 */
final class TraceFile {
  private static final long SECOND = 1_000_000_000;

  private final BufferedWriter out;
  private @Nullable IOException failure;

  TraceFile(Path file) {
    try {
      out = Files.newBufferedWriter(file);
    } catch (IOException e) {
      throw new UserError(
          "--trace: cannot write to " + file + ": give a file that can be written", e);
    }
  }

  /** Writes a line: the guest's time, its vcpu, where that is, and what it does. */
  void line(long nanos, Object vcpu, long rip, String what) {
    if (failure != null) {
      return;
    }
    try {
      out.write("%d.%09d %s %016x %s%n".formatted(nanos / SECOND, nanos % SECOND, vcpu, rip, what));
    } catch (IOException e) {
      failure = e;
    }
  }

  /** Ends the trace; what kept it from being whole, or null. */
  @Nullable IOException close() {
    try {
      out.close();
    } catch (IOException e) {
      return failure == null ? e : failure;
    }
    return failure;
  }
}
