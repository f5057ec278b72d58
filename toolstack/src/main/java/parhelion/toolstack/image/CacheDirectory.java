package parhelion.toolstack.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;

/** Where we keep what can be made again: {@code $XDG_CACHE_HOME/parhelion}, else ~/.cache. */
public final class CacheDirectory {
  private CacheDirectory() {}

  /** The user's cache directory, which need not exist yet. */
  public static Path ofUser() {
    return of(System.getenv("XDG_CACHE_HOME"), System.getProperty("user.home", "/tmp"));
  }

  /** The XDG rule: a relative or empty value is as good as none. */
  static Path of(@Nullable String xdgCacheHome, String home) {
    if (xdgCacheHome != null && xdgCacheHome.startsWith("/")) {
      return Path.of(xdgCacheHome, "parhelion");
    }
    return Path.of(home, ".cache", "parhelion");
  }

  /** Creates a directory below the cache that only its owner can enter. */
  public static void create(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      var ownerOnly = PosixFilePermissions.fromString("rwx------");
      Files.createDirectories(directory, PosixFilePermissions.asFileAttribute(ownerOnly));
    }
  }
}
