package parhelion.lab.bounds;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The jobs' binaries are what their sources make, where the same assembler is installed. */
@Timeout(60)
final class JobBinariesTest {
  @TempDir Path directory;

  private static String assembler() throws InterruptedException {
    try {
      Process process = new ProcessBuilder("as", "--version").redirectErrorStream(true).start();
      String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return process.waitFor() == 0 ? text.lines().findFirst().orElse("") : "";
    } catch (IOException e) {
      return "";
    }
  }

  @Test
  void theSourcesBuildTheBinaries() throws Exception {
    try (InputStream in = Objects.requireNonNull(Job.class.getResourceAsStream("made-by"))) {
      String made = new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
      assumeTrue(assembler().equals(made), "made by " + made + ", which is not here: not compared");
    }
    Path build = Path.of("guests/bounds/build");
    for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
      if (Files.exists(at.resolve("guests/bounds/build"))) {
        build = at.resolve("guests/bounds/build");
      }
    }
    Process process =
        new ProcessBuilder("sh", build.toString(), directory.toString()).inheritIO().start();
    assertEquals(0, process.waitFor());
    for (String name : Job.NAMES) {
      byte[] built = Files.readAllBytes(directory.resolve(name));
      assertArrayEquals(Job.image(name), built, "run guests/bounds/build and commit what it makes");
    }
  }
}
