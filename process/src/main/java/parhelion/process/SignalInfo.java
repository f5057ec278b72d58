package parhelion.process;

/**
 * What comes with a signal (siginfo_t).
 *
 * @param code si_code: who sent it, or what the CPU found
 * @param value fault address, sigqueue's value, or a child's status
 */
record SignalInfo(int signal, int code, int pid, int uid, long value) {
  static final int SI_USER = 0;
  static final int SI_KERNEL = 0x80;
  static final int SI_TKILL = -6;
  static final int CLD_EXITED = 1;
  static final int CLD_KILLED = 2;

  /** As the kernel writes it: 128 bytes. */
  byte[] encode() {
    byte[] out = new byte[128];
    Bytes.put32(out, 0, signal);
    Bytes.put32(out, 8, code);
    boolean fault =
        code > 0
            && code < SI_KERNEL
            && (signal == Signals.SIGSEGV
                || signal == Signals.SIGBUS
                || signal == Signals.SIGFPE
                || signal == Signals.SIGILL
                || signal == Signals.SIGTRAP);
    if (fault) {
      Bytes.put64(out, 16, value);
    } else if (code != SI_KERNEL) {
      Bytes.put32(out, 16, pid);
      Bytes.put32(out, 20, uid);
      Bytes.put64(out, 24, value);
    }
    return out;
  }
}
