package parhelion.backends.xenstore;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import parhelion.abi.Domid;
import parhelion.abi.XenstoreWire;
import parhelion.backends.Agent;
import parhelion.backends.Port;
import parhelion.backends.RingMemory;

/**
 * xenstored: the store, its clients, and their service.
 *
 * <p>How it is used: the toolstack makes one, has its {@link #runPending} run, prepares a domain's
 * nodes through {@link #dom0}, and introduces the domain; the hypervisor calls {@link
 * XenstoreRing#signal} on the guest's events, {@link #domainShutdown} when the domain stops, and
 * the toolstack {@link #release} when it is gone.
 *
 * <p>Any thread may call; see the package for the lock.
 */
public final class XenstoreDaemon implements Agent {
  /** Requests of one guest in a row, before the others have their turn. */
  private static final int BUDGET = 16;

  private final ReentrantLock lock = new ReentrantLock();
  private final StoreTree.Generations generations = new StoreTree.Generations();
  private final StoreTree store;
  private final Watches watches = new Watches();
  private final StoreOps ops;
  private final Domains domains;
  private final Requests requests;
  private final StoreHost host;
  private final LocalConnection internal;

  private final ConcurrentLinkedQueue<XenstoreRing> ready = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<XenstoreRing> released = new ConcurrentLinkedQueue<>();
  private final Set<LocalConnection.Delivery> deliveries = new LinkedHashSet<>();
  private volatile Runnable wake = () -> {};

  public XenstoreDaemon(StoreHost host) {
    this.host = host;
    store = StoreTree.empty(generations);
    ops = new StoreOps(store, watches, host::domainExists);
    domains = new Domains(host, ops, watches);
    requests = new Requests(ops, store, watches, domains, new FromTheWire());
    internal = new LocalConnection(domains.obtain(0), this::deliver);
    store.plant(StorePath.INTRODUCE_DOMAIN, Perms.of(Perm.none(0)));
    store.plant(StorePath.RELEASE_DOMAIN, Perms.of(Perm.none(0), Perm.read(Domid.ANY)));
    ops.mkdir(internal, null, "/tool/xenstored");
  }

  StoreOps ops() {
    return ops;
  }

  Watches watches() {
    return watches;
  }

  /** A new client with dom0's rights. */
  public XenstoreClient dom0() {
    return locked(
        () -> new XenstoreClient(this, new LocalConnection(domains.obtain(0), this::deliver)));
  }

  // Domains

  /**
   * Takes up communication with a domain: resets its ring, announces it, and answers its requests
   * from now on. A domain that is introduced already is connected anew.
   *
   * @param memory the domain's ring page; closed on release
   * @param port the event channel to the domain; closed on release
   * @return the connection, whose {@code signal} is to be called on the guest's events
   */
  public XenstoreRing introduce(int domid, RingMemory memory, Port port) {
    if (domid < 0 || domid >= Domid.SELF) {
      throw new XsException(XsErrno.EINVAL, "domain number " + domid);
    }
    XenstoreRing ring = locked(() -> connect(domid, memory, port));
    closeReleased();
    return ring;
  }

  private XenstoreRing connect(int domid, RingMemory memory, Port port) {
    StoreDomain domain = domains.obtain(domid);
    XenstoreRing before = domain.ring();
    if (before != null) {
      domains.closeEverything(before);
      before.disconnect();
      released.add(before);
    }
    XenstoreRing ring = new XenstoreRing(domain, memory, port, store, domains, this::serve);
    domain.setRing(ring);
    domain.setShutdown(false);
    ring.advertise();
    ring.reset();
    if (before == null) {
      domains.announce(domid);
    }
    serve(ring);
    return ring;
  }

  /**
   * Tells that a domain has shut down or crashed: watchers of {@code @releaseDomain} hear of it.
   */
  public void domainShutdown(int domid) {
    locked(
        () -> {
          domains.shutDown(domid);
          return true;
        });
  }

  /**
   * Ends communication with a domain and removes the nodes that it owns and the permissions that it
   * was given. Page and port are closed when this returns.
   */
  public void release(int domid) {
    if (domid == Connection.PRIVILEGED_DOMID) {
      throw new XsException(XsErrno.EINVAL, "domain 0");
    }
    locked(
        () -> {
          disconnect(domid);
          return true;
        });
    closeReleased();
  }

  private void disconnect(int domid) {
    StoreDomain domain = domains.find(domid);
    XenstoreRing ring = domain == null ? null : domain.ring();
    domains.release(internal, domid);
    if (ring != null) {
      released.add(ring);
    }
  }

