package parhelion.abi;

import org.jspecify.annotations.Nullable;

/** Why a domain shut down ({@code sched.h}). */
@XenNames(header = "sched.h", prefix = "SHUTDOWN_")
public enum ShutdownReason implements Numbered {
  POWEROFF(0, "SHUTDOWN_poweroff"),
  REBOOT(1, "SHUTDOWN_reboot"),
  SUSPEND(2, "SHUTDOWN_suspend"),
  CRASH(3, "SHUTDOWN_crash"),
  WATCHDOG(4, "SHUTDOWN_watchdog"),
  SOFT_RESET(5, "SHUTDOWN_soft_reset");

  private static final @Nullable ShutdownReason[] BY_NR = ByNumber.table(values());

  private final int nr;
  private final String cName;

  ShutdownReason(int nr, String cName) {
    this.nr = nr;
    this.cName = cName;
  }

  /** The row with that number, or null if there is none. */
  public static @Nullable ShutdownReason of(long nr) {
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
