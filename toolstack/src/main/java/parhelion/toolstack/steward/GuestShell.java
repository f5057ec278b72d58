package parhelion.toolstack.steward;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import parhelion.toolstack.steward.RunningCommand.Exit;

/**
 * Runs commands in a guest and waits for them, copies files in and out: what a test or a script
 * needs. For what runs along with its caller there is {@link Steward#start}. Any thread.
 */
public final class GuestShell {
  private static final Executor THREADS =
      work -> Thread.ofVirtual().name("guest shell").start(work);

  private final Steward steward;

  public GuestShell(Steward steward) {
    this.steward = steward;
  }

  /**
   * What a command left behind.
   *
   * @param status its exit status, 128 + n when signal n ended it
   * @param stdout what it printed, all of it: not for commands that print without bounds
   */
  public record Result(int status, byte[] stdout, byte[] stderr) {
    /** Its standard output as text. */
    public String out() {
      return new String(stdout, StandardCharsets.UTF_8);
    }

    /** Its standard error as text. */
    public String err() {
      return new String(stderr, StandardCharsets.UTF_8);
    }
  }

  /**
   * Runs a program with nothing to read.
   *
   * @throws IOException if it cannot be started, or its end is never known
   */
  public Result exec(String... arguments) throws IOException, InterruptedException {
    return exec(CommandSpec.of(arguments), InputStream.nullInputStream());
  }

  /** Runs lines for {@code sh}. */
  public Result sh(String script) throws IOException, InterruptedException {
    return exec("sh", "-c", script);
  }

  /** Runs a program that reads {@code input} to its end or as far as it wants. */
  public Result exec(CommandSpec spec, InputStream input) throws IOException, InterruptedException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Exit exit = exec(spec, input, out, err);
    return new Result(exit.status(), out.toByteArray(), err.toByteArray());
  }

  /** Runs a program between streams; returns when it has ended and all that it wrote is written. */
  public Exit exec(CommandSpec spec, InputStream input, OutputStream out, OutputStream err)
      throws IOException, InterruptedException {
    try (RunningCommand command = steward.start(spec)) {
      CompletableFuture<?> reading = pump(command.stdout(), out);
      CompletableFuture<?> complaining = pump(command.stderr(), err);
      CompletableFuture<?> feeding = pump(input, command.stdin());
      Exit exit = command.await();
      finish(reading);
      finish(complaining);
      feeding.cancel(true);
      if (exit.failure() != null) {
        throw new IOException(exit.failure());
      }
      return exit;
    }
  }

  private static CompletableFuture<?> pump(InputStream from, OutputStream to) {
    return CompletableFuture.runAsync(
        () -> {
          try (OutputStream closed = to) {
            from.transferTo(closed);
          } catch (IOException e) {
            throw new CompletionException(e);
          }
        },
        THREADS);
  }

  private static void finish(CompletableFuture<?> pump) throws IOException {
    try {
      pump.join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
    }
  }

  /**
   * Copies files and directories of the host's into the guest, as root's.
   *
   * @param target a path in the guest: a directory to copy into, or else the copy's own name
   * @throws IOException with what went wrong, on either side
   */
  public void copyIn(List<Path> sources, String target) throws IOException, InterruptedException {
    for (Path source : sources) {
      GuestCopies.in(steward::start, source, target, sources.size() > 1);
    }
  }

  /** Copies one file or directory into the guest. */
  public void copyIn(Path source, String target) throws IOException, InterruptedException {
    copyIn(List.of(source), target);
  }

  /**
   * Copies a file or directory of the guest's to the host. Whatever the guest says, nothing outside
   * of {@code target} is written.
   *
   * @param target a directory to copy into, or else the copy's own name
   */
  public void copyOut(String source, Path target) throws IOException, InterruptedException {
    GuestCopies.out(steward::start, source, target);
  }
}
