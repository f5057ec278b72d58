package parhelion.process;

/** Signal numbers, names and default actions (asm-generic/signal.h, signal(7)). */
public final class Signals {
  public static final int SIGHUP = 1;
  public static final int SIGINT = 2;
  public static final int SIGQUIT = 3;
  public static final int SIGILL = 4;
  public static final int SIGTRAP = 5;
  public static final int SIGABRT = 6;
  public static final int SIGBUS = 7;
  public static final int SIGFPE = 8;
  public static final int SIGKILL = 9;
  public static final int SIGUSR1 = 10;
  public static final int SIGSEGV = 11;
  public static final int SIGUSR2 = 12;
  public static final int SIGPIPE = 13;
  public static final int SIGALRM = 14;
  public static final int SIGTERM = 15;
  public static final int SIGCHLD = 17;
  public static final int SIGCONT = 18;
  public static final int SIGSTOP = 19;
  public static final int SIGWINCH = 28;
  public static final int SIGSYS = 31;
  public static final int MAX = 64;

  private static final String[] NAMES = {
    "0", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU",
    "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS"
  };

  private static final long IGNORED_BY_DEFAULT = bits(17, 18, 19, 20, 21, 22, 23, 28);
  private static final long SYNCHRONOUS = bits(SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS);
  private static final long UNBLOCKABLE = bits(SIGKILL, SIGSTOP);

  private Signals() {}

  private static long bits(int... signals) {
    long set = 0;
    for (int signal : signals) {
      set |= bit(signal);
    }
    return set;
  }

  /** The signal's bit in a set. */
  public static long bit(int signal) {
    return 1L << (signal - 1);
  }

  public static String name(int signal) {
    return signal < NAMES.length ? "SIG" + NAMES[signal] : "SIGRT_" + (signal - 32);
  }

  /**
   * Signals whose default is to do nothing. Stopping is not implemented: the stop signals are among
   * them.
   */
  static boolean isIgnoredByDefault(int signal) {
    return (IGNORED_BY_DEFAULT & bit(signal)) != 0;
  }

  /** A mask with what cannot be blocked taken out. */
  static long blockable(long mask) {
    return mask & ~UNBLOCKABLE;
  }

  /** The lowest signal of a set, those that the CPU raises first; 0 for the empty set. */
  static int first(long set) {
    long from = (set & SYNCHRONOUS) != 0 ? set & SYNCHRONOUS : set;
    return from == 0 ? 0 : Long.numberOfTrailingZeros(from) + 1;
  }
}
