package parhelion.abi;

import org.jspecify.annotations.Nullable;
import parhelion.abi.SchedArgs.SchedPinOverride;
import parhelion.abi.SchedArgs.SchedPoll;
import parhelion.abi.SchedArgs.SchedRemoteShutdown;
import parhelion.abi.SchedArgs.SchedShutdown;
import parhelion.abi.SchedArgs.SchedWatchdog;

/** Sub-ops of {@code sched_op} ({@code sched.h}). */
@XenNames(header = "sched.h", prefix = "SCHEDOP_")
public enum SchedOp implements SubOp {
  YIELD(0, "SCHEDOP_yield", null),
  BLOCK(1, "SCHEDOP_block", null),
  SHUTDOWN(2, "SCHEDOP_shutdown", SchedShutdown.STRUCT),
  POLL(3, "SCHEDOP_poll", SchedPoll.STRUCT),
  REMOTE_SHUTDOWN(4, "SCHEDOP_remote_shutdown", SchedRemoteShutdown.STRUCT),
  SHUTDOWN_CODE(5, "SCHEDOP_shutdown_code", SchedShutdown.STRUCT),
  WATCHDOG(6, "SCHEDOP_watchdog", SchedWatchdog.STRUCT),
  PIN_OVERRIDE(7, "SCHEDOP_pin_override", SchedPinOverride.STRUCT);

  private static final @Nullable SchedOp[] BY_NR = ByNumber.table(values());

  private final int nr;
  private final String cName;

  @SuppressWarnings("ImmutableEnumChecker") // a record of a name, a name and a number
  private final @Nullable Struct argument;

  SchedOp(int nr, String cName, @Nullable Struct argument) {
    this.nr = nr;
    this.cName = cName;
    this.argument = argument;
  }

  /** The row with that number, or null if there is none. */
  public static @Nullable SchedOp of(long nr) {
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
