package parhelion.toolstack.guest;

import java.io.OutputStream;
import java.time.Duration;
import parhelion.backends.console.ConsoleSink;
import parhelion.backends.console.StreamSink;

/**
 * A stream that takes a guest's console output, written by a thread of its own: a slow reader slows
 * the guest down, and nothing piles up.
 */
public final class GuestOutput implements AutoCloseable {
  private static final int BUFFER_BYTES = 64 << 10;

  private final StreamSink sink;

  /** Writes to {@code stream}, which is flushed but never closed. */
  public GuestOutput(OutputStream stream) {
    sink = new StreamSink("console output", stream, BUFFER_BYTES);
  }

  ConsoleSink sink() {
    return sink;
  }

  /** Waits until all output is written; false when the time ran out first. */
  public boolean drain(Duration timeout) throws InterruptedException {
    return sink.drain(timeout);
  }

  /** Ends the writer. */
  @Override
  public void close() {
    sink.close();
  }
}
