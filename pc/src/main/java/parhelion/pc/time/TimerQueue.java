package parhelion.pc.time;

import java.time.Instant;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;
import parhelion.pc.Timers;

/**
 * Everything that is to happen at a point of a machine's time. Timers of the same deadline fire in
 * the order in which they were set. On the thread that runs the machine.
 */
public final class TimerQueue implements Timers {
  private final class Entry implements Timer {
    private final Runnable action;
    private long deadlineNanos = -1;
    private long order;

    private Entry(Runnable action) {
      this.action = action;
    }

    @Override
    public void set(long nanos) {
      cancel();
      deadlineNanos = Math.max(0, nanos);
      order = next++;
      queue.add(this);
      if (queue.peek() == this) {
        whenSooner.run();
      }
    }

    @Override
    public void cancel() {
      if (deadlineNanos >= 0) {
        queue.remove(this);
        deadlineNanos = -1;
      }
    }
  }

  private final MachineClock clock;
  private final Runnable whenSooner;
  private final PriorityQueue<Entry> queue =
      new PriorityQueue<>(
          (a, b) ->
              a.deadlineNanos != b.deadlineNanos
                  ? Long.compare(a.deadlineNanos, b.deadlineNanos)
                  : Long.compare(a.order, b.order));
  private long next;

  /**
   * No timers yet.
   *
   * @param whenSooner called when the earliest deadline is a new one
   */
  public TimerQueue(MachineClock clock, Runnable whenSooner) {
    this.clock = clock;
    this.whenSooner = whenSooner;
  }

  @Override
  public long nanos() {
    return clock.nanos();
  }

  @Override
  public Instant wallClock() {
    return clock.wallClock();
  }

  @Override
  public Timer timer(Runnable action) {
    return new Entry(action);
  }

  /** The earliest deadline, or {@code Long.MAX_VALUE}. */
  public long nextNanos() {
    Entry first = queue.peek();
    return first == null ? Long.MAX_VALUE : first.deadlineNanos;
  }

  /**
   * Fires what is due now; what those set for now fires at the next call, so that no timer that
   * sets itself anew keeps the machine from running.
   */
  public void fire(long nowNanos) {
    long before = next;
    while (true) {
      @Nullable Entry first = queue.peek();
      if (first == null || first.deadlineNanos > nowNanos || first.order >= before) {
        return;
      }
      queue.remove();
      first.deadlineNanos = -1;
      first.action.run();
    }
  }
}
