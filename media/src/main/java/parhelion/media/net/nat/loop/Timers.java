package parhelion.media.net.nat.loop;

import java.util.Arrays;
import java.util.function.LongSupplier;

/**
 * The timers of a loop: a binary heap in which each timer knows its place, so that setting and
 * cancelling cost little however often a connection does it.
 */
public final class Timers {
  private final LongSupplier clock;
  private Timer[] heap = new Timer[64];
  private int size;

  /** The clock gives nanoseconds, as {@link System#nanoTime} does. */
  public Timers(LongSupplier clock) {
    this.clock = clock;
  }

  public Timer timer(Runnable action) {
    return new Timer(this, action);
  }

  public long now() {
    return clock.getAsLong();
  }

  public int size() {
    return size;
  }

  /** Nanoseconds to the next timer, 0 if it is due; {@link Long#MAX_VALUE} without one. */
  public long untilNextNanos() {
    return size == 0 ? Long.MAX_VALUE : Math.max(heap[0].deadlineNanos - now(), 0);
  }

  /** Fires what is due. A timer that is set anew meanwhile waits for the next turn. */
  public void run() {
    long now = now();
    while (size > 0 && heap[0].deadlineNanos - now <= 0) {
      Timer timer = heap[0];
      remove(timer);
      timer.fire();
    }
  }

  void set(Timer timer, long deadlineNanos) {
    if (timer.index == Timer.UNSET) {
      if (size == heap.length) {
        heap = Arrays.copyOf(heap, size * 2);
      }
      timer.deadlineNanos = deadlineNanos;
      up(timer, size++);
      return;
    }
    boolean earlier = deadlineNanos - timer.deadlineNanos < 0;
    timer.deadlineNanos = deadlineNanos;
    if (earlier) {
      up(timer, timer.index);
    } else {
      down(timer, timer.index);
    }
  }

  @SuppressWarnings("NullAway") // A place beyond the heap's size holds nothing.
  void remove(Timer timer) {
    int hole = timer.index;
    if (hole == Timer.UNSET) {
      return;
    }
    timer.index = Timer.UNSET;
    Timer last = heap[--size];
    heap[size] = null;
    if (last != timer) {
      up(last, hole);
      down(last, last.index);
    }
  }

  private void up(Timer timer, int from) {
    int at = from;
    while (at > 0) {
      Timer parent = heap[(at - 1) / 2];
      if (parent.deadlineNanos - timer.deadlineNanos <= 0) {
        break;
      }
      put(parent, at);
      at = (at - 1) / 2;
    }
    put(timer, at);
  }

  private void down(Timer timer, int from) {
    int at = from;
    while (2 * at + 1 < size) {
      int child = 2 * at + 1;
      if (child + 1 < size && heap[child + 1].deadlineNanos - heap[child].deadlineNanos < 0) {
        child++;
      }
      if (timer.deadlineNanos - heap[child].deadlineNanos <= 0) {
        break;
      }
      put(heap[child], at);
      at = child;
    }
    put(timer, at);
  }

  private void put(Timer timer, int at) {
    heap[at] = timer;
    timer.index = at;
  }
}
