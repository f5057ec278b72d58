package parhelion.xen;

import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.rewrite.HostTsc;

/**
 * The host's clock: its time-stamp counter where that can be read, which costs a tenth of what
 * {@link System#nanoTime} does and which generated code reads by itself.
 */
public final class RealClock implements XenClock {
  private final @Nullable HostTsc counter = HostTsc.find();
  private final long startNanos = hostNanos();
  private final long bootWallNanos;

  public RealClock() {
    java.time.Instant now = java.time.Instant.now();
    bootWallNanos = now.getEpochSecond() * 1_000_000_000L + now.getNano();
  }

  private long hostNanos() {
    return counter == null ? System.nanoTime() : counter.nanos();
  }

  @Override
  public long systemNanos() {
    return hostNanos() - startNanos;
  }

  @Override
  public OptionalLong hostTscOffset() {
    return counter == null ? OptionalLong.empty() : OptionalLong.of(-startNanos);
  }

  @Override
  public long bootWallNanos() {
    return bootWallNanos;
  }

  @Override
  public boolean isVirtual() {
    return false;
  }

  @Override
  public void advanceTo(long nanos) {}
}
