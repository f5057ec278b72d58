package parhelion.process;

/** What a process does about a signal: struct sigaction of the kernel. */
record SignalAction(long handler, long flags, long restorer, long mask) {
  static final long SIG_DFL = 0;
  static final long SIG_IGN = 1;
  static final long SA_NOCLDWAIT = 2;
  static final long SA_SIGINFO = 4;
  static final long SA_RESTORER = 0x0400_0000L;
  static final long SA_ONSTACK = 0x0800_0000L;
  static final long SA_RESTART = 0x1000_0000L;
  static final long SA_NODEFER = 0x4000_0000L;
  static final long SA_RESETHAND = 0x8000_0000L;
  static final SignalAction DEFAULT = new SignalAction(SIG_DFL, 0, 0, 0);

  boolean ignores(int signal) {
    return handler == SIG_IGN || (handler == SIG_DFL && Signals.isIgnoredByDefault(signal));
  }
}
