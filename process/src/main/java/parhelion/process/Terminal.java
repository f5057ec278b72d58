package parhelion.process;

import org.jspecify.annotations.Nullable;
import parhelion.process.file.HostStream;

/** The controlling terminal: who is in the foreground, and how the user's terminal was set. */
final class Terminal {
  int foreground;
  int session;
  private @Nullable HostStream changed;
  private byte @Nullable [] settings;

  /** Remembers the settings before a guest changes them for the first time. */
  void beforeChange(HostStream terminal) {
    if (settings == null) {
      byte[] current = new byte[60];
      terminal.control(0x5401 /* TCGETS */, current);
      settings = current;
      changed = terminal;
    }
  }

  /** Puts the user's terminal back. */
  void restore() {
    HostStream terminal = changed;
    byte[] old = settings;
    if (terminal != null && old != null) {
      try {
        terminal.control(0x5403 /* TCSETSW */, old);
      } catch (LinuxError e) {
        // The terminal is gone.
      }
    }
  }
}
