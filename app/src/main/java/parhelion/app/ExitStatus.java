package parhelion.app;

/**
 * What the {@code parhelion} command's exit statuses mean. A command that runs a guest's program
 * ({@code run --cmd}, {@code exec}) exits with that program's status instead, 128 + n when signal n
 * ended it.
 */
public final class ExitStatus {
  /** Everything asked for was done; a guest that ran has powered off by itself. */
  public static final int OK = 0;

  /** It could not be done: a missing file, a bad image, a busy port. One line says what and why. */
  public static final int FAILED = 1;

  /** The command line is wrong; nothing was started. */
  public static final int USAGE = 2;

  /** The guest crashed or panicked. */
  public static final int GUEST_CRASHED = 3;

  /** {@code image check}: there is damage that was not repaired. */
  public static final int IMAGE_DAMAGED = 4;

  /** {@code image check}: there are leaks, and no damage. */
  public static final int IMAGE_LEAKS = 5;

  /** {@code compare}: some of what was asked for could not be measured. */
  public static final int INCOMPLETE = 6;

  /** {@code compare}: interrupted, and what was done until then was kept. */
  public static final int INTERRUPTED = 130;

  /** The time that {@code --timeout} allows ran out. */
  public static final int TIMED_OUT = 124;

  /** A fault of Parhelion itself. */
  public static final int INTERNAL = 70;

  /** No JDK or no Maven; only the launcher says this. */
  public static final int UNAVAILABLE = 69;

  private ExitStatus() {}
}
