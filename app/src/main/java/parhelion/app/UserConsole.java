package parhelion.app;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.concurrent.atomic.AtomicReference;
import org.jline.terminal.Size;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;
import parhelion.toolstack.guest.Outcome;
import parhelion.toolstack.guest.PvGuest;

/**
 * The user's side of a guest's console: a terminal in raw mode, or plain pipes. On a terminal
 * Ctrl-] leaves, and the window's size is passed on.
 */
final class UserConsole implements AutoCloseable {
  private static final int ESCAPE = 0x1d; // Ctrl-]

  private final @Nullable Terminal terminal;
  private final @Nullable TerminalMode mode;
  private final Thread restoring;
  private final InputStream input;
  private final OutputStream output;
  private final AtomicReference<@Nullable PvGuest> connected = new AtomicReference<>();
  private boolean pumping;

  private UserConsole(
      @Nullable Terminal terminal,
      @Nullable TerminalMode mode,
      InputStream input,
      OutputStream output) {
    this.terminal = terminal;
    this.mode = mode;
    restoring = new Thread(this::restore, "terminal");
    Runtime.getRuntime().addShutdownHook(restoring);
    this.input = input;
    this.output = output;
  }

  /**
   * Opens the terminal, if standard input and output are one; with json output goes to standard
   * error.
   */
  static UserConsole open(boolean json) throws IOException {
    if (!json && System.console() != null && System.console().isTerminal()) {
      TerminalMode mode = TerminalMode.save();
      Terminal terminal = TerminalBuilder.builder().system(true).nativeSignals(true).build();
      mode.raw();
      return new UserConsole(terminal, mode, terminal.input(), terminal.output());
    }
    return new UserConsole(
        null,
        null,
        new FileInputStream(FileDescriptor.in),
        new FileOutputStream(json ? FileDescriptor.err : FileDescriptor.out));
  }

  boolean isTerminal() {
    return terminal != null;
  }

  OutputStream output() {
    return output;
  }

  /** A word for the kernel's command line that tells the guest's init the terminal's size. */
  String sizeWord() {
    Size size = terminal == null ? new Size() : terminal.getSize();
    return size.getRows() > 0 && size.getColumns() > 0
        ? " parhelion.size=" + size.getRows() + "x" + size.getColumns()
        : "";
  }

  /** Feeds what the user types to the guest from now on, until {@link #disconnect}. */
  void connect(PvGuest guest) {
    connected.set(guest);
    if (terminal != null) {
      terminal.handle(Terminal.Signal.WINCH, signal -> passSize(terminal));
    }
    if (!pumping) {
      pumping = true;
      Thread.ofPlatform().daemon().name("console input").start(this::pump);
    }
  }

  /** Lets go of a guest that has ended; the next one gets what is typed after this. */
  void disconnect() {
    connected.set(null);
  }

  private void passSize(Terminal shown) {
    PvGuest guest = connected.get();
    if (guest != null) {
      guest.consoleSize(shown.getSize().getColumns(), shown.getSize().getRows());
    }
  }

  private void pump() {
    byte[] buffer = new byte[1024];
    try {
      for (int n = input.read(buffer, 0, 1024); n >= 0; n = input.read(buffer, 0, 1024)) {
        PvGuest guest = connected.get();
        if (guest != null) {
          feed(guest, buffer, n);
        }
      }
    } catch (IOException e) {
      // The terminal is gone; the guest goes on without input.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void feed(PvGuest guest, byte[] buffer, int n) throws InterruptedException {
    for (int i = 0; terminal != null && i < n; i++) {
      if (buffer[i] == ESCAPE) {
        // First, as input waits for a guest that reads none.
        guest.stop(Outcome.Kind.LEFT);
        return;
      }
    }
    guest.input(buffer, 0, n);
  }

  private void restore() {
    if (mode != null) {
      mode.restore();
    }
  }

  @Override
  public void close() throws IOException {
    try {
      Runtime.getRuntime().removeShutdownHook(restoring);
    } catch (IllegalStateException e) {
      // The JVM is ending.
    }
    if (terminal != null) {
      terminal.close();
    }
    restore();
  }
}
