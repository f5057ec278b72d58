package parhelion.media.rootfs;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/** A part of a file of the host: an archive, a member of one. Any thread. */
record ByteRange(FileChannel file, long offset, long sizeBytes) {
  /** A part of the part. */
  ByteRange slice(long from, long bytes) throws RootFsException {
    if (from < 0 || bytes < 0 || bytes > sizeBytes - from) {
      throw new RootFsException("it is cut off, or lies about a size");
    }
    return new ByteRange(file, offset + from, bytes);
  }

  /** Fills what remains of a buffer. */
  void read(long from, ByteBuffer into) throws IOException {
    if (into.remaining() > sizeBytes - from) {
      throw new RootFsException("it is cut off, or lies about a size");
    }
    long at = offset + from;
    while (into.hasRemaining()) {
      int n = file.read(into, at);
      if (n < 0) {
        throw new RootFsException("it has become shorter");
      }
      at += n;
    }
  }

  /** All of it, if it is not longer than that. */
  byte[] bytes(int mostBytes) throws IOException {
    if (sizeBytes > mostBytes) {
      throw new RootFsException("a part of it is larger than the " + mostBytes + " bytes expected");
    }
    byte[] all = new byte[(int) sizeBytes];
    read(0, ByteBuffer.wrap(all));
    return all;
  }

  /** The bytes one after the other; for one thread. */
  InputStream stream() {
    return new InputStream() {
      private long at;

      @Override
      public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
      }

      @Override
      public int read(byte[] target, int from, int length) throws IOException {
        int n = (int) Math.min(length, sizeBytes - at);
        if (n <= 0) {
          return length == 0 ? 0 : -1;
        }
        ByteRange.this.read(at, ByteBuffer.wrap(target, from, n));
        at += n;
        return n;
      }
    };
  }

  /** The range as a file's content. */
  Content content() {
    return () -> this::read;
  }
}
