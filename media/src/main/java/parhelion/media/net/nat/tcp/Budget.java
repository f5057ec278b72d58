package parhelion.media.net.nat.tcp;

/** Bytes that all connections of a NAT may hold together, one way. */
final class Budget {
  private long free;

  Budget(long bytes) {
    free = bytes;
  }

  long free() {
    return free;
  }

  boolean take(long bytes) {
    if (bytes > free) {
      return false;
    }
    free -= bytes;
    return true;
  }

  void give(long bytes) {
    free += bytes;
  }
}
