package parhelion.media.share;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static parhelion.media.share.NinePClient.ROOT;
import static parhelion.media.share.NinePClient.errno;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import parhelion.media.share.NinePClient.Entry;
import parhelion.media.share.NinePClient.Stat;

/** Every request of 9P2000.L against a host directory. */
class HostTreeTest {
  @TempDir Path directory;
  private HostTree tree;
  private NinePClient client;

  @BeforeEach
  void open() throws IOException {
    assumeTrue(HostTree.isAvailable());
    tree = HostTree.open(directory, Ownership.USER_IS_ROOT, false);
    client = NinePClient.attached(tree, 0);
  }

  @AfterEach
  void close() {
    if (client != null) {
      int before = Descriptors.used();
      client.close();
      tree.close();
      assertTrue(Descriptors.used() < before, "descriptors are given back");
      assertEquals(0, Descriptors.used(), "all of them");
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  @Test
  void aFileIsCreatedWrittenReadAndRemoved() throws IOException {
    client.walk(ROOT, 1);
    client.create(1, "new", 0102, 0640, 0);
    assertEquals(5, client.write(1, 0, bytes("hello")));
    assertEquals(1, client.write(1, 5, bytes("!")));
    assertEquals("ello!", new String(client.read(1, 1, 100), UTF_8));
    assertEquals(0, client.read(1, 6, 100).length);
    client.fsync(1);
    assertEquals("hello!", Files.readString(directory.resolve("new")));
    assertEquals(
        "rw-r-----",
        PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve("new"))));
    Stat stat = client.stat(1);
    assertEquals(0100640, stat.mode());
    assertEquals(0, stat.uid());
    assertEquals(6, stat.size());
    client.unlinkat(ROOT, "new", 0);
    assertFalse(Files.exists(directory.resolve("new")));
    assertEquals("hello!", new String(client.read(1, 0, 100), UTF_8), "open, without a name");
    client.clunk(1);
    assertEquals(LinuxErrno.EBADF, errno(() -> client.read(1, 0, 1)));
  }

  @Test
  void createOpensWhatIsThereUnlessItMustBeNew() throws IOException {
    Files.writeString(directory.resolve("old"), "old");
    client.walk(ROOT, 1);
    client.create(1, "old", 0102, 0644, 0);
    assertEquals("old", new String(client.read(1, 0, 10), UTF_8));
    client.walk(ROOT, 2);
    assertEquals(LinuxErrno.EEXIST, errno(() -> client.create(2, "old", 0302, 0644, 0)));
    client.create(2, "old", 01102, 0644, 0);
    assertEquals(0, client.stat(2).size(), "truncated");
  }

  @Test
  void aWalkOfSeveralNamesStopsWhereTheWayEnds() throws IOException {
    Files.createDirectories(directory.resolve("a/b"));
    assertEquals(2, client.walk(ROOT, 1, "a", "b"));
    assertEquals(1, client.walk(ROOT, 2, "a", "none", "c"));
    assertEquals(LinuxErrno.EBADF, errno(() -> client.stat(2)), "no fid for half a way");
    assertEquals(LinuxErrno.ENOENT, errno(() -> client.walk(ROOT, 2, "none")));
    assertEquals(2, client.walk(ROOT, 3, "a", ".."));
    assertEquals(client.stat(ROOT).inode(), client.stat(3).inode());
    assertEquals(2, client.walk(ROOT, 4, "..", ".."));
    assertEquals(client.stat(ROOT).inode(), client.stat(4).inode(), "the root is its own parent");
    assertEquals(1, client.walk(1, 1, "."));
    assertEquals(LinuxErrno.EBADF, errno(() -> client.walk(ROOT, 1, "a")), "1 is in use");
    String[] many = new String[17];
    Arrays.fill(many, ".");
    assertEquals(LinuxErrno.EINVAL, errno(() -> client.walk(ROOT, 9, many)));
  }

  @Test
  void aDirectoryIsListedInPiecesOfAnySize() throws IOException {
    Set<String> names = new HashSet<>(List.of(".", ".."));
    for (int i = 0; i < 700; i++) {
      String name = "file-number-" + i;
      Files.createFile(directory.resolve(name));
      names.add(name);
    }
    for (int count : new int[] {300, 4000, 60000}) {
      client.walk(ROOT, 1);
      client.open(1, 0);
      List<Entry> entries = client.list(1, count);
      client.clunk(1);
      assertEquals(names.size(), entries.size());
      assertEquals(names, new HashSet<>(entries.stream().map(Entry::name).toList()));
    }
  }

