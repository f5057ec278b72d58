package parhelion.pc.disk;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import parhelion.pc.GuestMemory;

/** Where in the guest's memory a transfer goes: regions that a controller's table lists. */
final class ScatterList {
  private record Part(long address, ByteBuffer bytes) {}

  private final GuestMemory memory;
  private final List<Part> parts = new ArrayList<>();
  private long bytes;

  ScatterList(GuestMemory memory) {
    this.memory = memory;
  }

  /** Adds a region, of at most 16 MiB; false if it is not RAM. */
  boolean add(long address, int lengthBytes) {
    if (!parts.isEmpty()) {
      Part last = parts.getLast();
      int size = last.bytes.capacity();
      if (last.address + size == address && (long) size + lengthBytes <= Integer.MAX_VALUE) {
        ByteBuffer joined = memory.view(last.address, size + lengthBytes);
        if (joined != null) {
          parts.set(parts.size() - 1, new Part(last.address, joined));
          bytes += lengthBytes;
          return true;
        }
      }
    }
    ByteBuffer view = memory.view(address, lengthBytes);
    if (view == null) {
      return false;
    }
    parts.add(new Part(address, view));
    bytes += lengthBytes;
    return true;
  }

  long bytes() {
    return bytes;
  }

  /** Buffers over the first so many bytes. */
  List<ByteBuffer> buffers(long lengthBytes) {
    List<ByteBuffer> buffers = new ArrayList<>(parts.size());
    long left = lengthBytes;
    for (Part part : parts) {
      if (left <= 0) {
        break;
      }
      int length = (int) Math.min(left, part.bytes.capacity());
      buffers.add(part.bytes.slice(0, length));
      left -= length;
    }
    return buffers;
  }

  /** Says that the first so many bytes have been written. */
  void written(long lengthBytes) {
    long left = lengthBytes;
    for (Part part : parts) {
      if (left <= 0) {
        break;
      }
      memory.written(part.address, Math.min(left, part.bytes.capacity()));
      left -= part.bytes.capacity();
    }
  }

  /** Gives the guest bytes, as many as there is room for; returns how many. */
  int put(byte[] from) {
    int done = 0;
    for (ByteBuffer buffer : buffers(from.length)) {
      int length = buffer.remaining();
      buffer.put(from, done, length);
      done += length;
    }
    written(done);
    return done;
  }

  /** The first so many bytes, of which there are enough. */
  byte[] take(int lengthBytes) {
    byte[] taken = new byte[lengthBytes];
    int done = 0;
    for (ByteBuffer buffer : buffers(lengthBytes)) {
      int length = buffer.remaining();
      buffer.get(taken, done, length);
      done += length;
    }
    return taken;
  }
}
