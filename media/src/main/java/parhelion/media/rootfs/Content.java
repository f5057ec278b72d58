package parhelion.media.rootfs;

import java.io.IOException;
import java.nio.ByteBuffer;

/** What a file held before the guest wrote to it. Any thread. */
interface Content {
  /** Nothing. */
  Content EMPTY = () -> (offset, into) -> {};

  /** Opens it for a while. */
  Reader open() throws IOException;

  /** A content that is open. */
  interface Reader extends AutoCloseable {
    /** Fills what remains of a buffer; all of it lies within the content. */
    void read(long offset, ByteBuffer into) throws IOException;

    @Override
    default void close() {}
  }
}