  @Test
  void directoriesLinksAndNodesAreMade() throws IOException {
    client.mkdir(ROOT, "d", 0750, 0);
    client.walk(ROOT, 1, "d");
    assertEquals(040750, client.stat(1).mode());
    assertEquals(0x80, client.stat(1).qidType());
    client.symlink(1, "link", "../where/ever");
    client.walk(1, 2, "link");
    assertEquals("../where/ever", client.readlink(2));
    assertEquals(0120777, client.stat(2).mode());
    assertEquals(2, client.stat(2).qidType());
    client.mknod(1, "fifo", 010644, 0, 0, 0);
    client.walk(1, 3, "fifo");
    assertEquals(010644, client.stat(3).mode());
    assertEquals(LinuxErrno.EOPNOTSUPP, errno(() -> client.open(3, 0)), "no FIFO is opened");
    client.mknod(1, "socket", 0140666, 0, 0, 0);
    assertEquals(LinuxErrno.EPERM, errno(() -> client.mknod(1, "null", 020666, 1, 3, 0)));
    assertEquals(LinuxErrno.EINVAL, errno(() -> client.mknod(1, "file", 0100644, 0, 0, 0)));
    assertEquals(LinuxErrno.EEXIST, errno(() -> client.mkdir(ROOT, "d", 0755, 0)));
    assertEquals(LinuxErrno.ENOTEMPTY, errno(() -> client.unlinkat(ROOT, "d", 0x200)));
    assertEquals(LinuxErrno.EISDIR, errno(() -> client.unlinkat(ROOT, "d", 0)));
    assertEquals(LinuxErrno.EINVAL, errno(() -> client.unlinkat(ROOT, "d", 1)));
    for (String name : List.of("link", "fifo", "socket")) {
      client.unlinkat(1, name, 0);
    }
    client.unlinkat(ROOT, "d", 0x200);
    assertFalse(Files.exists(directory.resolve("d")));
    assertEquals(LinuxErrno.EINVAL, errno(() -> client.readlink(ROOT)));
  }

  @Test
  void filesAreLinkedAndMoved() throws IOException {
    Files.createDirectory(directory.resolve("d"));
    Files.writeString(directory.resolve("f"), "f");
    client.walk(ROOT, 1, "f");
    client.walk(ROOT, 2, "d");
    client.link(2, 1, "g");
    assertEquals(2, client.stat(1).links());
    client.renameat(2, "g", ROOT, "h");
    assertEquals("f", Files.readString(directory.resolve("h")));
    client.rename(1, 2, "moved");
    assertEquals("f", Files.readString(directory.resolve("d/moved")));
    assertFalse(Files.exists(directory.resolve("f")));
    client.walk(ROOT, 3, "h");
    client.remove(3);
    assertFalse(Files.exists(directory.resolve("h")));
    assertEquals(LinuxErrno.EBADF, errno(() -> client.stat(3)));
    assertEquals(LinuxErrno.EBUSY, errno(() -> client.rename(ROOT, 2, "root")));
    assertEquals(LinuxErrno.EINVAL, errno(() -> client.renameat(ROOT, "d", 2, "loop")));
  }

  @Test
  void attributesAreSet() throws IOException {
    Path file = directory.resolve("f");
    Files.writeString(file, "0123456789");
    client.walk(ROOT, 1, "f");
    client.setattr(1, 0x8, 0, 0, 0, 4);
    assertEquals("0123", Files.readString(file));
    client.setattr(1, 0x1, 0600, 0, 0, 0);
    assertEquals(0100600, client.stat(1).mode());
    client.setattr(1, 0x1, 06755, 0, 0, 0);
    assertEquals(0100755, client.stat(1).mode(), "nobody runs as somebody else on the host");
    client.setattr(1, 0x1b0, 0, 0, 0, 0, 1234567890, 123456789);
    assertEquals(
        1234567890L, Files.getLastModifiedTime(file).toInstant().getEpochSecond(), "seconds");
    assertEquals(123456789, Files.getLastModifiedTime(file).toInstant().getNano());
    client.setattr(1, 0x6, 0, 0, 0, 0);
    assertEquals(LinuxErrno.EINVAL, errno(() -> client.setattr(ROOT, 0x8, 0, 0, 0, 4)));
    assertEquals(LinuxErrno.EINVAL, errno(() -> client.setattr(1, 0x8, 0, 0, 0, -4)));
    client.symlink(ROOT, "l", "f");
    client.walk(ROOT, 2, "l");
    client.setattr(2, 0x1b0, 0, 0, 0, 0, 1, 1);
    assertEquals(1234567890L, Files.getLastModifiedTime(file).toInstant().getEpochSecond());
    assertEquals(LinuxErrno.EINVAL, errno(() -> client.setattr(2, 0x8, 0, 0, 0, 0)));
  }

