package parhelion.toolstack.steward;

import java.util.ArrayDeque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Frames that wait to be sent, in order. Data waits for room, in the order in which it came; all
 * else is small and goes in at once, so that a cancellation never hangs.
 */
final class Outbox {
  /** Data may wait up to here. */
  private static final int ROOM_BYTES = 64 << 10;

  /** What is sent in one go, at least a frame. */
  private static final int BATCH_BYTES = 16 << 10;

  private final ReentrantLock lock = new ReentrantLock(true);
  private final Condition changed = lock.newCondition();
  private final ArrayDeque<byte[]> frames = new ArrayDeque<>();
  private long waiting;
  private boolean closed;

  /** Adds a frame at once. */
  void put(byte[] frame) {
    lock.lock();
    try {
      if (!closed) {
        frames.add(frame);
        waiting += frame.length;
        changed.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Adds a frame once there is room. */
  void putData(byte[] frame) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (waiting > ROOM_BYTES && !closed) {
        changed.await();
      }
      put(frame);
    } finally {
      lock.unlock();
    }
  }

  /** Waits for frames and takes some; null when there will be no more. */
  byte @Nullable [] take() {
    lock.lock();
    try {
      while (frames.isEmpty() && !closed) {
        changed.awaitUninterruptibly();
      }
      if (closed) {
        return null;
      }
      int count = 0;
      int bytes = 0;
      for (byte[] frame : frames) {
        if (count > 0 && bytes + frame.length > BATCH_BYTES) {
          break;
        }
        count++;
        bytes += frame.length;
      }
      byte[] batch = new byte[bytes];
      for (int at = 0; count > 0; count--) {
        byte[] frame = frames.remove();
        System.arraycopy(frame, 0, batch, at, frame.length);
        at += frame.length;
      }
      waiting -= bytes;
      changed.signalAll();
      return batch;
    } finally {
      lock.unlock();
    }
  }

  /** Drops all that waits. */
  void clear() {
    lock.lock();
    try {
      frames.clear();
      waiting = 0;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Nothing is taken or sent any more. */
  void close() {
    lock.lock();
    try {
      closed = true;
      frames.clear();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
