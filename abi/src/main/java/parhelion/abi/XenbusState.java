package parhelion.abi;

import org.jspecify.annotations.Nullable;

/** States of a split device, as decimal text in its {@code state} node ({@code xenbus.h}). */
@XenNames(header = "io/xenbus.h", prefix = "XenbusState")
public enum XenbusState implements Numbered {
  UNKNOWN(0, "XenbusStateUnknown"),
  INITIALISING(1, "XenbusStateInitialising"),
  INIT_WAIT(2, "XenbusStateInitWait"),
  INITIALISED(3, "XenbusStateInitialised"),
  CONNECTED(4, "XenbusStateConnected"),
  CLOSING(5, "XenbusStateClosing"),
  CLOSED(6, "XenbusStateClosed"),
  RECONFIGURING(7, "XenbusStateReconfiguring"),
  RECONFIGURED(8, "XenbusStateReconfigured");

  private static final @Nullable XenbusState[] BY_NR = ByNumber.table(values());

  private final int nr;
  private final String cName;

  XenbusState(int nr, String cName) {
    this.nr = nr;
    this.cName = cName;
  }

  /** The row with that number, or null if there is none. */
  public static @Nullable XenbusState of(long nr) {
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