  @Test
  void namesOfAnyBytesAreKept() throws IOException {
    String name = "\u00e4\u00ff\n \\\"*?'$";
    client.walk(ROOT, 1);
    client.create(1, name, 0102, 0644, 0);
    client.walk(ROOT, 2, name);
    client.walk(ROOT, 3);
    client.open(3, 0);
    assertTrue(client.list(3, 4000).stream().anyMatch(e -> e.name().equals(name)));
    assertEquals(LinuxErrno.ENAMETOOLONG, errno(() -> client.walk(ROOT, 4, "x".repeat(256))));
    client.mkdir(ROOT, "x".repeat(255), 0755, 0);
    client.unlinkat(ROOT, name, 0);
  }

  @Test
  void extendedAttributesOfTheUserAreKept() throws IOException {
    client.walk(ROOT, 1);
    client.create(1, "f", 0102, 0644, 0);
    client.walk(ROOT, 2, "f");
    byte[] value = new byte[200];
    new Random(1).nextBytes(value);
    try {
      client.setAttribute(2, 5, "user.one", value, 1);
    } catch (NinePClient.Refused e) {
      assumeTrue(e.errno != LinuxErrno.EOPNOTSUPP, "no extended attributes here");
      throw e;
    }
    assertArrayEquals(value, client.attribute(2, 5, "user.one"));
    assertEquals("user.one\0", new String(client.attribute(2, 5, ""), ISO_8859_1));
    assertEquals(LinuxErrno.EEXIST, errno(() -> client.setAttribute(2, 6, "user.one", value, 1)));
    client.setAttribute(2, 5, "user.one", new byte[0], 2);
    assertEquals(LinuxErrno.ENODATA, errno(() -> client.attribute(2, 5, "user.one")));
    for (String hidden : List.of("security.capability", "trusted.overlay", "system.posix_acl")) {
      assertEquals(LinuxErrno.EOPNOTSUPP, errno(() -> client.attribute(2, 5, hidden)));
      assertEquals(LinuxErrno.EOPNOTSUPP, errno(() -> client.setAttribute(2, 7, hidden, value, 0)));
    }
  }

  @Test
  void aReadOnlyShareRefusesEveryChange() throws IOException {
    Files.writeString(directory.resolve("f"), "f");
    Files.createDirectory(directory.resolve("d"));
    try (HostTree readOnly = HostTree.open(directory, Ownership.USER_IS_ROOT, true);
        NinePClient c = NinePClient.attached(readOnly, 0)) {
      c.walk(ROOT, 1, "f");
      c.walk(ROOT, 2, "f");
      c.open(2, 0);
      assertEquals("f", new String(c.read(2, 0, 10), UTF_8));
      List<Runnable> changes =
          List.of(
              () -> c.open(1, 1),
              () -> c.open(1, 2),
              () -> c.open(1, 01000),
              () -> c.create(ROOT, "f", 0102, 0644, 0),
              () -> c.create(ROOT, "new", 0100, 0644, 0),
              () -> c.mkdir(ROOT, "new", 0755, 0),
              () -> c.mknod(ROOT, "new", 010644, 0, 0, 0),
              () -> c.symlink(ROOT, "new", "f"),
              () -> c.link(ROOT, 1, "new"),
              () -> c.renameat(ROOT, "f", ROOT, "g"),
              () -> c.rename(1, ROOT, "g"),
              () -> c.unlinkat(ROOT, "f", 0),
              () -> c.unlinkat(ROOT, "d", 0x200),
              () -> c.setattr(1, 0x1, 0600, 0, 0, 0),
              () -> c.setattr(1, 0x8, 0, 0, 0, 0),
              () -> c.setAttribute(1, 9, "user.x", new byte[1], 0));
      for (Runnable change : changes) {
        assertEquals(LinuxErrno.EROFS, errno(change));
      }
      assertEquals(LinuxErrno.EBADF, errno(() -> c.write(2, 0, bytes("x"))));
      assertEquals(LinuxErrno.EROFS, errno(() -> c.remove(1)));
    }
    assertEquals(Set.of("f", "d"), names());
    assertEquals("f", Files.readString(directory.resolve("f")));
  }

  private Set<String> names() throws IOException {
    try (var list = Files.list(directory)) {
      return new HashSet<>(list.map(p -> p.getFileName().toString()).toList());
    }
  }

