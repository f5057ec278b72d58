package parhelion.media.rootfs;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of a regular file: those it came with, block by block replaced by those that the guest
 * wrote. Any thread; its own lock, inside of which no other is taken but the store's.
 */
final class FileData {
  /** The largest file: what one can be is limited by its {@link Chunks}, not by this. */
  static final long MAX_BYTES = 1L << 44;

  private static final int BLOCK = BlockStore.BLOCK_BYTES;
  private static final int CHUNK_BLOCKS = 64;
  private static final int NONE = -1;

  /** Counts the chunks of all files, which bound the memory that a guest can take by writing. */
  static final class Chunks {
    private final int most;
    private int count;

    Chunks(int most) {
      this.most = most;
    }

    synchronized boolean take() {
      if (count == most) {
        return false;
      }
      count++;
      return true;
    }

    synchronized void giveBack(int n) {
      count -= n;
    }
  }

  private final BlockStore store;
  private final Chunks chunks;
  private final Content content;

  /** How much of the content still shows; what lies behind it reads as zeroes. */
  private long contentBytes;

  private volatile long sizeBytes;

  /** Blocks that were written, by number / 64. */
  private @Nullable Map<Integer, int[]> written;

  private int writtenBlocks;

  FileData(BlockStore store, Chunks chunks, Content content, long contentBytes) {
    this.store = store;
    this.chunks = chunks;
    this.content = content;
    this.contentBytes = contentBytes;
    sizeBytes = contentBytes;
  }

  long sizeBytes() {
    return sizeBytes;
  }

  /** How many bytes it takes, as far as anybody can tell. */
  synchronized long storedBytes() {
    return Math.max(contentBytes, (long) writtenBlocks * BLOCK);
  }

  Content content() {
    return content;
  }

  /** Whether a reader of the content is of any use. */
  synchronized boolean needsContent() {
    return contentBytes > 0;
  }

  private int block(long index) {
    Map<Integer, int[]> map = written;
    int[] chunk = map == null ? null : map.get((int) (index / CHUNK_BLOCKS));
    return chunk == null ? NONE : chunk[(int) (index % CHUNK_BLOCKS)];
  }

  /**
   * Reads, at most to the end of the file.
   *
   * @param reader of {@link #content}
   */
  synchronized int read(long offset, ByteBuffer into, Content.Reader reader) throws IOException {
    long end = Math.min(sizeBytes, offset + into.remaining());
    int limit = into.limit();
    long at = offset;
    while (at < end) {
      long next = runEnd(at, end);
      into.limit(into.position() + (int) (next - at));
      int block = block(at / BLOCK);
      if (block != NONE) {
        store.read(block, (int) (at % BLOCK), into);
      } else {
        readOld(at, into, reader);
      }
      at = next;
    }
    into.limit(limit);
    return (int) Math.max(0, end - offset);
  }

  /** Where the bytes that lie together with those at an offset end. */
  private long runEnd(long at, long end) {
    long index = at / BLOCK;
    int block = block(index);
    long next = index + 1;
    while (next * BLOCK < end) {
      int following = block(next);
      if (block == NONE ? following != NONE : following != block + (int) (next - index)) {
        break;
      }
      next++;
    }
    return Math.min(end, next * BLOCK);
  }

  /** Fills a buffer with what was there before anything was written. */
  private void readOld(long at, ByteBuffer into, Content.Reader reader) throws IOException {
    int limit = into.limit();
    int old = (int) Math.clamp(contentBytes - at, 0, into.remaining());
    if (old > 0) {
      into.limit(into.position() + old);
      reader.read(at, into);
      into.limit(limit);
    }
    while (into.hasRemaining()) {
      into.put((byte) 0);
    }
  }

  /**
   * Writes all of a buffer.
   *
   * @return whether there was memory for it; if not, nothing was changed
   */
  synchronized boolean write(long offset, ByteBuffer from, Content.Reader reader)
      throws IOException {
    long end = offset + from.remaining();
    if (!reserve(offset / BLOCK, (end - 1) / BLOCK)) {
      return false;
    }
    int limit = from.limit();
    long at = offset;
    while (at < end) {
      long index = at / BLOCK;
      int inBlock = (int) (at % BLOCK);
      int count = (int) Math.min(BLOCK - inBlock, end - at);
      int block = block(index);
      if (block == NONE && count < BLOCK) {
        from.limit(from.position() + count);
        writePart(index, inBlock, from, reader);
      } else {
        count = writeRun(index, inBlock, end, from);
      }
      from.limit(limit);
      at += count;
      sizeBytes = Math.max(sizeBytes, at);
    }
    return true;
  }

