package parhelion.xen.event;

import parhelion.abi.Bytes;
import parhelion.abi.Errno;
import parhelion.abi.EvtchnArgs.EvtchnAllocUnbound;
import parhelion.abi.EvtchnArgs.EvtchnBindInterdomain;
import parhelion.abi.EvtchnArgs.EvtchnBindIpi;
import parhelion.abi.EvtchnArgs.EvtchnBindPirq;
import parhelion.abi.EvtchnArgs.EvtchnBindVcpu;
import parhelion.abi.EvtchnArgs.EvtchnBindVirq;
import parhelion.abi.EvtchnArgs.EvtchnClose;
import parhelion.abi.EvtchnArgs.EvtchnExpandArray;
import parhelion.abi.EvtchnArgs.EvtchnInitControl;
import parhelion.abi.EvtchnArgs.EvtchnReset;
import parhelion.abi.EvtchnArgs.EvtchnSend;
import parhelion.abi.EvtchnArgs.EvtchnSetPriority;
import parhelion.abi.EvtchnArgs.EvtchnStatus;
import parhelion.abi.EvtchnArgs.EvtchnUnmask;
import parhelion.abi.EvtchnFifo;
import parhelion.abi.EvtchnOp;
import parhelion.xen.Domain;
import parhelion.xen.SubOps;
import parhelion.xen.Vcpu;
import parhelion.xen.XenError;

/** {@code event_channel_op}: the sub-ops, each with its argument structure and its method. */
public final class EventOps {
  private EventOps() {}

  public static SubOps<EvtchnOp> roster() {
    return new SubOps<>(EvtchnOp.class)
        .inOut(EvtchnOp.BIND_INTERDOMAIN, EvtchnBindInterdomain::read, EventOps::bindInterdomain)
        .inOut(EvtchnOp.BIND_VIRQ, EvtchnBindVirq::read, EventOps::bindVirq)
        .inOut(EvtchnOp.BIND_PIRQ, EvtchnBindPirq::read, EventOps::bindPirq)
        .in(EvtchnOp.CLOSE, EvtchnClose::read, EventOps::close)
        .in(EvtchnOp.SEND, EvtchnSend::read, EventOps::send)
        .inOut(EvtchnOp.STATUS, EvtchnStatus::read, EventOps::status)
        .inOut(EvtchnOp.ALLOC_UNBOUND, EvtchnAllocUnbound::read, EventOps::allocUnbound)
        .inOut(EvtchnOp.BIND_IPI, EvtchnBindIpi::read, EventOps::bindIpi)
        .in(EvtchnOp.BIND_VCPU, EvtchnBindVcpu::read, EventOps::bindVcpu)
        .in(EvtchnOp.UNMASK, EvtchnUnmask::read, EventOps::unmask)
        .in(EvtchnOp.RESET, EvtchnReset::read, EventOps::reset)
        .inOut(EvtchnOp.INIT_CONTROL, EvtchnInitControl::read, EventOps::initControl)
        .in(EvtchnOp.EXPAND_ARRAY, EvtchnExpandArray::read, EventOps::expandArray)
        .in(EvtchnOp.SET_PRIORITY, EvtchnSetPriority::read, EventOps::setPriority);
  }

  static long bindInterdomain(Vcpu v, EvtchnBindInterdomain a, Bytes out) {
    Domain d = v.domain();
    Domain other = d.hypervisor().domainFor(d, a.remoteDom());
    EvtchnBindInterdomain.LOCAL_PORT.put(
        out, 0, d.events().bindInterdomain(other.events(), a.remotePort()));
    return 0;
  }

  static long bindVirq(Vcpu v, EvtchnBindVirq a, Bytes out) {
    EvtchnBindVirq.PORT.put(out, 0, v.domain().events().bindVirq(a.virq(), a.vcpu()));
    return 0;
  }

  /** There are no physical interrupts to bind. */
  static long bindPirq(Vcpu v, EvtchnBindPirq a, Bytes out) {
    throw new XenError(Errno.EINVAL);
  }

  static long close(Vcpu v, EvtchnClose a) {
    v.domain().events().close(a.port());
    return 0;
  }

  static long send(Vcpu v, EvtchnSend a) {
    v.domain().events().send(a.port());
    return 0;
  }

  static long status(Vcpu v, EvtchnStatus a, Bytes out) {
    Port port = EventChannels.target(v.domain(), a.dom()).events().existing(a.port());
    EvtchnStatus.STATUS.put(out, 0, port.state.nr());
    EvtchnStatus.VCPU.put(out, 0, port.vcpu);
    switch (port.state) {
      case UNBOUND -> EvtchnStatus.UNBOUND_DOM.put(out, 0, port.remoteDomid);
      case INTERDOMAIN -> {
        EventChannels other = port.remote;
        int dom = other == null ? EventChannels.HOST_DOMID : other.domain().id();
        EvtchnStatus.INTERDOMAIN_DOM.put(out, 0, dom);
        EvtchnStatus.INTERDOMAIN_PORT.put(out, 0, port.remotePort);
      }
      case VIRQ -> EvtchnStatus.VIRQ.put(out, 0, port.virq);
      default -> {}
    }
    return 0;
  }

  static long allocUnbound(Vcpu v, EvtchnAllocUnbound a, Bytes out) {
    Domain d = EventChannels.target(v.domain(), a.dom());
    EvtchnAllocUnbound.PORT.put(
        out, 0, d.events().allocUnbound(EventChannels.remote(v.domain(), a.remoteDom())));
    return 0;
  }

  static long bindIpi(Vcpu v, EvtchnBindIpi a, Bytes out) {
    EvtchnBindIpi.PORT.put(out, 0, v.domain().events().bindIpi(a.vcpu()));
    return 0;
  }

  static long bindVcpu(Vcpu v, EvtchnBindVcpu a) {
    v.domain().events().bindVcpu(a.port(), a.vcpu());
    return 0;
  }

  static long unmask(Vcpu v, EvtchnUnmask a) {
    v.domain().events().unmask(a.port());
    return 0;
  }

  /** Only its own: another domain's would have to be paused. */
  static long reset(Vcpu v, EvtchnReset a) {
    Domain d = EventChannels.target(v.domain(), a.dom());
    if (d != v.domain() && !d.isPaused()) {
      throw new XenError(Errno.EINVAL);
    }
    d.events().reset();
    return 0;
  }

  static long initControl(Vcpu v, EvtchnInitControl a, Bytes out) {
    EvtchnInitControl.LINK_BITS.put(out, 0, EvtchnFifo.LINK_BITS);
    v.domain().events().initControl(a);
    return 0;
  }

  static long expandArray(Vcpu v, EvtchnExpandArray a) {
    v.domain().events().expandArray(a.arrayGfn());
    return 0;
  }

  static long setPriority(Vcpu v, EvtchnSetPriority a) {
    EventChannels events = v.domain().events();
    events.abi().setPriority(events.existing(a.port()), a.priority());
    return 0;
  }
}
