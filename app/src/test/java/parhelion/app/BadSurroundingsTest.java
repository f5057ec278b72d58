package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import parhelion.cpu.interp.CodeCache;
import parhelion.cpu.memory.MachineMemory;

/**
 * Guests that run while something around them breaks: a full disk, a closed pipe, a signal, an
 * environment without anything. Each is a process of its own, as those things are a process's.
 */
final class BadSurroundingsTest {
  private static final File NOTHING = new File("/dev/null");
  private static final File FULL = new File("/dev/full");

  @TempDir Path directory;

  private record Ended(int status, String out, String err) {}

  /** An engine that this host can run, so that nobody has to be told that it cannot. */
  private static final String ENGINE = engine();

  private static String engine() {
    try (MachineMemory memory = new MachineMemory(16)) {
      return new CodeCache(memory).engine().label;
    }
  }

  /** The command in a process of its own, with nothing on standard input. */
  static ProcessBuilder parhelion(String... args) {
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.addAll(
        List.of(
            "-XX:TieredStopAtLevel=1",
            "-Xlog:disable",
            "-Xmx512m",
            "--enable-native-access=ALL-UNNAMED",
            "-Dparhelion.engine=" + ENGINE,
            "--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            "parhelion.app.Main"));
    line.addAll(List.of(args));
    return new ProcessBuilder(line).redirectInput(NOTHING);
  }

  private Ended run(ProcessBuilder builder) throws Exception {
    Path out = directory.resolve("out");
    Path err = directory.resolve("err");
    if (builder.redirectOutput() == ProcessBuilder.Redirect.PIPE) {
      builder.redirectOutput(out.toFile());
    }
    Process process = builder.redirectError(err.toFile()).start();
    return ended(process, out, err);
  }

  private static Ended ended(Process process, Path out, Path err)
      throws InterruptedException, IOException {
    try {
      assertTrue(process.waitFor(60, TimeUnit.SECONDS), "it hangs");
    } finally {
      process.destroyForcibly();
    }
    String printed = Files.exists(out) ? Files.readString(out) : "";
    return new Ended(process.exitValue(), printed, Files.readString(err));
  }

  private static void oneLine(String words, String text) {
    assertEquals(1, text.lines().count(), text);
    assertTrue(text.startsWith("parhelion: "), text);
    assertTrue(text.contains(words), text);
  }

  @Test
  void anEmptyEnvironmentIsEnough() throws Exception {
    ProcessBuilder builder = parhelion("demo", "--batch");
    builder.environment().clear();
    Ended ended = run(builder);
    assertEquals("", ended.err);
    assertEquals(ExitStatus.OK, ended.status);
    assertTrue(ended.out.contains("The tour is over."), ended.out);
  }

  @Test
  void aFullDiskBehindStandardOutputEndsTheGuest() throws Exception {
    assumeTrue(FULL.exists());
    Ended ended = run(parhelion("demo", "--batch").redirectOutput(FULL));
    oneLine("standard output", ended.err);
    assertEquals(ExitStatus.FAILED, ended.status);
  }

  @Test
  void aFullDiskBehindJsonIsSaid() throws Exception {
    assumeTrue(FULL.exists());
    Ended ended = run(parhelion("demo", "--batch", "--json").redirectOutput(FULL));
    assertTrue(ended.err.stripTrailing().endsWith("the JSON is not whole"), ended.err);
    assertEquals(ExitStatus.FAILED, ended.status);
  }

  @Test
  void aFullDiskBehindLogAndTraceEndsTheseAlone() throws Exception {
    assumeTrue(FULL.exists());
    for (String option : List.of("--log", "--trace")) {
      Ended ended = run(parhelion("demo", "--batch", option, "/dev/full"));
      oneLine(option, ended.err);
      assertTrue(ended.out.contains("The tour is over."), ended.out);
      assertEquals(ExitStatus.FAILED, ended.status);
    }
  }

  @Test
  void aReaderWhoLeavesEndsTheGuest() throws Exception {
    Path err = directory.resolve("err");
    ProcessBuilder builder = parhelion("run", "--kernel", waitingForKeys(), "--timeout", "50");
    Process process =
        builder.redirectInput(ProcessBuilder.Redirect.PIPE).redirectError(err.toFile()).start();
    try (InputStream out = process.getInputStream()) {
      assertEquals('P', out.read());
    }
    // The pipe may have taken all of the tour before: a key makes the guest print more.
    try (OutputStream keys = process.getOutputStream()) {
      keys.write('t');
    } catch (IOException e) {
      // It has ended already.
    }
    Ended ended = ended(process, directory.resolve("none"), err);
    oneLine("standard output", ended.err);
    assertEquals(ExitStatus.FAILED, ended.status);
  }

  /** The tour's kernel, which waits for keys when it is not told to be a batch. */
  private String waitingForKeys() throws IOException {
    return Files.write(directory.resolve("waits-for-keys"), BadInputTest.tour()).toString();
  }

  /** The tour's kernel, whose first instruction jumps to itself. */
  private String spinning() throws IOException {
    byte[] elf = BadInputTest.tour();
    int text = 0x1000; // the file offset of the first segment, and of the entry point
    elf[text] = (byte) 0xeb;
    elf[text + 1] = (byte) 0xfe;
    return Files.write(directory.resolve("spinning"), elf).toString();
  }

  @Test
  void theTimeoutEndsAGuestThatSpins() throws Exception {
    Ended ended = run(parhelion("run", "--kernel", spinning(), "--timeout", "0.5"));
    oneLine("--timeout ran out", ended.err);
    assertEquals(ExitStatus.TIMED_OUT, ended.status);
  }

  @Test
  void aGuestThatAlwaysCrashesIsNotBootedForEver() throws Exception {
    byte[] elf = BadInputTest.tour();
    elf[0x1000] = 0x0f; // ud2, without a handler
    elf[0x1001] = 0x0b;
    String kernel = Files.write(directory.resolve("crashing"), elf).toString();
    Ended ended = run(parhelion("run", "--kernel", kernel, "--on-crash", "restart"));
    assertTrue(ended.err.contains("not booted again"), ended.err);
    assertEquals(ExitStatus.GUEST_CRASHED, ended.status);
  }

  /**
   * Has signals end a process even if they are ignored here, as SIGINT is in what a shell runs in
   * the background: a JVM that is started so ignores it too. No change where env cannot do it.
   */
  static void defaultSignals(ProcessBuilder builder) throws Exception {
    within(builder, "env", "--default-signal=HUP,INT,TERM");
  }

  /** Has a command that runs others run this one; false, and no change, where it does not work. */
  private static boolean within(ProcessBuilder builder, String... prefix) throws Exception {
    List<String> line = new ArrayList<>(List.of(prefix));
    line.add("true");
    Process tried;
    try {
      tried =
          new ProcessBuilder(line)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
    } catch (IOException e) {
      return false; // there is no such command
    }
    boolean works = tried.waitFor() == 0;
    if (works) {
      line.removeLast();
      line.addAll(builder.command());
      builder.command(line);
    }
    return works;
  }

  @Test
  void signalsEndItWithTheirUsualStatus() throws Exception {
    assumeTrue(new File("/bin/kill").exists());
    String kernel = waitingForKeys();
    for (String signal : List.of("TERM", "INT")) {
      Path err = directory.resolve("err-" + signal);
      ProcessBuilder builder = parhelion("run", "--kernel", kernel, "--timeout", "50");
      defaultSignals(builder);
      Process process = builder.redirectError(err.toFile()).start();
      try (InputStream out = process.getInputStream()) {
        assertEquals('P', out.read(), "the guest runs when it prints");
        new ProcessBuilder("/bin/kill", "-" + signal, "" + process.pid()).start().waitFor();
        out.transferTo(OutputStream.nullOutputStream());
      }
      Ended ended = ended(process, directory.resolve("none"), err);
      assertEquals(signal.equals("TERM") ? 143 : 130, ended.status, ended.err);
      assertEquals("", ended.err);
    }
  }

  @Test
  void aCacheThatCannotBeWrittenIsDoneWithout() throws Exception {
    byte[] elf = BadInputTest.tour();
    Path packed = directory.resolve("packed");
    try (var out = new java.util.zip.GZIPOutputStream(Files.newOutputStream(packed))) {
      out.write(elf);
    }
    Path file = Files.writeString(directory.resolve("file"), "in the way", StandardCharsets.UTF_8);
    for (String cache : List.of(file.toString(), "/proc/none", "relative", "")) {
      ProcessBuilder builder =
          parhelion("run", "--kernel", packed.toString(), "--append", "batch", "--timeout", "40");
      builder.environment().put("XDG_CACHE_HOME", cache);
      builder.environment().put("HOME", "/proc/none");
      Ended ended = run(builder);
      assertEquals("", ended.err, cache);
      assertTrue(ended.out.contains("The tour is over."), ended.out);
      assertEquals(ExitStatus.OK, ended.status);
    }
  }

  /** Whoever may read everything, as root may, runs it without the capabilities that say so. */
  private ProcessBuilder unprivileged(Path unreadable, String... args) throws Exception {
    ProcessBuilder builder = parhelion(args);
    if (Files.isReadable(unreadable)) {
      String less = "-dac_override,-dac_read_search";
      boolean works = within(builder, "setpriv", "--inh-caps=" + less, "--bounding-set=" + less);
      assumeTrue(works, "root may read everything, and setpriv cannot take that away here");
    }
    return builder;
  }

  @Test
  void whatMayNotBeReadOrWrittenIsNamed() throws Exception {
    String kernel = waitingForKeys();
    String tree = Files.createDirectory(directory.resolve("tree")).toString();
    Path secret = Files.write(Path.of(tree, "secret"), BadInputTest.tour());
    Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("---------"));
    Path readOnly = Files.writeString(directory.resolve("read-only"), "");
    Files.setPosixFilePermissions(readOnly, PosixFilePermissions.fromString("r--r--r--"));
    Path closed = Files.createDirectory(directory.resolve("closed"));
    String within = Files.write(closed.resolve("kernel"), BadInputTest.tour()).toString();
    Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("---------"));
    try {
      String denied = ": permission denied";
      refused(secret, secret + denied, "run", "--kernel", secret.toString());
      refused(secret, within + denied, "run", "--kernel", within);
      refused(secret, secret + denied, "run", "--kernel", kernel, "--initrd", secret.toString());
      refused(secret, secret + ")" + denied, "run", "--kernel", kernel, "--initrd", tree);
      refused(secret, "--log", "run", "--kernel", kernel, "--log", readOnly.toString());
      refused(secret, "--trace", "run", "--kernel", kernel, "--trace", readOnly.toString());
      refused(secret, secret + " may not be executed", "exec", secret.toString());
    } finally {
      Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
  }

  private void refused(Path unreadable, String named, String... args) throws Exception {
    Ended ended = run(unprivileged(unreadable, args));
    oneLine(named, ended.err);
    assertEquals(ExitStatus.FAILED, ended.status);
  }
}
