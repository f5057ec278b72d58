package parhelion.toolstack.steward;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import parhelion.toolstack.UserError;
import parhelion.toolstack.steward.RunningCommand.Exit;

/** Copies between host and guest: a tree of files at one end of a command's pipe. Any thread. */
public final class GuestCopies {
  /** What is kept of the guest's complaints. */
  private static final int MAX_WORDS_BYTES = 4096;

  private static final int PATIENCE_SECONDS = 5;

  private static final Executor THREADS = work -> Thread.ofVirtual().name("guest copy").start(work);

  /** Whoever starts commands in the guest: its steward, or a client of the control socket. */
  public interface Starter {
    /** Starts one. */
    RunningCommand start(CommandSpec spec, CommandSpec.What what) throws IOException;
  }

  private GuestCopies() {}

  /**
   * Copies a file or directory into the guest.
   *
   * @param target a path in the guest, of a directory to copy into or of the copy
   * @param many whether it has to be a directory
   */
  public static void in(Starter guest, Path source, String target, boolean many)
      throws IOException, InterruptedException {
    if (!Files.exists(source)) {
      throw new UserError(source + ": does not exist: name a file or directory");
    }
    String name = String.valueOf(source.toRealPath().getFileName());
    if (source.getFileName() != null && !source.endsWith(".") && !source.endsWith("..")) {
      name = source.getFileName().toString();
    }
    List<String> words = many ? List.of(target, name, "directory") : List.of(target, name);
    try (RunningCommand command = guest.start(spec(words), CommandSpec.What.RECEIVE_TREE)) {
      CompletableFuture<String> complaints = complaints(command);
      IOException failure = null;
      try (BufferedOutputStream out = new BufferedOutputStream(command.stdin(), 1 << 16)) {
        new TreeWriter(out).write(source);
      } catch (IOException e) {
        failure = e; // the guest's own words are better, if there are any
      }
      finish(command, complaints, failure);
    }
  }

  /**
   * Copies a file or directory out of the guest.
   *
   * @param target a directory to copy into, or else the copy's own name
   */
  public static void out(Starter guest, String source, Path target)
      throws IOException, InterruptedException {
    Path top = target;
    if (Files.isDirectory(target)) {
      top = target.resolve(lastName(source));
    } else if (target.toString().endsWith("/")) {
      throw new UserError(target + ": is not a directory: name one, or leave the slash out");
    }
    try (RunningCommand command = guest.start(spec(List.of(source)), CommandSpec.What.SEND_TREE)) {
      CompletableFuture<String> complaints = complaints(command);
      IOException failure = null;
      try (InputStream in = command.stdout()) {
        new TreeReader(in, top).read();
      } catch (IOException e) {
        failure = e;
        command.close();
      }
      finish(command, complaints, failure);
    }
  }

  private static String lastName(String path) {
    String[] steps = path.split("/+");
    String last = steps.length == 0 ? "" : steps[steps.length - 1];
    if (last.isEmpty() || last.equals(".") || last.equals("..")) {
      throw new UserError(
          "a copy of '" + path + "' has no name of its own: give the target's name, too");
    }
    return last;
  }

  private static CommandSpec spec(List<String> words) {
    return new CommandSpec(words, Map.of(), "", "", null);
  }

  private static CompletableFuture<String> complaints(RunningCommand command) {
    return CompletableFuture.supplyAsync(
        () -> {
          try (InputStream in = command.stderr()) {
            byte[] first = in.readNBytes(MAX_WORDS_BYTES);
            in.transferTo(OutputStream.nullOutputStream());
            return new String(first, StandardCharsets.UTF_8).strip();
          } catch (IOException e) {
            throw new CompletionException(e);
          }
        },
        THREADS);
  }

  private static void finish(
      RunningCommand command, CompletableFuture<String> complaints, @Nullable IOException failure)
      throws IOException, InterruptedException {
    String words = "";
    Exit exit = null;
    try {
      if (failure == null) {
        exit = command.await();
        words = complaints.join();
      } else { // by a guest, perhaps, that never ends
        exit = command.exit().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        words = complaints.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
      }
    } catch (CompletionException | ExecutionException | TimeoutException e) {
      if (failure == null) {
        throw new IOException(e.getMessage(), e);
      }
    }
    if (exit != null && exit.failure() != null) {
      throw new IOException(exit.failure());
    }
    if (!words.isEmpty()) {
      throw new IOException(words);
    }
    if (failure != null) {
      throw failure;
    }
    if (exit != null && exit.status() != 0) {
      throw new IOException("the copy's end in the guest has ended with status " + exit.status());
    }
  }
}
