package parhelion.backends.xenstore;

import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import parhelion.abi.XenstoreWire;

/**
 * What a domain may use of the store, with the daemon's defaults (names as GET_QUOTA gives them).
 * Zero means no limit. Dom0 has none.
 */
public enum Quota {
  /** Nodes that a domain owns. */
  NODES(1000),
  WATCHES(128),
  /** Requests whose replies the domain has not taken out of its ring yet. */
  OUTSTANDING(20),
  /** Bytes of nodes, watches, open transactions and unread replies and events. */
  MEMORY(2_621_440),
  TRANSACTIONS(10),
  /** Nodes touched in one transaction. */
  TRANSACTION_NODES(1024),
  /** Entries in one node's permission list. */
  NODE_PERMISSIONS(5),
  /** Chars of a path, a leading /local/domain/N/ not counted. */
  PATH_MAX(XenstoreWire.REL_PATH_MAX),
  /** Bytes of one node: value, permissions and children's names. */
  NODE_SIZE(2048);

  private final int initial;

  Quota(int initial) {
    this.initial = initial;
  }

  String wireName() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  static @Nullable Quota byName(String wireName) {
    for (Quota quota : values()) {
      if (quota.wireName().equals(wireName)) {
        return quota;
      }
    }
    return null;
  }

  /** The limits of one domain, or those that new domains start with. */
  static final class Limits {
    private final int[] limits;

    private Limits(int[] limits) {
      this.limits = limits;
    }

    static Limits initial() {
      return new Limits(Arrays.stream(values()).mapToInt(quota -> quota.initial).toArray());
    }

    static Limits of(int[] saved) {
      return new Limits(Arrays.copyOf(saved, values().length));
    }

    Limits copy() {
      return new Limits(limits.clone());
    }

    int[] save() {
      return limits.clone();
    }

    int get(Quota quota) {
      return limits[quota.ordinal()];
    }

    void set(Quota quota, int limit) {
      limits[quota.ordinal()] = limit;
    }

    boolean exceeded(Quota quota, long by) {
      int limit = get(quota);
      return limit != 0 && by > limit;
    }
  }
}
