package parhelion.toolstack.console;

import java.io.IOException;
import java.io.OutputStream;
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
  private static final int BUFFER_BYTES = 16 << 10;

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
  synchronized void come(OutputStream stream) throws IOException {
    stream.write(kept.tail());
    stream.flush();
    kept = new ConsoleLog(KEPT_BYTES);
    StreamSink sink = new StreamSink("console output", stream, BUFFER_BYTES);
    sink.whenRoom(() -> whenRoom.run());
    visitor = sink;
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
