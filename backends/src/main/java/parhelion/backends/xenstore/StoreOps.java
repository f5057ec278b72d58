package parhelion.backends.xenstore;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;
import parhelion.abi.Domid;
import parhelion.abi.XenstoreWire;

/**
 * What the operations on nodes mean, for guests and for dom0, inside a transaction and outside:
 * permissions, quotas, watch events.
 *
 * <p>Paths are canonical here. A refused operation has changed nothing. Guarded by the daemon's
 * lock.
 */
final class StoreOps {
  private final StoreTree store;
  private final Watches watches;
  private final IntPredicate domainExists;

  StoreOps(StoreTree store, Watches watches, IntPredicate domainExists) {
    this.store = store;
    this.watches = watches;
    this.domainExists = domainExists;
  }

  StoreNode read(Connection client, @Nullable StoreTransaction tx, String path) {
    return require(client, tx, path, Perm.READ);
  }

  void write(Connection client, @Nullable StoreTransaction tx, String path, byte[] value) {
    StoreNode node = find(client, tx, path, Perm.WRITE);
    if (node == null) {
      create(client, tx, path, value);
    } else {
      replace(client, tx, path, node, value, node.perms());
    }
    fire(tx, path, Watches.Match.SUBTREE, null);
  }

  void mkdir(Connection client, @Nullable StoreTransaction tx, String path) {
    if (find(client, tx, path, Perm.WRITE) == null) {
      create(client, tx, path, new byte[0]);
      fire(tx, path, Watches.Match.SUBTREE, null);
    }
  }

  void rm(Connection client, @Nullable StoreTransaction tx, String path) {
    StoreNode node = find(client, tx, path, Perm.WRITE);
    String parent = StorePath.parent(path);
    if (node == null) {
      if (look(client, tx, parent) == null) {
        throw new XsException(XsErrno.ENOENT, path);
      }
      return;
    }
    if (path.equals(StorePath.ROOT)) {
      throw new XsException(XsErrno.EINVAL, "the root cannot be removed");
    }
    look(client, tx, parent);
    delete(client, tx, path, node);
  }

  private void delete(
      Connection client, @Nullable StoreTransaction tx, String path, StoreNode node) {
    StoreTree tree = tree(tx);
    if (tx != null) {
      tree.walk(path, node, null, (each, gone, above) -> note(client, tx, each, gone));
    }
    List<Runnable> events = new ArrayList<>();
    tree.walk(
        path,
        node,
        tree.get(StorePath.parent(path)),
        (each, gone, above) -> {
          Watches.Match match = each.equals(path) ? Watches.Match.SUBTREE : Watches.Match.EXACT;
          if (tx == null) {
            Perms perms = above == null ? gone.perms() : above.perms();
            events.add(() -> watches.fire(each, match, List.of(gone.perms(), perms)));
          } else {
            tx.changed(each);
            tx.fireLater(each, match);
          }
        });
    tree.remove(path);
    if (tx != null) {
      tx.changed(StorePath.parent(path));
    }
    events.forEach(Runnable::run);
  }

  Perms perms(Connection client, @Nullable StoreTransaction tx, String path) {
    return read(client, tx, path).perms();
  }

  void setPerms(Connection client, @Nullable StoreTransaction tx, String path, Perms wanted) {
    if (client.over(Quota.NODE_PERMISSIONS, wanted.size())) {
      throw new XsException(XsErrno.ENOSPC, "permissions of " + path);
    }
    List<Perm> marked = new ArrayList<>();
    for (Perm each : wanted.entries()) {
      marked.add(each.withIgnored(!known(client, each.domid())));
    }
    if (marked.get(0).ignored()) {
      throw new XsException(XsErrno.ENOENT, "owner of " + path);
    }
    StoreNode node = require(client, tx, path, Perm.WRITE | Perm.OWNER);
    Perms before = node.perms();
    if (!client.privileged() && wanted.owner() != before.owner()) {
      throw new XsException(XsErrno.EPERM, "owner of " + path);
    }
    replace(client, tx, path, node, node.value(), new Perms(marked));
    fire(tx, path, Watches.Match.SUBTREE, before);
  }

