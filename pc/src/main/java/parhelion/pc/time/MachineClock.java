package parhelion.pc.time;

import java.time.Instant;
import java.util.OptionalLong;
import parhelion.cpu.Cpu;

/**
 * A machine's time: the host's, or counted instructions. The time-stamp counter runs at 1 GHz, one
 * tick a nanosecond. Used by the thread that runs the machine.
 */
public interface MachineClock {
  /** Nanoseconds since the machine was switched on; never goes back. */
  long nanos();

  /** The date and time that a battery-backed clock would have. */
  Instant wallClock();

  /**
   * What to add to {@link parhelion.cpu.rewrite.HostTsc} for {@link #nanos}, if that is where it
   * comes from.
   */
  default OptionalLong hostTscOffset() {
    return OptionalLong.empty();
  }

  /** Whether time passes only by {@link #advanceTo} and by instructions: a run repeats exactly. */
  boolean isVirtual();

  /** A processor starts to run: virtual time passes with its instructions. */
  default void started(Cpu cpu) {}

  /** It has stopped. */
  default void stopped() {}

  /** Virtual time jumps there, as nothing is to be done before; a real clock ignores it. */
  void advanceTo(long nanos);
}
