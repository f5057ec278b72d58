package parhelion.abi;

import parhelion.abi.Field.U16;
import parhelion.abi.Field.U32;
import parhelion.abi.Field.U64;
import parhelion.abi.Field.U8;

/**
 * Arguments of {@link EvtchnOp} ({@code event_channel.h}), copied in by value. A port or event word
 * index comes from the guest: check it against the domain's limit.
 */
public final class EvtchnArgs {
  private EvtchnArgs() {}

  /**
   * {@code struct evtchn_alloc_unbound}: a port in {@code dom} that {@code remoteDom} may bind to.
   * OUT: {@link #PORT}.
   */
  public record EvtchnAllocUnbound(int dom, int remoteDom, long port) {
    public static final Struct STRUCT = Struct.of("evtchn_alloc_unbound", "event_channel.h", 8);
    public static final U16 DOM = STRUCT.u16("dom", 0);
    public static final U16 REMOTE_DOM = STRUCT.u16("remote_dom", 2);
    public static final U32 PORT = STRUCT.u32("port", 4);

    public static EvtchnAllocUnbound read(Bytes b, long at) {
      return new EvtchnAllocUnbound(DOM.get(b, at), REMOTE_DOM.get(b, at), PORT.get(b, at));
    }
  }

  /**
   * {@code struct evtchn_bind_interdomain}: a port bound to one that the peer left open. OUT:
   * {@link #LOCAL_PORT}.
   */
  public record EvtchnBindInterdomain(int remoteDom, long remotePort, long localPort) {
    public static final Struct STRUCT = Struct.of("evtchn_bind_interdomain", "event_channel.h", 12);
    public static final U16 REMOTE_DOM = STRUCT.u16("remote_dom", 0);
    public static final U32 REMOTE_PORT = STRUCT.u32("remote_port", 4);
    public static final U32 LOCAL_PORT = STRUCT.u32("local_port", 8);

    public static EvtchnBindInterdomain read(Bytes b, long at) {
      return new EvtchnBindInterdomain(
          REMOTE_DOM.get(b, at), REMOTE_PORT.get(b, at), LOCAL_PORT.get(b, at));
    }
  }

  /**
   * {@code struct evtchn_bind_virq}: a port for a virtual interrupt on a vcpu. OUT: {@link #PORT}.
   */
  public record EvtchnBindVirq(long virq, long vcpu, long port) {
    public static final Struct STRUCT = Struct.of("evtchn_bind_virq", "event_channel.h", 12);
    public static final U32 VIRQ = STRUCT.u32("virq", 0);
    public static final U32 VCPU = STRUCT.u32("vcpu", 4);
    public static final U32 PORT = STRUCT.u32("port", 8);

    public static EvtchnBindVirq read(Bytes b, long at) {
      return new EvtchnBindVirq(VIRQ.get(b, at), VCPU.get(b, at), PORT.get(b, at));
    }
  }

  /** {@code struct evtchn_bind_pirq}: a port for a physical interrupt. OUT: {@link #PORT}. */
  public record EvtchnBindPirq(long pirq, long flags, long port) {
    public static final Struct STRUCT = Struct.of("evtchn_bind_pirq", "event_channel.h", 12);
    public static final U32 PIRQ = STRUCT.u32("pirq", 0);
    public static final U32 FLAGS = STRUCT.u32("flags", 4);
    public static final U32 PORT = STRUCT.u32("port", 8);

    public static EvtchnBindPirq read(Bytes b, long at) {
      return new EvtchnBindPirq(PIRQ.get(b, at), FLAGS.get(b, at), PORT.get(b, at));
    }
  }

  /**
   * {@code struct evtchn_bind_ipi}: a port for interrupts among the domain's own vcpus. OUT: {@link
   * #PORT}.
   */
  public record EvtchnBindIpi(long vcpu, long port) {
    public static final Struct STRUCT = Struct.of("evtchn_bind_ipi", "event_channel.h", 8);
    public static final U32 VCPU = STRUCT.u32("vcpu", 0);
    public static final U32 PORT = STRUCT.u32("port", 4);

    public static EvtchnBindIpi read(Bytes b, long at) {
      return new EvtchnBindIpi(VCPU.get(b, at), PORT.get(b, at));
    }
  }

  /** {@code struct evtchn_close}: gives a port back. */
  public record EvtchnClose(long port) {
    public static final Struct STRUCT = Struct.of("evtchn_close", "event_channel.h", 4);
    public static final U32 PORT = STRUCT.u32("port", 0);

    public static EvtchnClose read(Bytes b, long at) {
      return new EvtchnClose(PORT.get(b, at));
    }
  }

  /** {@code struct evtchn_send}: marks the far end of a port pending. */
  public record EvtchnSend(long port) {
    public static final Struct STRUCT = Struct.of("evtchn_send", "event_channel.h", 4);
    public static final U32 PORT = STRUCT.u32("port", 0);

