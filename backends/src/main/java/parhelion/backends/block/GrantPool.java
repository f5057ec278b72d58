package parhelion.backends.block;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import parhelion.backends.Frontend;
import parhelion.backends.GrantedPage;
import parhelion.backends.xenbus.XenbusDriver.RefusedException;

/**
 * Maps the frames of requests. With persistent grants, which a frontend promises to use again,
 * mappings are kept: so many, the ones longest unused are given up first.
 */
final class GrantPool implements AutoCloseable {
  /** As many as Xen's own backend keeps: a ring of 32 requests of 32 segments, and 32 more. */
  static final int MAX_KEPT = 1056;

  private final Frontend guest;
  private final boolean persistent;
  private final Map<Long, Use> kept = new LinkedHashMap<>(16, 0.75f, /* accessOrder= */ true);

  /** A mapping and the requests that use it now. */
  static final class Use {
    final GrantedPage page;
    private int users = 1;
    private boolean isKept;

    private Use(GrantedPage page) {
      this.page = page;
    }
  }

  GrantPool(Frontend guest, boolean persistent) {
    this.guest = guest;
    this.persistent = persistent;
  }

  /** Maps a frame; {@link #release} it. */
  Use take(long ref, boolean writable) throws RefusedException {
    if (!persistent) {
      return new Use(guest.map(ref, writable));
    }
    Use known = kept.get(ref);
    if (known != null) {
      known.users++;
      return known;
    }
    Use use = new Use(guest.map(ref, true));
    use.isKept = makeRoom();
    if (use.isKept) {
      kept.put(ref, use);
    }
    return use;
  }

  private boolean makeRoom() {
    if (kept.size() < MAX_KEPT) {
      return true;
    }
    for (Iterator<Use> oldest = kept.values().iterator(); oldest.hasNext(); ) {
      Use use = oldest.next();
      if (use.users == 0) {
        oldest.remove();
        use.page.close();
        return true;
      }
    }
    return false;
  }

  void release(Use use) {
    if (--use.users == 0 && !use.isKept) {
      use.page.close();
    }
  }

  /** How many mappings are kept. */
  int kept() {
    return kept.size();
  }

  /** Gives up all that is kept; no request may be using any. */
  @Override
  public void close() {
    kept.values().forEach(use -> use.page.close());
    kept.clear();
  }
}
