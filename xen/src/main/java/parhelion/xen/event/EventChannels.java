package parhelion.xen.event;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.abi.Domid;
import parhelion.abi.Errno;
import parhelion.abi.EvtchnArgs.EvtchnInitControl;
import parhelion.abi.EvtchnFifo;
import parhelion.abi.EvtchnFifoControlBlock;
import parhelion.abi.EvtchnStat;
import parhelion.abi.Virq;
import parhelion.abi.XenLimits;
import parhelion.xen.Domain;
import parhelion.xen.Vcpu;
import parhelion.xen.XenError;

/**
 * The event channels of one domain. A port is free, open to be bound by another domain, or bound to
 * another domain's port, to Java code ({@link HostPort}), to a virtual interrupt or to the domain's
 * own vcpus. {@link EventOps} are the hypercalls on it.
 *
 * <p>Runs on the scheduler's thread; other threads post.
 */
public final class EventChannels {
  /** The domain that Java's ends belong to, as the guest sees it. */
  public static final int HOST_DOMID = 0;

  private static final int BUCKET = 64;

  private final Domain domain;
  private final List<Port> ports = new ArrayList<>();
  private @Nullable EventAbi abi;
  private @Nullable Fifo fifo;

  /** Port of each virtual interrupt, by vcpu; 0 for none. */
  private int[][] virqPorts = new int[0][];

  public EventChannels(Domain domain) {
    this.domain = domain;
  }

  public Domain domain() {
    return domain;
  }

  EventAbi abi() {
    EventAbi a = abi;
    if (a == null) {
      a = new TwoLevel(domain, this);
      abi = a;
    }
    return a;
  }

  /** Numbers of ports that there are, free ones included. */
  int portCount() {
    return ports.size();
  }

  /** The port that a virtual interrupt is bound to, or 0. */
  int virqPort(int vcpu, int virq) {
    return virqPorts(isGlobal(virq) ? 0 : vcpu)[virq];
  }

  /**
   * Calls {@code action} for each frame that event words and control blocks hold, once per hold.
   */
  void forEachFrame(java.util.function.LongConsumer action) {
    Fifo f = fifo;
    if (f != null) {
      f.forEachFrame(action);
    }
  }

  /** True once the guest has switched to FIFO events. */
  public boolean isFifo() {
    return fifo != null;
  }

  // --- ports ---

  /** The port of that number, free ones included, or null where there is none yet. */
  @Nullable Port port(long number) {
    return number >= 0 && number < ports.size() ? ports.get((int) number) : null;
  }

  /** EINVAL where there is none. */
  Port existing(long number) {
    Port port = port(number);
    if (port == null) {
      throw new XenError(Errno.EINVAL);
    }
    return port;
  }

  /** A free port, from 1 on; ENOSPC. */
  private Port allocate() {
    if (domain.isDying()) {
      throw new XenError(Errno.EINVAL);
    }
    for (int i = 1; i < ports.size(); i++) {
      Port port = ports.get(i);
      if (port.state == EvtchnStat.CLOSED && !abi().isBusy(port)) {
        return port;
      }
    }
    int first = ports.size();
    if (first >= abi().maxPorts()) {
      throw new XenError(Errno.ENOSPC);
    }
    for (int i = first; i < first + BUCKET; i++) {
      ports.add(new Port(i));
    }
    return ports.get(Math.max(1, first));
  }

  private void free(Port port) {
    abi().clearPending(port);
    port.free();
  }

  void setPending(Port port) {
    abi().setPending(port);
  }

  // --- binding ---

  /** A port that {@code remoteDomid} may bind to. */
  public int allocUnbound(int remoteDomid) {
    Port port = allocate();
    port.state = EvtchnStat.UNBOUND;
    port.remoteDomid = remoteDomid;
    abi().init(port);
    return port.number;
  }

