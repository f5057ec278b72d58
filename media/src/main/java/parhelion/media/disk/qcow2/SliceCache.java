package parhelion.media.disk.qcow2;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Slices of tables in memory, by number; so many at most, not counting those that wait to be
 * written, of which {@link Metadata#throttle} sees that there are few. {@link #get} may be called
 * by any thread, all else by the one with the metadata's lock.
 */
final class SliceCache {
  private final ConcurrentHashMap<Long, Slice> slices = new ConcurrentHashMap<>();
  private final int most;
  private Iterator<Slice> hand = Collections.emptyIterator();
  private final List<Slice> dirty = new ArrayList<>();

  SliceCache(int most) {
    this.most = most;
  }

  @Nullable Slice get(long number) {
    Slice slice = slices.get(number);
    if (slice != null && !slice.wanted) {
      slice.wanted = true;
    }
    return slice;
  }

  /** Takes in a slice that was read, and forgets another that nobody wanted of late. */
  Slice add(Slice slice) {
    // Twice around: the first time takes the marks away.
    for (int steps = 2 * most; slices.size() >= most && steps > 0; steps--) {
      if (!hand.hasNext()) {
        hand = slices.values().iterator();
      }
      Slice old = hand.next();
      if (old.wanted) {
        old.wanted = false;
      } else if (!old.dirty && !old.leaving) {
        slices.remove(old.number);
      }
    }
    slices.put(slice.number, slice);
    return slice;
  }

  void markDirty(Slice slice) {
    if (!slice.dirty) {
      slice.dirty = true;
      dirty.add(slice);
    }
  }

  int dirtyCount() {
    return dirty.size();
  }

  /** A slice as it is now, to be written where it belongs. */
  record Copy(Slice slice, long offset, byte[] bytes) {}

  /** Where a slice is in the file. */
  interface Place {
    long of(long number);
  }

  /** Copies all that waits to be written; {@link #arrived} or {@link #failed} follows. */
  List<Copy> takeDirty(Place place) {
    List<Copy> copies = new ArrayList<>(dirty.size());
    for (Slice slice : dirty) {
      copies.add(new Copy(slice, place.of(slice.number), slice.bytes.clone()));
      slice.dirty = false;
      slice.leaving = true;
    }
    dirty.clear();
    return copies;
  }

  /** What was taken is in the file. */
  static void arrived(List<Copy> copies) {
    copies.forEach(copy -> copy.slice.leaving = false);
  }

  /** What was taken did not all get into the file. */
  void failed(List<Copy> copies) {
    for (Copy copy : copies) {
      copy.slice.leaving = false;
      markDirty(copy.slice);
    }
  }
}
