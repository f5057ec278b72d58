package parhelion.backends.block;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.backends.Frontend;
import parhelion.backends.GrantedPage;
import parhelion.backends.xenbus.XenbusDriver.RefusedException;

/**
 * Maps the frames of requests. With persistent grants, which a frontend promises to use again,
 * mappings are kept: so many, the ones longest unused are given up first (by the clock algorithm).
 */
final class GrantPool implements AutoCloseable {
  /** A ring of 32 requests of 64 segments, and 32 more: twice what Xen's own backend keeps. */
  static final int MAX_KEPT = 2080;

  /** References below this can be kept: all that a table of Xen's usual size has. */
  private static final int MAX_REF = 1 << 16;

  private final Frontend guest;
  private final boolean persistent;

  /** What is kept, by reference; null where nothing is. */
  private @Nullable Use[] byRef = new Use[0];

  /** The same in the order in which the hand comes by. */
  private final List<Use> clock = new ArrayList<>();

  private int hand;

  /** A mapping and the requests that use it now. */
  static final class Use {
    final GrantedPage page;
    final long hostAddress;
    private final long ref;
    private int users = 1;
    private boolean isKept;

    /** Used since the hand came by. */
    private boolean recent = true;

    private Use(long ref, GrantedPage page) {
      this.ref = ref;
      this.page = page;
      hostAddress = page.hostAddress();
    }
  }

  GrantPool(Frontend guest, boolean persistent) {
    this.guest = guest;
    this.persistent = persistent;
  }

  /** Maps a frame; {@link #release} it. */
  Use take(long ref, boolean writable) throws RefusedException {
    if (!persistent) {
      return new Use(ref, guest.map(ref, writable));
    }
    Use known = ref < byRef.length ? byRef[(int) ref] : null;
    if (known != null) {
      known.users++;
      known.recent = true;
      return known;
    }
    Use use = new Use(ref, guest.map(ref, true));
    if (ref < MAX_REF) {
      keep(use);
    }
    return use;
  }

  private void keep(Use use) {
    int ref = (int) use.ref;
    if (clock.size() < MAX_KEPT) {
      clock.add(use);
    } else {
      int place = placeOfUnused();
      if (place < 0) {
        return;
      }
      Use old = clock.set(place, use);
      byRef[(int) old.ref] = null;
      old.page.close();
    }
    if (ref >= byRef.length) {
      byRef = Arrays.copyOf(byRef, Math.max(ref + 1, 2 * byRef.length));
    }
    byRef[ref] = use;
    use.isKept = true;
  }

  /** Where one is that no request uses, and none has since the hand came by last; -1 for none. */
  private int placeOfUnused() {
    for (int steps = 0; steps < 2 * clock.size(); steps++) {
      hand = hand + 1 < clock.size() ? hand + 1 : 0;
      Use use = clock.get(hand);
      if (use.users == 0 && !use.recent) {
        return hand;
      }
      use.recent = false;
    }
    return -1;
  }

  void release(Use use) {
    if (--use.users == 0 && !use.isKept) {
      use.page.close();
    }
  }

  /** Gives up all that is kept; no request may be using any. */
  @Override
  public void close() {
    clock.forEach(use -> use.page.close());
    clock.clear();
    byRef = new Use[0];
  }
}
