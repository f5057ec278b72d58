package parhelion.abi;

import org.jspecify.annotations.Nullable;

/** What a vcpu is doing ({@code vcpu.h}): an index into {@link VcpuRunstateInfo#TIME} too. */
@XenNames(header = "vcpu.h", prefix = "RUNSTATE_")
public enum Runstate implements Numbered {
  RUNNING(0, "RUNSTATE_running"),
  RUNNABLE(1, "RUNSTATE_runnable"),
  BLOCKED(2, "RUNSTATE_blocked"),
  OFFLINE(3, "RUNSTATE_offline");

  private static final @Nullable Runstate[] BY_NR = ByNumber.table(values());

  private final int nr;
  private final String cName;

  Runstate(int nr, String cName) {
    this.nr = nr;
    this.cName = cName;
  }

  /** The row with that number, or null if there is none. */
  public static @Nullable Runstate of(long nr) {
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