  /**
   * A port of this domain bound to the open port {@code remotePort} of {@code other}; EINVAL if
   * that is not open to us.
   */
  public int bindInterdomain(EventChannels other, long remotePort) {
    Port local = allocate();
    Port remote = other.existing(remotePort);
    if (remote.state != EvtchnStat.UNBOUND
        || remote.remoteDomid != domain.id()
        || remote == local) {
      throw new XenError(Errno.EINVAL);
    }
    local.state = EvtchnStat.INTERDOMAIN;
    local.remote = other;
    local.remotePort = remote.number;
    abi().init(local);
    remote.state = EvtchnStat.INTERDOMAIN;
    remote.remote = this;
    remote.remotePort = local.number;
    // A notification may have been lost while it was unbound.
    setPending(local);
    return local.number;
  }

  /** Whether a virtual interrupt is the domain's (bound on vcpu 0) or each vcpu's own. */
  static boolean isGlobal(long virq) {
    return virq != Virq.TIMER.nr()
        && virq != Virq.DEBUG.nr()
        && virq != Virq.XENOPROF.nr()
        && virq != Virq.XENPMU.nr();
  }

  private int[] virqPorts(int vcpu) {
    if (virqPorts.length == 0) {
      virqPorts = new int[domain.vcpus().size()][XenLimits.NR_VIRQS];
    }
    return virqPorts[vcpu];
  }

  int bindVirq(long virq, long vcpu) {
    if (virq < 0 || virq >= XenLimits.NR_VIRQS || (isGlobal(virq) && vcpu != 0)) {
      throw new XenError(Errno.EINVAL);
    }
    Vcpu v = requireVcpu(vcpu);
    int[] bound = virqPorts(v.id());
    if (bound[(int) virq] != 0) {
      throw new XenError(Errno.EEXIST);
    }
    Port port = allocate();
    port.state = EvtchnStat.VIRQ;
    port.vcpu = v.id();
    port.virq = (int) virq;
    abi().init(port);
    bound[(int) virq] = port.number;
    return port.number;
  }

  int bindIpi(long vcpu) {
    Vcpu v = requireVcpu(vcpu);
    Port port = allocate();
    port.state = EvtchnStat.IPI;
    port.vcpu = v.id();
    abi().init(port);
    return port.number;
  }

  private Vcpu requireVcpu(long id) {
    Vcpu v = domain.vcpu(id);
    if (v == null) {
      throw new XenError(Errno.ENOENT);
    }
    return v;
  }

  void bindVcpu(long number, long vcpu) {
    Vcpu v = requireVcpu(vcpu);
    Port port = existing(number);
    boolean movable =
        switch (port.state) {
          case UNBOUND, INTERDOMAIN -> true;
          case VIRQ -> isGlobal(port.virq);
          default -> false;
        };
    if (!movable) {
      throw new XenError(Errno.EINVAL);
    }
    port.vcpu = v.id();
  }

  // --- closing ---

  /**
   * Closes a port; the far end of an interdomain channel becomes unbound. EINVAL for what is not
   * open.
   */
  public void close(long number) {
    Port port = existing(number);
    switch (port.state) {
      case CLOSED -> throw new XenError(Errno.EINVAL);
      case VIRQ -> virqPorts(isGlobal(port.virq) ? 0 : port.vcpu)[port.virq] = 0;
      case INTERDOMAIN -> closeFarEnd(port);
      default -> {}
    }
    free(port);
  }

  private void closeFarEnd(Port port) {
    HostPort host = port.host;
    if (host != null) {
      host.guestClosed();
      return;
    }
    EventChannels other = port.remote;
    Port far = other == null ? null : other.port(port.remotePort);
    if (far == null || far.state != EvtchnStat.INTERDOMAIN) {
      throw new IllegalStateException("port " + port.number + " of " + domain + " without far end");
    }
    far.state = EvtchnStat.UNBOUND;
    far.remoteDomid = domain.id();
    far.remote = null;
  }

  void hostClosed(Port port) {
    port.state = EvtchnStat.UNBOUND;
    port.remoteDomid = HOST_DOMID;
    port.host = null;
  }

  /** Closes all ports and goes back to two-level events. */
  void reset() {
    for (int i = 1; i < ports.size(); i++) {
      if (ports.get(i).state != EvtchnStat.CLOSED) {
        close(i);
      }
    }
    Fifo f = fifo;
    if (f != null) {
      f.destroy();
      fifo = null;
      abi = null;
    }
  }

