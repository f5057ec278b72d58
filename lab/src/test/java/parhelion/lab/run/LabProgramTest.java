package parhelion.lab.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import parhelion.lab.workload.Roster;
import parhelion.lab.workload.Workload;

/** The program that does the rows: its binary is what its source makes, and it knows all rows. */
@Timeout(120)
final class LabProgramTest {
  private static final Pattern MAJOR = Pattern.compile("gcc .*?([0-9]+)\\.[0-9]+\\.[0-9]+");
  private static final Pattern ROW = Pattern.compile("\\{\\.name = \"([a-z0-9-]+)\"");

  @TempDir Path directory;

  private static Path source() {
    for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
      if (Files.exists(at.resolve("guests/lab/build"))) {
        return at.resolve("guests/lab");
      }
    }
    throw new IllegalStateException("guests/lab/build is not above the working directory");
  }

  private static String major(String version) {
    Matcher matcher = MAJOR.matcher(version);
    return matcher.find() ? matcher.group(1) : "none";
  }

  private static String gcc() throws InterruptedException {
    try {
      Process gcc = new ProcessBuilder("gcc", "--version").redirectErrorStream(true).start();
      String text = new String(gcc.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return gcc.waitFor() == 0 ? text.lines().findFirst().orElse("") : "";
    } catch (IOException e) {
      return "";
    }
  }

  @Test
  void theSourceBuildsTheBinary() throws Exception {
    String made;
    try (InputStream in = LabProgram.class.getResourceAsStream("/parhelion/lab/lab.elf.made-by")) {
      made = major(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    }
    String here = major(gcc());
    assumeTrue(here.equals(made), "made by gcc " + made + ", here is " + here + ": not compared");
    Path out = directory.resolve("lab.elf");
    Process build =
        new ProcessBuilder("sh", source().resolve("build").toString(), out.toString())
            .inheritIO()
            .start();
    assertEquals(0, build.waitFor());
    assertArrayEquals(
        LabProgram.bytes(),
        Files.readAllBytes(out),
        "run guests/lab/build and commit what it makes");
  }

  @Test
  void theProgramHasEveryRowOfTheRoster() throws Exception {
    Set<String> rows = new HashSet<>();
    try (var files = Files.newDirectoryStream(source(), "*.c")) {
      for (Path file : files) {
        ROW.matcher(Files.readString(file)).results().forEach(found -> rows.add(found.group(1)));
      }
    }
    assertTrue(rows.size() > 20, rows::toString);
    List<Workload> all = new java.util.ArrayList<>(Roster.workloads());
    all.add(Roster.command("true"));
    for (Workload workload : all) {
      if (!workload.id().equals(Roster.BOOT)) {
        String row = workload.row().split(" ", 2)[0];
        assertTrue(rows.contains(row), () -> workload.id() + " asks for " + row);
      }
    }
  }
}
