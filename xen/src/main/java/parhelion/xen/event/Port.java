package parhelion.xen.event;

import org.jspecify.annotations.Nullable;
import parhelion.abi.EvtchnFifo;
import parhelion.abi.EvtchnStat;

/** One event channel of a domain (Xen's {@code struct evtchn}). */
final class Port {
  final int number;

  /** CLOSED means free. */
  EvtchnStat state = EvtchnStat.CLOSED;

  /** Vcpu that is notified. */
  int vcpu;

  /** UNBOUND: who may bind to it. */
  int remoteDomid;

  /** INTERDOMAIN: the other end, in a domain or in Java. */
  @Nullable EventChannels remote;

  int remotePort;
  @Nullable HostPort host;

  /** VIRQ: which. */
  int virq;

  /** FIFO: queue that the next event goes to, and the one that the last went to. */
  int priority = EvtchnFifo.PRIORITY_DEFAULT;

  int lastVcpu;
  int lastPriority;

  /** FIFO: pending before there was an event word to say so. */
  boolean pending;

  Port(int number) {
    this.number = number;
  }

  /** Back to free, with nothing left of what it was. */
  void free() {
    state = EvtchnStat.CLOSED;
    vcpu = 0;
    remote = null;
    host = null;
    pending = false;
  }
}
