package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import parhelion.toolstack.UserError;
import picocli.CommandLine;
import picocli.CommandLine.Command;

final class MainTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private final CommandLine command =
      Main.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));

  @Command(name = "sample")
  record Sample(Callable<Integer> body) implements Callable<Integer> {
    @Override
    public Integer call() throws Exception {
      return body.call();
    }
  }

  private int executeSample(Callable<Integer> body) {
    command.addSubcommand(new Sample(body)).setErr(new PrintWriter(err));
    return command.execute("sample");
  }

  @Test
  void helpShowsAnExampleAndTheExitStatuses() {
    assertEquals(ExitStatus.OK, command.execute("--help"));
    assertTrue(out.toString().contains("Example:"), out.toString());
    assertTrue(out.toString().contains("Exit status:"), out.toString());
  }

  @Test
  void versionIsOneLine() {
    assertEquals(ExitStatus.OK, command.execute("--version"));
    assertTrue(out.toString().matches("parhelion .* \\(JDK \\d+, .*\\)\\R"), out.toString());
  }

  @Test
  void aWrongOptionIsOneLineThatNamesItAndTheHelp() {
    assertEquals(ExitStatus.USAGE, command.execute("--no-such-option"));
    assertEquals(
        "parhelion: Unknown option: '--no-such-option': see parhelion --help",
        err.toString().strip());
  }

  @Test
  void noCommandIsAUsageError() {
    assertEquals(ExitStatus.USAGE, command.execute());
    assertEquals("parhelion: a command is missing: see parhelion --help", err.toString().strip());
  }

  @Test
  void theStatusOfASubCommandIsTheProcesss() {
    assertEquals(130, executeSample(() -> 130));
  }

  @Test
  void aUserErrorIsOneLine() {
    assertEquals(
        ExitStatus.FAILED,
        executeSample(
            () -> {
              throw new UserError("no-kernel: no such file\n  give --kernel");
            }));
    assertEquals("parhelion: no-kernel: no such file give --kernel", err.toString().strip());
  }

  @Test
  void aMissingFileIsOneLineThatSaysSo() {
    assertEquals(
        ExitStatus.FAILED,
        executeSample(
            () -> {
              throw new NoSuchFileException("/no/kernel");
            }));
    assertEquals("parhelion: /no/kernel: no such file or directory", err.toString().strip());
  }

  @Test
  void ourOwnFaultIsOneLineAndTheTraceGoesToAFile() throws Exception {
    assertEquals(
        ExitStatus.INTERNAL,
        executeSample(
            () -> {
              throw new IllegalStateException("two owners of mfn 7");
            }));
    String line = err.toString().strip();
    assertEquals(1, line.lines().count());
    assertTrue(line.contains("two owners of mfn 7"), line);
    Path details = Path.of(line.substring(line.lastIndexOf(' ') + 1));
    assertTrue(Files.readString(details).contains("MainTest"), line);
    Files.delete(details);
  }
}
