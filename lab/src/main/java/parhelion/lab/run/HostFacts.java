package parhelion.lab.run;

import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import parhelion.lab.result.Host;

/** What a result says of the machine and the program that made it. */
final class HostFacts {
  private static final int GIT_SECONDS = 5;

  private HostFacts() {}

  static Host host() {
    var system = ManagementFactory.getOperatingSystemMXBean();
    long memory =
        system instanceof com.sun.management.OperatingSystemMXBean known
            ? known.getTotalMemorySize()
            : 0;
    return new Host(
        processor(),
        Runtime.getRuntime().availableProcessors(),
        Math.max(0, memory),
        "%s %s %s"
            .formatted(
                System.getProperty("os.name"),
                System.getProperty("os.version"),
                System.getProperty("os.arch")),
        System.getProperty("java.vendor") + " " + Runtime.version());
  }

  private static String processor() {
    Path file = Path.of("/proc/cpuinfo");
    try {
      if (Files.exists(file)) {
        for (String line : Files.readAllLines(file)) {
          int colon = line.indexOf(':');
          if (line.startsWith("model name") && colon > 0 && !line.substring(colon + 1).isBlank()) {
            return line.substring(colon + 1).strip();
          }
        }
      }
    } catch (IOException e) {
      // Not known, then.
    }
    return "unknown " + System.getProperty("os.arch");
  }

  static String version() {
    String ours = HostFacts.class.getPackage().getImplementationVersion();
    return ours == null ? "of a work tree" : ours;
  }

  /** The commit of the source tree that this program lies in, if it does and git is there. */
  static String commit() {
    Path directory = place();
    if (directory == null) {
      return "unknown";
    }
    try {
      Process git =
          new ProcessBuilder("git", "describe", "--always", "--dirty", "--abbrev=12")
              .directory(directory.toFile())
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      git.getOutputStream().close();
      try (InputStream in = git.getInputStream()) {
        String said = new String(in.readNBytes(200), StandardCharsets.UTF_8).strip();
        return git.waitFor(GIT_SECONDS, TimeUnit.SECONDS) && git.exitValue() == 0 && !said.isEmpty()
            ? said
            : "unknown";
      } finally {
        git.destroyForcibly();
      }
    } catch (IOException e) {
      return "unknown";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "unknown";
    }
  }

  /** The source tree that our classes lie in; null if they lie elsewhere. */
  private static @Nullable Path place() {
    var source = HostFacts.class.getProtectionDomain().getCodeSource();
    if (source == null || !source.getLocation().getProtocol().equals("file")) {
      return null;
    }
    for (Path at = Path.of(source.getLocation().getPath()); at != null; at = at.getParent()) {
      if (Files.exists(at.resolve(".git")) && Files.exists(at.resolve("guests/lab/build"))) {
        return at;
      }
    }
    return null;
  }
}
