package parhelion.toolstack.steward;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.Objects;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of a channel that have come and are not read yet: never more than the window. One
 * thread puts, one reads; the reader waits.
 */
final class ByteQueue extends InputStream {
  private static final int FIRST_BYTES = 1024;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final IntConsumer freed;
  private byte[] ring = new byte[FIRST_BYTES];
  private int start;
  private int filled;
  private int unsaid;
  private boolean ended;
  private boolean closed;
  private @Nullable String broken;

  /**
   * An empty queue.
   *
   * @param freed told, by the reader's thread, how many bytes more may come
   */
  ByteQueue(IntConsumer freed) {
    this.freed = freed;
  }

  /** Takes bytes that have come; whether they keep to the window. */
  boolean put(byte[] bytes, int length) {
    lock.lock();
    try {
      if (length > Wire.WINDOW - filled - unsaid) {
        return false;
      }
      if (closed) {
        freed.accept(length); // nobody reads them: they are dropped
        return true;
      }
      grow(filled + length);
      int at = (start + filled) % ring.length;
      int first = Math.min(length, ring.length - at);
      System.arraycopy(bytes, 0, ring, at, first);
      System.arraycopy(bytes, first, ring, 0, length - first);
      filled += length;
      changed.signalAll();
      return true;
    } finally {
      lock.unlock();
    }
  }

  private void grow(int needed) {
    int size = ring.length;
    while (size < needed) {
      size *= 2;
    }
    if (size > ring.length) {
      byte[] larger = new byte[size];
      int first = Math.min(filled, ring.length - start);
      System.arraycopy(ring, start, larger, 0, first);
      System.arraycopy(ring, 0, larger, first, filled - first);
      ring = larger;
      start = 0;
    }
  }

  /** No more will come. */
  void end() {
    lock.lock();
    try {
      ended = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** No more will come, although there should be. */
  void fail(String why) {
    lock.lock();
    try {
      if (!ended) {
        broken = why;
        end();
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, target.length);
    if (length == 0) {
      return 0;
    }
    int count;
    int say = 0;
    lock.lock();
    try {
      while (filled == 0 && !ended && !closed) {
        changed.await();
      }
      if (closed) {
        throw new IOException("the stream is closed");
      }
      if (filled == 0) {
        if (broken != null) {
          throw new IOException(broken);
        }
        return -1;
      }
      count = Math.min(length, filled);
      int first = Math.min(count, ring.length - start);
      System.arraycopy(ring, start, target, offset, first);
      System.arraycopy(ring, 0, target, offset + first, count - first);
      start = (start + count) % ring.length;
      filled -= count;
      unsaid += count;
      if (unsaid >= Wire.WINDOW / 4 && !ended) {
        say = unsaid;
        unsaid = 0;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while waiting for the guest");
    } finally {
      lock.unlock();
    }
    if (say > 0) {
      freed.accept(say);
    }
    return count;
  }

  /** What comes from now on is dropped. */
  @Override
  public void close() {
    int say;
    lock.lock();
    try {
      say = closed || ended ? 0 : filled + unsaid;
      closed = true;
      filled = 0;
      unsaid = 0;
      ring = new byte[0];
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    if (say > 0) {
      freed.accept(say);
    }
  }
}
