package parhelion.process;

import parhelion.process.file.HostStream;
import parhelion.process.file.OpenFile;

/** ioctl: the terminal's, and the few that any file has. */
final class TerminalCalls {
  private static final int TERMIOS_BYTES = 36;

  private TerminalCalls() {}

  static long ioctl(Task t, long fd, long requestArgument, long va, long d, long e, long f) {
    int request = (int) requestArgument;
    OpenFile file = FileCalls.file(t, fd);
    switch (request) {
      case 0x5421 -> { // FIONBIO
        int on = t.memory().get32(va) == 0 ? 0 : OpenFile.O_NONBLOCK;
        file.setStatusFlags(file.flags() & ~OpenFile.O_NONBLOCK | on);
        return 0;
      }
      case 0x5451, 0x5450 -> { // FIOCLEX, FIONCLEX
        t.process.files.setCloseOnExec((int) fd, request == 0x5451);
        return 0;
      }
      case 0x541b -> { // FIONREAD
        t.memory().put32(va, file.available());
        return 0;
      }
      default -> {}
    }
    if (!(file instanceof HostStream terminal) || !terminal.isTerminal()) {
      throw new LinuxError(Errno.ENOTTY);
    }
    return terminal(t, terminal, request, va);
  }

  private static long terminal(Task t, HostStream terminal, int request, long va) {
    Terminal state = t.kernel.terminal;
    switch (request) {
      case 0x5401 -> get(t, terminal, request, va, TERMIOS_BYTES); // TCGETS
      case 0x5402, 0x5403, 0x5404 -> { // TCSETS, TCSETSW, TCSETSF
        byte[] settings = t.memory().bytes(va, TERMIOS_BYTES);
        state.beforeChange(terminal);
        terminal.control(request, settings);
      }
      case 0x5413 -> get(t, terminal, request, va, 8); // TIOCGWINSZ
      case 0x540f -> t.memory().put32(va, state.foreground); // TIOCGPGRP
      case 0x5410 -> { // TIOCSPGRP
        int group = t.memory().get32(va);
        if (t.kernel.processes.values().stream().noneMatch(p -> p.group == group)) {
          throw new LinuxError(Errno.ESRCH);
        }
        state.foreground = group;
      }
      case 0x5429 -> t.memory().put32(va, state.session); // TIOCGSID
      case 0x540b, 0x5409, 0x540a, 0x540e, 0x5414, 0x5422 -> {} // flush, break, NOTTY, sizes
      default -> throw new LinuxError(Errno.ENOTTY);
    }
    return 0;
  }

  private static void get(Task t, HostStream terminal, int request, long va, int bytes) {
    byte[] buffer = new byte[bytes];
    terminal.control(request, buffer);
    t.memory().bytes(va, buffer);
  }
}
