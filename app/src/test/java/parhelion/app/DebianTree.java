package parhelion.app;

import java.io.File;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import parhelion.toolstack.image.CacheDirectory;

/**
 * Debian packages with all that they depend on, unpacked side by side below {@code
 * ~/.cache/parhelion/trees}: a root for a guest, or programs for the host, which run with the
 * libraries that are there. No package's script has run. Needs apt and dpkg, and no root.
 */
final class DebianTree {
  private static final long COMMAND_MINUTES = 20;
  private static final String LOADER = "lib64/ld-linux-x86-64.so.2";
  private static final String LIBRARIES = "usr/lib/x86_64-linux-gnu";

  private final Path root;

  private DebianTree(Path root) {
    this.root = root;
  }

  /** The tree of these packages, fetched if it is not there; aborts the test where it cannot be. */
  static DebianTree of(List<String> packages) throws IOException, InterruptedException {
    Assumptions.assumeTrue(
        System.getProperty("os.arch", "").equals("amd64"), "Debian's packages are for x86-64 here");
    Path trees = CacheDirectory.ofUser().resolve("trees");
    CacheDirectory.create(trees);
    Path root = trees.resolve(String.join("_", packages));
    if (!Files.isDirectory(root)) {
      Path work = Files.createTempDirectory(trees, ".new-");
      try {
        fetch(work, packages);
        Files.move(work.resolve("tree"), root, StandardCopyOption.ATOMIC_MOVE);
      } catch (IOException e) {
        Assumptions.abort(packages + " cannot be fetched: " + e.getMessage());
      } finally {
        deleteTree(work);
      }
    }
    return new DebianTree(root);
  }

  /** As if nothing was installed, so that everything comes with it. */
  private static void fetch(Path work, List<String> packages)
      throws IOException, InterruptedException {
    Path debs = Files.createDirectory(work.resolve("debs"));
    Path tree = Files.createDirectory(work.resolve("tree"));
    Path status = Files.createFile(work.resolve("status"));
    List<String> resolve =
        new ArrayList<>(List.of("apt-get", "-s", "-qq", "--no-install-recommends"));
    resolve.addAll(List.of("-o", "Debug::NoLocking=1", "-o", "Dir::State::status=" + status));
    resolve.add("install");
    resolve.addAll(packages);
    List<String> download = new ArrayList<>(List.of("apt-get", "-qq", "download"));
    for (String line : run(debs, resolve).lines().toList()) {
      if (line.startsWith("Inst ")) {
        download.add(line.split(" ", -1)[1]);
      }
    }
    run(debs, download);
    try (DirectoryStream<Path> files = Files.newDirectoryStream(debs, "*.deb")) {
      for (Path deb : files) {
        run(debs, List.of("dpkg-deb", "-x", deb.toString(), tree.toString()));
      }
    }
  }

  private static String run(Path directory, List<String> command)
      throws IOException, InterruptedException {
    File output = directory.resolveSibling("output").toFile();
    Process process =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectInput(new File("/dev/null"))
            .redirectOutput(output)
            .start();
    try {
      if (!process.waitFor(COMMAND_MINUTES, TimeUnit.MINUTES) || process.exitValue() != 0) {
        String words = Files.readString(output.toPath());
        throw new IOException(command.getFirst() + ": " + words.lines().findFirst().orElse("?"));
      }
    } finally {
      process.destroyForcibly();
    }
    return Files.readString(output.toPath());
  }

  private static void deleteTree(Path directory) throws IOException {
    try (Stream<Path> paths = Files.walk(directory)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  Path root() {
    return root;
  }

  /** A program of the tree, to be run on the host by the tree's own loader and libraries. */
  ProcessBuilder program(String path, List<String> arguments) {
    List<String> line = new ArrayList<>();
    line.add(root.resolve(LOADER).toString());
    line.add("--library-path");
    line.add(root.resolve(LIBRARIES) + ":" + root.resolve("lib/x86_64-linux-gnu"));
    line.add(root.resolve(path).toString());
    line.addAll(arguments);
    return new ProcessBuilder(line).redirectErrorStream(true);
  }
}
