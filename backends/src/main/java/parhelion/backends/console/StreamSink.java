package parhelion.backends.console;

import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A sink that writes to a stream, which may block: a thread of its own does the writing, from a
 * buffer of fixed size. A flooding guest is slowed down to the stream's pace. If the stream breaks,
 * output is dropped from then on, and {@link #failure} tells.
 */
public final class StreamSink implements ConsoleSink {
  private static final int CHUNK = 4096;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final OutputStream stream;
  private final byte[] buffer;
  private final Thread writer;
  private int start;
  private int filled;
  private boolean writing;
  private boolean refused;
  private boolean closed;
  private volatile @Nullable IOException failure;
  private volatile Runnable whenRoom = () -> {};

  /**
   * Starts the writer.
   *
   * @param stream written to and flushed by one thread; not closed by this sink
   * @param bufferBytes how much output may wait
   */
  public StreamSink(String name, OutputStream stream, int bufferBytes) {
    this.stream = stream;
    buffer = new byte[Math.max(CHUNK, bufferBytes)];
    writer = Thread.ofPlatform().daemon().name(name).unstarted(this::write);
    writer.start();
  }

  @Override
  public void whenRoom(Runnable signal) {
    whenRoom = signal;
  }

  @Override
  public int accept(byte[] bytes, int offset, int length) {
    lock.lock();
    try {
      if (failure != null || closed) {
        return length;
      }
      int count = Math.min(length, buffer.length - filled);
      int at = (start + filled) % buffer.length;
      int first = Math.min(count, buffer.length - at);
      System.arraycopy(bytes, offset, buffer, at, first);
      System.arraycopy(bytes, offset + first, buffer, 0, count - first);
      filled += count;
      refused = count < length;
      changed.signalAll();
      return count;
    } finally {
      lock.unlock();
    }
  }

  private void write() {
    byte[] chunk = new byte[CHUNK];
    for (int count = take(chunk); count > 0; count = take(chunk)) {
      try {
        stream.write(chunk, 0, count);
        stream.flush();
      } catch (IOException e) {
        failure = e;
      }
    }
  }

  /** Waits for output; 0 when there is none and never will be. */
  private int take(byte[] chunk) {
    boolean tell;
    int count;
    lock.lock();
    try {
      writing = false;
      changed.signalAll();
      while (filled == 0 && !closed) {
        changed.awaitUninterruptibly();
      }
      count = Math.min(Math.min(filled, chunk.length), buffer.length - start);
      System.arraycopy(buffer, start, chunk, 0, count);
      start = (start + count) % buffer.length;
      filled -= count;
      writing = count > 0;
      tell = refused && count > 0;
      refused = refused && !tell;
    } finally {
      lock.unlock();
    }
    if (tell) {
      whenRoom.run();
    }
    return count;
  }

  /** What broke the stream, or null. */
  public @Nullable IOException failure() {
    return failure;
  }

  /** Waits until all that was accepted is written or the time is over; whether it was written. */
  public boolean drain(Duration timeout) throws InterruptedException {
    long left = timeout.toNanos();
    lock.lock();
    try {
      while (filled > 0 || writing) {
        if (left <= 0) {
          return false;
        }
        left = changed.awaitNanos(left);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Lets the writer finish what was accepted and end. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
