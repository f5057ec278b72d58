package parhelion.pc.time;

import java.time.Instant;
import parhelion.cpu.CountedTime;
import parhelion.cpu.Cpu;

/** A machine's counted time: {@link CountedTime} since it was switched on. */
public final class CountedClock implements MachineClock {
  private final Instant switchedOn;
  private final CountedTime time = new CountedTime();

  /** The machine is switched on at {@code switchedOn}. */
  public CountedClock(Instant switchedOn) {
    this.switchedOn = switchedOn;
  }

  @Override
  public long nanos() {
    return time.nanos();
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
  public void advanceTo(long nanos) {
    time.advanceTo(nanos);
  }

  @Override
  public void started(Cpu cpu) {
    time.started(cpu);
  }

  @Override
  public void stopped() {
    time.stopped();
  }
}
