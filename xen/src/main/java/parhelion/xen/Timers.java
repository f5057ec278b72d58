package parhelion.xen;

import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * Everything that is to happen at a point of system time. Timers of the same deadline fire in the
 * order in which they were set. Scheduler's thread only.
 */
public final class Timers {
  /** One timer: set and stopped any number of times. */
  public final class Timer {
    private final Runnable action;
    private long deadlineNanos = -1;
    private long order;

    private Timer(Runnable action) {
      this.action = action;
    }

    /**
     * Fires once at {@code nanos} of system time, or as soon as possible after. Replaces a deadline
     * set before.
     */
    public void set(long nanos) {
      stop();
      deadlineNanos = Math.max(0, nanos);
      order = next++;
      queue.add(this);
      if (queue.peek() == this) {
        whenSooner.run();
      }
    }

    public void stop() {
      if (deadlineNanos >= 0) {
        queue.remove(this);
        deadlineNanos = -1;
      }
    }

    /** When it fires, or -1. */
    public long deadlineNanos() {
      return deadlineNanos;
    }
  }

  private final PriorityQueue<Timer> queue =
      new PriorityQueue<>(
          (a, b) ->
              a.deadlineNanos != b.deadlineNanos
                  ? Long.compare(a.deadlineNanos, b.deadlineNanos)
                  : Long.compare(a.order, b.order));
  private long next;
  private Runnable whenSooner = () -> {};

  /** Names what to call when the earliest deadline is a new one. */
  void whenSooner(Runnable action) {
    whenSooner = action;
  }

  /** A timer that is not running yet. */
  public Timer timer(Runnable action) {
    return new Timer(action);
  }

  /** The earliest deadline, or {@code Long.MAX_VALUE}. */
  public long nextNanos() {
    Timer first = queue.peek();
    return first == null ? Long.MAX_VALUE : first.deadlineNanos;
  }

  /** Fires all that are due; those that they set for now fire too. */
  public void fire(long nowNanos) {
    while (true) {
      @Nullable Timer first = queue.peek();
      if (first == null || first.deadlineNanos > nowNanos) {
        return;
      }
      queue.remove();
      first.deadlineNanos = -1;
      first.action.run();
    }
  }
}
