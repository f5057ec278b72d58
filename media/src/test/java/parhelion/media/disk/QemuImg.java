package parhelion.media.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * QEMU's own tool for images, which ours are compared with: the installed one, or Debian's package,
 * fetched as bench/qemu.sh does it. Without either, its tests are skipped and say so.
 */
final class QemuImg {
  private static String program;
  private static String missing;

  private QemuImg() {}

  /** What it printed and its exit status. */
  record Result(int status, String output) {}

  private static synchronized String program() throws IOException, InterruptedException {
    if (program == null && missing == null) {
      String script = ". bench/qemu.sh; find_qemu_img && command -v qemu-img";
      ProcessBuilder builder = new ProcessBuilder("sh", "-c", script);
      builder.directory(Path.of(System.getProperty("parhelion.root")).toFile());
      builder.redirectErrorStream(true);
      Result result = run(builder);
      String[] lines = result.output.strip().split("\n");
      if (result.status == 0) {
        program = lines[lines.length - 1];
      } else {
        missing = "there is no qemu-img: " + lines[lines.length - 1];
        System.err.println(missing);
      }
    }
    return program;
  }

  /** Skips a test where there is no qemu-img. */
  static void assumeThere() throws IOException, InterruptedException {
    boolean there = program() != null;
    assumeTrue(there, missing);
  }

  /** Runs it. */
  static Result run(Object... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(program()));
    for (Object each : arguments) {
      command.add(each.toString());
    }
    return run(new ProcessBuilder(command).redirectErrorStream(true));
  }

  /** Runs it, and it succeeds. */
  static String ok(Object... arguments) throws IOException, InterruptedException {
    Result result = run(arguments);
    assertEquals(0, result.status, () -> List.of(arguments) + ": " + result.output);
    return result.output;
  }

  private static Result run(ProcessBuilder builder) throws IOException, InterruptedException {
    Process process = builder.start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Result(process.waitFor(), output);
  }
}
