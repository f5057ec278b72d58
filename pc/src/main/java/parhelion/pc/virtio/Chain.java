package parhelion.pc.virtio;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.pc.GuestMemory;

/**
 * A chain of buffers that a driver has made available: those that the device reads, then those that
 * it writes. Descriptors were copied and checked; the bytes themselves may change while they are
 * looked at, so whatever matters is read once.
 */
final class Chain {
  private record Segment(long address, ByteBuffer bytes) {}

  final int head;
  private final List<Segment> readable = new ArrayList<>(4);
  private final List<Segment> writable = new ArrayList<>(4);
  private long readableBytes;
  private long writableBytes;

  Chain(int head) {
    this.head = head;
  }

  /** Adds what a descriptor points to; joins what lies together. */
  void add(GuestMemory memory, long address, int lengthBytes, boolean isWritable)
      throws BrokenQueueException {
    if (!isWritable && !writable.isEmpty()) {
      throw new BrokenQueueException("a buffer to be read behind one to be written");
    }
    if (lengthBytes == 0) {
      return;
    }
    if (lengthBytes < 0) {
      throw new BrokenQueueException("a buffer of " + Integer.toUnsignedString(lengthBytes));
    }
    List<Segment> segments = isWritable ? writable : readable;
    Segment last = segments.isEmpty() ? null : segments.getLast();
    Segment joined = last == null ? null : join(memory, last, address, lengthBytes);
    if (joined != null) {
      segments.set(segments.size() - 1, joined);
    } else {
      ByteBuffer view = memory.view(address, lengthBytes);
      if (view == null) {
        throw new BrokenQueueException(
            "a buffer of %d bytes at %#x, which is not RAM".formatted(lengthBytes, address));
      }
      segments.add(new Segment(address, view));
    }
    if (isWritable) {
      writableBytes += lengthBytes;
    } else {
      readableBytes += lengthBytes;
    }
  }

  private static @Nullable Segment join(
      GuestMemory memory, Segment last, long address, int lengthBytes) {
    long together = (long) last.bytes.capacity() + lengthBytes;
    if (last.address + last.bytes.capacity() != address || together > Integer.MAX_VALUE) {
      return null;
    }
    ByteBuffer view = memory.view(last.address, (int) together);
    return view == null ? null : new Segment(last.address, view);
  }

  long readableBytes() {
    return readableBytes;
  }

  long writableBytes() {
    return writableBytes;
  }

  /** Buffers over a part of what the device reads. */
  List<ByteBuffer> readable(long from, long lengthBytes) {
    return part(readable, from, lengthBytes);
  }

  /** Buffers over a part of what the device writes. */
  List<ByteBuffer> writable(long from, long lengthBytes) {
    return part(writable, from, lengthBytes);
  }

  private static List<ByteBuffer> part(List<Segment> segments, long from, long lengthBytes) {
    List<ByteBuffer> parts = new ArrayList<>(segments.size());
    long skip = from;
    long left = lengthBytes;
    for (Segment segment : segments) {
      int size = segment.bytes.capacity();
      if (skip >= size) {
        skip -= size;
        continue;
      }
      int length = (int) Math.min(left, size - skip);
      if (length > 0) {
        parts.add(segment.bytes.slice((int) skip, length));
      }
      left -= length;
      skip = 0;
    }
    return parts;
  }

  /** Copies bytes from {@code from} on of what the device reads; returns how many there were. */
  int read(long from, byte[] into, int offset, int lengthBytes) {
    int done = 0;
    for (ByteBuffer part : readable(from, lengthBytes)) {
      int length = part.remaining();
      part.get(into, offset + done, length);
      done += length;
    }
    return done;
  }

  /**
   * Copies bytes to {@code to} on of what the device writes; returns how many there was room for.
   */
  int write(long to, byte[] from, int offset, int lengthBytes) {
    int done = 0;
    for (ByteBuffer part : writable(to, lengthBytes)) {
      int length = part.remaining();
      part.put(from, offset + done, length);
      done += length;
    }
    return done;
  }

  /** Says that the first bytes of what the device writes have been written. */
  void written(GuestMemory memory, long lengthBytes) {
    long left = Math.min(lengthBytes, writableBytes);
    for (Segment segment : writable) {
      if (left <= 0) {
        return;
      }
      memory.written(segment.address, Math.min(left, segment.bytes.capacity()));
      left -= segment.bytes.capacity();
    }
  }

  /** Says that a part of what the device writes, up to the end, has been written. */
  void writtenAll(GuestMemory memory) {
    written(memory, writableBytes);
  }
}
