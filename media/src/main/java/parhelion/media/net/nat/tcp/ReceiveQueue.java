package parhelion.media.net.nat.tcp;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/**
 * What the guest sent and the far side has not taken: bytes in order, and segments that came too
 * early. Payloads stay in the packets that they came in, as nobody changes those; small ones are
 * copied together, so that what is held stays near to what is counted.
 */
final class ReceiveQueue {
  private static final int SMALL = 1024;
  private static final int CHUNK = 4096;

  private final Budget budget;
  private final int maxBytes;
  private final int maxEarly;
  private final ArrayDeque<ByteBuffer> ready = new ArrayDeque<>();
  private final TreeMap<Long, ByteBuffer> early = new TreeMap<>();
  private long next;
  private int held;
  private boolean openChunk;

  ReceiveQueue(Budget budget, int maxBytes, int maxEarly) {
    this.budget = budget;
    this.maxBytes = maxBytes;
    this.maxEarly = maxEarly;
  }

  /** The position in the stream of the first byte that is missing. */
  long next() {
    return next;
  }

  /** How many bytes there is room for behind {@link #next}. */
  int room() {
    return (int) Math.min(maxBytes - held, budget.free());
  }

  /** Whether the far side has taken all that is in order. */
  boolean isDrained() {
    return ready.isEmpty();
  }

  boolean hasEarly() {
    return !early.isEmpty();
  }

  /** Takes a part of the stream; false if there was no room for it. */
  boolean accept(long position, byte[] bytes, int at, int length) {
    long end = position + length;
    if (end <= next) {
      return true;
    }
    int skip = (int) Math.max(next - position, 0);
    boolean inOrder = position <= next;
    if (!take(length - skip)) {
      return false;
    }
    if (inOrder) {
      append(bytes, at + skip, length - skip);
      appendEarly();
      return true;
    }
    return keepEarly(position, bytes, at, length);
  }

  private boolean keepEarly(long position, byte[] bytes, int at, int length) {
    Map.Entry<Long, ByteBuffer> before = early.floorEntry(position);
    long covered = before == null ? position : before.getKey() + before.getValue().remaining();
    int skip = (int) Math.clamp(covered - position, 0, length);
    give(skip);
    if (skip == length) {
      return true;
    }
    if (early.size() >= maxEarly) {
      give(length - skip);
      return false;
    }
    ByteBuffer replaced = early.put(position + skip, kept(bytes, at + skip, length - skip));
    if (replaced != null) {
      give(replaced.remaining());
    }
    return true;
  }

  private void appendEarly() {
    while (!early.isEmpty() && early.firstKey() <= next) {
      Map.Entry<Long, ByteBuffer> first = early.pollFirstEntry();
      ByteBuffer buffer = first.getValue();
      int skip = (int) Math.min(next - first.getKey(), buffer.remaining());
      give(skip);
      int length = buffer.remaining() - skip;
      if (length > 0) {
        append(buffer.array(), buffer.arrayOffset() + buffer.position() + skip, length);
      }
    }
  }

  private void append(byte[] bytes, int at, int length) {
    next += length;
    if (length >= SMALL) {
      ready.add(kept(bytes, at, length));
      openChunk = false;
      return;
    }
    ByteBuffer tail = openChunk ? ready.peekLast() : null;
    if (tail == null || tail.capacity() - tail.limit() < length) {
      tail = ByteBuffer.allocate(CHUNK).limit(0);
      ready.add(tail);
      openChunk = true;
    }
    int end = tail.limit();
    tail.limit(end + length);
    tail.put(end, bytes, at, length);
  }

  /** The packet's own bytes, if they are most of it; a packet may be padded. */
  private static ByteBuffer kept(byte[] bytes, int at, int length) {
    return length >= bytes.length / 2
        ? ByteBuffer.wrap(bytes, at, length)
        : ByteBuffer.wrap(Arrays.copyOfRange(bytes, at, at + length));
  }

  /** Copies what is in order into a buffer, as far as it goes, without taking it out. */
  void peek(ByteBuffer into) {
    for (ByteBuffer buffer : ready) {
      int length = Math.min(buffer.remaining(), into.remaining());
      into.put(into.position(), buffer, buffer.position(), length);
      into.position(into.position() + length);
      if (!into.hasRemaining()) {
        return;
      }
    }
  }

  /** Takes out bytes that the far side took. */
  void remove(int bytes) {
    give(bytes);
    int left = bytes;
    while (left > 0) {
      ByteBuffer first = ready.getFirst();
      int length = Math.min(left, first.remaining());
      first.position(first.position() + length);
      left -= length;
      if (!first.hasRemaining()) {
        ready.removeFirst();
        openChunk &= !ready.isEmpty();
      }
    }
  }

  /** Drops everything. */
  void clear() {
    ready.clear();
    early.clear();
    openChunk = false;
    give(held);
  }

  private boolean take(int bytes) {
    if (bytes > maxBytes - held || !budget.take(bytes)) {
      return false;
    }
    held += bytes;
    return true;
  }

  private void give(int bytes) {
    held -= bytes;
    budget.give(bytes);
  }
}
