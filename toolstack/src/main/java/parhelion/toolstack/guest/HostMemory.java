package parhelion.toolstack.guest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** How much memory the host has, where it says so: the bound of what a guest can be given. */
final class HostMemory {
  private static final Path MEMINFO = Path.of("/proc/meminfo");

  private HostMemory() {}

  /** Memory in MiB; the largest number there is where the host does not say. */
  static long totalMib() {
    try {
      return totalMib(Files.readAllLines(MEMINFO));
    } catch (IOException e) {
      return Long.MAX_VALUE;
    }
  }

  /** Reads "MemTotal: 16384 kB" out of the lines of /proc/meminfo. */
  static long totalMib(List<String> lines) {
    for (String line : lines) {
      if (line.matches("MemTotal: +[0-9]{1,15} kB")) {
        return Long.parseLong(line.replaceAll("[^0-9]", "")) >> 10;
      }
    }
    return Long.MAX_VALUE;
  }
}
