package parhelion.toolstack.guest;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import parhelion.pc.PcMachine;
import parhelion.pc.PcVcpu;
import parhelion.pc.intercept.Cause;
import parhelion.pc.intercept.Intercepts;

/**
 * Writes a line for each interception of a PC: machine time, vcpu, RIP (behind the run of
 * instructions that it is in), cause, device and register. On the machine's thread, but for {@link
 * #finish} after that has ended.
 */
final class PcTrace implements Intercepts.Listener {
  private final PcMachine machine;
  private final TraceFile file;

  private PcTrace(PcMachine machine, TraceFile file) {
    this.machine = machine;
    this.file = file;
  }

  /** Writes all that is intercepted from now on to a file. */
  static PcTrace begin(PcMachine machine, Path file) {
    PcTrace trace = new PcTrace(machine, new TraceFile(file));
    machine.intercepts().setListener(trace);
    return trace;
  }

  @Override
  public void intercepted(Cause cause, String device, String register) {
    PcVcpu vcpu = machine.current();
    if (vcpu != null) {
      file.line(
          machine.clock().nanos(),
          "vcpu" + vcpu.id(),
          vcpu.cpu().rip(),
          (cause.title + " " + device + " " + register).strip());
    }
  }

  /** Ends the trace; what kept it from being whole, or null. */
  @Nullable IOException finish() {
    machine.intercepts().setListener(null);
    return file.close();
  }
}
