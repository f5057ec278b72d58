package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A {@code parhelion run} with a name and a forwarded port, as a process of its own. */
final class NamedGuest implements AutoCloseable {
  private static final long PATIENCE_MINUTES = 10;
  private static final Pattern PORT = Pattern.compile("127\\.0\\.0\\.1:(\\d+) leads to");

  private final Path directory;
  private final String name;
  private final Path output;
  private final Process process;

  /**
   * Starts one.
   *
   * @param directory where its output and its socket go
   */
  NamedGuest(Path directory, String name, List<String> arguments) throws IOException {
    this.directory = directory;
    this.name = name;
    output = directory.resolve(name + ".out");
    List<String> line = new ArrayList<>(List.of("run", "--name", name));
    line.addAll(arguments);
    process = command(line, output).start();
  }

  private ProcessBuilder command(List<String> line, Path to) {
    ProcessBuilder builder = BadSurroundingsTest.parhelion(line.toArray(String[]::new));
    builder.environment().put("XDG_RUNTIME_DIR", directory.toString());
    return builder.redirectErrorStream(true).redirectOutput(to.toFile());
  }

  /** What guest and process have printed. */
  String text() throws IOException {
    return Files.readString(output, StandardCharsets.ISO_8859_1);
  }

  /** The host's port that leads to the guest, once that is known. */
  int port() throws IOException, InterruptedException {
    return port(PORT);
  }

  /** The host's port that leads to one of the guest's. */
  int port(int guestPort) throws IOException, InterruptedException {
    return port(Pattern.compile(PORT.pattern() + " the guest's port " + guestPort + "\\b"));
  }

  private int port(Pattern line) throws IOException, InterruptedException {
    for (long end = deadline(); System.nanoTime() < end; Thread.sleep(50)) {
      Matcher matcher = line.matcher(text());
      if (matcher.find()) {
        return Integer.parseInt(matcher.group(1));
      }
      assertTrue(process.isAlive(), text());
    }
    return fail("no port: " + text());
  }

  /** Something that fails for as long as the guest has not come so far. */
  interface Attempt<T> {
    T make() throws IOException, InterruptedException;
  }

  /** Tries until it works, or the guest ends. */
  <T> T first(Attempt<T> attempt) throws IOException, InterruptedException {
    for (long end = deadline(); ; Thread.sleep(100)) {
      try {
        return attempt.make();
      } catch (IOException e) {
        if (!process.isAlive() || System.nanoTime() > end) {
          throw new IOException("the guest serves nobody: " + text(), e);
        }
      }
    }
  }

  private static long deadline() {
    return System.nanoTime() + TimeUnit.MINUTES.toNanos(PATIENCE_MINUTES);
  }

  /** Runs a command in the guest; returns its status. */
  int execIn(String... words) throws IOException, InterruptedException {
    List<String> line = new ArrayList<>(List.of("exec-in", name, "--"));
    line.addAll(List.of(words));
    return run(line);
  }

  /** Asks something of the guest from outside, such as {@code attach}; returns the status. */
  int ask(String what, String... words) throws IOException, InterruptedException {
    List<String> line = new ArrayList<>(List.of(what, name));
    line.addAll(List.of(words));
    return run(line);
  }

  /** Copies a file; one of the places is in the guest, {@code NAME:PATH}. */
  int copy(String from, String to) throws IOException, InterruptedException {
    return run(List.of("copy", from, to));
  }

  private int run(List<String> line) throws IOException, InterruptedException {
    Process command = command(line, directory.resolve("command.out")).start();
    try {
      assertTrue(command.waitFor(PATIENCE_MINUTES, TimeUnit.MINUTES), "it hangs");
      return command.exitValue();
    } finally {
      command.destroyForcibly();
    }
  }

  /** What the last command printed. */
  String printed() throws IOException {
    return Files.readString(directory.resolve("command.out"));
  }

  /** Asks something that is refused in one line, which has these words in it. */
  void refused(String words, String what, String... arguments)
      throws IOException, InterruptedException {
    assertEquals(1, ask(what, arguments));
    assertTrue(printed().contains(words), printed());
    assertEquals(1, printed().lines().count(), printed());
  }

  /** The names of its devices. */
  List<String> devices() throws IOException, InterruptedException {
    assertEquals(0, ask("info"), printed());
    String last = printed().lines().toList().getLast();
    assertTrue(last.startsWith("devices"), last);
    return List.of(last.substring("devices".length()).strip().split(" +"));
  }

  /** Asks the guest to let go of a device, and waits until it has. */
  void detach(String device, String... options) throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(List.of(device));
    words.addAll(List.of(options));
    assertEquals(0, ask("detach", words.toArray(String[]::new)), printed());
    int unused =
        first(
            () -> {
              if (devices().contains(device)) {
                throw new IOException(device + " is still there");
              }
              return 0;
            });
  }

  /** Runs lines for the guest's sh, which have to succeed; what they print. */
  String sh(String script) throws IOException, InterruptedException {
    int status = execIn("sh", "-c", script);
    assertEquals(0, status, () -> script + ": " + lastWords());
    return printed();
  }

  private String lastWords() {
    try {
      return printed() + "; the console: " + text();
    } catch (IOException e) {
      return e.toString();
    }
  }

  /** Has the guest's steward answer. */
  void awaitCommands() throws IOException, InterruptedException {
    int unused =
        first(
            () -> {
              if (execIn("true") != 0) {
                throw new IOException("it runs no commands yet: " + printed());
              }
              return 0;
            });
  }

  /** Waits for its end; returns its status. */
  int end() throws InterruptedException, IOException {
    assertTrue(process.waitFor(PATIENCE_MINUTES, TimeUnit.MINUTES), text());
    return process.exitValue();
  }

  /** As {@code kill -9}. */
  void kill() throws InterruptedException {
    boolean killed = process.toHandle().destroyForcibly();
    assertTrue(killed);
    assertTrue(process.waitFor(PATIENCE_MINUTES, TimeUnit.MINUTES));
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
