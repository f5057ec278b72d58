package parhelion.backends.xenstore;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A transaction: a version of the store of its own, and the list of nodes that it looked at.
 *
 * <p>It sees the store as it was at its start plus its own changes. It commits if every node that
 * it looked at still has the generation that it had then; so committed transactions are
 * serialisable, and one that only met unrelated changes does not have to be repeated.
 *
 * <p>Guarded by the daemon's lock.
 */
final class StoreTransaction {
  private static final long ABSENT = -1;

  /** What became of one node. */
  static final class Access {
    private final long seen;
    private final @Nullable Perms permsBefore;
    private boolean changed;
    private Watches.@Nullable Match fire;

    private Access(@Nullable StoreNode node) {
      seen = generationOf(node);
      permsBefore = node == null ? null : node.perms();
    }

    @Nullable Perms permsBefore() {
      return permsBefore;
    }

    Watches.@Nullable Match fire() {
      return fire;
    }
  }

  private final int id;
  private final StoreTree tree;
  private final StoreTree start;
  private final Map<String, Access> accesses = new LinkedHashMap<>();
  private boolean failed;
  private boolean mustRetry;

  StoreTransaction(int id, StoreTree store) {
    this.id = id;
    tree = store.fork();
    start = store.fork();
  }

  /** A transaction of a restored connection: its history is gone, so its commit says EAGAIN. */
  static StoreTransaction restored(int id, StoreTree store) {
    StoreTransaction transaction = new StoreTransaction(id, store);
    transaction.mustRetry = true;
    return transaction;
  }

  private static long generationOf(@Nullable StoreNode node) {
    return node == null ? ABSENT : node.generation();
  }

  int id() {
    return id;
  }

  StoreTree tree() {
    return tree;
  }

  boolean failed() {
    return failed;
  }

  /** Makes the commit impossible: an operation of the transaction went wrong half-way. */
  void fail() {
    failed = true;
  }

  int touched() {
    return accesses.size();
  }

  /** Bytes that this transaction holds beyond the store's own, for its domain's memory quota. */
  long heldBytes(int domid) {
    return Math.max(0, tree.usage(domid).bytes() - start.usage(domid).bytes())
        + 64L * accesses.size();
  }

  boolean hasTouched(String path) {
    return accesses.containsKey(path);
  }

  /** Notes that a node was looked at; {@code node} is null if it was not there. */
  void touch(String path, @Nullable StoreNode node) {
    accesses.computeIfAbsent(path, unused -> new Access(node));
  }

  /** Notes that a node, touched before, was changed. */
  void changed(String path) {
    access(path).changed = true;
  }

  /** Asks for a watch event if and when the transaction commits. */
  void fireLater(String path, Watches.Match match) {
    Access access = access(path);
    if (access.fire != Watches.Match.SUBTREE) {
      access.fire = match;
    }
  }

  private Access access(String path) {
    Access access = accesses.get(path);
    if (access == null) {
      throw new IllegalStateException("changed but never read: " + path);
    }
    return access;
  }

  Map<String, Access> accesses() {
    return accesses;
  }

  /** How many nodes more {@code domid} would own after a commit. */
  int growth(int domid) {
    return tree.usage(domid).nodes() - start.usage(domid).nodes();
  }

  /** Whether nothing that this transaction looked at has changed in {@code store} meanwhile. */
  boolean fits(StoreTree store) {
    if (mustRetry) {
      return false;
    }
    if (store.sameContentAs(start)) {
      return true;
    }
    for (Map.Entry<String, Access> each : accesses.entrySet()) {
      if (generationOf(store.get(each.getKey())) != each.getValue().seen) {
        return false;
      }
    }
    return true;
  }

  /**
   * Brings the changes into {@code store}, which {@link #fits}. The nodes that were looked at are
   * as they were, so the outcome is as if the transaction had run just now.
   */
  void commit(StoreTree store) {
    if (store.sameContentAs(start)) {
      store.become(tree);
      return;
    }
    List<String> paths = new ArrayList<>();
    accesses.forEach(
        (path, access) -> {
          if (access.changed) {
            paths.add(path);
          }
        });
    paths.sort(null);
    for (String path : paths) {
      StoreNode mine = tree.get(path);
      StoreNode theirs = store.get(path);
      if (mine != null && theirs != null) {
        store.set(path, mine.value(), mine.perms());
      } else if (mine != null) {
        store.add(List.of(path), mine.value(), mine.perms());
      } else if (theirs != null) {
        store.remove(path);
      }
    }
  }
}
