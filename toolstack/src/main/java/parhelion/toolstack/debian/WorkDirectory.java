package parhelion.toolstack.debian;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import parhelion.host.Libc;
import parhelion.host.Libc.Call;

/**
 * A directory for what is being made, which goes when that is over. It is locked meanwhile, and a
 * lock goes with its process: so what a process that was killed has left is known by its lack of
 * one, and goes when the next directory is made. On hosts without such locks it stays.
 */
final class WorkDirectory implements AutoCloseable {
  private static final String PREFIX = ".new-";
  private static final int LOCK_EX_NB = 2 | 4;

  private final Path path;
  private final int fd;

  private WorkDirectory(Path path, int fd) {
    this.path = path;
    this.fd = fd;
  }

  /** Makes one below {@code parent}, after what others have left there. */
  static WorkDirectory in(Path parent) throws IOException {
    sweep(parent);
    while (true) {
      Path made = Files.createTempDirectory(parent, PREFIX);
      if (!Libc.isAvailable()) {
        return new WorkDirectory(made, -1);
      }
      int fd = lock(made);
      if (fd >= 0 && Files.exists(made)) {
        return new WorkDirectory(made, fd);
      }
      unlock(fd); // Another process took it for an old one, in the moment before it was locked.
    }
  }

  private static void sweep(Path parent) throws IOException {
    if (!Libc.isAvailable()) {
      return;
    }
    try (DirectoryStream<Path> left = Files.newDirectoryStream(parent, PREFIX + "*")) {
      for (Path each : left) {
        int fd = lock(each);
        if (fd >= 0) {
          try {
            PackageCache.deleteTree(each);
          } finally {
            unlock(fd);
          }
        }
      }
    }
  }

  /** The descriptor that holds the lock, or a negative number if somebody else has it. */
  private static int lock(Path directory) {
    byte[] name = directory.toString().getBytes(StandardCharsets.UTF_8);
    String bytes = new String(name, StandardCharsets.ISO_8859_1);
    int fd = Libc.openat(Libc.AT_FDCWD, bytes, Libc.O_DIRECTORY | Libc.O_NOFOLLOW, 0);
    if (fd >= 0 && Libc.call(Call.FLOCK, fd, LOCK_EX_NB) != 0) {
      Libc.close(fd);
      return -1;
    }
    return fd;
  }

  private static void unlock(int fd) {
    if (fd >= 0) {
      Libc.close(fd);
    }
  }

  Path path() {
    return path;
  }

  @Override
  public void close() throws IOException {
    try {
      PackageCache.deleteTree(path);
    } finally {
      unlock(fd);
    }
  }
}
