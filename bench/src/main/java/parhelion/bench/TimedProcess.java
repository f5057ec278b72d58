package parhelion.bench;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/**
 * A process that has run to its end, its standard input empty.
 *
 * @param userlandSeconds from its start to the line by which a guest's first process tells that it
 *     runs; NaN if none came
 * @param endSeconds from its start to its end
 * @param peakMib most resident memory
 * @param lines what it wrote on standard output and standard error
 */
record TimedProcess(
    double userlandSeconds, double endSeconds, double peakMib, int status, List<String> lines) {
  /** In the line that a guest's first process prints when {@link #WORD} asks for it. */
  static final String USERLAND = "parhelion: userland";

  /** On the kernel's command line. */
  static final String WORD = "parhelion.bench";

  private static final long POLL_MILLIS = 5;

  /**
   * Runs a command, and kills it when it has not ended within the limit; its status tells.
   *
   * @throws IOException if it cannot be started
   */
  static TimedProcess run(List<String> command, long limitSeconds)
      throws IOException, InterruptedException {
    return run(command, limitSeconds, (line, process) -> {});
  }

  /** Runs a command as above, and tells of each line, on another thread, as soon as it is there. */
  static TimedProcess run(
      List<String> command, long limitSeconds, BiConsumer<String, ProcessHandle> onLine)
      throws IOException, InterruptedException {
    long start = System.nanoTime();
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
            .start();
    try {
      List<String> lines = new ArrayList<>();
      double[] userland = {Double.NaN};
      Thread reader =
          Thread.ofPlatform().start(() -> read(process, start, lines, userland, onLine));
      double peak = 0;
      boolean late = false;
      while (!process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
        peak = Math.max(peak, residentMib(process.pid()));
        if (!late && since(start) > limitSeconds) {
          late = true;
          process.destroyForcibly();
        }
      }
      double end = since(start);
      reader.join();
      if (late) {
        lines.add("ended, as it took more than " + limitSeconds + " s");
      }
      return new TimedProcess(userland[0], end, peak, process.exitValue(), lines);
    } finally {
      process.destroyForcibly();
    }
  }

  private static double since(long start) {
    return (System.nanoTime() - start) / 1e9;
  }

  private static void read(
      Process process,
      long start,
      List<String> lines,
      double[] userland,
      BiConsumer<String, ProcessHandle> onLine) {
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.ISO_8859_1))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        if (line.contains(USERLAND) && Double.isNaN(userland[0])) {
          userland[0] = since(start);
        }
        lines.add(line);
        onLine.accept(line, process.toHandle());
      }
    } catch (IOException e) {
      // The process is gone.
    }
  }

  private static double residentMib(long pid) {
    try {
      return Arrays.stream(Files.readString(Path.of("/proc/" + pid + "/status")).split("\n"))
          .filter(line -> line.startsWith("VmHWM:"))
          .mapToDouble(line -> Double.parseDouble(line.replaceAll("[^0-9]", "")) / 1024)
          .findFirst()
          .orElse(0);
    } catch (IOException e) {
      return 0;
    }
  }
}
