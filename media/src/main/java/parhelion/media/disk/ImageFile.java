package parhelion.media.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * The file that an image is in: the layer between the formats and the host, where tests let writes
 * fail. Offsets and lengths are in bytes and not negative. Methods may be called by several threads
 * at once. Every IOException names the file.
 */
public interface ImageFile extends AutoCloseable {
  /** The path, for messages. */
  String name();

  /** Whether the file can only be read. */
  boolean isReadOnly();

  /** The length of the file. */
  long sizeBytes() throws IOException;

  /** Fills what remains of {@code into}; what lies past the end of the file reads as zeroes. */
  void read(long offset, ByteBuffer into) throws IOException;

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

  /** Writes what remains of {@code from}, and makes the file longer if it ends before. */
  void write(long offset, ByteBuffer from) throws IOException;

  /**
   * Makes a range that lies within the file read as zeroes and gives its space back to the host, if
   * the host can do that.
   *
   * @return false if it cannot, and nothing was done
   */
  boolean punchHole(long offset, long lengthBytes) throws IOException;

  /**
   * How many bytes from {@code offset} on, at most {@code limitBytes}, are known to be zeroes
   * without being read: a hole of a sparse file, or past its end.
   */
  long holeAt(long offset, long limitBytes) throws IOException;

  /** Sets the length; the file grows by a hole. */
  void truncate(long sizeBytes) throws IOException;

  /** Returns once what was written is on stable storage. Once it has failed, it always fails. */
  void force() throws IOException;

  /** Lets go of the file and its lock. */
  @Override
  void close() throws IOException;
}
