package parhelion.abi;

import org.jspecify.annotations.Nullable;

/** What {@code EVTCHNOP_status} says a port is ({@code event_channel.h}). */
@XenNames(header = "event_channel.h", prefix = "EVTCHNSTAT_")
public enum EvtchnStat implements Numbered {
  CLOSED(0, "EVTCHNSTAT_closed"),
  UNBOUND(1, "EVTCHNSTAT_unbound"),
  INTERDOMAIN(2, "EVTCHNSTAT_interdomain"),
  PIRQ(3, "EVTCHNSTAT_pirq"),
  VIRQ(4, "EVTCHNSTAT_virq"),
  IPI(5, "EVTCHNSTAT_ipi");

  private static final @Nullable EvtchnStat[] BY_NR = ByNumber.table(values());

  private final int nr;
  private final String cName;

  EvtchnStat(int nr, String cName) {
    this.nr = nr;
    this.cName = cName;
  }

  /** The row with that number, or null if there is none. */
  public static @Nullable EvtchnStat of(long nr) {
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
}
