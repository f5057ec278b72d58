package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What exec says when it cannot; that it can is for the testkit's tests. */
@EnabledOnOs(OS.LINUX)
final class ExecCommandTest {
  @TempDir Path directory;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int exec(String... arguments) {
    String[] all = new String[arguments.length + 1];
    all[0] = "exec";
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    CommandLine command =
        Main.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    return command.execute(all);
  }

  private void assertSays(int status, String expected, String... arguments) {
    assertEquals(status, exec(arguments), err.toString());
    String said = err.toString().strip();
    assertEquals(1, said.lines().count(), said);
    assertTrue(said.contains(expected), said);
  }

  @Test
  void helpShowsExamplesAndExitStatuses() {
    assertEquals(0, exec("--help"));
    assertTrue(out.toString().contains("Examples:"), out.toString());
    assertTrue(out.toString().contains("128+N"), out.toString());
  }

  @Test
  void aMissingProgramIsNamed() {
    assertSays(1, "/no/such: no such program", "/no/such");
  }

  @Test
  void aFileThatIsNoProgramIsSaidToBeNone() throws Exception {
    Path file = Files.writeString(directory.resolve("text"), "hello, this is no program at all");
    assertTrue(file.toFile().setExecutable(true));
    assertSays(1, "is not a 64-bit x86 Linux program", file.toString());
  }

  @Test
  void aFileThatMayNotBeExecutedIsSaidSo() throws Exception {
    Path file = Files.writeString(directory.resolve("text"), "hello");
    assertSays(1, "chmod +x", file.toString());
  }

  @Test
  void aMissingRootIsNamed() {
    assertSays(1, "/no/root: no such directory", "--root", "/no/root", "/bin/true");
  }

  @Test
  void badOptionsAreUsageErrorsOrNamed() {
    assertSays(2, "is not a size", "--memory", "lots", "/bin/true");
  }

  @Test
  void aBadBindIsNamed() {
    assertSays(1, "--bind nothing", "--bind", "nothing", "/bin/true");
  }

  @Test
  void aBadVariableIsNamed() {
    assertSays(1, "--env nothing", "--env", "nothing", "/bin/true");
  }

  @Test
  void optionsAfterTheProgramAreTheProgramsOwn() {
    assertSays(1, "/no/such: no such program", "/no/such", "--help", "--memory", "x");
  }
}