  private boolean known(Connection client, int domid) {
    if (domid == Domid.ANY) {
      return client.domain().offers(XenstoreWire.SERVER_FEATURE_DOMID_ANY);
    }
    return domid == Connection.PRIVILEGED_DOMID
        || domid == client.domid()
        || domainExists.test(domid);
  }

  StoreTransaction begin(Connection client) {
    if (client.over(Quota.TRANSACTIONS, client.transactions().size() + 1L)) {
      throw new XsException(XsErrno.ENOSPC, "transactions");
    }
    checkMemory(client, 64);
    return client.startTransaction(store);
  }

  /** Ends a transaction; it is gone whatever the outcome. EAGAIN asks the client to repeat it. */
  void end(Connection client, StoreTransaction tx, boolean commit) {
    client.transactions().remove(tx.id());
    if (!commit) {
      return;
    }
    if (tx.failed()) {
      throw new XsException(XsErrno.ENOMEM, "transaction " + tx.id() + " failed");
    }
    if (!tx.fits(store)) {
      throw new XsException(XsErrno.EAGAIN, "transaction " + tx.id());
    }
    int growth = tx.growth(client.domid());
    if (growth > 0
        && client.over(Quota.NODES, (long) store.usage(client.domid()).nodes() + growth)) {
      throw new XsException(XsErrno.ENOSPC, "nodes of domain " + client.domid());
    }
    tx.commit(store);
    tx.accesses()
        .forEach(
            (path, access) -> {
              if (access.fire() != null) {
                fire(null, path, access.fire(), access.permsBefore());
              }
            });
  }

  /**
   * Removes a dead domain's traces: nodes that it owns with all below them, and what others allowed
   * it, which a later domain of the same number must not inherit.
   */
  void forgetDomain(Connection asDom0, int domid) {
    List<String> owned = new ArrayList<>();
    List<String> shared = new ArrayList<>();
    for (String start :
        List.of(StorePath.ROOT, StorePath.INTRODUCE_DOMAIN, StorePath.RELEASE_DOMAIN)) {
      StoreNode node = store.get(start);
      if (node != null) {
        store.walk(
            start,
            node,
            null,
            (path, each, above) -> {
              if (each.perms().owner() == domid && !path.equals(start)) {
                owned.add(path);
              } else if (each.perms().mentions(domid)) {
                shared.add(path);
              }
            });
      }
    }
    for (String path : owned.reversed()) {
      StoreNode node = store.get(path);
      if (node != null) {
        delete(asDom0, null, path, node);
      }
    }
    for (String path : shared) {
      StoreNode node = store.get(path);
      if (node != null) {
        Perms kept = node.perms().without(domid);
        store.set(path, node.value(), kept.owner() == domid ? kept.withOwner(0) : kept);
      }
    }
  }

  /** Tells watchers of {@code @introduceDomain} or {@code @releaseDomain}. */
  void fireSpecial(String special, int domid) {
    StoreNode node = store.get(special);
    if (node == null) {
      return;
    }
    List<Perms> perms = List.of(node.perms());
    watches.fire(special, Watches.Match.NODEPTH, perms);
    watches.fire(special + '/' + domid, Watches.Match.DEPTH, perms);
  }

  // What a client sees, and what it is told when it may not see it.

  private StoreTree tree(@Nullable StoreTransaction tx) {
    return tx == null ? store : tx.tree();
  }

  /** Looks a node up, which a transaction takes note of. */
  private @Nullable StoreNode look(Connection client, @Nullable StoreTransaction tx, String path) {
    StoreNode node = tree(tx).get(path);
    if (tx != null) {
      note(client, tx, path, node);
    }
    return node;
  }

  private void note(Connection client, StoreTransaction tx, String path, @Nullable StoreNode node) {
    if (tx.hasTouched(path)) {
      return;
    }
    if (client.over(Quota.TRANSACTION_NODES, tx.touched() + 1L)) {
      tx.fail();
      throw new XsException(XsErrno.ENOSPC, "nodes in transaction " + tx.id());
    }
    tx.touch(path, node);
  }

  /** The node, or ENOENT, or EACCES. */
  private StoreNode require(
      Connection client, @Nullable StoreTransaction tx, String path, int access) {
    StoreNode node = find(client, tx, path, access);
    if (node == null) {
      throw new XsException(XsErrno.ENOENT, path);
    }
    return node;
  }

