package parhelion.xen.grant;

import org.jspecify.annotations.Nullable;

/**
 * One use of a grant entry (Xen's {@code active_grant_entry}): what the entry said when the first
 * user took it, and how many users there are. The guest may change its entry meanwhile; users go by
 * this.
 */
final class ActiveGrant {
  /** Most users of a kind; the width of Xen's counters, less the bit that shows an overflow. */
  private static final int MAX_PINS = 128;

  /** Users: reading and writing by processors, reading and writing by devices. */
  int hostReaders;

  int hostWriters;
  int deviceReaders;
  int deviceWriters;

  /** Who uses it. */
  int domid;

  long mfn;

  /** Part of the frame that is granted, in bytes; all of it for mappings. */
  int start;

  int length;

  /** May be copied but not mapped: a part of a frame, or a grant of a grant. */
  boolean subPage;

  /** The grant behind a transitive one. */
  @Nullable GrantTable behind;

  int behindRef;

  boolean isPinned() {
    return (hostReaders | hostWriters | deviceReaders | deviceWriters) != 0;
  }

  boolean isWritten() {
    return (hostWriters | deviceWriters) != 0;
  }

  /** No room for one more user of these kinds. */
  boolean isFull(boolean readOnly, boolean host, boolean device) {
    return (host && (readOnly ? hostReaders : hostWriters) >= MAX_PINS)
        || (device && (readOnly ? deviceReaders : deviceWriters) >= MAX_PINS);
  }

  /** Adds {@code n} (1 or -1) users of each of the kinds. */
  void pin(boolean readOnly, boolean host, boolean device, int n) {
    if (host) {
      if (readOnly) {
        hostReaders += n;
      } else {
        hostWriters += n;
      }
    }
    if (device) {
      if (readOnly) {
        deviceReaders += n;
      } else {
        deviceWriters += n;
      }
    }
    if ((hostReaders | hostWriters | deviceReaders | deviceWriters) < 0) {
      throw new IllegalStateException("a grant is released more often than it was used");
    }
  }
}
