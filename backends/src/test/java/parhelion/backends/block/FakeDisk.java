package parhelion.backends.block;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import parhelion.media.disk.Disk;

/** A disk in memory that writes down what it is asked, fails on demand, and can be made to wait. */
final class FakeDisk implements Disk {
  byte[] content;
  final List<String> calls = Collections.synchronizedList(new ArrayList<>());
  volatile boolean readOnly;

  /** What no caller may do, and one did; else empty. */
  volatile String misuse = "";

  volatile boolean failing;

  /** What each flush waits for. */
  volatile CountDownLatch gate = new CountDownLatch(0);

  FakeDisk(int bytes) {
    content = new byte[bytes];
  }

  private void call(String what, long offset, long length) throws IOException {
    if (offset < 0 || length < 0 || offset > content.length - length) {
      misuse = what + " beyond the disk's end: " + offset + " + " + length;
      throw new AssertionError(misuse);
    }
    calls.add(what + ' ' + offset + '+' + length);
    if (failing) {
      throw new IOException("no such luck");
    }
  }

  @Override
  public long sizeBytes() {
    return content.length;
  }

  @Override
  public boolean isReadOnly() {
    return readOnly;
  }

  @Override
  public void read(long offset, ByteBuffer into) throws IOException {
    call("read", offset, into.remaining());
    into.put(content, (int) offset, into.remaining());
  }

  @Override
  public void write(long offset, ByteBuffer from) throws IOException {
    if (readOnly) {
      misuse = "a read-only disk is written";
    }
    call("write", offset, from.remaining());
    from.get(content, (int) offset, from.remaining());
  }

  @Override
  public void writeZeroes(long offset, long lengthBytes) throws IOException {
    call("zero", offset, lengthBytes);
  }

  @Override
  public void discard(long offset, long lengthBytes) throws IOException {
    call("discard", offset, lengthBytes);
    Arrays.fill(content, (int) offset, (int) (offset + lengthBytes), (byte) 0);
  }

  @Override
  public void flush() throws IOException {
    try {
      gate.await();
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
    call("flush", 0, 0);
  }

  @Override
  public void resize(long newSizeBytes) {
    content = Arrays.copyOf(content, (int) newSizeBytes);
  }

  @Override
  public void close() {}
}
