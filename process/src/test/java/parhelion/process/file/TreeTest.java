package parhelion.process.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import parhelion.process.Errno;
import parhelion.process.LinuxError;

/** No path leads out of the root, whatever links, dots and races there are. */
@EnabledOnOs(OS.LINUX)
final class TreeTest {
  @TempDir Path directory;
  private Path root;
  private Tree tree;

  @BeforeEach
  void makeRoot() throws IOException {
    root = Files.createDirectory(directory.resolve("root"));
    Files.writeString(directory.resolve("secret"), "secret");
    Files.createDirectories(root.resolve("a/b"));
    Files.writeString(root.resolve("a/b/file"), "inside");
    HostNode node = HostNode.mount(root.toString(), false);
    tree = new Tree(node::borrowed);
  }

  private String read(String path) {
    try (Tree.Place place = tree.resolve("/", path, true)) {
      OpenFile file = place.node().open(0);
      try {
        byte[] content = new byte[100];
        int n = file.read(content, 100);
        return new String(content, 0, n, StandardCharsets.ISO_8859_1);
      } finally {
        file.release();
      }
    }
  }

  private int errno(String path) {
    return assertThrows(LinuxError.class, () -> read(path)).errno;
  }

  @Test
  void dotsStopAtTheRoot() {
    assertEquals(Errno.ENOENT, errno("../secret"));
    assertEquals(Errno.ENOENT, errno("/../../../../../../secret"));
    assertEquals(Errno.ENOENT, errno("a/b/../../../secret"));
    assertEquals("inside", read("../../a/./b//../b/file"));
  }

  @Test
  void linksAreResolvedInsideTheRoot() throws IOException {
    Files.createSymbolicLink(root.resolve("up"), Path.of("../secret"));
    Files.createSymbolicLink(root.resolve("absolute"), directory.resolve("secret"));
    Files.createSymbolicLink(root.resolve("a/dir"), Path.of("../.."));
    Files.createSymbolicLink(root.resolve("good"), Path.of("/a/b/file"));
    assertEquals(Errno.ENOENT, errno("up"));
    assertEquals(Errno.ENOENT, errno("absolute"));
    assertEquals(Errno.ENOENT, errno("a/dir/secret"));
    assertEquals("inside", read("good"));
  }

  @Test
  void linksThatGoInCirclesAreELOOP() throws IOException {
    Files.createSymbolicLink(root.resolve("x"), Path.of("y"));
    Files.createSymbolicLink(root.resolve("y"), Path.of("x"));
    assertEquals(Errno.ELOOP, errno("x"));
  }

  @Test
  void aFileIsNoDirectory() {
    assertEquals(Errno.ENOTDIR, errno("a/b/file/"));
    assertEquals(Errno.ENOTDIR, errno("a/b/file/.."));
    assertEquals(Errno.ENOENT, errno(""));
    assertEquals(Errno.ENAMETOOLONG, errno("n".repeat(256)));
  }

  @Test
  void theHostsProcIsADoorAndStaysShut() throws IOException {
    HostNode node = HostNode.mount("/", false);
    Tree all = new Tree(node::borrowed);
    LinuxError error =
        assertThrows(LinuxError.class, () -> all.resolve("/", "/proc/self/root", true).close());
    assertEquals(Errno.EACCES, error.errno);
  }

  @Test
  void devicesAndPipesOfTheHostAreNotOpened() throws Exception {
    Process made = new ProcessBuilder("mkfifo", root.resolve("fifo").toString()).start();
    assertEquals(0, made.waitFor());
    assertEquals(Errno.ENXIO, errno("fifo"));
  }

  @Test
  void aReadOnlyMountRefusesEveryChange() {
    try (Tree.Place place = tree.resolve("/", "a/b/file", true)) {
      Node parent = place.directory();
      Node file = place.node();
      assertErofs(() -> file.open(OpenFile.O_WRONLY));
      assertErofs(() -> file.open(OpenFile.O_TRUNC));
      assertErofs(() -> parent.create("new", OpenFile.O_RDWR, 0644));
      assertErofs(() -> parent.makeDirectory("new", 0755));
      assertErofs(() -> parent.makeLink("new", "x"));
      assertErofs(() -> parent.remove("file", false));
      assertErofs(() -> parent.rename("file", parent, "new", 0));
      assertErofs(() -> parent.linkTo("file", parent, "new"));
      assertErofs(() -> file.changeMode(0777));
      assertErofs(() -> file.changeOwner(1, 1));
      assertErofs(() -> file.changeTimes(0, 0));
      assertErofs(() -> file.checkAccess(2));
    }
  }

  private static void assertErofs(Runnable action) {
    assertEquals(Errno.EROFS, assertThrows(LinuxError.class, action::run).errno);
  }

  @Test
  void mountsShowThemselvesInListings() {
    tree.mount("/dev", () -> Synthetic.directory(1, java.util.Map::of));
    tree.mount("/x/y", () -> Synthetic.text(2, () -> "mounted"));
    assertEquals(java.util.List.of("dev", "x"), java.util.List.copyOf(tree.mountedIn("/")));
    assertEquals("mounted", read("/x/../x/y"));
    tree.hide("/dev");
    assertEquals(java.util.List.of("x"), java.util.List.copyOf(tree.mountedIn("/")));
  }

  /** A directory on the way is swapped for a link that leads out, again and again. */
  @Test
  @Timeout(120)
  void aRaceWithALinkDoesNotLeadOut() throws Exception {
    Path real = Files.createDirectory(root.resolve("swap"));
    Files.writeString(real.resolve("secret"), "inside");
    Path link = root.resolve("link");
    AtomicBoolean stop = new AtomicBoolean();
    AtomicInteger swaps = new AtomicInteger();
    Thread swapper =
        new Thread(
            () -> {
              try {
                while (!stop.get()) {
                  Files.deleteIfExists(link);
                  Files.createSymbolicLink(link, directory);
                  Path away = root.resolve("away");
                  Files.move(real, away, StandardCopyOption.ATOMIC_MOVE);
                  Files.move(link, real, StandardCopyOption.ATOMIC_MOVE);
                  Files.delete(real);
                  Files.move(away, real, StandardCopyOption.ATOMIC_MOVE);
                  swaps.incrementAndGet();
                }
              } catch (IOException e) {
                throw new AssertionError(e);
              }
            });
    swapper.start();
    boolean seen = false;
    // However the host shares out its processors, both have had their turns in the end.
    for (int i = 0; i < 5_000 || !seen || swaps.get() < 100; i++) {
      assertTrue(swapper.isAlive());
      try {
        String content = read("swap/secret");
        assertFalse(content.equals("secret"), "read from outside the root");
        seen |= content.equals("inside");
      } catch (LinuxError e) {
        assertTrue(e.errno < 134, e.getMessage());
      }
    }
    stop.set(true);
    swapper.join();
  }
}
