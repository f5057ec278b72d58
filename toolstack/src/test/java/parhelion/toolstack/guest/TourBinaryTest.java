package parhelion.toolstack.guest;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import parhelion.backends.console.ConsoleSink;
import parhelion.xen.VirtualClock;

/** The built-in guest: its binary is what its source makes, and it boots. */
@Timeout(120)
final class TourBinaryTest {
  private static final Pattern MAJOR = Pattern.compile("gcc .*?([0-9]+)\\.[0-9]+\\.[0-9]+");

  @TempDir Path directory;

  private static byte[] resource(String name) throws IOException {
    try (InputStream in =
        Objects.requireNonNull(
            Tour.class.getResourceAsStream("/parhelion/toolstack/" + name), name)) {
      return in.readAllBytes();
    }
  }

  private static String major(String version) {
    Matcher matcher = MAJOR.matcher(version);
    return matcher.find() ? matcher.group(1) : "none";
  }

  /** The first line of what a program prints; empty when there is no such program. */
  private static String firstLine(String... command) throws Exception {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return process.waitFor() == 0 ? text.lines().findFirst().orElse("") : "";
    } catch (IOException e) {
      return "";
    }
  }

  /** Skips a test where another compiler is installed, or none. */
  static void assumeSameCompiler(String binary) throws Exception {
    String made = major(new String(resource(binary + ".made-by"), StandardCharsets.UTF_8));
    String here = major(firstLine("gcc", "--version"));
    assumeTrue(
        here.equals(made),
        binary + " was made by gcc " + made + ", here is " + here + ": not compared");
  }

  /** Builds one of our programs for guests; the exit status. */
  static int build(String name, Path out) throws Exception {
    Process build =
        new ProcessBuilder("sh", source(name).toString(), out.toString()).inheritIO().start();
    return build.waitFor();
  }

  private static Path source(String name) {
    for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
      Path build = at.resolve("guests/" + name + "/build");
      if (Files.exists(build)) {
        return build;
      }
    }
    throw new IllegalStateException("guests/" + name + "/build is not above the working directory");
  }

  @Test
  void theSourceBuildsTheBinary() throws Exception {
    assumeSameCompiler("tour.elf");
    Path out = directory.resolve("tour.elf");
    assertEquals(0, build("tour", out));
    assertArrayEquals(
        resource("tour.elf"),
        Files.readAllBytes(out),
        "run guests/tour/build and commit what it makes");
  }

  @Test
  void theBinaryShowsItsStopsAndPowersOff() throws Exception {
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    ConsoleSink sink =
        (bytes, offset, length) -> {
          printed.write(bytes, offset, length);
          return length;
        };
    GuestConfig config = new GuestConfig("tour", Tour.kernel(), () -> null, null, "batch", 32, 1);
    try (PvGuest guest = new PvGuest(config, new VirtualClock(0), sink)) {
      assertEquals(Outcome.Kind.POWEROFF, guest.run().kind());
    }
    String text = printed.toString(StandardCharsets.US_ASCII);
    for (String stop : new String[] {"1. Hyp", "2. Tra", "3. Pag", "4. Eve", "5. Tim", "is over"}) {
      assertTrue(text.contains(stop), text);
    }
  }
}
