package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import parhelion.toolstack.guest.Tour;

/**
 * What a user gives wrongly, and the one line and the exit status that answer it. Nothing here
 * boots a guest; {@link BadSurroundingsTest} does.
 */
final class BadInputTest {
  @TempDir Path directory;

  private final List<DynamicTest> cases = new ArrayList<>();

  /** A kernel that would boot. */
  static byte[] tour() throws IOException {
    try (InputStream in =
        Objects.requireNonNull(Tour.class.getResourceAsStream("/parhelion/toolstack/tour.elf"))) {
      return in.readAllBytes();
    }
  }

  private String file(String name, byte[] content) throws IOException {
    return Files.write(directory.resolve(name), content).toString();
  }

  private String patched(String name, int offset, int value) throws IOException {
    byte[] bytes = tour();
    bytes[offset] = (byte) value;
    return file(name, bytes);
  }

  /** Expects a status and one line that begins with the command's name and has the words in it. */
  private void refused(int status, String words, String... args) {
    cases.add(
        dynamicTest(
            shown(args),
            () -> {
              ByteArrayOutputStream err = new ByteArrayOutputStream();
              PrintStream before = System.err;
              int actual;
              try {
                System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
                actual = Main.run(args);
              } finally {
                System.setErr(before);
              }
              String text = err.toString(StandardCharsets.UTF_8);
              assertEquals(1, text.lines().count(), text);
              assertTrue(text.startsWith("parhelion: "), text);
              assertTrue(text.contains(words), text);
              assertEquals(status, actual, text);
            }));
  }

  private String shown(String... args) {
    String line = "parhelion " + String.join(" ", args).replace(directory + "/", "");
    return line.length() > 80 ? line.substring(0, 80) : line;
  }

  private void kernel(String words, String file) {
    refused(ExitStatus.FAILED, words, "run", "--kernel", file, "--timeout", "5");
  }

  @TestFactory
  List<DynamicTest> aKernelThatCannotBootIsOneLine() throws IOException {
    kernel("there is no such file", directory.resolve("missing").toString());
    kernel("is a directory", directory.toString());
    kernel("names no file", "");
    kernel("is empty", file("empty", new byte[0]));
    kernel("is not a kernel", file("text", "hello\n".getBytes(StandardCharsets.UTF_8)));
    kernel("cut off or corrupt", file("truncated", Arrays.copyOf(tour(), 5000)));
    kernel("cut off or corrupt", file("header-only", Arrays.copyOf(tour(), 64)));
    kernel("cut off or corrupt", file("gzip", new byte[] {31, -117, 8, 0, 0, 0, 0, 0, 0, 3, 1}));
    kernel("AArch64", patched("aarch64", 18, 183));
    kernel("32-bit", patched("elf32", 4, 1));
    kernel("big-endian", patched("big-endian", 5, 2));
    kernel("object file", patched("object", 16, 1));
    kernel("no Xen ELF notes", withoutNotes());
    if (Files.exists(Path.of("/dev/zero"))) {
      kernel("is a device", "/dev/zero");
    }
    return cases;
  }

  /** The note segment's type made into one that nobody knows, and no sections. */
  private String withoutNotes() throws IOException {
    byte[] bytes = tour();
    bytes[64 + 56] = 99;
    Arrays.fill(bytes, 40, 48, (byte) 0);
    Arrays.fill(bytes, 60, 64, (byte) 0);
    return file("no-notes", bytes);
  }

  @TestFactory
  List<DynamicTest> anInitrdThatCannotBeLoadedIsOneLine() throws IOException {
    String kernel = file("tour", tour());
    String[] start = {"run", "--kernel", kernel, "--initrd"};
    initrd("does not exist", start, directory.resolve("missing").toString());
    initrd("0 bytes", start, file("empty", new byte[0]));
    initrd("too small for this kernel and initrd", start, sparse("1G", 1L << 30));
    initrd("cannot be loaded", start, sparse("3G", 3L << 30));
    return cases;
  }

  private String sparse(String name, long bytes) throws IOException {
    Path file = directory.resolve(name);
    try (RandomAccessFile made = new RandomAccessFile(file.toFile(), "rw")) {
      made.setLength(bytes);
    }
    return file.toString();
  }

  private void initrd(String words, String[] start, String file) {
    String[] args = Arrays.copyOf(start, start.length + 1);
    args[start.length] = file;
    refused(ExitStatus.FAILED, words, args);
  }

  @TestFactory
  List<DynamicTest> valuesOutOfRangeAreOneLine() throws IOException {
    usage("--memory", "0", "-5", "x", "", "9999999999999999999G", "1T");
    usage("--vcpus", "0", "33", "-1", "x", "", "1.5", "99999999999");
    usage("--cpu", "v4", "native", "");
    usage("--engine", "tcg", "");
    usage("--timeout", "0", "-1", "NaN", "1e300", "soon", "");
    usage("--on-crash", "ignore", "");
    refused(ExitStatus.USAGE, "Unknown option", "run", "--no-such-option");
    refused(ExitStatus.USAGE, "Unmatched argument", "demo", "extra");
    refused(ExitStatus.USAGE, "a command is missing");
    refused(ExitStatus.FAILED, "too small", "demo", "--batch", "--memory", "1M");
    refused(ExitStatus.FAILED, "does not fit into this host", "demo", "--memory", "1000G");
    String kernel = file("tour", tour());
    refused(ExitStatus.FAILED, "too long", "run", "--kernel", kernel, "--append", "x".repeat(1100));
    refused(ExitStatus.FAILED, "exclude each other", "run", "--kernel", kernel, "--package", "y");
    refused(ExitStatus.FAILED, "leave --initrd out", "run", "--initrd", kernel, "--cmd", "true");
    refused(ExitStatus.FAILED, "is not a package name", "run", "--package", "../x");
    refused(ExitStatus.FAILED, "is not a package name", "run", "--package", "");
    return cases;
  }

  private void usage(String option, String... values) {
    for (String value : values) {
      refused(ExitStatus.USAGE, option, "demo", "--batch", option, value);
    }
  }

  @TestFactory
  List<DynamicTest> filesThatCannotBeWrittenAreOneLine() {
    for (String option : List.of("--log", "--trace")) {
      refused(ExitStatus.FAILED, option, "demo", "--batch", option, directory + "/none/file");
      refused(ExitStatus.FAILED, option, "demo", "--batch", option, directory.toString());
    }
    return cases;
  }
}
