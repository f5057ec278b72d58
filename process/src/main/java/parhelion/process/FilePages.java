package parhelion.process;

import java.util.HashMap;
import java.util.Map;
import parhelion.process.file.OpenFile;
import parhelion.process.memory.Backing;
import parhelion.process.memory.FramePool;

/**
 * Pages of a file that is mapped privately. Frames are kept while the mapping lives (and, for
 * programs, until memory is short), so that processes that run the same program share them, and
 * with them the code that has been decoded.
 */
final class FilePages implements Backing {
  private final OpenFile file;
  private final Map<Long, Integer> frames = new HashMap<>();
  private int references = 1;

  /** With one reference, the caller's; takes a reference of its own to the file. */
  FilePages(OpenFile file) {
    this.file = file.retain();
  }

  @Override
  public int page(FramePool pool, long index) {
    Integer known = frames.get(index);
    if (known == null) {
      byte[] content = new byte[4096];
      int n;
      try {
        n = file.readAt(content, 4096, index << 12);
      } catch (LinuxError e) {
        return -1;
      }
      if (n == 0) {
        return -1;
      }
      known = pool.allocate();
      pool.memory().write((long) known << 12, content, 0, n);
      frames.put(index, known);
    }
    pool.share(known);
    return known;
  }

  /** Gives frames back that nobody maps. */
  void trim(FramePool pool) {
    frames
        .values()
        .removeIf(
            mfn -> {
              if (pool.isShared(mfn)) {
                return false;
              }
              pool.release(mfn);
              return true;
            });
  }

  @Override
  public boolean isShared() {
    return false;
  }

  @Override
  public void retain() {
    references++;
  }

  @Override
  public void release(FramePool pool) {
    if (--references == 0) {
      frames.values().forEach(pool::release);
      frames.clear();
      file.release();
    }
  }

  @Override
  public String name() {
    return file.path();
  }
}
