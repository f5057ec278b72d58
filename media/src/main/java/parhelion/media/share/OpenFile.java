package parhelion.media.share;

import java.nio.ByteBuffer;

/**
 * A file or a directory that is open. Methods may be called by several threads at once and may
 * block. Failures are {@link FileError}s.
 */
public interface OpenFile extends AutoCloseable {
  /**
   * Reads from an offset on into what remains of a direct buffer, and moves its position.
   *
   * @return how many bytes; fewer than asked only at the end of the file
   */
  int read(long offset, ByteBuffer into);

  /** Writes what remains of a direct buffer, or a part of it, and says how much. */
  int write(long offset, ByteBuffer from);

  /** Reads a directory's entries from a cookie on (0, or that of the last one seen). */
  void list(long cookie, EntrySink sink);

  void sync(boolean dataOnly);

  @Override
  void close();

  /** Takes the entries of a directory, "." and ".." among them. */
  interface EntrySink {
    /**
     * Takes an entry.
     *
     * @param cookie where reading goes on behind it
     * @param mode the type, as in {@link FileMode}; 0 if it is not known
     * @return whether there was room for it: if not, it is the first one of the next time
     */
    boolean entry(long inode, int mode, long cookie, String name);
  }
}
