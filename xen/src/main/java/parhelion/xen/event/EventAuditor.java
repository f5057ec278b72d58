package parhelion.xen.event;

import java.util.ArrayList;
import java.util.List;
import parhelion.abi.EvtchnStat;
import parhelion.abi.Virq;
import parhelion.xen.Domain;
import parhelion.xen.Hypervisor;
import parhelion.xen.Vcpu;
import parhelion.xen.memory.Auditor;

/**
 * Compares both ends of every event channel, and counts the frames that event channels hold. For
 * tests and fuzzers; between hypercalls only.
 */
public final class EventAuditor implements Auditor.Source {
  private static final int MAX_REPORTS = 50;

  private final Hypervisor hypervisor;
  private final List<String> reports = new ArrayList<>();

  public EventAuditor(Hypervisor hypervisor) {
    this.hypervisor = hypervisor;
  }

  private void report(String text) {
    if (reports.size() < MAX_REPORTS) {
      reports.add(text);
    }
  }

  @Override
  public void references(Auditor.Count count) {
    for (Domain d : hypervisor.domains()) {
      d.events().forEachFrame(mfn -> count.reference(mfn, true));
    }
  }

  /** Every difference, one line each; an empty list means that all is well. */
  public List<String> audit() {
    for (Domain d : hypervisor.domains()) {
      audit(d);
    }
    return reports;
  }

  private void audit(Domain d) {
    EventChannels events = d.events();
    int[][] virqs = new int[d.vcpus().size()][32];
    for (int n = 0; n < events.portCount(); n++) {
      Port port = events.existing(n);
      String name = d + ": port " + n;
      if (port.number != n) {
        report(name + " calls itself " + port.number);
      }
      if (d.vcpu(port.vcpu) == null) {
        report(name + " notifies vcpu " + port.vcpu);
      }
      switch (port.state) {
        case CLOSED -> {
          if (port.remote != null || port.host != null) {
            report(name + " is free but has a far end");
          }
        }
        case INTERDOMAIN -> interdomain(events, port, name);
        case VIRQ -> {
          virqs[EventChannels.isGlobal(port.virq) ? 0 : port.vcpu][port.virq]++;
          if (events.virqPort(port.vcpu, port.virq) != n) {
            report(name + " has virq " + port.virq + ", which does not lead to it");
          }
        }
        default -> {}
      }
    }
    for (Vcpu v : d.vcpus()) {
      for (Virq virq : Virq.values()) {
        boolean bound = events.virqPort(v.id(), virq.nr()) != 0;
        boolean mine = !EventChannels.isGlobal(virq.nr()) || v.id() == 0;
        if (mine && virqs[v.id()][virq.nr()] != (bound ? 1 : 0)) {
          report(v + ": virq " + virq + " is bound " + virqs[v.id()][virq.nr()] + " times");
        }
      }
    }
    if (events.portCount() > 0 && events.existing(0).state != EvtchnStat.CLOSED) {
      report(d + ": port 0 is in use");
    }
  }

  private void interdomain(EventChannels events, Port port, String name) {
    EventChannels other = port.remote;
    if (other == null) {
      HostPort host = port.host;
      if (host == null) {
        report(name + " has no far end");
      } else if (host.port() != port.number || !host.isOpen()) {
        report(name + " leads to Java code that does not know of it");
      }
      return;
    }
    Port far = other.port(port.remotePort);
    if (hypervisor.domain(other.domain().id()) != other.domain()) {
      report(name + " leads to " + other.domain() + ", which is gone");
    } else if (far == null
        || far.state != EvtchnStat.INTERDOMAIN
        || far.remote != events
        || far.remotePort != port.number) {
      report(name + " leads to " + other.domain() + "'s " + port.remotePort + ", but not back");
    }
  }
}
