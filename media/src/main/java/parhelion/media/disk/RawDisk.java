package parhelion.media.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * A raw image: the file's bytes are the disk's. Space that was never written, or was discarded, is
 * a hole of the file where the host's file system has holes.
 *
 * <p>A file whose length is not a multiple of a sector is filled up with zeroes in thought; its
 * last sector grows when it is written.
 */
final class RawDisk implements Disk {
  private static final int ZEROES_BYTES = 64 << 10;

  private final ImageFile file;

  /** The format was only guessed: the guest may not change what the next guess will be. */
  private final boolean guarded;

  private volatile long sizeBytes;

  /** Writes of the guarded first sector, one at a time. */
  private final Object firstSector = new Object();

  private RawDisk(ImageFile file, boolean guarded, long sizeBytes) {
    this.file = file;
    this.guarded = guarded;
    this.sizeBytes = sizeBytes;
  }

  /**
   * A file as a disk.
   *
   * @param guessed nobody said that it is raw: see {@link ImageFormat}
   */
  static RawDisk of(ImageFile file, boolean guessed) throws IOException {
    return new RawDisk(file, guessed, roundUp(file.sizeBytes()));
  }

  private static long roundUp(long bytes) {
    return (bytes + SECTOR_BYTES - 1) / SECTOR_BYTES * SECTOR_BYTES;
  }

  @Override
  public long sizeBytes() {
    return sizeBytes;
  }

  @Override
  public boolean isReadOnly() {
    return file.isReadOnly();
  }

  @Override
  public void read(long offset, ByteBuffer into) throws IOException {
    checkRange(offset, into.remaining());
    file.read(offset, into);
  }

  @Override
  public void write(long offset, ByteBuffer from) throws IOException {
    checkWritable();
    checkRange(offset, from.remaining());
    if (!guarded || offset >= ImageFormat.PROBE_BYTES) {
      file.write(offset, from);
      return;
    }
    synchronized (firstSector) {
      writeGuarded(offset, from);
    }
  }

  @Override
  public void read(long offset, List<ByteBuffer> into) throws IOException {
    checkRange(offset, remaining(into));
    file.read(offset, into);
  }

  @Override
  public void write(long offset, List<ByteBuffer> from) throws IOException {
    if (guarded && offset < ImageFormat.PROBE_BYTES) {
      Disk.super.write(offset, from);
      return;
    }
    checkWritable();
    checkRange(offset, remaining(from));
    file.write(offset, from);
  }

  private static long remaining(List<ByteBuffer> buffers) {
    long bytes = 0;
    for (ByteBuffer buffer : buffers) {
      bytes += buffer.remaining();
    }
    return bytes;
  }

  /** The part in the first sector is copied before it is looked at: a guest may change it since. */
  private void writeGuarded(long offset, ByteBuffer from) throws IOException {
    byte[] sector = new byte[ImageFormat.PROBE_BYTES];
    file.read(0, ByteBuffer.wrap(sector));
    int length = Math.min(from.remaining(), ImageFormat.PROBE_BYTES - (int) offset);
    from.get(sector, (int) offset, length);
    if (ImageFormat.looksFormatted(sector)) {
      throw new DiskException(
          file.name()
              + ": the header of an image format was to be written into what seemed to be a raw"
              + " image: say that its format is raw if the guest may do that");
    }
    file.write(offset, ByteBuffer.wrap(sector, (int) offset, length));
    file.write(offset + length, from);
  }

  @Override
  public void writeZeroes(long offset, long lengthBytes) throws IOException {
    checkWritable();
    checkRange(offset, lengthBytes);
    long within = Math.min(lengthBytes, file.sizeBytes() - offset);
    if (within <= 0 || file.punchHole(offset, within)) {
      return;
    }
    ByteBuffer zeroes = ByteBuffer.allocateDirect((int) Math.min(ZEROES_BYTES, within));
    for (long done = 0; done < within; done += zeroes.limit()) {
      zeroes.clear().limit((int) Math.min(zeroes.capacity(), within - done));
      file.write(offset + done, zeroes);
    }
  }

  @Override
  public void discard(long offset, long lengthBytes) throws IOException {
    checkWritable();
    checkRange(offset, lengthBytes);
    boolean ignored = file.punchHole(offset, Math.min(lengthBytes, file.sizeBytes() - offset));
  }

  @Override
  public long zeroesAt(long offset) throws IOException {
    return file.holeAt(offset, sizeBytes - offset);
  }

  @Override
  public void flush() throws IOException {
    if (!file.isReadOnly()) {
      file.force();
    }
  }

  @Override
  public void resize(long newSizeBytes) throws IOException {
    checkWritable();
    if (newSizeBytes <= 0 || newSizeBytes % SECTOR_BYTES != 0) {
      throw new DiskException(
          file.name() + ": " + newSizeBytes + " bytes are not a whole number of sectors of 512");
    }
    file.truncate(newSizeBytes);
    sizeBytes = newSizeBytes;
  }

  @Override
  public void close() throws IOException {
    IOException failure = null;
    try {
      flush();
    } catch (IOException e) {
      failure = e;
    }
    file.close();
    if (failure != null) {
      throw failure;
    }
  }

  private void checkWritable() throws DiskException {
    if (file.isReadOnly()) {
      throw new DiskException(file.name() + ": is open read-only");
    }
  }

  private void checkRange(long offset, long lengthBytes) throws DiskException {
    if (offset < 0 || lengthBytes < 0 || lengthBytes > sizeBytes - offset) {
      throw new DiskException(file.name() + ": a request goes past the end of the disk");
    }
  }

  @Override
  public String toString() {
    return file.name();
  }
}
