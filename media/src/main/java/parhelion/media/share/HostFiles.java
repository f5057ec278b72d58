package parhelion.media.share;

import java.lang.foreign.Arena;
import parhelion.host.Libc;
import parhelion.host.Libc.Call;

/**
 * The host's calls for files, whose failures are the guest's errors. Any thread; they may block.
 */
final class HostFiles {
  private static final int MAX_ERRNO = 4095;

  private HostFiles() {}

  /**
   * Calls and returns the result.
   *
   * @throws FileError with the errno of a failure
   */
  static long must(Call function, long a, long b, long c, long d, long e) {
    long result = Libc.call(function, a, b, c, d, e);
    if (result < 0 && result >= -MAX_ERRNO) {
      throw FileError.of((int) -result);
    }
    return result;
  }

  static long must(Call function, long a, long b, long c, long d) {
    return must(function, a, b, c, d, 0);
  }

  static long must(Call function, long a, long b, long c) {
    return must(function, a, b, c, 0, 0);
  }

  /**
   * Opens a name below a directory; always close-on-exec.
   *
   * @return a descriptor
   */
  static int open(int directory, String name, int flags, int mode) {
    try (Arena arena = Arena.ofConfined()) {
      long path = Libc.name(arena, name).address();
      return (int) must(Call.OPENAT, directory, path, flags | Libc.O_CLOEXEC, mode);
    }
  }
}
