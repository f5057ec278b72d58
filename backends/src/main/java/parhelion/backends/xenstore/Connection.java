package parhelion.backends.xenstore;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A client of the store: a guest behind its ring, or Java code that acts as dom0. Holds what the
 * client has open. Guarded by the daemon's lock.
 */
abstract sealed class Connection permits XenstoreRing, LocalConnection {
  /** The only domain that is exempt from permissions and quotas. */
  static final int PRIVILEGED_DOMID = 0;

  private final StoreDomain domain;
  private final Map<Integer, StoreTransaction> transactions = new LinkedHashMap<>();
  private int lastTransactionId;
  private int targetDomid = -1;
  private final Set<Watch> watches = new LinkedHashSet<>();
  private long watchBytes;

  Connection(StoreDomain domain) {
    this.domain = domain;
  }

  final StoreDomain domain() {
    return domain;
  }

  final int domid() {
    return domain.domid();
  }

  final boolean privileged() {
    return domid() == PRIVILEGED_DOMID;
  }

  /** The domain whose rights this one has besides its own (SET_TARGET), or -1. */
  final int targetDomid() {
    return targetDomid;
  }

  final void setTargetDomid(int target) {
    targetDomid = target;
  }

  /** What relative paths are relative to. */
  final String base() {
    return StorePath.ofDomain(domid());
  }

  final int accessTo(Perms perms) {
    return privileged() ? Perm.ALL : perms.accessOf(domid(), targetDomid);
  }

  final boolean over(Quota quota, long wanted) {
    return !privileged() && domain.limits().exceeded(quota, wanted);
  }

  /** Hands a watch event to the client; it may be dropped if the client does not take them. */
  abstract void event(String path, String token);

  /** Bytes of replies and events that wait for the client. */
  abstract long queuedBytes();

  /** What the client holds besides nodes, in bytes. */
  final long heldBytes() {
    long held = watchBytes + queuedBytes();
    for (StoreTransaction transaction : transactions.values()) {
      held += transaction.heldBytes(domid());
    }
    return held;
  }

  final Map<Integer, StoreTransaction> transactions() {
    return transactions;
  }

  final StoreTransaction startTransaction(StoreTree store) {
    do {
      lastTransactionId++;
    } while (lastTransactionId == 0 || transactions.containsKey(lastTransactionId));
    StoreTransaction transaction = new StoreTransaction(lastTransactionId, store);
    transactions.put(lastTransactionId, transaction);
    return transaction;
  }

  /** The transaction that a request names; null for id 0, ENOENT for an unknown one. */
  final @Nullable StoreTransaction transaction(int id) {
    if (id == 0) {
      return null;
    }
    StoreTransaction transaction = transactions.get(id);
    if (transaction == null) {
      throw new XsException(XsErrno.ENOENT, "transaction " + Integer.toUnsignedString(id));
    }
    return transaction;
  }

  final void restoreTransaction(int id, StoreTree store) {
    transactions.put(id, StoreTransaction.restored(id, store));
    lastTransactionId = id;
  }

  /** The client's watches, oldest first. */
  final Set<Watch> watches() {
    return Collections.unmodifiableSet(watches);
  }

  final void remember(Watch watch) {
    watches.add(watch);
    watchBytes += watch.sizeBytes();
  }

  final void forget(Watch watch) {
    watches.remove(watch);
    watchBytes -= watch.sizeBytes();
  }
}
