package parhelion.media.rootfs;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.BitSet;

/**
 * Where what a guest writes to its root file system is kept: one file without a name, which the
 * host takes back whatever becomes of this process. Any thread.
 */
final class BlockStore implements AutoCloseable {
  static final int BLOCK_BYTES = 4096;

  private final FileChannel file;
  private final BitSet used = new BitSet();
  private int from;
  private int count;

  /** A store in a directory that has room. */
  BlockStore(Path directory) throws IOException {
    Path name = Files.createTempFile(directory, "upper-", "");
    file =
        FileChannel.open(
            name,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE,
            StandardOpenOption.DELETE_ON_CLOSE);
    Files.deleteIfExists(name);
  }

  /** A block that is not in use; what it holds is not known. */
  synchronized int allocate() {
    int block = used.nextClearBit(from);
    used.set(block);
    from = block + 1;
    count++;
    return block;
  }

  synchronized void free(int block) {
    used.clear(block);
    from = Math.min(from, block);
    count--;
  }

  synchronized int count() {
    return count;
  }

  /** Reads at a block, and past its end into the blocks behind it. */
  void read(int block, int offset, ByteBuffer into) throws IOException {
    long at = (long) block * BLOCK_BYTES + offset;
    while (into.hasRemaining()) {
      int n = file.read(into, at);
      if (n < 0) {
        // The end of a last block that was never written whole.
        while (into.hasRemaining()) {
          into.put((byte) 0);
        }
        return;
      }
      at += n;
    }
  }

  void write(int block, int offset, ByteBuffer from) throws IOException {
    long at = (long) block * BLOCK_BYTES + offset;
    while (from.hasRemaining()) {
      at += file.write(from, at);
    }
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
