package parhelion.media.share;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static parhelion.media.share.NinePClient.ROOT;
import static parhelion.media.share.NinePClient.errno;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever names, links and races a client plays, it sees nothing outside of its directory. */
class ConfinementTest {
  private static final String SECRET = "the host's secret";

  @TempDir Path host;
  private Path shared;
  private Path outside;
  private HostTree tree;
  private NinePClient client;

  @BeforeEach
  void open() throws IOException {
    assumeTrue(HostTree.isAvailable());
    shared = Files.createDirectory(host.resolve("shared"));
    outside = Files.createDirectory(host.resolve("outside"));
    Files.writeString(outside.resolve("secret"), SECRET);
    tree = HostTree.open(shared, Ownership.USER_IS_ROOT, false);
    client = NinePClient.attached(tree, 0);
  }

  @AfterEach
  void close() throws IOException {
    if (client == null) {
      return;
    }
    client.close();
    tree.close();
    assertEquals(SECRET, Files.readString(outside.resolve("secret")));
    try (var list = Files.list(outside)) {
      assertEquals(1, list.count());
    }
  }

  @Test
  void namesThatAreWaysAreNoNames() {
    for (String name :
        List.of("../outside", "/etc/passwd", "a/b", "/", "../", "", "./..", "..\0", "a\0/")) {
      int errno = errno(() -> client.walk(ROOT, 1, name));
      assertTrue(errno == LinuxErrno.ENOENT || errno == LinuxErrno.EINVAL, name);
    }
    for (String name : List.of(".", "..", "../x", "/x", "")) {
      List<Runnable> makings =
          List.of(
              () -> client.mkdir(ROOT, name, 0755, 0),
              () -> client.create(ROOT, name, 0102, 0644, 0),
              () -> client.symlink(ROOT, name, "x"),
              () -> client.mknod(ROOT, name, 010644, 0, 0, 0),
              () -> client.link(ROOT, ROOT, name),
              () -> client.renameat(ROOT, name, ROOT, "y"),
              () -> client.renameat(ROOT, "y", ROOT, name),
              () -> client.unlinkat(ROOT, name, 0x200));
      for (Runnable making : makings) {
        int errno = errno(making);
        assertTrue(errno == LinuxErrno.ENOENT || errno == LinuxErrno.EINVAL, name);
      }
    }
  }

  @Test
  void linksAreLookedAtAndNeverFollowed() {
    for (String target :
        List.of("../outside", outside.toString(), "/", "..", "/proc/self/root", "/proc/self/cwd")) {
      client.symlink(ROOT, "link", target);
      assertEquals(1, client.walk(ROOT, 1, "link"));
      assertEquals(0120777, client.stat(1).mode());
      assertEquals(LinuxErrno.ENOTDIR, errno(() -> client.walk(1, 2, "secret")));
      assertEquals(1, client.walk(ROOT, 2, "link", "secret"), "and no further");
      assertEquals(LinuxErrno.EOPNOTSUPP, errno(() -> client.open(1, 0)));
      assertEquals(LinuxErrno.EOPNOTSUPP, errno(() -> client.open(1, 01002)));
      assertEquals(LinuxErrno.ELOOP, errno(() -> client.create(ROOT, "link", 01102, 0644, 0)));
      assertEquals(LinuxErrno.EINVAL, errno(() -> client.setattr(1, 0x8, 0, 0, 0, 0)));
      assertEquals(LinuxErrno.ENOTDIR, errno(() -> client.mkdir(1, "new", 0755, 0)));
      assertEquals(LinuxErrno.ENOTDIR, errno(() -> client.create(1, "new", 0102, 0644, 0)));
      assertEquals(LinuxErrno.ENOTDIR, errno(() -> client.unlinkat(1, "secret", 0)));
      assertEquals(LinuxErrno.EOPNOTSUPP, errno(() -> client.attribute(1, 3, "user.x")));
      client.clunk(1);
      client.unlinkat(ROOT, "link", 0);
    }
  }

