package parhelion.xen;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;

/**
 * Counted time: an instruction takes a nanosecond, and when nothing can run, time jumps to the next
 * timer. The same input gives the same run. Used by the scheduler's thread only.
 */
public final class VirtualClock implements XenClock {
  private final long bootWallNanos;
  private long nanos;
  private @Nullable Cpu running;
  private long retiredAtStart;

  /** Time starts at 0 system time, which is {@code bootWallNanos} nanoseconds of Unix time. */
  public VirtualClock(long bootWallNanos) {
    this.bootWallNanos = bootWallNanos;
  }

  @Override
  public long systemNanos() {
    Cpu cpu = running;
    return cpu == null ? nanos : nanos + (cpu.retired - retiredAtStart);
  }

  @Override
  public long bootWallNanos() {
    return bootWallNanos;
  }

  @Override
  public boolean isVirtual() {
    return true;
  }

  @Override
  public void advanceTo(long target) {
    if (running != null) {
      throw new IllegalStateException("time jumps while a vcpu runs");
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
    nanos = systemNanos();
    running = null;
  }
}