  /** Writes a part of a block that was not written before: with what is around it. */
  private void writePart(long index, int inBlock, ByteBuffer from, Content.Reader reader)
      throws IOException {
    ByteBuffer whole = ByteBuffer.allocate(BLOCK);
    readOld(index * BLOCK, whole, reader);
    int count = from.remaining();
    whole.put(inBlock, from, from.position(), count);
    from.position(from.position() + count);
    int block = store.allocate();
    try {
      store.write(block, 0, whole.flip());
    } catch (IOException e) {
      store.free(block);
      throw e;
    }
    put(index, block);
  }

  /** Writes blocks that lie together in the store, new ones or old ones; how many bytes. */
  private int writeRun(long index, int inBlock, long end, ByteBuffer from) throws IOException {
    long first = index * BLOCK;
    int start = block(index);
    boolean isNew = start == NONE;
    if (isNew) {
      start = store.allocate();
    }
    int run = 1;
    while (first + (run + 1L) * BLOCK <= end || !isNew && first + (long) run * BLOCK < end) {
      int following = block(index + run);
      if (isNew && following == NONE) {
        following = store.allocate();
        if (following != start + run) {
          store.free(following);
          break;
        }
      } else if (isNew || following != start + run) {
        break;
      }
      run++;
    }
    int count = (int) Math.min(end - first, (long) run * BLOCK) - inBlock;
    from.limit(from.position() + count);
    try {
      store.write(start, inBlock, from);
    } catch (IOException e) {
      for (int i = 0; isNew && i < run; i++) {
        store.free(start + i);
      }
      throw e;
    }
    for (int i = 0; isNew && i < run; i++) {
      put(index + i, start + i);
    }
    return count;
  }

  /** Makes the chunks for a range of blocks. */
  private boolean reserve(long firstBlock, long lastBlock) {
    Map<Integer, int[]> map = written;
    if (map == null) {
      map = new HashMap<>(4);
      written = map;
    }
    for (int c = (int) (firstBlock / CHUNK_BLOCKS); c <= lastBlock / CHUNK_BLOCKS; c++) {
      if (!map.containsKey(c)) {
        if (!chunks.take()) {
          return false;
        }
        int[] chunk = new int[CHUNK_BLOCKS];
        Arrays.fill(chunk, NONE);
        map.put(c, chunk);
      }
    }
    return true;
  }

  private void put(long index, int block) {
    Map<Integer, int[]> map = written;
    int[] chunk = map == null ? null : map.get((int) (index / CHUNK_BLOCKS));
    if (chunk == null) {
      throw new IllegalStateException("block " + index + " has no chunk");
    }
    chunk[(int) (index % CHUNK_BLOCKS)] = block;
    writtenBlocks++;
  }

  /** Cuts the file off or lets it grow by zeroes. */
  synchronized void resize(long newSizeBytes) throws IOException {
    if (newSizeBytes < sizeBytes) {
      cut(newSizeBytes);
    }
    sizeBytes = newSizeBytes;
  }

  private void cut(long newSizeBytes) throws IOException {
    int rest = (int) (newSizeBytes % BLOCK);
    int last = block(newSizeBytes / BLOCK);
    if (rest > 0 && last != NONE) {
      store.write(last, rest, ByteBuffer.allocate(BLOCK - rest));
    }
    contentBytes = Math.min(contentBytes, newSizeBytes);
    long keep = (newSizeBytes + BLOCK - 1) / BLOCK;
    Map<Integer, int[]> map = written;
    if (map == null) {
      return;
    }
    int before = map.size();
    map.entrySet().removeIf(entry -> !keepsAny(entry.getKey(), entry.getValue(), keep));
    chunks.giveBack(before - map.size());
  }

  /** Frees a chunk's blocks from a number on; whether it is still in use. */
  private boolean keepsAny(int chunkNumber, int[] chunk, long keepBlocks) {
    long first = (long) chunkNumber * CHUNK_BLOCKS;
    for (int i = 0; i < CHUNK_BLOCKS; i++) {
      if (first + i >= keepBlocks && chunk[i] != NONE) {
        store.free(chunk[i]);
        chunk[i] = NONE;
        writtenBlocks--;
      }
    }
    return first < keepBlocks;
  }

  /** The file is gone: gives back all that it takes. */
  synchronized void discard() {
    Map<Integer, int[]> map = written;
    if (map != null) {
      map.forEach((number, chunk) -> keepsAny(number, chunk, 0));
      chunks.giveBack(map.size());
      map.clear();
    }
    contentBytes = 0;
    sizeBytes = 0;
  }
}
