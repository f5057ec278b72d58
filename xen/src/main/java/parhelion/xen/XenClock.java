package parhelion.xen;

import java.util.OptionalLong;
import parhelion.cpu.Cpu;

/**
 * The hypervisor's time: real, or virtual (counted instructions). The time-stamp counter that
 * guests read runs at 1 GHz, one tick a nanosecond of system time, so that no guest has to
 * calibrate anything.
 */
public interface XenClock {
  /** Nanoseconds since the hypervisor started; never goes back. */
  long systemNanos();

  /** Unix time of system time 0, in nanoseconds. */
  long bootWallNanos();

  /** What {@code rdtsc} gives. */
  default long tsc() {
    return systemNanos();
  }

  /**
   * What to add to {@link parhelion.cpu.rewrite.HostTsc} for {@link #tsc}, if that is where it
   * comes from.
   */
  default OptionalLong hostTscOffset() {
    return OptionalLong.empty();
  }

  /**
   * True if time passes only by {@link #advanceTo} and by instructions, so that a run can be
   * repeated.
   */
  boolean isVirtual();

  /** A vcpu starts to run: virtual time passes with its instructions. */
  default void started(Cpu cpu) {}

  /** It has stopped. */
  default void stopped() {}

  /**
   * Virtual time jumps to {@code nanos} when there is nothing to run before; a real clock ignores
   * it.
   */
  void advanceTo(long nanos);
}
