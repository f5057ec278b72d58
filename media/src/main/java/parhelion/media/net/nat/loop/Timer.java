package parhelion.media.net.nat.loop;

/** Something that happens at a time, once for each time that it is set. */
public final class Timer {
  static final int UNSET = -1;

  private final Timers timers;
  private final Runnable action;
  long deadlineNanos;
  int index = UNSET;

  Timer(Timers timers, Runnable action) {
    this.timers = timers;
    this.action = action;
  }

  /** Sets the time anew, from now on. */
  public void setIn(long delayNanos) {
    timers.set(this, timers.now() + Math.max(delayNanos, 0));
  }

  /** Sets it only if it is not set. */
  public void startIn(long delayNanos) {
    if (!isSet()) {
      setIn(delayNanos);
    }
  }

  public void cancel() {
    timers.remove(this);
  }

  public boolean isSet() {
    return index != UNSET;
  }

  void fire() {
    action.run();
  }
}
