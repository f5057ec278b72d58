package parhelion.toolstack.guest;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import parhelion.cpu.CpuModel;
import parhelion.cpu.Engine;
import parhelion.toolstack.steward.CommandSpec;
import parhelion.toolstack.steward.GuestShell;
import parhelion.toolstack.steward.GuestShell.Result;
import parhelion.toolstack.steward.RunningCommand;

/** Commands and files in one real guest, whose built-in initramfs has the steward. */
@Tag("boot")
@Timeout(value = 20, unit = TimeUnit.MINUTES)
@DisabledIfSystemProperty(named = Engine.PROPERTY, matches = "interpreter")
final class GuestShellTest {
  private static final int SIGINT = 2;
  private static final long SEED = Long.getLong("parhelion.seed", 1);

  private static RunningGuest guest;

  @TempDir Path directory;

  @BeforeAll
  static void boot() {
    guest = DebianKernelsTest.boot("linux-image-cloud-amd64", 1, CpuModel.V2);
  }

  @AfterAll
  static void end() throws IOException {
    if (guest != null) {
      guest.close();
    }
  }

  private static GuestShell shell() throws InterruptedException {
    return guest.commands();
  }

  private static CommandSpec command(String directory, String user, String... arguments) {
    return new CommandSpec(List.of(arguments), Map.of(), directory, user, null);
  }

  private static Result run(CommandSpec spec) throws Exception {
    return shell().exec(spec, InputStream.nullInputStream());
  }

  @Test
  void aCommandHasAStatusAndTwoOutputs() throws Exception {
    Result result = shell().sh("echo out; echo err >&2; exit 3");
    assertEquals(3, result.status());
    assertEquals("out\n", result.out());
    assertEquals("err\n", result.err());
    assertEquals(137, shell().sh("kill -9 $$").status());
  }

  @Test
  void aCommandHasItsEnvironmentDirectoryAndUser() throws Exception {
    assertEquals("/tmp\n", run(command("/tmp", "", "pwd")).out());
    assertEquals("uid=1000 gid=5\n", run(command("", "1000:5", "id")).out());
    assertEquals("uid=0 gid=0(root)\n", run(command("", "root", "id")).out());
    CommandSpec spec =
        new CommandSpec(List.of("sh", "-c", "echo $A-$HOME"), Map.of("A", "b c"), "", "", null);
    assertEquals("b c-/root\n", run(spec).out());
  }

  @Test
  void whatCannotBeStartedSaysWhy() throws Exception {
    assertFailure("no-such-program: no such file or directory", command("", "", "no-such-program"));
    assertFailure("/etc/passwd: permission denied", command("", "", "/etc/passwd"));
    assertFailure("/nowhere: no such file or directory", command("/nowhere", "", "true"));
    assertFailure("there is no such user", command("", "nobody-here", "true"));
  }

  private static void assertFailure(String words, CommandSpec spec) {
    IOException e = assertThrows(IOException.class, () -> run(spec));
    assertEquals(words, e.getMessage());
  }

  @Test
  void bytesPassUnchangedBothWaysWhateverTheyAre() throws Exception {
    byte[] bytes = new byte[700_001];
    new Random(SEED).nextBytes(bytes);
    Result result = shell().exec(CommandSpec.of("cat"), new ByteArrayInputStream(bytes));
    assertArrayEquals(bytes, result.stdout());
    assertEquals(0, result.status());
  }

  @Test
  void aCommandThatReadsNothingEndsNevertheless() throws Exception {
    InputStream endless =
        new InputStream() {
          @Override
          public int read() {
            return 'x';
          }
        };
    assertEquals(7, shell().exec(CommandSpec.of("sh", "-c", "exit 7"), endless).status());
  }

