package parhelion.media.net.nat.loop;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * A selector, timers, and work that other threads hand over: what one thread does in turns. A test
 * may take the turns itself, with a clock of its own.
 *
 * <p>{@link #post} and {@link #wake} may be called by any thread, everything else by the thread
 * that takes the turns. While that thread is awake, neither makes a system call.
 *
 * <p>To wake a thread that sleeps takes the host longer than many an answer takes to come. So the
 * loop looks for work for a while before it sleeps: for longer when work came shortly after it had
 * fallen asleep, not at all when it came late.
 */
public final class EventLoop implements AutoCloseable {
  /** What a socket's readiness leads to. */
  public interface Ready {
    /** The operations are those of {@link SelectionKey}. */
    void ready(int operations);
  }

  /** The longest that the loop looks before it sleeps. */
  private static final long MAX_POLL_NANOS = 100_000;

  private static final long FIRST_POLL_NANOS = 10_000;

  /** After a yield that took longer, somebody else is busy on this processor. */
  private static final long LONG_YIELD_NANOS = 300_000;

  private static final int RESTRAINT = 256;

  private final Selector selector;
  private final Timers timers;
  private final Counts counts;
  private final Runnable turn;
  private final Runnable after;
  private final Object lock = new Object();
  private Deque<Runnable> posted = new ArrayDeque<>();
  private boolean awakened;
  private boolean asleep;

  /** Work was handed over, or a turn asked for, as {@link #poll} sees it without the lock. */
  private volatile boolean called;

  /** How long the loop looks before it sleeps the next time. */
  private long pollNanos;

  /** So many more times it sleeps at once, as others want the processor. */
  private int restraint;

  /**
   * One runnable runs at the begin of each turn, the other at its end, after sockets and timers.
   */
  public EventLoop(LongSupplier clock, Counts counts, Runnable turn, Runnable after) {
    this.timers = new Timers(clock);
    this.counts = counts;
    this.turn = turn;
    this.after = after;
    try {
      selector = Selector.open();
    } catch (IOException noSelector) {
      throw new UncheckedIOException(noSelector);
    }
  }

  public long now() {
    return timers.now();
  }

  public Timers timers() {
    return timers;
  }

  public Timer timer(Runnable action) {
    return timers.timer(action);
  }

  /** Registers a non-blocking channel. */
  public SelectionKey register(SelectableChannel channel, int operations, Ready ready)
      throws ClosedChannelException {
    return channel.register(selector, operations, ready);
  }

  /** Hands over work; it runs in the loop's next turn. */
  public void post(Runnable work) {
    boolean sleeping;
    synchronized (lock) {
      posted.add(work);
      called = true;
      sleeping = asleep;
      asleep = false;
    }
    if (sleeping) {
      selector.wakeup();
    }
  }

  /** Sees to it that there is another turn soon. */
  public void wake() {
    boolean sleeping;
    synchronized (lock) {
      awakened = true;
      called = true;
      sleeping = asleep;
      asleep = false;
    }
    if (sleeping) {
      selector.wakeup();
    }
  }

  /**
   * One turn: waits, at most so long, for a socket, a timer or another thread; then does what is to
   * do.
   */
  public void step(long maxWaitNanos) {
    runPosted();
    guarded(turn);
    try {
      select(Math.min(maxWaitNanos, timers.untilNextNanos()));
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
    for (SelectionKey key : selector.selectedKeys()) {
      ready(key);
    }
    selector.selectedKeys().clear();
    guarded(timers::run);
    guarded(after);
  }

  private void select(long waitNanos) throws IOException {
    if (poll(Math.min(waitNanos, pollNanos))) {
      return;
    }
    boolean mayWait = waitNanos > 0;
    synchronized (lock) {
      mayWait &= posted.isEmpty() && !awakened;
      awakened = false;
      called = false;
      asleep = mayWait;
    }
    if (!mayWait) {
      selector.selectNow();
      return;
    }
    // Rounded up: a timer that is nearly due must not make the loop spin.
    long millis = Math.min(TimeUnit.NANOSECONDS.toMillis(waitNanos), Integer.MAX_VALUE) + 1;
    long start = System.nanoTime();
    selector.select(waitNanos == Long.MAX_VALUE ? 0 : millis);
    adapt(System.nanoTime() - start);
    counts.add(Count.WAKEUPS);
    synchronized (lock) {
      asleep = false;
    }
  }

  /** Looks for work for so long; true if there are ready sockets, which are selected then. */
  private boolean poll(long nanos) throws IOException {
    if (nanos <= 0) {
      return false;
    }
    long start = System.nanoTime();
    long now = start;
    while (!called && now - start < nanos) {
      if (selector.selectNow() > 0) {
        return true;
      }
      // Whoever is to bring the work may want this processor.
      Thread.yield();
      long before = now;
      now = System.nanoTime();
      if (now - before > LONG_YIELD_NANOS) {
        pollNanos = 0;
        restraint = RESTRAINT;
      }
    }
    return false;
  }

  private void adapt(long sleptNanos) {
    if (restraint > 0) {
      restraint--;
    } else if (sleptNanos < MAX_POLL_NANOS) {
      pollNanos = Math.min(MAX_POLL_NANOS, Math.max(FIRST_POLL_NANOS, 2 * pollNanos));
    } else {
      pollNanos = pollNanos <= FIRST_POLL_NANOS ? 0 : pollNanos / 2;
    }
  }

  private void runPosted() {
    Deque<Runnable> work;
    synchronized (lock) {
      if (posted.isEmpty()) {
        return;
      }
      work = posted;
      posted = new ArrayDeque<>();
    }
    work.forEach(this::guarded);
  }

  private void ready(SelectionKey key) {
    try {
      if (key.isValid() && key.attachment() instanceof Ready ready) {
        ready.ready(key.readyOps());
      }
    } catch (CancelledKeyException closed) {
      // Another socket's work has closed this one.
    } catch (RuntimeException bug) {
      survive(bug);
    }
  }

  /** Does some work, so that a bug in it is counted and does not end everything else. */
  public void guarded(Runnable work) {
    try {
      work.run();
    } catch (RuntimeException bug) {
      survive(bug);
    }
  }

  private void survive(RuntimeException bug) {
    counts.add(Count.ERRORS);
    System.getLogger(EventLoop.class.getName()).log(System.Logger.Level.DEBUG, "network", bug);
  }

  /** Closes every registered channel. */
  @Override
  public void close() {
    try {
      for (SelectionKey key : selector.keys()) {
        key.channel().close();
      }
      selector.close();
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }
}