  private final class FromTheWire implements Requests.Introducer {
    @Override
    public void introduce(int domid, long gfn, int port) {
      StoreHost.Link link = host.connect(domid, gfn, port);
      if (link == null) {
        throw new XsException(XsErrno.EINVAL, "domain " + domid + " cannot be connected");
      }
      connect(domid, link.memory(), link.port());
    }

    @Override
    public void release(int domid) {
      disconnect(domid);
    }
  }

  // Service

  @Override
  public void wakeWith(Runnable wake) {
    this.wake = wake;
  }

  private void serve(XenstoreRing ring) {
    if (ring.queuedForService().compareAndSet(false, true)) {
      ready.add(ring);
      wake.run();
    }
  }

  private void deliver(LocalConnection.Delivery delivery) {
    deliveries.add(delivery);
    wake.run();
  }

  /** Gives every connection that has something to do one turn, and delivers events. */
  @Override
  public boolean runPending() {
    List<Port> notify = new ArrayList<>();
    List<Runnable> callbacks = new ArrayList<>();
    boolean any = locked(() -> service(notify, callbacks));
    closeReleased();
    notify.forEach(Port::notifyGuest);
    callbacks.forEach(Runnable::run);
    return any;
  }

  /** One turn for everybody who has something to do. */
  private boolean service(List<Port> notify, List<Runnable> callbacks) {
    List<XenstoreRing> turn = new ArrayList<>();
    for (XenstoreRing ring = ready.poll(); ring != null; ring = ready.poll()) {
      ring.queuedForService().set(false);
      turn.add(ring);
    }
    for (XenstoreRing ring : turn) {
      if (ring.pump(requests, BUDGET)) {
        serve(ring);
      }
      if (ring.takeMoved() && !ring.closed()) {
        notify.add(ring.port());
      }
    }
    for (LocalConnection.Delivery delivery : deliveries) {
      callbacks.add(
          () ->
              locked(() -> delivery.connection().callback(delivery.token()))
                  .accept(delivery.path()));
    }
    boolean any = !turn.isEmpty() || !deliveries.isEmpty();
    deliveries.clear();
    return any;
  }

  /** Runs {@code action} with the lock held. */
  <T> T locked(Supplier<T> action) {
    lock.lock();
    try {
      return action.get();
    } finally {
      lock.unlock();
    }
  }

  private void closeReleased() {
    for (XenstoreRing ring = released.poll(); ring != null; ring = released.poll()) {
      ring.closeLink();
    }
  }

  /** Recounts what is accounted for: throws IllegalStateException if something is wrong. */
  public void audit() {
    locked(
        () -> {
          store.audit();
          watches.audit();
          return true;
        });
  }

  // State

  /** All that is known now. */
  public XenstoreState save() {
    return locked(
        () -> {
          List<XenstoreState.Domain> saved = new ArrayList<>();
          for (StoreDomain domain : domains.all()) {
            XenstoreRing ring = domain.ring();
            saved.add(ring == null ? unconnected(domain) : ring.save());
          }
          return new XenstoreState(
              generations.last(), store.save(), domains.defaults().save(), saved);
        });
  }

  private static XenstoreState.Domain unconnected(StoreDomain domain) {
    return new XenstoreState.Domain(
        domain.domid(),
        domain.features(),
        domain.limits().save(),
        domain.shutdown(),
        /* introduced= */ false,
        -1,
        XenstoreWire.ERROR_NONE,
        new byte[0],
        List.of(),
        List.of(),
        List.of());
  }

  /**
   * Replaces everything by what was saved. The daemon must be new; Java clients may exist and keep
   * their watches.
   *
   * @param links gives the page and the port of each connected domain; the page as it was when the
   *     state was saved
   * @return the connections, in the order of the saved domains
   */
  public List<XenstoreRing> restore(XenstoreState state, Links links) {
    return locked(
        () -> {
          generations.restore(state.generation());
          store.become(StoreTree.restore(state.nodes(), generations));
          domains.setDefaults(Quota.Limits.of(state.defaultQuotas()));
          List<XenstoreRing> rings = new ArrayList<>();
          for (XenstoreState.Domain saved : state.domains()) {
            StoreDomain domain = domains.obtain(saved.domid());
            domain.setFeatures(saved.features());
            domain.setLimits(Quota.Limits.of(saved.quotas()));
            domain.setShutdown(saved.shutdown());
            if (saved.introduced()) {
              StoreHost.Link link = links.link(saved.domid());
              XenstoreRing ring =
                  new XenstoreRing(domain, link.memory(), link.port(), store, domains, this::serve);
              domain.setRing(ring);
              ring.restore(saved, watches);
              serve(ring);
              rings.add(ring);
            }
          }
          return rings;
        });
  }

  /** Where restored connections find their pages and ports. */
  public interface Links {
    StoreHost.Link link(int domid);
  }

  @Override
  public String toString() {
    return "xenstored";
  }
}
