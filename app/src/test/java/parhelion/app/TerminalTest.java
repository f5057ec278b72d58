package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The user's terminal is left as it was found, however the command ends. The terminal is one that
 * util-linux's {@code script} makes.
 */
final class TerminalTest {
  @TempDir Path directory;

  @BeforeEach
  void aTerminalCanBeMade() throws Exception {
    assumeTrue(prints("util-linux", "script", "--version"), "no script of util-linux to test with");
    assumeTrue(prints("", "stty", "--version"), "no stty to test with");
  }

  private static boolean prints(String word, String... command) throws Exception {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      byte[] said = process.getInputStream().readAllBytes();
      return process.waitFor() == 0 && new String(said, StandardCharsets.UTF_8).contains(word);
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Runs the tour, which waits for keys, on a terminal; when that is raw, does {@code then} to the
   * process whose number is in {@code $pid}. Leaves the terminal's settings before, meanwhile and
   * after in files, and the exit status.
   */
  private void onATerminal(String then) throws Exception {
    Path kernel = Files.write(directory.resolve("kernel"), BadInputTest.tour());
    ProcessBuilder command =
        BadSurroundingsTest.parhelion("run", "--kernel", kernel.toString(), "--timeout", "50");
    BadSurroundingsTest.defaultSignals(command);
    String line =
        command.command().stream()
            .map(word -> "'" + word.replace("'", "'\\''") + "'")
            .collect(Collectors.joining(" "));
    Path lines =
        Files.writeString(
            directory.resolve("lines"),
            """
            stty -a >before
            %s </dev/tty &
            pid=$!
            until stty -a | grep -q -e '-icanon'; do
              kill -0 $pid || break
              sleep 0.1
            done
            stty -a >meanwhile
            %s
            wait $pid
            echo $? >status
            stty -a >after
            """
                .formatted(line, then));
    Process script =
        new ProcessBuilder("script", "-q", "-c", "sh " + lines, "/dev/null")
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("printed").toFile())
            .start();
    try (OutputStream _ = script.getOutputStream()) {
      assertTrue(script.waitFor(60, TimeUnit.SECONDS), this::printed);
    } finally {
      script.descendants().forEach(ProcessHandle::destroyForcibly);
      script.destroyForcibly();
    }
  }

  private String printed() {
    return read("printed");
  }

  private String read(String name) {
    try {
      return Files.readString(directory.resolve(name), StandardCharsets.ISO_8859_1).strip();
    } catch (IOException e) {
      return "no " + name + ": " + e;
    }
  }

  private void assertPutBack(int status) {
    assertTrue(read("before").contains(" icanon"), read("before"));
    assertTrue(read("meanwhile").contains("-icanon"), read("meanwhile") + printed());
    assertEquals(read("before"), read("after"));
    assertEquals(Integer.toString(status), read("status"), this::printed);
  }

  @Test
  void signalsLeaveItAsItWas() throws Exception {
    for (var signal : List.of("TERM", "INT", "HUP")) {
      onATerminal("kill -" + signal + " $pid");
      assertPutBack(
          switch (signal) {
            case "TERM" -> 143;
            case "INT" -> 130;
            default -> 129;
          });
    }
  }
}
