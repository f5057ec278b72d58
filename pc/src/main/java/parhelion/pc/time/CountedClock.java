package parhelion.pc.time;

import java.time.Instant;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;

/**
 * Counted time: an instruction takes a nanosecond, and while no processor has anything to do, time
 * jumps to the next timer. The same input gives the same run.
 */
public final class CountedClock implements MachineClock {
  private final Instant switchedOn;
  private long nanos;
  private @Nullable Cpu running;
  private long retiredAtStart;

  /** The machine is switched on at {@code switchedOn}. */
  public CountedClock(Instant switchedOn) {
    this.switchedOn = switchedOn;
  }

  @Override
  public long nanos() {
    Cpu cpu = running;
    return cpu == null ? nanos : nanos + (cpu.retired - retiredAtStart);
  }

  @Override
  public Instant wallClock() {
    return switchedOn.plusNanos(nanos());
  }

  @Override
  public boolean isVirtual() {
    return true;
  }

  @Override
  public void advanceTo(long target) {
    if (running != null) {
      throw new IllegalStateException("time jumps while a processor runs");
    }
    nanos = Math.max(nanos, target);
  }

  @Override
  public void started(Cpu cpu) {
    running = cpu;
    retiredAtStart = cpu.retired;
  }

  @Override
  public void stopped() {
    nanos = nanos();
    running = null;
  }
}