  /**
   * The node, or null where the client may know that there is none: EACCES if it has no such right
   * on the node, or, where there is none, on the nearest node above.
   */
  private @Nullable StoreNode find(
      Connection client, @Nullable StoreTransaction tx, String path, int access) {
    StoreNode node = look(client, tx, path);
    if (node != null) {
      if ((client.accessTo(node.perms()) & access) != access) {
        throw new XsException(XsErrno.EACCES, path);
      }
      return node;
    }
    String above = tree(tx).nearest(path);
    if (tx != null) {
      for (String at : between(path, above)) {
        note(client, tx, at, null);
      }
    }
    StoreNode nearest = look(client, tx, above);
    if (nearest == null || (client.accessTo(nearest.perms()) & access) == 0) {
      throw new XsException(XsErrno.EACCES, path);
    }
    return null;
  }

  /** The paths from {@code path} up to and without {@code above}. */
  private static List<String> between(String path, String above) {
    List<String> paths = new ArrayList<>();
    for (String at = path; !at.equals(above); at = StorePath.parent(at)) {
      paths.add(at);
    }
    return paths;
  }

  /** Makes a node that {@link #find} has not found, and those above it that are missing. */
  private void create(Connection client, @Nullable StoreTransaction tx, String path, byte[] value) {
    String above = tree(tx).nearest(path);
    List<String> missing = between(path, above);
    StoreNode parent = look(client, tx, above);
    if (parent == null) {
      throw new IllegalStateException("no node above " + path);
    }
    Perms perms = parent.perms();
    if (!client.privileged()) {
      perms = perms.withOwner(client.domid());
      checkCreation(client, tx, parent, missing, value, perms);
    }
    tree(tx).add(missing, value, perms);
    if (tx != null) {
      missing.forEach(tx::changed);
      tx.changed(above);
    }
  }

  private void checkCreation(
      Connection client,
      @Nullable StoreTransaction tx,
      StoreNode parent,
      List<String> missing,
      byte[] value,
      Perms perms) {
    int domid = client.domid();
    if (client.over(Quota.NODES, (long) tree(tx).usage(domid).nodes() + missing.size())) {
      throw new XsException(XsErrno.ENOSPC, "nodes of domain " + domid);
    }
    String top = missing.getLast();
    checkSize(client, top, parent.sizeBytes() + StorePath.name(top).length() + 1L);
    int plain = 16 + 8 * perms.size();
    checkSize(client, top, plain + (long) value.length);
    long bytes = value.length;
    for (String each : missing) {
      long names = StorePath.name(each).length() + 1L;
      checkSize(client, each, plain + names);
      bytes += plain + names + each.length();
    }
    checkMemory(client, bytes);
  }

  private void replace(
      Connection client,
      @Nullable StoreTransaction tx,
      String path,
      StoreNode node,
      byte[] value,
      Perms perms) {
    if (!client.privileged()) {
      long grown = (long) value.length - node.value().length;
      grown += 8L * (perms.size() - node.perms().size());
      checkSize(client, path, node.sizeBytes() + grown);
      checkMemory(client, grown);
    }
    tree(tx).set(path, value, perms);
    if (tx != null) {
      tx.changed(path);
    }
  }

  private void checkSize(Connection client, String path, long bytes) {
    if (client.over(Quota.NODE_SIZE, bytes + 1)) {
      throw new XsException(XsErrno.ENOSPC, "size of " + path);
    }
  }

  private void checkMemory(Connection client, long more) {
    if (more > 0
        && client.over(
            Quota.MEMORY, store.usage(client.domid()).bytes() + client.heldBytes() + more)) {
      throw new XsException(XsErrno.ENOMEM, "memory of domain " + client.domid());
    }
  }

  private void fire(
      @Nullable StoreTransaction tx, String path, Watches.Match match, @Nullable Perms before) {
    if (tx != null) {
      tx.fireLater(path, match);
      return;
    }
    List<Perms> perms = new ArrayList<>();
    if (before != null) {
      perms.add(before);
    }
    for (String each : List.of(path, StorePath.parent(path))) {
      StoreNode node = store.get(each);
      if (node != null) {
        perms.add(node.perms());
      }
    }
    watches.fire(path, match, perms);
  }
}
