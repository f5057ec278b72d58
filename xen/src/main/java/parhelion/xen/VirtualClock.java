package parhelion.xen;

import parhelion.cpu.CountedTime;
import parhelion.cpu.Cpu;

/** Xen's clock with {@link CountedTime}. Used by the scheduler's thread only. */
public final class VirtualClock implements XenClock {
  private final long bootWallNanos;
  private final CountedTime time = new CountedTime();

  /** Time starts at 0 system time, which is {@code bootWallNanos} nanoseconds of Unix time. */
  public VirtualClock(long bootWallNanos) {
    this.bootWallNanos = bootWallNanos;
  }

  @Override
  public long systemNanos() {
    return time.nanos();
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
    time.advanceTo(target);
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
