package parhelion.media.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Storage that a disk device of any kind reads and writes: a raw image, a qcow2 image, an overlay.
 *
 * <p>All offsets and lengths are in bytes and lie within {@link #sizeBytes}; the caller has checked
 * that. A transfer moves all of its buffer or throws. Buffers may be views of guest memory, which
 * can change while they are read. Methods may be called by several threads at once; of two writes
 * to one place at one time either may win.
 */
public interface Disk extends AutoCloseable {
  /** The size of the smallest part that every disk can be addressed by. */
  int SECTOR_BYTES = 512;

  /** The size, a multiple of {@link #SECTOR_BYTES}. */
  long sizeBytes();

  /** Whether every change is refused. */
  boolean isReadOnly();

  /** Fills what remains of {@code into} from {@code offset} on. */
  void read(long offset, ByteBuffer into) throws IOException;

  /** Writes what remains of {@code from}; it is durable only after {@link #flush}. */
  void write(long offset, ByteBuffer from) throws IOException;

  /** Fills what remains of several buffers, from {@code offset} on one after the other. */
  default void read(long offset, List<ByteBuffer> into) throws IOException {
    long at = offset;
    for (ByteBuffer buffer : into) {
      int bytes = buffer.remaining();
      read(at, buffer);
      at += bytes;
    }
  }

  /** Writes what remains of several buffers, from {@code offset} on one after the other. */
  default void write(long offset, List<ByteBuffer> from) throws IOException {
    long at = offset;
    for (ByteBuffer buffer : from) {
      int bytes = buffer.remaining();
      write(at, buffer);
      at += bytes;
    }
  }

  /** Makes a range read as zeroes, without taking more space for it than needed. */
  void writeZeroes(long offset, long lengthBytes) throws IOException;

  /**
   * Says that a range is not needed any more; it may read as anything that was there, or zeroes.
   */
  void discard(long offset, long lengthBytes) throws IOException;

  /**
   * How many bytes from {@code offset} on, up to the end of the disk, are known to read as zeroes
   * without being read; 0 if that is not known. For those who copy disks.
   */
  default long zeroesAt(long offset) throws IOException {
    return 0;
  }

  /** Returns once everything written before survives the end of this process and of the host. */
  void flush() throws IOException;

  /** Grows or shrinks the disk; new space reads as zeroes. */
  void resize(long newSizeBytes) throws IOException;

  /** Flushes, and lets go of the files and their locks. */
  @Override
  void close() throws IOException;
}