  @Test
  void aChangeOfALinkDoesNotReachItsTarget() throws IOException {
    Path secret = outside.resolve("secret");
    Object mode = Files.getAttribute(secret, "unix:mode");
    Object time = Files.getLastModifiedTime(secret);
    client.symlink(ROOT, "link", secret.toString());
    client.walk(ROOT, 1, "link");
    try {
      client.setattr(1, 0x1, 0777, 0, 0, 0);
    } catch (NinePClient.Refused e) {
      assertEquals(LinuxErrno.EOPNOTSUPP, e.errno);
    }
    client.setattr(1, 0x1b0, 0, 0, 0, 0, 1, 1);
    client.setattr(1, 0x6, 0, 0, 0, 0);
    assertEquals(mode, Files.getAttribute(secret, "unix:mode"));
    assertEquals(time, Files.getLastModifiedTime(secret));
    client.link(ROOT, 1, "second");
    client.walk(ROOT, 2, "second");
    assertEquals(secret.toString(), client.readlink(2), "another name of the link itself");
  }

  @Test
  void aDirectoryThatIsMovedOutDoesNotTakeTheClientWithIt() throws IOException {
    Files.createDirectories(shared.resolve("a/b"));
    client.walk(ROOT, 1, "a", "b");
    Files.move(shared.resolve("a"), host.resolve("moved"));
    assertEquals(2, client.walk(1, 2, "..", ".."));
    assertEquals(client.stat(ROOT).inode(), client.stat(2).inode());
    assertEquals(4, client.walk(1, 3, "..", "..", "..", ".."));
    assertEquals(client.stat(ROOT).inode(), client.stat(3).inode());
    assertEquals(LinuxErrno.ENOENT, errno(() -> client.walk(3, 4, "outside")));
  }

  /** A name that is a directory and a link out by turns, as fast as the host allows. */
  @Test
  void noRaceOfDirectoriesAndLinksLeadsOut() throws Exception {
    Files.createDirectory(shared.resolve("real"));
    Files.writeString(shared.resolve("real/secret"), "ours");
    Files.createSymbolicLink(shared.resolve("evil"), outside);
    Files.createDirectory(shared.resolve("name"));
    Files.writeString(shared.resolve("name/secret"), "ours");
    AtomicBoolean stop = new AtomicBoolean();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Thread swapper =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    while (!stop.get()) {
                      Files.move(shared.resolve("name"), shared.resolve("parked"));
                      Files.move(shared.resolve("evil"), shared.resolve("name"));
                      Files.move(shared.resolve("name"), shared.resolve("evil"));
                      Files.move(shared.resolve("parked"), shared.resolve("name"));
                    }
                  } catch (IOException e) {
                    failure.set(e);
                  }
                });
    int reads = 0;
    int refusals = 0;
    try {
      for (int i = 0; i < 20000; i++) {
        reads += attempt(i) ? 1 : 0;
        refusals = i + 1 - reads;
      }
    } finally {
      stop.set(true);
      swapper.join();
    }
    assertEquals(null, failure.get());
    assertTrue(reads > 0, "the directory was met");
    assertTrue(refusals > 0, "and the swap, too");
  }

  /** Reads or writes through the name; whether it was there. */
  private boolean attempt(int i) {
    try {
      if (client.walk(ROOT, 1, "name", "secret") < 2) {
        return false;
      }
    } catch (NinePClient.Refused e) {
      return false;
    }
    try {
      client.open(1, 2);
      assertEquals("ours", new String(client.read(1, 0, 100), UTF_8));
      client.write(1, 0, "ours".getBytes(UTF_8));
      if (client.walk(ROOT, 2, "name") == 1) {
        make("new-" + i);
        client.clunk(2);
      }
    } catch (NinePClient.Refused e) {
      // It was swapped between.
    } finally {
      client.clunk(1);
    }
    return true;
  }

  private void make(String name) {
    try {
      client.mkdir(2, name, 0755, 0);
      client.unlinkat(2, name, 0x200);
    } catch (NinePClient.Refused e) {
      client.clunk(2);
      throw e;
    }
  }

  @Test
  void specialFilesOfTheHostAreNotOpened() throws Exception {
    Process made = new ProcessBuilder("mkfifo", shared.resolve("fifo").toString()).start();
    assumeTrue(made.waitFor() == 0);
    client.walk(ROOT, 1, "fifo");
    assertEquals(LinuxErrno.EOPNOTSUPP, errno(() -> client.open(1, 0)));
    assertEquals(LinuxErrno.EOPNOTSUPP, errno(() -> client.open(1, 1)));
    client.walk(ROOT, 2);
    assertEquals(LinuxErrno.EOPNOTSUPP, errno(() -> client.create(2, "fifo", 0101, 0644, 0)));
    assertEquals(LinuxErrno.EINVAL, errno(() -> client.setattr(1, 0x8, 0, 0, 0, 0)));
    assertFalse(Files.isRegularFile(shared.resolve("fifo")));
  }
}