  @Test
  void twentyRunAtOnceAndAStalledOneHoldsUpNobody() throws Exception {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor();
        RunningCommand stalled = guest.steward().start(CommandSpec.of("yes"));
        RunningCommand deaf = guest.steward().start(CommandSpec.of("sleep", "1000"))) {
      assertEquals('y', stalled.stdout().read());
      CompletableFuture<?> feeding =
          CompletableFuture.runAsync(
              () -> {
                try {
                  deaf.stdin().write(new byte[1 << 20]);
                } catch (IOException e) {
                  // It ends with its command.
                }
              },
              threads);
      List<CompletableFuture<Result>> all = new ArrayList<>();
      for (int i = 0; i < 18; i++) {
        String script = "read x; echo " + i + " $x; exit " + i;
        InputStream input = new ByteArrayInputStream("word\n".getBytes(StandardCharsets.UTF_8));
        CommandSpec spec = CommandSpec.of("sh", "-c", script);
        GuestShell shell = shell();
        all.add(CompletableFuture.supplyAsync(() -> exec(shell, spec, input), threads));
      }
      for (int i = 0; i < all.size(); i++) {
        assertEquals(i + " word\n", all.get(i).join().out());
        assertEquals(i, all.get(i).join().status());
      }
      assertFalse(stalled.exit().isDone());
      assertFalse(feeding.isDone());
    }
  }

  private static Result exec(GuestShell shell, CommandSpec spec, InputStream input) {
    try {
      return shell.exec(spec, input);
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void signalsArriveAndAClosedCommandEnds() throws Exception {
    String script = "trap 'exit 42' INT; echo ready; while :; do sleep 0.1; done";
    try (RunningCommand command = guest.steward().start(CommandSpec.of("sh", "-c", script))) {
      assertEquals('r', command.stdout().read());
      command.signal(SIGINT);
      assertEquals(42, command.await().status());
    }
    String stubborn = "trap '' HUP TERM INT; echo ready; while :; do sleep 0.1; done";
    RunningCommand command = guest.steward().start(CommandSpec.of("sh", "-c", stubborn));
    assertEquals('r', command.stdout().read());
    command.close();
    assertEquals(137, command.await().status());
  }

  @Test
  void aTerminalHasItsSizeAndCanChangeIt() throws Exception {
    CommandSpec.Size size = new CommandSpec.Size(33, 99);
    String script = "trap 'stty size; exit 5' WINCH; tty; stty size; while :; do sleep 0.1; done";
    CommandSpec spec = new CommandSpec(List.of("sh", "-c", script), Map.of(), "", "", size);
    try (RunningCommand command = guest.steward().start(spec)) {
      byte[] first = command.stdout().readNBytes("/dev/pts/0\r\n33 99\r\n".length());
      String text = new String(first, StandardCharsets.UTF_8);
      assertTrue(text.matches("/dev/pts/[0-9]\r\n33 99\r\n"), text);
      CompletableFuture<byte[]> rest =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return command.stdout().readAllBytes();
                } catch (IOException e) {
                  throw new IllegalStateException(e);
                }
              });
      command.resize(new CommandSpec.Size(40, 120));
      assertEquals(5, command.await().status());
      assertEquals("40 120\r\n", new String(rest.join(), StandardCharsets.UTF_8));
    }
  }

  @Test
  void filesDirectoriesLinksAndModesAreCopiedBothWays() throws Exception {
    Path source = directory.resolve("tree");
    Files.createDirectories(source.resolve("a/empty"));
    byte[] bytes = new byte[100_000];
    new Random(SEED).nextBytes(bytes);
    Files.write(source.resolve("a/bytes"), bytes);
    Files.write(source.resolve("nothing"), new byte[0]);
    Files.setPosixFilePermissions(
        source.resolve("nothing"), PosixFilePermissions.fromString("rwxr-x--x"));
    Files.createSymbolicLink(source.resolve("link"), Path.of("/etc/passwd"));
    FileTime time = FileTime.from(Instant.ofEpochSecond(1_000_000_007));
    Files.setLastModifiedTime(source.resolve("a/bytes"), time);
    Files.setPosixFilePermissions(
        source.resolve("a"), PosixFilePermissions.fromString("r-xr-xr-x"));

    shell().copyIn(source, "/tmp");
    String listed =
        shell().sh("cd /tmp/tree; stat -c '%n %A %u %s' nothing a a/bytes; readlink link").out();
    assertEquals(
        "nothing -rwxr-x--x 0 0\na dr-xr-xr-x 0 80\na/bytes -rw-r--r-- 0 100000\n/etc/passwd\n",
        listed);

    Path back = directory.resolve("back");
    shell().copyOut("/tmp/tree", back);
    assertArrayEquals(bytes, Files.readAllBytes(back.resolve("a/bytes")));
    assertEquals(time, Files.getLastModifiedTime(back.resolve("a/bytes")));
    assertTrue(Files.isDirectory(back.resolve("a/empty")));
    assertEquals(Path.of("/etc/passwd"), Files.readSymbolicLink(back.resolve("link")));
    assertEquals(
        "rwxr-x--x",
        PosixFilePermissions.toString(Files.getPosixFilePermissions(back.resolve("nothing"))));

    shell().copyOut("/proc/version", directory); // its size is 0 to those who ask
    assertTrue(Files.readString(directory.resolve("version")).startsWith("Linux version"));
    for (Path each : List.of(source, back)) { // so that whoever is not root can delete them
      Files.setPosixFilePermissions(
          each.resolve("a"), PosixFilePermissions.fromString("rwxr-xr-x"));
    }
  }

  @Test
  void copiesThatCannotBeMadeSayWhy() throws Exception {
    Path file = Files.writeString(directory.resolve("file"), "text");
    IOException out =
        assertThrows(IOException.class, () -> shell().copyOut("/nothing/here", directory));
    assertEquals("/nothing/here: no such file or directory", out.getMessage());
    IOException in = assertThrows(IOException.class, () -> shell().copyIn(file, "/nothing/here"));
    assertTrue(in.getMessage().startsWith("/nothing/here: no such file or dir"), in.getMessage());
    IOException many =
        assertThrows(IOException.class, () -> shell().copyIn(List.of(file, file), "/etc/passwd"));
    assertEquals("/etc/passwd: is not a directory", many.getMessage());
    assertFalse(Files.exists(directory.resolve("here"), LinkOption.NOFOLLOW_LINKS));
  }

  @Test
  void aStewardThatIsKilledComesBackAndItsCommandsFail() throws Exception {
    RunningCommand command = guest.steward().start(CommandSpec.of("sleep", "1000"));
    IOException killed =
        assertThrows(IOException.class, () -> shell().sh("kill -9 $PPID; sleep 1000"));
    assertEquals("the guest's steward has started over", killed.getMessage());
    assertThrows(IOException.class, command::await);
    assertEquals("alive\n", shell().sh("echo alive").out());
  }

  @Test
  void theSessionOnTheConsoleIsNotDisturbed() throws Exception {
    assertNotNull(shell().sh("true"));
    guest.type("echo con''sole\r");
    guest.await("console");
  }
}
