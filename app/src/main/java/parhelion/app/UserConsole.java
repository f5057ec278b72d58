package parhelion.app;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.concurrent.atomic.AtomicReference;
import org.jline.utils.Signals;
import org.jspecify.annotations.Nullable;
import parhelion.toolstack.guest.Guest;
import parhelion.toolstack.guest.Outcome;

/**
 * The user's side of a guest's console: a terminal in raw mode, or plain pipes. On a terminal
 * Ctrl-] leaves, and the window's size is passed on.
 */
final class UserConsole implements AutoCloseable {
  private static final int ESCAPE = 0x1d; // Ctrl-]

  private final @Nullable TerminalMode mode;
  private final Thread restoring;
  private final InputStream input;
  private final OutputStream output;
  private final AtomicReference<@Nullable Guest> connected = new AtomicReference<>();
  private boolean pumping;

  private UserConsole(@Nullable TerminalMode mode, OutputStream output) {
    this.mode = mode;
    restoring = new Thread(this::restore, "terminal");
    Runtime.getRuntime().addShutdownHook(restoring);
    input = new FileInputStream(FileDescriptor.in);
    this.output = output;
  }

  /**
   * Opens the terminal, if standard input and output are one; with json output goes to standard
   * error.
   */
  static UserConsole open(boolean json) {
    if (!json && System.console() != null && System.console().isTerminal()) {
      TerminalMode mode = TerminalMode.save();
      UserConsole console = new UserConsole(mode, new FileOutputStream(FileDescriptor.out));
      mode.raw();
      return console;
    }
    return new UserConsole(
        null, new FileOutputStream(json ? FileDescriptor.err : FileDescriptor.out));
  }

  boolean isTerminal() {
    return mode != null;
  }

  OutputStream output() {
    return output;
  }

  /** A word for the kernel's command line that tells the guest's init the terminal's size. */
  String sizeWord() {
    int[] size = mode == null ? new int[2] : mode.size();
    return size[0] > 0 && size[1] > 0 ? " parhelion.size=" + size[1] + "x" + size[0] : "";
  }

  /** Feeds what the user types to the guest from now on, until {@link #disconnect}. */
  void connect(Guest guest) {
    connected.set(guest);
    TerminalMode shown = mode;
    if (shown != null) {
      Signals.register("WINCH", () -> passSize(shown));
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

  private void passSize(TerminalMode shown) {
    Guest guest = connected.get();
    int[] size = shown.size();
    if (guest != null && size[0] > 0 && size[1] > 0) {
      guest.consoleSize(size[0], size[1]);
    }
  }

  private void pump() {
    byte[] buffer = new byte[1024];
    try {
      for (int n = input.read(buffer, 0, 1024); n >= 0; n = input.read(buffer, 0, 1024)) {
        Guest guest = connected.get();
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

  private void feed(Guest guest, byte[] buffer, int n) throws InterruptedException {
    for (int i = 0; mode != null && i < n; i++) {
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
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(restoring);
    } catch (IllegalStateException e) {
      // The JVM is ending.
    }
    restore();
  }
}
