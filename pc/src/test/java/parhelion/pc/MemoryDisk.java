package parhelion.pc;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import parhelion.media.disk.Disk;

/** A disk in memory, which can be told to fail. */
public final class MemoryDisk implements Disk {
  public final byte[] bytes;
  public boolean readOnly;
  public volatile boolean failing;
  public int flushes;

  public MemoryDisk(int sizeBytes) {
    bytes = new byte[sizeBytes];
  }

  /** Fills each sector with bytes that tell of its number. */
  public MemoryDisk numbered() {
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (i / SECTOR_BYTES * 7 + i);
    }
    return this;
  }

  private void check(long offset, long length) throws IOException {
    if (offset < 0 || length < 0 || offset > bytes.length - length) {
      throw new AssertionError("beyond the disk: " + offset + " + " + length);
    }
    if (failing) {
      throw new IOException("as the test has it");
    }
  }

  @Override
  public long sizeBytes() {
    return bytes.length;
  }

  @Override
  public boolean isReadOnly() {
    return readOnly;
  }

  @Override
  public synchronized void read(long offset, ByteBuffer into) throws IOException {
    check(offset, into.remaining());
    into.put(bytes, (int) offset, into.remaining());
  }

  @Override
  public synchronized void write(long offset, ByteBuffer from) throws IOException {
    check(offset, from.remaining());
    if (readOnly) {
      throw new AssertionError("a write to a disk that is read-only");
    }
    from.get(bytes, (int) offset, from.remaining());
  }

  @Override
  public synchronized void writeZeroes(long offset, long lengthBytes) throws IOException {
    check(offset, lengthBytes);
    Arrays.fill(bytes, (int) offset, (int) (offset + lengthBytes), (byte) 0);
  }

  @Override
  public void discard(long offset, long lengthBytes) throws IOException {
    check(offset, lengthBytes);
  }

  @Override
  public void flush() throws IOException {
    check(0, 0);
    flushes++;
  }

  @Override
  public void resize(long newSizeBytes) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {}
}
