package parhelion.backends.xenstore;

import java.util.Collection;
import java.util.Collections;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The domains that the daemon knows, and their comings and goings. Guarded by its lock. */
final class Domains {
  private final TreeMap<Integer, StoreDomain> domains = new TreeMap<>();
  private final StoreHost host;
  private final StoreOps ops;
  private final Watches watches;
  private Quota.Limits defaults = Quota.Limits.initial();

  Domains(StoreHost host, StoreOps ops, Watches watches) {
    this.host = host;
    this.ops = ops;
    this.watches = watches;
  }

  Quota.Limits defaults() {
    return defaults;
  }

  void setDefaults(Quota.Limits limits) {
    defaults = limits;
  }

  Collection<StoreDomain> all() {
    return Collections.unmodifiableCollection(domains.values());
  }

  @Nullable StoreDomain find(int domid) {
    return domains.get(domid);
  }

  /** The record of a domain, made if need be, whether or not the domain exists. */
  StoreDomain obtain(int domid) {
    return domains.computeIfAbsent(domid, id -> new StoreDomain(id, defaults.copy()));
  }

  /** The record of a domain that exists, or ENOENT. */
  StoreDomain existing(int domid) {
    StoreDomain known = domains.get(domid);
    if (known != null) {
      return known;
    }
    if (!host.domainExists(domid)) {
      throw new XsException(XsErrno.ENOENT, "domain " + domid);
    }
    return obtain(domid);
  }

  /** A domain in communication with the store, or ENOENT. */
  StoreDomain introduced(int domid) {
    StoreDomain domain = domains.get(domid);
    if (domain == null || domain.ring() == null) {
      throw new XsException(XsErrno.ENOENT, "domain " + domid + " is not introduced");
    }
    return domain;
  }

  /** Drops all that a client has open. */
  void closeEverything(Connection client) {
    watches.removeAll(client);
    client.transactions().clear();
  }

  /** Tells the watchers of {@code @introduceDomain}. */
  void announce(int domid) {
    ops.fireSpecial(StorePath.INTRODUCE_DOMAIN, domid);
  }

  /** Notes that a domain was shut down, once, and tells the watchers of {@code @releaseDomain}. */
  void shutDown(int domid) {
    StoreDomain domain = domains.get(domid);
    if (domain != null && domain.ring() != null && !domain.shutdown()) {
      domain.setShutdown(true);
      ops.fireSpecial(StorePath.RELEASE_DOMAIN, domid);
    }
  }

  /** Disconnects a domain and removes its traces; nothing happens if it is not known. */
  void release(Connection asDom0, int domid) {
    StoreDomain domain = domains.remove(domid);
    if (domain == null) {
      ops.forgetDomain(asDom0, domid);
      return;
    }
    XenstoreRing ring = domain.ring();
    if (ring != null) {
      closeEverything(ring);
      ring.disconnect();
    }
    ops.forgetDomain(asDom0, domid);
    for (StoreDomain other : domains.values()) {
      XenstoreRing otherRing = other.ring();
      if (otherRing != null && otherRing.targetDomid() == domid) {
        otherRing.setTargetDomid(-1);
      }
    }
    if (ring != null) {
      ops.fireSpecial(StorePath.RELEASE_DOMAIN, domid);
    }
  }
}
