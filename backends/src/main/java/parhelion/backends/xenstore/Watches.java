package parhelion.backends.xenstore;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** All watches of all clients, found by path. Guarded by the daemon's lock. */
final class Watches {
  /** Which watches a change concerns. */
  enum Match {
    /** Those on the path itself: for what went away together with something above it. */
    EXACT,
    /** Those on the path and above it, as far as their depth reaches. */
    SUBTREE,
    /** For a special path with a domid: those on it, or above with a depth. */
    DEPTH,
    /** For a special path without a domid: those on it without a depth. */
    NODEPTH;

    private boolean wants(Watch watch, int below) {
      return switch (this) {
        case EXACT -> below == 0;
        case SUBTREE -> watch.depth() < 0 || below <= watch.depth();
        case DEPTH -> below == 0 || (watch.depth() > 0 && below <= watch.depth());
        case NODEPTH -> below == 0 && watch.depth() < 0;
      };
    }
  }

  private final Map<String, List<Watch>> byPath = new HashMap<>();
  private long order;

  /** Adds a watch, or EEXIST. */
  Watch add(Connection connection, String path, String token, int depth, boolean relative) {
    if (find(connection, path, token) != null) {
      throw new XsException(XsErrno.EEXIST, "watch on " + path);
    }
    int prefix = relative ? connection.base().length() + 1 : 0;
    Watch watch = new Watch(connection, path, token, depth, prefix, ++order);
    byPath.computeIfAbsent(path, unused -> new ArrayList<>()).add(watch);
    connection.remember(watch);
    return watch;
  }

  /** Removes a watch, or ENOENT. */
  void remove(Connection connection, String path, String token) {
    Watch watch = find(connection, path, token);
    if (watch == null) {
      throw new XsException(XsErrno.ENOENT, "watch on " + path);
    }
    drop(watch);
  }

  private @Nullable Watch find(Connection connection, String path, String token) {
    for (Watch watch : byPath.getOrDefault(path, List.of())) {
      if (watch.connection() == connection && watch.token().equals(token)) {
        return watch;
      }
    }
    return null;
  }

  private void drop(Watch watch) {
    List<Watch> siblings = byPath.get(watch.path());
    if (siblings != null && siblings.remove(watch)) {
      watch.connection().forget(watch);
      if (siblings.isEmpty()) {
        byPath.remove(watch.path());
      }
    }
  }

  /** Throws IllegalStateException if a watch outlived its client. */
  void audit() {
    for (List<Watch> watches : byPath.values()) {
      for (Watch watch : watches) {
        Connection client = watch.connection();
        boolean gone = client instanceof XenstoreRing ring && ring.closed();
        if (gone || !client.watches().contains(watch)) {
          throw new IllegalStateException("stray watch on " + watch.path() + " of " + client);
        }
      }
    }
  }

  void removeAll(Connection connection) {
    List.copyOf(connection.watches()).forEach(this::drop);
  }

  /**
   * Tells everyone concerned that {@code path} changed.
   *
   * @param perms permissions of which one must let the watcher read: the node's, its parent's, and
   *     those that the node had before the change
   */
  void fire(String path, Match match, Collection<Perms> perms) {
    List<Watch> concerned = new ArrayList<>();
    String at = path;
    for (int below = 0; ; below++) {
      for (Watch watch : byPath.getOrDefault(at, List.of())) {
        if (match.wants(watch, below)) {
          concerned.add(watch);
        }
      }
      if (match == Match.EXACT || at.equals(StorePath.ROOT) || at.indexOf('/') < 0) {
        break;
      }
      at = StorePath.parent(at);
    }
    concerned.sort(Comparator.comparingLong(Watch::order));
    for (Watch watch : concerned) {
      if (mayRead(watch.connection(), perms)) {
        watch.tell(path);
      }
    }
  }

  private static boolean mayRead(Connection connection, Collection<Perms> perms) {
    for (Perms each : perms) {
      if ((connection.accessTo(each) & Perm.READ) != 0) {
        return true;
      }
    }
    return false;
  }
}
