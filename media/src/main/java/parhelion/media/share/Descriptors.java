package parhelion.media.share;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import parhelion.host.Libc;

/**
 * Counts the descriptors that shares hold, all together, so that guests cannot use up those of the
 * process: half of them is theirs. Any thread.
 */
final class Descriptors {
  private static final int MOST = 65536;
  private static final int LEAST = 256;
  private static final int LIMIT = limit();
  private static final AtomicInteger USED = new AtomicInteger();

  private Descriptors() {}

  private static int limit() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/limits"))) {
        if (line.startsWith("Max open files")) {
          String soft = line.substring("Max open files".length()).strip().split("\\s+")[0];
          return soft.equals("unlimited")
              ? MOST
              : (int) Math.clamp(Long.parseLong(soft) / 2, LEAST, MOST);
        }
      }
    } catch (IOException | NumberFormatException e) {
      // A host that does not say has few.
    }
    return LEAST;
  }

  /**
   * Opens a name below a directory.
   *
   * @throws FileError EMFILE when the shares have their part
   */
  static int open(int directory, String name, int flags, int mode) {
    if (USED.incrementAndGet() > LIMIT) {
      USED.decrementAndGet();
      throw FileError.of(LinuxErrno.EMFILE);
    }
    try {
      return HostFiles.open(directory, name, flags, mode);
    } catch (FileError e) {
      USED.decrementAndGet();
      throw e;
    }
  }

  static void close(int fd) {
    USED.decrementAndGet();
    Libc.close(fd);
  }

  /** How many are open, for tests. */
  static int used() {
    return USED.get();
  }
}
