package parhelion.process.memory;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Pages of a MAP_SHARED mapping: of nothing, or of a file to which they are written back. */
public final class SharedPages implements Backing {
  /** The file below a shared mapping. */
  public interface Store {
    /** Fills a page; false beyond the end of the file. */
    boolean load(long index, byte[] page);

    /** Writes a page back, as far as the file reaches. */
    void save(long index, byte[] page);

    void close();

    String name();
  }

  private final Map<Long, Integer> frames = new HashMap<>();
  private final @Nullable Store store;
  private final boolean writable;
  private int references = 1;

  /** With one reference, the caller's. */
  public SharedPages(@Nullable Store store, boolean writable) {
    this.store = store;
    this.writable = writable;
  }

  @Override
  public int page(FramePool pool, long index) {
    Integer known = frames.get(index);
    if (known == null) {
      byte[] content = new byte[4096];
      if (store != null && !store.load(index, content)) {
        return -1;
      }
      known = pool.allocate();
      if (store != null) {
        pool.memory().write((long) known << 12, content, 0, 4096);
      }
      frames.put(index, known);
    }
    pool.share(known);
    return known;
  }

  /** Writes everything back to the file. */
  public void save(FramePool pool) {
    if (store == null || !writable) {
      return;
    }
    byte[] content = new byte[4096];
    frames.forEach(
        (index, mfn) -> {
          pool.memory().read((long) mfn << 12, content, 0, 4096);
          store.save(index, content);
        });
  }

  @Override
  public boolean isShared() {
    return true;
  }

  @Override
  public void retain() {
    references++;
  }

  @Override
  public void release(FramePool pool) {
    if (--references == 0) {
      save(pool);
      frames.values().forEach(pool::release);
      frames.clear();
      if (store != null) {
        store.close();
      }
    }
  }

  @Override
  public String name() {
    return store == null ? "/dev/zero (deleted)" : store.name();
  }
}
