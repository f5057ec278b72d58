package parhelion.pc;

/**
 * The machine's time. Every device takes its time from here, so that a machine under a virtual
 * clock repeats exactly. Used on the thread that runs the machine only.
 */
public interface Timers {
  /** Nanoseconds since the machine was switched on; stands still while the machine is paused. */
  long nanos();

  /** Seconds since 1970 and their nanoseconds, as a real-time clock would have them. */
  java.time.Instant wallClock();

  /** A timer that runs {@code action} on the machine's thread, between instructions. */
  Timer timer(Runnable action);

  /** One deadline at a time. */
  interface Timer {
    /** Runs the action once at {@code nanos}, at once if that is past; replaces what was set. */
    void set(long nanos);

    void cancel();
  }
}
