package parhelion.toolstack.guest;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import parhelion.pc.PcMachine;
import parhelion.pc.PcVcpu;
import parhelion.pc.intercept.Cause;
import parhelion.pc.intercept.Intercepts;
import parhelion.toolstack.UserError;

/**
 * Writes a line for each interception of a PC: machine time, vcpu, RIP (behind the run of
 * instructions that it is in), cause, device and register. A disk that fills up ends the trace, not
 * the guest. On the machine's thread, but for {@link #finish} after that has ended.
 */
final class PcTrace implements Intercepts.Listener {
  private final PcMachine machine;
  private final BufferedWriter out;
  private @Nullable IOException failure;

  private PcTrace(PcMachine machine, Path file) throws IOException {
    this.machine = machine;
    out = Files.newBufferedWriter(file);
  }

  /** Writes all that is intercepted from now on to a file. */
  static PcTrace begin(PcMachine machine, Path file) {
    PcTrace trace;
    try {
      trace = new PcTrace(machine, file);
    } catch (IOException e) {
      throw new UserError(
          "--trace: cannot write to " + file + ": give a file that can be written", e);
    }
    machine.intercepts().setListener(trace);
    return trace;
  }

  @Override
  public void intercepted(Cause cause, String device, String register) {
    PcVcpu vcpu = machine.current();
    if (failure != null || vcpu == null) {
      return;
    }
    long nanos = machine.clock().nanos();
    try {
      out.write(
          "%d.%09d vcpu%d %016x %s %s %s"
              .formatted(
                  nanos / 1_000_000_000,
                  nanos % 1_000_000_000,
                  vcpu.id(),
                  vcpu.cpu().rip(),
                  cause.title,
                  device,
                  register)
              .strip());
      out.write('\n');
    } catch (IOException e) {
      failure = e;
    }
  }

  /** Ends the trace; what kept it from being whole, or null. */
  @Nullable IOException finish() {
    machine.intercepts().setListener(null);
    try {
      out.close();
    } catch (IOException e) {
      return failure == null ? e : failure;
    }
    return failure;
  }
}
