package parhelion.media.share;

/** The open flags that 9P2000.L carries: those of x86-64's Linux, whatever the host is. */
public final class OpenFlags {
  private OpenFlags() {}

  public static final int ACCESS_MODE = 3;
  public static final int READ_ONLY = 0;
  public static final int WRITE_ONLY = 1;
  public static final int READ_WRITE = 2;
  public static final int CREATE = 0100;
  public static final int EXCLUSIVE = 0200;
  public static final int NO_TERMINAL = 0400;
  public static final int TRUNCATE = 01000;
  public static final int APPEND = 02000;
  public static final int NON_BLOCKING = 04000;
  public static final int DATA_SYNC = 010000;
  public static final int DIRECTORY = 0200000;
  public static final int SYNC = 04010000;

  /** Whether a file that is opened so can be changed by it. */
  public static boolean writes(int flags) {
    return (flags & ACCESS_MODE) != READ_ONLY || (flags & TRUNCATE) != 0;
  }
}