  /** The domain is dying. */
  public void destroy() {
    reset();
  }

  // --- sending ---

  /** EVTCHNOP_send: notifies the far end. EINVAL for what has none. */
  public void send(long number) {
    Port port = existing(number);
    switch (port.state) {
      case INTERDOMAIN -> {
        HostPort host = port.host;
        EventChannels other = port.remote;
        if (host != null) {
          host.notifyHost();
        } else if (other != null) {
          other.setPending(other.existing(port.remotePort));
        }
      }
      case IPI -> setPending(port);
      case UNBOUND -> {}
      default -> throw new XenError(Errno.EINVAL);
    }
  }

  /**
   * Raises a virtual interrupt: the vcpu's own, or for global ones the domain's. Nothing if the
   * guest has not bound it.
   */
  public void raiseVirq(Vcpu v, Virq virq) {
    int number = virqPorts(isGlobal(virq.nr()) ? 0 : v.id())[virq.nr()];
    if (number != 0) {
      setPending(ports.get(number));
    }
  }

  void unmask(long number) {
    abi().unmask(existing(number));
  }

  /** True if the port is pending: SCHEDOP_poll need not wait. EINVAL. */
  public boolean isPending(long number) {
    return abi().isPending(existing(number));
  }

  void wakePollers(int number) {
    for (Vcpu v : domain.vcpus()) {
      int polled = v.state.pollPort;
      if (polled == number || polled == -1) {
        v.unblock();
      }
    }
  }

  // --- Java's ends ---

  /** A new port of this domain whose far end is Java code, as dom0's would be. */
  public HostPort bindToHost(Runnable onNotify) {
    int number = allocUnbound(HOST_DOMID);
    return bindHost(number, onNotify);
  }

  /**
   * Binds Java code to a port that the guest has opened for domain {@link #HOST_DOMID}, as a
   * backend does with the port that it finds in xenstore; EINVAL if it is not such a port. The
   * guest's port becomes pending once, as nothing may get lost.
   */
  public HostPort bindHost(long number, Runnable onNotify) {
    Port port = existing(number);
    if (port.state != EvtchnStat.UNBOUND || port.remoteDomid != HOST_DOMID) {
      throw new XenError(Errno.EINVAL);
    }
    HostPort host = new HostPort(this, port, onNotify);
    port.state = EvtchnStat.INTERDOMAIN;
    port.host = host;
    port.remotePort = port.number;
    return host;
  }

  // --- FIFO ---

  /** EVTCHNOP_init_control: the first call switches the domain to FIFO events. */
  void initControl(EvtchnInitControl args) {
    requireVcpu(args.vcpu());
    if (args.offset() > 4096 - EvtchnFifoControlBlock.STRUCT.size() || (args.offset() & 7) != 0) {
      throw new XenError(Errno.EINVAL);
    }
    Fifo f = fifo;
    if (f != null) {
      f.mapControlBlock(args);
      return;
    }
    f = new Fifo(domain, this);
    f.mapControlBlock(args);
    EventAbi old = abi();
    for (Port port : ports) {
      port.pending = old.isPending(port);
      port.priority = EvtchnFifo.PRIORITY_DEFAULT;
    }
    fifo = f;
    abi = f;
  }

  void expandArray(long gfn) {
    Fifo f = fifo;
    if (f == null) {
      throw new XenError(Errno.EOPNOTSUPP);
    }
    f.expandArray(gfn);
  }

  /**
   * {@code dom} as an argument means it for {@code caller}: itself, or any domain if privileged.
   */
  static Domain target(Domain caller, int dom) {
    Domain d = caller.hypervisor().domainFor(caller, dom);
    if (d != caller && !caller.isPrivileged()) {
      throw new XenError(Errno.EPERM);
    }
    return d;
  }

  /** The domain number that an unbound port is opened for. */
  static int remote(Domain caller, int remoteDom) {
    return remoteDom == Domid.SELF ? caller.id() : remoteDom;
  }
}
