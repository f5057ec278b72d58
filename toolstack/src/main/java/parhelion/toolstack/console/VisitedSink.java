package parhelion.toolstack.console;

import java.io.OutputStream;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import parhelion.backends.console.ConsoleLog;
import parhelion.backends.console.ConsoleSink;
import parhelion.backends.console.StreamSink;

/**
 * Output for somebody who comes and goes: while nobody is there the guest is not held up, and the
 * last of what it says is kept for who comes next; who is there and does not read holds it up. Any
 * thread.
 */
final class VisitedSink implements ConsoleSink {
  private static final int KEPT_BYTES = 16 << 10;

  /** What was kept has room in it, as a visitor who does not read must hold up nobody else. */
  private static final int BUFFER_BYTES = KEPT_BYTES;

  private static final Duration DRAIN = Duration.ofSeconds(1);

  private ConsoleLog kept = new ConsoleLog(KEPT_BYTES);
  private @Nullable StreamSink visitor;
  private volatile Runnable whenRoom = () -> {};

  @Override
  public synchronized int accept(byte[] bytes, int offset, int length) {
    return (visitor == null ? kept : visitor).accept(bytes, offset, length);
  }

  @Override
  public void whenRoom(Runnable signal) {
    whenRoom = signal;
  }

  /** Somebody has come, and gets what was said before. */
  synchronized void come(OutputStream stream) {
    byte[] before = kept.tail();
    kept = new ConsoleLog(KEPT_BYTES);
    StreamSink sink = new StreamSink("console output", stream, BUFFER_BYTES);
    int unused = sink.accept(before, 0, before.length);
    sink.whenRoom(() -> whenRoom.run());
    visitor = sink;
  }

  /** Gives who is there a moment to read the guest's last words. */
  void drain() {
    StreamSink last;
    synchronized (this) {
      last = visitor;
    }
    try {
      if (last != null) {
        boolean unused = last.drain(DRAIN);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** They have gone. */
  void go() {
    synchronized (this) {
      if (visitor != null) {
        visitor.close();
        visitor = null;
      }
    }
    whenRoom.run();
  }
}
