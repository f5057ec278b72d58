package parhelion.toolstack.console;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import parhelion.backends.console.ConsoleEnd;
import parhelion.backends.console.ConsoleInput;
import parhelion.backends.console.ConsoleSink;
import parhelion.host.Pty;
import parhelion.toolstack.UserError;

/**
 * A console behind a pseudo-terminal, for programs that want a serial line: screen, picocom, a
 * debugger. Whether somebody has it open is asked ten times a second, as the host tells nobody. A
 * thread of its own serves it.
 */
final class PtyEnd implements ConsoleEnd {
  private static final long PAUSE_MILLIS = 100;
  private static final Path SLAVES = Path.of("/dev/pts");

  private final Pty pty;
  private final @Nullable Path link;
  private final VisitedSink sink = new VisitedSink();
  private final GuestInput input = new GuestInput();
  private final Thread server;

  /**
   * Makes one.
   *
   * @param link a name that leads to it, or null
   */
  PtyEnd(@Nullable Path link) {
    this.link = link;
    try {
      pty = Pty.open();
    } catch (IOException e) {
      throw new UserError("--console pty: " + e.getMessage() + ": use unix:PATH or file:PATH", e);
    }
    if (link != null) {
      boolean done = false;
      try {
        link(link, Path.of(pty.slave()));
        done = true;
      } catch (IOException | UnsupportedOperationException e) {
        throw new UserError(
            "--console pty:" + link + ": cannot be made: give a path that is free", e);
      } finally {
        if (!done) {
          pty.close();
        }
      }
    }
    server = Thread.ofPlatform().daemon().name("console pty").start(this::serve);
  }

  /** What a process that was killed has left of its own goes, if it leads nowhere. */
  private static void link(Path link, Path slave) throws IOException {
    try {
      Files.createSymbolicLink(link, slave);
    } catch (FileAlreadyExistsException e) {
      if (!Files.isSymbolicLink(link)
          || !Files.readSymbolicLink(link).startsWith(SLAVES)
          || Files.exists(link)) {
        throw e;
      }
      Files.delete(link);
      Files.createSymbolicLink(link, slave);
    }
  }

  private void serve() {
    byte[] bytes = new byte[1024];
    try {
      while (true) {
        if (!pty.hasClient()) {
          Thread.sleep(PAUSE_MILLIS);
          continue;
        }
        sink.come(pty.output());
        for (int n = pty.read(bytes); n >= 0; n = pty.read(bytes)) {
          input.feed(bytes, n);
        }
        sink.go();
        pty.makeRaw();
      }
    } catch (IOException e) {
      // Closed.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      sink.go();
    }
  }

  @Override
  public ConsoleSink sink() {
    return sink;
  }

  @Override
  public void connected(ConsoleInput ring) {
    input.connected(ring);
  }

  @Override
  public void disconnected() {
    input.disconnected();
  }

  @Override
  public String where() {
    return pty.slave();
  }

  @Override
  public boolean isNamedByHost() {
    return link == null;
  }

  @Override
  public void close() {
    sink.drain();
    server.interrupt();
    pty.close();
    try {
      if (link != null
          && Files.isSymbolicLink(link)
          && Files.readSymbolicLink(link).equals(Path.of(pty.slave()))) {
        Files.delete(link);
      }
    } catch (IOException e) {
      // Somebody else has it now.
    }
  }
}
