package parhelion.xen.grant;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A domain's mappings of others' grants, by handle (Xen's maptrack). A handle that was given back
 * is not given out again before those that were given back earlier.
 */
final class Maptrack {
  /** Xen's gnttab_max_maptrack_frames (1024) of 256 handles each. */
  static final int MAX_HANDLES = 1024 * 256;

  private static final int FIRST = 256;

  /**
   * One mapping.
   *
   * @param table whose grant it is
   * @param flags {@link parhelion.abi.Gntmap}; HOST_MAP and DEVICE_MAP go when they are unmapped
   */
  record Mapping(GrantTable table, int ref, int domid, long flags) {}

  private @Nullable Mapping[] mappings = new Mapping[0];

  /** Free handles, a queue in a ring that is as large as {@link #mappings}. */
  private int[] free = new int[0];

  private int freeHead;
  private int freeCount;
  private int limit = MAX_HANDLES;

  /** Lets a test reach the limit. */
  void limit(int handles) {
    limit = handles;
  }

  /** Handles that may be in use: all are below this. */
  int size() {
    return mappings.length;
  }

  /** Mappings that there are. */
  int count() {
    return mappings.length - freeCount;
  }

  @Nullable Mapping get(long handle) {
    return handle >= 0 && handle < mappings.length ? mappings[(int) handle] : null;
  }

  boolean hasRoom() {
    return freeCount > 0 || mappings.length < limit;
  }

  /** A handle for the mapping; only where there is room. */
  int add(Mapping mapping) {
    if (freeCount == 0) {
      grow();
    }
    int handle = free[freeHead];
    freeHead = (freeHead + 1) % free.length;
    freeCount--;
    mappings[handle] = mapping;
    return handle;
  }

  private void grow() {
    int old = mappings.length;
    int size = Math.min(limit, Math.max(FIRST, old * 2));
    if (size <= old) {
      throw new IllegalStateException("no room for a grant mapping");
    }
    mappings = Arrays.copyOf(mappings, size);
    free = new int[size];
    freeHead = 0;
    freeCount = size - old;
    for (int i = 0; i < freeCount; i++) {
      free[i] = old + i;
    }
  }

  void replace(int handle, Mapping mapping) {
    mappings[handle] = mapping;
  }

  void remove(int handle) {
    mappings[handle] = null;
    free[(freeHead + freeCount) % free.length] = handle;
    freeCount++;
  }
}
