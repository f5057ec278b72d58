package parhelion.pc.interrupt;

import parhelion.pc.Timers;

/**
 * A local APIC's timer (SDM volume 3, 11.5.4): counts down at 1 GHz by a divisor, once or again and
 * again; or fires at a value of the time-stamp counter.
 */
final class ApicTimer {
  private static final int ONE_SHOT = 0;
  private static final int PERIODIC = 1;
  private static final int TSC_DEADLINE = 2;

  /** Ticks do not come faster than so, whatever the guest asks. */
  private static final long MIN_PERIOD_NANOS = 20_000;

  private final Timers timers;
  private final Timers.Timer timer;
  private final Runnable fired;
  private int mode;
  private int divide;
  private int initial;
  private long startNanos;
  private long deadlineNanos;

  ApicTimer(Timers timers, Runnable fired) {
    this.timers = timers;
    this.fired = fired;
    timer = timers.timer(this::expired);
  }

  void reset() {
    timer.cancel();
    mode = ONE_SHOT;
    divide = 0;
    initial = 0;
    startNanos = 0;
    deadlineNanos = 0;
  }

  /** Bits 18 and 17 of the timer's LVT entry. */
  void mode(int newMode) {
    if (newMode == mode) {
      return;
    }
    boolean wasDeadline = mode == TSC_DEADLINE;
    mode = newMode;
    if (wasDeadline || newMode == TSC_DEADLINE) {
      timer.cancel();
      initial = 0;
      deadlineNanos = 0;
    }
  }

  private int divisor() {
    int code = divide & 3 | divide >>> 1 & 4;
    return code == 7 ? 1 : 2 << code;
  }

  int divideRegister() {
    return divide;
  }

  void divide(int value) {
    long left = currentCount() & 0xffff_ffffL;
    divide = value & 0xb;
    if (left != 0) {
      long gone = (initial & 0xffff_ffffL) - left;
      startNanos = timers.nanos() - gone * divisor();
      timer.set(timers.nanos() + left * divisor());
    }
  }

  int initialCount() {
    return initial;
  }

  void start(int count) {
    if (mode == TSC_DEADLINE) {
      return;
    }
    initial = count;
    startNanos = timers.nanos();
    if (count == 0) {
      timer.cancel();
    } else {
      timer.set(startNanos + periodNanos());
    }
  }

  private long periodNanos() {
    return (initial & 0xffff_ffffL) * divisor();
  }

  int currentCount() {
    if (initial == 0 || mode == TSC_DEADLINE) {
      return 0;
    }
    long gone = timers.nanos() - startNanos;
    long period = periodNanos();
    if (mode == PERIODIC) {
      gone %= period;
    }
    return gone >= period ? 0 : (int) ((period - gone + divisor() - 1) / divisor());
  }

  long deadline() {
    return mode == TSC_DEADLINE ? deadlineNanos : 0;
  }

  void deadline(long nanos) {
    if (mode != TSC_DEADLINE) {
      return;
    }
    deadlineNanos = nanos;
    if (nanos == 0) {
      timer.cancel();
    } else {
      timer.set(nanos < 0 ? Long.MAX_VALUE - 1 : nanos);
    }
  }

  private void expired() {
    deadlineNanos = 0;
    if (mode == PERIODIC && initial != 0) {
      // Missed periods are not made up for, as on hardware whose interrupt still waits.
      long period = periodNanos();
      long now = timers.nanos();
      startNanos += Math.max(1, (now - startNanos) / period) * period;
      timer.set(Math.max(startNanos + period, now + MIN_PERIOD_NANOS));
    }
    fired.run();
  }
}
