package parhelion.pc.time;

import java.time.Instant;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.rewrite.HostTsc;

/**
 * The host's clock: its time-stamp counter where generated code can read that by itself, else
 * {@link System#nanoTime}.
 */
public final class HostClock implements MachineClock {
  private final @Nullable HostTsc counter = HostTsc.find();
  private final long startNanos = hostNanos();

  private long hostNanos() {
    return counter == null ? System.nanoTime() : counter.nanos();
  }

  @Override
  public long nanos() {
    return hostNanos() - startNanos;
  }

  @Override
  public Instant wallClock() {
    return Instant.now();
  }

  @Override
  public OptionalLong hostTscOffset() {
    return counter == null ? OptionalLong.empty() : OptionalLong.of(-startNanos);
  }

  @Override
  public boolean isVirtual() {
    return false;
  }

  @Override
  public void advanceTo(long nanos) {}
}
