package parhelion.toolstack.debian;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What was taken out of one package and is kept in the cache: a directory with the files under
 * their own paths and a manifest that says what must be there.
 *
 * @param packageName the package that the files came from; where a meta package was asked for, the
 *     one that it stands for
 * @param version Debian's version string
 * @param root the directory that the paths are relative to
 * @param paths the files, such as {@code boot/vmlinuz-6.1.0-56-cloud-amd64}
 */
public record PackageFiles(String packageName, String version, Path root, List<String> paths) {
  /** The manifest of what every package is fetched for. */
  static final String MANIFEST = "manifest";

  private static final String FIRST_LINE = "parhelion package 1";
  private static final int MAX_MANIFEST_BYTES = 1 << 20;

  /** The first file whose path begins so, or null. */
  public @Nullable Path find(String prefix) {
    for (String path : paths) {
      if (path.startsWith(prefix)) {
        return root.resolve(path);
      }
    }
    return null;
  }

  /** Writes the manifest, last of all. */
  void save(String manifest) throws IOException {
    StringBuilder text = new StringBuilder(FIRST_LINE).append('\n');
    text.append(packageName).append('\n').append(version).append('\n');
    for (String path : paths) {
      text.append(Files.size(root.resolve(path))).append(' ').append(path).append('\n');
    }
    Files.writeString(root.resolve(manifest), text.append("end\n"));
  }

  /** Reads an entry back; null if there is none or if it is not whole. */
  static @Nullable PackageFiles load(Path root) {
    return load(root, MANIFEST);
  }

  /** As {@link #load(Path)}, by a manifest of another name. */
  static @Nullable PackageFiles load(Path root, String name) {
    Path manifest = root.resolve(name);
    try {
      if (!Files.isRegularFile(manifest) || Files.size(manifest) > MAX_MANIFEST_BYTES) {
        return null;
      }
      List<String> lines = Files.readAllLines(manifest);
      int end = lines.size() - 1;
      if (end < 4 || !lines.get(0).equals(FIRST_LINE) || !lines.get(end).equals("end")) {
        return null;
      }
      List<String> paths = new ArrayList<>();
      for (String line : lines.subList(3, end)) {
        int space = line.indexOf(' ');
        if (space < 0) {
          return null;
        }
        String path = line.substring(space + 1);
        Path file = root.resolve(path).normalize();
        if (!file.startsWith(root)
            || !Files.isRegularFile(file)
            || !String.valueOf(Files.size(file)).equals(line.substring(0, space))) {
          return null;
        }
        paths.add(path);
      }
      return new PackageFiles(lines.get(1), lines.get(2), root, List.copyOf(paths));
    } catch (IOException | RuntimeException e) {
      return null; // whatever is wrong with it, it is made again
    }
  }
}
