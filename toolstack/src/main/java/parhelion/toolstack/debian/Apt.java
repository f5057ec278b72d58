package parhelion.toolstack.debian;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import parhelion.toolstack.image.CacheDirectory;
import parhelion.toolstack.image.ImageException;
import parhelion.toolstack.image.Progress;

/**
 * The machine's package manager, asked to look up and download packages without installing them and
 * without root: either with the machine's own package lists or with private ones in our cache,
 * which an ordinary user can update.
 */
final class Apt {
  private static final long COMMAND_MILLIS = TimeUnit.MINUTES.toMillis(20);
  private static final int POLL_MILLIS = 100;
  private static final int MAX_OUTPUT_BYTES = 4 << 20;

  /** What one command left behind. */
  private record Outcome(int status, String output, String errors) {
    /** The first error that apt named, for our own message. */
    String complaint() {
      for (String line : errors.lines().toList()) {
        if (line.startsWith("E: ")) {
          return line.substring(3);
        }
      }
      return "status " + status;
    }
  }

  /**
   * What can be downloaded under a name.
   *
   * @param depends names in the Depends field, alternatives flattened
   */
  record Candidate(String name, String version, long sizeBytes, List<String> depends) {}

  private final Path directory;
  private final List<String> options;

  private Apt(Path directory, List<String> options) {
    this.directory = directory;
    this.options = options;
  }

  /** Apt with the machine's own lists. */
  static Apt ofMachine(Path directory) {
    return new Apt(directory, List.of("-o", "APT::Sandbox::User=root"));
  }

  /** Apt with lists of our own below {@code state}, for amd64 whatever the machine is. */
  static Apt ofOwn(Path directory, Path state) throws IOException {
    String root = state.toString();
    if (root.indexOf('"') >= 0 || root.indexOf('\n') >= 0) {
      throw new ImageException(
          root + ": apt cannot use such a path; set XDG_CACHE_HOME to another");
    }
    CacheDirectory.create(state.resolve("state/lists/partial"));
    CacheDirectory.create(state.resolve("cache/archives/partial"));
    // Hooks of the machine's configuration are for root and would make an update fail.
    String config =
        """
        Dir::State "%1$s/state/";
        Dir::Cache "%1$s/cache/";
        Dir::Cache::pkgcache "";
        Dir::Cache::srcpkgcache "";
        APT::Sandbox::User "root";
        APT::Architecture "amd64";
        #clear APT::Architectures;
        APT::Architectures { "amd64"; };
        #clear APT::Update::Pre-Invoke;
        #clear APT::Update::Post-Invoke;
        #clear APT::Update::Post-Invoke-Success;
        Acquire::Languages "none";
        Acquire::GzipIndexes "true";
        """
            .formatted(root);
    Path file = state.resolve("apt.conf");
    Files.writeString(file, config);
    return new Apt(directory, List.of("-c", file.toString()));
  }

  /** The directory of {@code apt-get} among those given, or null. */
  static @Nullable Path find(String path) {
    for (String directory : path.split(":", -1)) {
      if (directory.startsWith("/")) {
        Path candidate = Path.of(directory);
        if (Files.isExecutable(candidate.resolve("apt-get"))
            && Files.isExecutable(candidate.resolve("apt-cache"))) {
          return candidate;
        }
      }
    }
    return null;
  }

  /** What apt would download under a name, or null if it does not know one. */
  @Nullable Candidate show(String name, Path work) throws IOException {
    Outcome outcome = run(work, null, "", -1, "apt-cache", "show", "--no-all-versions", name);
    return outcome.status() == 0 ? parse(outcome.output()) : null;
  }

  /** The first stanza that names a file to download. */
  static @Nullable Candidate parse(String text) {
    for (String stanza : text.split("\n\n", -1)) {
      String name = field(stanza, "Package");
      String version = field(stanza, "Version");
      String size = field(stanza, "Size");
      if (name.isEmpty() || version.isEmpty() || field(stanza, "Filename").isEmpty()) {
        continue; // installed, but not in any list
      }
      long bytes = size.matches("[0-9]{1,12}") ? Long.parseLong(size) : -1;
      return new Candidate(name, version, bytes, names(field(stanza, "Depends")));
    }
    return null;
  }

  private static String field(String stanza, String key) {
    for (String line : stanza.lines().toList()) {
      if (line.startsWith(key + ": ")) {
        return line.substring(key.length() + 2).strip();
      }
    }
    return "";
  }

  private static List<String> names(String depends) {
    List<String> names = new ArrayList<>();
    for (String part : depends.split("[,|]", -1)) {
      String name = part.strip().split("[ (:]", 2)[0];
      if (!name.isEmpty()) {
        names.add(name);
      }
    }
    return names;
  }

