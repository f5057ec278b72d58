package parhelion.abi;

import org.jspecify.annotations.Nullable;
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

/** Sub-ops of {@code event_channel_op} ({@code event_channel.h}). */
@XenNames(header = "event_channel.h", prefix = "EVTCHNOP_")
public enum EvtchnOp implements SubOp {
  BIND_INTERDOMAIN(0, "EVTCHNOP_bind_interdomain", EvtchnBindInterdomain.STRUCT),
  BIND_VIRQ(1, "EVTCHNOP_bind_virq", EvtchnBindVirq.STRUCT),
  BIND_PIRQ(2, "EVTCHNOP_bind_pirq", EvtchnBindPirq.STRUCT),
  CLOSE(3, "EVTCHNOP_close", EvtchnClose.STRUCT),
  SEND(4, "EVTCHNOP_send", EvtchnSend.STRUCT),
  STATUS(5, "EVTCHNOP_status", EvtchnStatus.STRUCT),
  ALLOC_UNBOUND(6, "EVTCHNOP_alloc_unbound", EvtchnAllocUnbound.STRUCT),
  BIND_IPI(7, "EVTCHNOP_bind_ipi", EvtchnBindIpi.STRUCT),
  BIND_VCPU(8, "EVTCHNOP_bind_vcpu", EvtchnBindVcpu.STRUCT),
  UNMASK(9, "EVTCHNOP_unmask", EvtchnUnmask.STRUCT),
  RESET(10, "EVTCHNOP_reset", EvtchnReset.STRUCT),
  INIT_CONTROL(11, "EVTCHNOP_init_control", EvtchnInitControl.STRUCT),
  EXPAND_ARRAY(12, "EVTCHNOP_expand_array", EvtchnExpandArray.STRUCT),
  SET_PRIORITY(13, "EVTCHNOP_set_priority", EvtchnSetPriority.STRUCT);

  private static final @Nullable EvtchnOp[] BY_NR = ByNumber.table(values());

  private final int nr;
  private final String cName;

  @SuppressWarnings("ImmutableEnumChecker") // a record of a name, a name and a number
  private final @Nullable Struct argument;

  EvtchnOp(int nr, String cName, @Nullable Struct argument) {
    this.nr = nr;
    this.cName = cName;
    this.argument = argument;
  }

  /** The row with that number, or null if there is none. */
  public static @Nullable EvtchnOp of(long nr) {
    return nr >= 0 && nr < BY_NR.length ? BY_NR[(int) nr] : null;
  }

  @Override
  public int nr() {
    return nr;
  }

  @Override
  public String cName() {
    return cName;
  }

  @Override
  public @Nullable Struct argument() {
    return argument;
  }
}