  @Test
  void mappedFilesHaveTheOwnersModesAndDevicesThatTheGuestGaveThem() throws IOException {
    HostTree opened;
    try {
      opened = HostTree.open(directory, Ownership.MAPPED, false);
    } catch (IOException e) {
      assumeTrue(false, "no extended attributes here");
      throw e;
    }
    try (HostTree mapped = opened;
        NinePClient c = NinePClient.attached(mapped, 33)) {
      c.walk(ROOT, 1);
      c.create(1, "su", 0102, 04755, 44);
      Stat stat = c.stat(1);
      assertEquals(0104755, stat.mode());
      assertEquals(33, stat.uid());
      assertEquals(44, stat.gid());
      c.setattr(1, 0x6, 0, 1000, 1001, 0);
      assertEquals(1000, c.stat(1).uid());
      assertEquals(1001, c.stat(1).gid());
      c.setattr(1, 0x1, 02711, 0, 0, 0);
      assertEquals(0102711, c.stat(1).mode());
      c.mknod(ROOT, "sda", 060660, 8, 300, 6);
      c.walk(ROOT, 2, "sda");
      assertEquals(060660, c.stat(2).mode());
      assertEquals(Attributes.device(8, 300), c.stat(2).device());
      assertEquals(LinuxErrno.EOPNOTSUPP, errno(() -> c.open(2, 0)));
      assertTrue(Files.isRegularFile(directory.resolve("sda")));
      int mode = (int) Files.getAttribute(directory.resolve("su"), "unix:mode");
      assertEquals(0, mode & 07000, "no set-ID bit on the host");
      assertEquals(LinuxErrno.EOPNOTSUPP, errno(() -> c.attribute(1, 5, "user.virtfs.uid")));
      assertEquals(0, c.attribute(1, 5, "").length);
      c.mkdir(ROOT, "d", 0700, 5);
      c.walk(ROOT, 3, "d");
      assertEquals(040700, c.stat(3).mode());
      assertEquals(5, c.stat(3).gid());
    }
  }

  @Test
  void aClientThatHoldsTooMuchIsToldSo() throws IOException {
    Files.writeString(directory.resolve("f"), "f");
    int at = 1;
    int errno = 0;
    while (errno == 0 && at <= 70000) {
      try {
        client.walk(ROOT, at++, "f");
      } catch (NinePClient.Refused e) {
        errno = e.errno;
      }
    }
    assertEquals(LinuxErrno.EMFILE, errno);
    client.clunk(1);
    client.walk(ROOT, 1, "f");
  }

  @Test
  void valuesOfAttributesOnTheWayAreLimited() throws IOException {
    int at = 1;
    int errno = 0;
    while (errno == 0 && at < 1000) {
      int fid = at++;
      client.walk(ROOT, fid);
      ByteBuffer m = client.begin(32).putInt(fid).putShort((short) 6).put(bytes("user.a"));
      try {
        client.call(m.putLong(65536).putInt(0));
      } catch (NinePClient.Refused e) {
        errno = e.errno;
      }
    }
    assertEquals(LinuxErrno.ENOMEM, errno);
    assertEquals(LinuxErrno.EINVAL, errno(() -> client.clunk(1)), "a value that never came");
    client.walk(ROOT, 2000);
    ByteBuffer m = client.begin(32).putInt(2000).putShort((short) 6).put(bytes("user.a"));
    client.call(m.putLong(65536).putInt(0));
  }

  @Test
  void whatIsNoDirectoryIsNotShared() throws IOException {
    Path file = Files.createFile(directory.resolve("f"));
    assertThrows(IOException.class, () -> HostTree.open(file, Ownership.PASSTHROUGH, false));
    Path none = directory.resolve("none");
    IOException e =
        assertThrows(IOException.class, () -> HostTree.open(none, Ownership.PASSTHROUGH, false));
    assertEquals("there is no such directory", e.getMessage());
  }

  @Test
  void statfsAndLocksAreAnswered() throws IOException {
    ByteBuffer a = client.call(client.begin(8).putInt(ROOT));
    assertEquals(0x01021997, a.getInt());
    assertNotEquals(0, a.getInt());
    client.walk(ROOT, 1);
    client.create(1, "f", 0102, 0644, 0);
    ByteBuffer lock = client.begin(52).putInt(1).put((byte) 1).putInt(0).putLong(0).putLong(0);
    assertEquals(0, client.call(lock.putInt(7).putShort((short) 1).put((byte) 'c')).get());
    ByteBuffer ask = client.begin(54).putInt(1).put((byte) 1).putLong(3).putLong(4);
    ByteBuffer got = client.call(ask.putInt(7).putShort((short) 1).put((byte) 'c'));
    assertEquals(2, got.get());
    assertEquals(3, got.getLong());
    assertEquals(4, got.getLong());
    assertTrue(Files.isRegularFile(directory.resolve("f"), LinkOption.NOFOLLOW_LINKS));
  }
}