  /**
   * What would be installed on an empty system: the essential packages, those named, and all that
   * they depend on; each as NAME=VERSION.
   *
   * @throws ImageException if a package is not known or they cannot be together
   */
  List<String> installation(List<String> names, Path work) throws IOException {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "-s",
                "-q",
                "-o",
                "Debug::NoLocking=1",
                "-o",
                "Dir::State::status=/dev/null",
                "-o",
                "APT::Install-Recommends=false",
                "install",
                "?essential"));
    arguments.addAll(names);
    Outcome outcome = run(work, null, "", -1, "apt-get", arguments.toArray(new String[0]));
    if (outcome.status() != 0) {
      throw new ImageException(
          "apt-get finds no set of packages for a root file system: " + outcome.complaint());
    }
    List<String> chosen = new ArrayList<>();
    for (String line : outcome.output().lines().toList()) {
      String[] words = line.split(" ", 4);
      if (words.length == 4 && words[0].equals("Inst") && words[2].startsWith("(")) {
        chosen.add(words[1] + "=" + words[2].substring(1));
      }
    }
    return chosen;
  }

  /** Downloads packages, each NAME=VERSION, into an empty directory. */
  void download(List<String> packages, Path work, Progress progress) throws IOException {
    List<String> arguments = new ArrayList<>(List.of("-q", "download"));
    arguments.addAll(packages);
    String what = "downloading " + packages.size() + " packages";
    Outcome outcome = run(work, progress, what, -1, "apt-get", arguments.toArray(new String[0]));
    if (outcome.status() != 0) {
      throw new ImageException(
          "apt-get could not download packages: "
              + outcome.complaint()
              + "; check the network and start again");
    }
  }

  /** Fetches the lists. */
  void update(Path work, Progress progress) throws IOException {
    Outcome outcome =
        run(work, progress, "updating the package lists", -1, "apt-get", "-q", "update");
    if (outcome.status() != 0) {
      throw new ImageException(
          "apt-get update failed: "
              + outcome.complaint()
              + "; check the network, or give a kernel with --kernel FILE");
    }
  }

  /** Downloads a package into an empty directory; returns the file. */
  Path download(Candidate candidate, Path work, Progress progress) throws IOException {
    Outcome outcome =
        run(
            work,
            progress,
            "downloading " + candidate.name(),
            candidate.sizeBytes(),
            "apt-get",
            "-q",
            "download",
            candidate.name() + "=" + candidate.version());
    Path deb = debIn(work);
    if (outcome.status() != 0 || deb == null) {
      throw new ImageException(
          "apt-get could not download "
              + candidate.name()
              + ": "
              + outcome.complaint()
              + "; check the network, or give a kernel with --kernel FILE");
    }
    return deb;
  }

  private static @Nullable Path debIn(Path work) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(work, "*.deb")) {
      for (Path file : files) {
        return file;
      }
    }
    return null;
  }

  private Outcome run(
      Path work,
      @Nullable Progress progress,
      String what,
      long totalBytes,
      String program,
      String... arguments)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(directory.resolve(program).toString());
    command.addAll(options);
    command.addAll(List.of(arguments));
    Path output = work.resolve("apt.out");
    Path errors = work.resolve("apt.err");
    ProcessBuilder builder = new ProcessBuilder(command).directory(work.toFile());
    builder.environment().put("LC_ALL", "C");
    builder.environment().put("DEBIAN_FRONTEND", "noninteractive");
    builder.redirectInput(Path.of("/dev/null").toFile());
    builder.redirectOutput(output.toFile()).redirectError(errors.toFile());
    Process process = builder.start();
    try {
      await(process, work, progress, what, totalBytes);
      return new Outcome(process.exitValue(), head(output), head(errors));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ImageException(program + " was interrupted; start again", e);
    } finally {
      process.destroy();
    }
  }

  private static void await(
      Process process, Path work, @Nullable Progress progress, String what, long totalBytes)
      throws InterruptedException, IOException {
    long giveUp = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(COMMAND_MILLIS);
    while (!process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
      if (System.nanoTime() > giveUp) {
        throw new ImageException(
            what + " took longer than 20 minutes; check the network and start again");
      }
      if (progress != null) {
        progress.update(what, totalBytes < 0 ? 0 : bytesIn(work, totalBytes), totalBytes);
      }
    }
    if (progress != null && totalBytes >= 0 && process.exitValue() == 0) {
      progress.update(what, totalBytes, totalBytes);
    }
  }

  /** How much of the package has come: apt writes it where it was started. */
  private static long bytesIn(Path work, long most) throws IOException {
    long bytes = 0;
    try (DirectoryStream<Path> files = Files.newDirectoryStream(work)) {
      for (Path file : files) {
        if (!file.getFileName().toString().startsWith("apt.")) {
          bytes += file.toFile().length();
        }
      }
    }
    return Math.min(bytes, most);
  }

  private static String head(Path file) throws IOException {
    try (var in = Files.newInputStream(file)) {
      return new String(in.readNBytes(MAX_OUTPUT_BYTES), StandardCharsets.UTF_8);
    }
  }
}
