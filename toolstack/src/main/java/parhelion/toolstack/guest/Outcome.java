package parhelion.toolstack.guest;

/**
 * How a guest ended.
 *
 * @param detail for a crash: the report, several lines; else empty
 */
public record Outcome(Kind kind, String detail) {
  /** Reasons of SCHEDOP_shutdown, and what the host itself decides. */
  public enum Kind {
    POWEROFF,
    REBOOT,
    SUSPEND,
    CRASH,
    WATCHDOG,
    /** The time that was allowed ran out. */
    TIMEOUT,
    /** The user left. */
    LEFT
  }
}
