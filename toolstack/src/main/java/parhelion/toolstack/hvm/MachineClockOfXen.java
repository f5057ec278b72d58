package parhelion.toolstack.hvm;

import java.time.Instant;
import java.util.OptionalLong;
import parhelion.pc.time.MachineClock;
import parhelion.xen.XenClock;

/**
 * A machine's time as a hypervisor's: system time is the machine's, from when it was switched on.
 */
final class MachineClockOfXen implements XenClock {
  private static final long SECOND = 1_000_000_000L;

  private final MachineClock clock;
  private final long bootWallNanos;

  MachineClockOfXen(MachineClock clock) {
    this.clock = clock;
    Instant now = clock.wallClock();
    bootWallNanos = now.getEpochSecond() * SECOND + now.getNano() - clock.nanos();
  }

  @Override
  public long systemNanos() {
    return clock.nanos();
  }

  @Override
  public long bootWallNanos() {
    return bootWallNanos;
  }

  @Override
  public OptionalLong hostTscOffset() {
    return clock.hostTscOffset();
  }

  @Override
  public boolean isVirtual() {
    return clock.isVirtual();
  }

  /** The machine does. */
  @Override
  public void advanceTo(long nanos) {
    throw new IllegalStateException("time is the machine's");
  }
}