    public static EvtchnSend read(Bytes b, long at) {
      return new EvtchnSend(PORT.get(b, at));
    }
  }

  /**
   * {@code struct evtchn_status}: asks about a port; {@code status} is an {@link EvtchnStat}. OUT:
   * all but dom and port.
   */
  public record EvtchnStatus(int dom, long port) {
    public static final Struct STRUCT = Struct.of("evtchn_status", "event_channel.h", 24);
    public static final U16 DOM = STRUCT.u16("dom", 0);
    public static final U32 PORT = STRUCT.u32("port", 4);
    public static final U32 STATUS = STRUCT.u32("status", 8);
    public static final U32 VCPU = STRUCT.u32("vcpu", 12);
    public static final U16 UNBOUND_DOM = STRUCT.u16("u.unbound.dom", 16);
    public static final U16 INTERDOMAIN_DOM = STRUCT.u16("u.interdomain.dom", 16);
    public static final U32 PIRQ = STRUCT.u32("u.pirq", 16);
    public static final U32 VIRQ = STRUCT.u32("u.virq", 16);
    public static final U32 INTERDOMAIN_PORT = STRUCT.u32("u.interdomain.port", 20);

    public static EvtchnStatus read(Bytes b, long at) {
      return new EvtchnStatus(DOM.get(b, at), PORT.get(b, at));
    }
  }

  /** {@code struct evtchn_bind_vcpu}: which vcpu a port notifies. */
  public record EvtchnBindVcpu(long port, long vcpu) {
    public static final Struct STRUCT = Struct.of("evtchn_bind_vcpu", "event_channel.h", 8);
    public static final U32 PORT = STRUCT.u32("port", 0);
    public static final U32 VCPU = STRUCT.u32("vcpu", 4);

    public static EvtchnBindVcpu read(Bytes b, long at) {
      return new EvtchnBindVcpu(PORT.get(b, at), VCPU.get(b, at));
    }
  }

  /** {@code struct evtchn_unmask}: unmasks a port and delivers what is pending. */
  public record EvtchnUnmask(long port) {
    public static final Struct STRUCT = Struct.of("evtchn_unmask", "event_channel.h", 4);
    public static final U32 PORT = STRUCT.u32("port", 0);

    public static EvtchnUnmask read(Bytes b, long at) {
      return new EvtchnUnmask(PORT.get(b, at));
    }
  }

  /** {@code struct evtchn_reset}: closes all ports of a domain. */
  public record EvtchnReset(int dom) {
    public static final Struct STRUCT = Struct.of("evtchn_reset", "event_channel.h", 2);
    public static final U16 DOM = STRUCT.u16("dom", 0);

    public static EvtchnReset read(Bytes b, long at) {
      return new EvtchnReset(DOM.get(b, at));
    }
  }

  /**
   * {@code struct evtchn_init_control}: sets up a vcpu's FIFO control block. OUT: {@link
   * #LINK_BITS}.
   */
  public record EvtchnInitControl(long controlGfn, long offset, long vcpu, int linkBits) {
    public static final Struct STRUCT = Struct.of("evtchn_init_control", "event_channel.h", 24);
    public static final U64 CONTROL_GFN = STRUCT.u64("control_gfn", 0);
    public static final U32 OFFSET = STRUCT.u32("offset", 8);
    public static final U32 VCPU = STRUCT.u32("vcpu", 12);
    public static final U8 LINK_BITS = STRUCT.u8("link_bits", 16);

    public static EvtchnInitControl read(Bytes b, long at) {
      return new EvtchnInitControl(
          CONTROL_GFN.get(b, at), OFFSET.get(b, at), VCPU.get(b, at), LINK_BITS.get(b, at));
    }
  }

  /** {@code struct evtchn_expand_array}: adds a page to the FIFO event array. */
  public record EvtchnExpandArray(long arrayGfn) {
    public static final Struct STRUCT = Struct.of("evtchn_expand_array", "event_channel.h", 8);
    public static final U64 ARRAY_GFN = STRUCT.u64("array_gfn", 0);

    public static EvtchnExpandArray read(Bytes b, long at) {
      return new EvtchnExpandArray(ARRAY_GFN.get(b, at));
    }
  }

  /** {@code struct evtchn_set_priority}: which FIFO queue a port goes to. */
  public record EvtchnSetPriority(long port, long priority) {
    public static final Struct STRUCT = Struct.of("evtchn_set_priority", "event_channel.h", 8);
    public static final U32 PORT = STRUCT.u32("port", 0);
    public static final U32 PRIORITY = STRUCT.u32("priority", 4);

    public static EvtchnSetPriority read(Bytes b, long at) {
      return new EvtchnSetPriority(PORT.get(b, at), PRIORITY.get(b, at));
    }
  }
}
