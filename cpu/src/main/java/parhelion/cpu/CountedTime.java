package parhelion.cpu;

import org.jspecify.annotations.Nullable;

/**
 * Counted time: an instruction takes a nanosecond, and while no processor has anything to do, time
 * jumps to the next timer. The same input gives the same run. On the thread that runs the guest.
 */
public final class CountedTime {
  private long nanos;
  private @Nullable Cpu running;
  private long retiredAtStart;

  /** Nanoseconds since the beginning; never goes back. */
  public long nanos() {
    Cpu cpu = running;
    return cpu == null ? nanos : nanos + (cpu.retired - retiredAtStart);
  }

  /** Time jumps there, if that is not in the past. */
  public void advanceTo(long target) {
    if (running != null) {
      throw new IllegalStateException("time jumps while a processor runs");
    }
    nanos = Math.max(nanos, target);
  }

  /** A processor starts to run: time passes with its instructions. */
  public void started(Cpu cpu) {
    running = cpu;
    retiredAtStart = cpu.retired;
  }

  /** It has stopped. */
  public void stopped() {
    nanos = nanos();
    running = null;
  }
}
