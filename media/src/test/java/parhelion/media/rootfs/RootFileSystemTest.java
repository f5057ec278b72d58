package parhelion.media.rootfs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;
import parhelion.media.share.AttributeChange;
import parhelion.media.share.Attributes;
import parhelion.media.share.Creation;
import parhelion.media.share.FileError;
import parhelion.media.share.Node;
import parhelion.media.share.OpenFile;

/** Root file systems of every kind, honest and hostile. */
class RootFileSystemTest {
  @TempDir Path directory;
  private LayerCache cache;

  @BeforeEach
  void makeCache() {
    cache = new LayerCache(directory.resolve("cache"));
  }

  private RootFileSystem open(byte[] bytes) throws IOException {
    Path file = Files.createTempFile(directory, "root", ".any");
    Files.write(file, bytes);
    return RootFileSystem.open(file, cache);
  }

  private static Node walk(Node from, String path) {
    Node at = from;
    for (String name : path.split("/", -1)) {
      at = at.walk(name);
    }
    return at;
  }

  private static String text(RootFileSystem root, String path) {
    OpenFile open = walk(root.tree().root(), path).open(0);
    ByteBuffer bytes = ByteBuffer.allocateDirect(10000);
    open.read(0, bytes);
    open.close();
    return UTF_8.decode(bytes.flip()).toString();
  }

  private static List<String> names(RootFileSystem root, String path) {
    Node at = path.isEmpty() ? root.tree().root() : walk(root.tree().root(), path);
    List<String> names = new ArrayList<>();
    at.open(0)
        .list(
            2,
            (inode, mode, cookie, name) -> {
              names.add(name);
              return true;
            });
    names.sort(null);
    return names;
  }

  private static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (OutputStream packed = new GZIPOutputStream(out)) {
      packed.write(bytes);
    }
    return out.toByteArray();
  }

  @Test
  void aTarBallIsServedWithOwnersModesDevicesLinksAndAttributes() throws Exception {
    byte[] tar =
        new TarWriter()
            .directory("./")
            .file("./bin/su", 04755, "program")
            .hardLink("bin/su2", "./bin/su")
            .link("sbin", "bin")
            .member("home/ann/f", '0', "", 0600, 1000, 1001, "hers".getBytes(UTF_8))
            .member("dev/null", '3', "", 0666, 0, 0, new byte[0])
            .member("fifo", '6', "", 0644, 0, 0, new byte[0])
            .pax("SCHILY.xattr.security.capability", "\1\2\3")
            .file("bin/ping", 0755, "ping")
            .pax("path", "very/" + "long".repeat(50) + "/name")
            .file("short", 0644, "long")
            .bytes();
    try (RootFileSystem root = open(tar)) {
      Node su = walk(root.tree().root(), "bin/su");
      assertEquals(0104755, su.attributes().mode());
      assertEquals(2, su.attributes().links());
      assertEquals(1_600_000_000, su.attributes().modified().seconds());
      assertEquals(
          su.attributes().inode(), walk(root.tree().root(), "bin/su2").attributes().inode());
      assertEquals("bin", walk(root.tree().root(), "sbin").readLink());
      Attributes hers = walk(root.tree().root(), "home/ann/f").attributes();
      assertEquals(List.of(1000, 1001, 0100600), List.of(hers.uid(), hers.gid(), hers.mode()));
      Attributes device = walk(root.tree().root(), "dev/null").attributes();
      assertEquals(Attributes.device(1, 3), device.device());
      assertEquals(020666, device.mode());
      assertEquals(010644, walk(root.tree().root(), "fifo").attributes().mode());
      assertArrayEquals(
          new byte[] {1, 2, 3},
          walk(root.tree().root(), "bin/ping").attribute("security.capability"));
      assertEquals("long", text(root, "very/" + "long".repeat(50) + "/name"));
      RootLookup lookup = new RootLookup(root.tree());
      assertTrue(lookup.isProgram("/sbin/su"), "through the link");
    }
  }

  @Test
  void packedArchivesAreUnpackedOnceIntoTheCache() throws Exception {
    byte[] tar = new TarWriter().file("f", 0644, "content").bytes();
    ByteArrayOutputStream xz = new ByteArrayOutputStream();
    try (OutputStream packed = new XZOutputStream(xz, new LZMA2Options(1))) {
      packed.write(tar);
    }
    Path file = directory.resolve("a.tar.gz");
    Files.write(file, gzip(tar));
    for (int i = 0; i < 2; i++) {
      try (RootFileSystem root = RootFileSystem.open(file, cache)) {
        assertEquals("content", text(root, "f"));
      }
      try (var cached = Files.list(directory.resolve("cache"))) {
        assertEquals(1, cached.count());
      }
    }
    try (RootFileSystem root = open(xz.toByteArray())) {
      assertEquals("content", text(root, "f"));
    }
  }

  private static String sha256(byte[] bytes) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }

  private static byte[] lower() {
    return new TarWriter()
        .file("etc/a", 0644, "lower a")
        .file("etc/b", 0644, "lower b")
        .file("gone/deep/f", 0644, "x")
        .file("opaque/old", 0644, "x")
        .directory("usr/lib")
        .link("lib", "usr/lib")
        .bytes();
  }

  private static byte[] upper() {
    return new TarWriter()
        .file("etc/a", 0600, "upper a")
        .file("etc/.wh.b", 0644, "")
        .file(".wh.gone", 0644, "")
        .file("opaque/new", 0644, "y")
        .file("opaque/.wh..wh..opq", 0644, "")
        .file("lib/so", 0644, "through the link")
        .bytes();
  }

  private static void assertMerged(RootFileSystem root) {
    assertEquals("upper a", text(root, "etc/a"));
    assertEquals(List.of("a"), names(root, "etc"));
    assertEquals(List.of("new"), names(root, "opaque"));
    assertEquals(List.of("etc", "lib", "opaque", "usr"), names(root, ""));
    assertEquals("through the link", text(root, "usr/lib/so"));
    assertEquals(List.of("/bin/app", "serve", "--all"), root.config().command());
    assertEquals(List.of("A=b", "PATH=/bin"), root.config().environment());
    assertEquals("web:www", root.config().user());
    assertEquals("/srv", root.config().directory());
  }

  private static final String CONFIG =
      """
      {"architecture":"amd64","os":"linux","config":{"Env":["A=b","PATH=/bin"],
       "Entrypoint":["/bin/app"],"Cmd":["serve","--all"],"User":"web:www","WorkingDir":"/srv"}}
      """;

  @Test
  void anOciArchiveIsMergedByTheRulesOfWhiteouts() throws Exception {
    byte[] first = gzip(lower());
    byte[] second = upper();
    byte[] config = CONFIG.getBytes(UTF_8);
    String manifest =
        """
        {"schemaVersion":2,"config":{"digest":"sha256:%s"},
         "layers":[{"digest":"sha256:%s"},{"digest":"sha256:%s"}]}
        """
            .formatted(sha256(config), sha256(first), sha256(second));
    byte[] manifestBytes = manifest.getBytes(UTF_8);
    String index = "{\"manifests\":[{\"digest\":\"sha256:%s\"}]}".formatted(sha256(manifestBytes));
    TarWriter image =
        new TarWriter()
            .file("oci-layout", 0644, "{\"imageLayoutVersion\":\"1.0.0\"}")
            .file("index.json", 0644, index)
            .file("blobs/sha256/" + sha256(config), config)
            .file("blobs/sha256/" + sha256(manifestBytes), manifestBytes)
            .file("blobs/sha256/" + sha256(second), second);
    byte[] whole = image.file("blobs/sha256/" + sha256(first), first).bytes();
    try (RootFileSystem root = open(whole)) {
      assertMerged(root);
    }
    byte[] changed = gzip(new TarWriter().file("evil", 0644, "x").bytes());
    TarWriter forged =
        new TarWriter()
            .file("oci-layout", 0644, "{}")
            .file("index.json", 0644, index)
            .file("blobs/sha256/" + sha256(config), config)
            .file("blobs/sha256/" + sha256(manifestBytes), manifestBytes)
            .file("blobs/sha256/" + sha256(first), changed)
            .file("blobs/sha256/" + sha256(second), second);
    LayerCache empty = new LayerCache(directory.resolve("empty"));
    Path file = directory.resolve("forged.tar");
    Files.write(file, forged.bytes());
    IOException e = assertThrows(IOException.class, () -> RootFileSystem.open(file, empty));
    assertEquals("a layer is not what its digest says", e.getMessage());
  }

  @Test
  void anOciLayoutMayBeADirectory() throws Exception {
    Path layout = directory.resolve("layout");
    Path blobs = Files.createDirectories(layout.resolve("blobs/sha256"));
    byte[] first = gzip(lower());
    byte[] second = upper();
    byte[] config = CONFIG.getBytes(UTF_8);
    byte[] manifest =
        """
        {"schemaVersion":2,"config":{"digest":"sha256:%s"},
         "layers":[{"digest":"sha256:%s"},{"digest":"sha256:%s"}]}
        """
            .formatted(sha256(config), sha256(first), sha256(second))
            .getBytes(UTF_8);
    for (byte[] blob : List.of(first, second, config, manifest)) {
      Files.write(blobs.resolve(sha256(blob)), blob);
    }
    Path index = layout.resolve("index.json");
    String words = "{\"manifests\":[{\"digest\":\"sha256:%s\"}]}";
    Files.writeString(index, words.formatted(sha256(manifest)));
    LayerCache cache = new LayerCache(directory.resolve("cache of layouts"));
    try (RootFileSystem root = RootFileSystem.open(layout, cache)) {
      assertEquals(List.of("blobs", "index.json"), names(root, "")); // it does not say what it is
    }
    Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
    try (RootFileSystem root = RootFileSystem.open(layout, cache)) {
      assertMerged(root);
    }
    Files.writeString(index, words.formatted("../../../../etc/passwd"));
    assertThrows(IOException.class, () -> RootFileSystem.open(layout, cache));
    Files.writeString(index, words.formatted(sha256(manifest)));
    Files.delete(blobs.resolve(sha256(second)));
    IOException e = assertThrows(IOException.class, () -> RootFileSystem.open(layout, cache));
    assertEquals(
        "it has no blobs/sha256/" + sha256(second) + ", which its manifest names", e.getMessage());
  }

  @Test
  void aDockerArchiveIsMergedToo() throws Exception {
    String manifest =
        "[{\"Config\":\"c.json\",\"RepoTags\":[\"t\"],\"Layers\":[\"1/layer.tar\",\"2/layer.tar\"]}]";
    byte[] image =
        new TarWriter()
            .file("1/layer.tar", lower())
            .file("2/layer.tar", upper())
            .file("c.json", 0644, CONFIG)
            .file("manifest.json", 0644, manifest)
            .bytes();
    try (RootFileSystem root = open(image)) {
      assertMerged(root);
    }
  }

  @Test
  void hostileArchivesAreRefusedInOneLine() throws Exception {
    List<byte[]> hostile =
        List.of(
            new TarWriter().file("../escape", 0644, "x").bytes(),
            new TarWriter().file("a/../../b", 0644, "x").bytes(),
            new TarWriter().hardLink("h", "/etc/passwd").bytes(),
            new TarWriter().hardLink("h", "../../etc/passwd").bytes(),
            new TarWriter().file("f", 0644, "x").file("f/g", 0644, "y").bytes(),
            new TarWriter().link("a", "b").link("b", "a").file("a/f", 0644, "x").bytes(),
            new TarWriter().header("f", '0', "", 0644, 0, 0, 1L << 32).bytes(),
            new TarWriter().header("f", 'x', "", 0644, 0, 0, 1L << 32).bytes(),
            new TarWriter().header("f", 'S', "", 0644, 0, 0, 0).bytes(),
            new TarWriter().pax("GNU.sparse.major", "1").file("f", 0644, "x").bytes(),
            new TarWriter().pax("size", "99999999999999").file("f", 0644, "x").bytes(),
            new TarWriter().pax("size", "-5").file("f", 0644, "x").bytes(),
            new TarWriter().pax("path", "x/".repeat(3000) + "f").file("f", 0644, "x").bytes(),
            new byte[2048],
            "no archive".repeat(100).getBytes(UTF_8),
            new byte[0]);
    for (int i = 0; i < hostile.size(); i++) {
      byte[] bytes = hostile.get(i);
      IOException e = assertThrows(IOException.class, () -> open(bytes).close(), "archive " + i);
      assertTrue(e.getMessage() != null && !e.getMessage().contains("\n"), "archive " + i);
    }
  }

  @Test
  void linksAndAbsoluteNamesLeadNowhereButIntoTheArchive() throws Exception {
    byte[] tar =
        new TarWriter()
            .link("out", "/")
            .file("out/etc/passwd", 0644, "ours")
            .link("up", "../../../..")
            .file("up/tmp/f", 0644, "ours, too")
            .file("/absolute/f", 0644, "and this")
            .bytes();
    try (RootFileSystem root = open(tar)) {
      assertEquals("ours", text(root, "etc/passwd"));
      assertEquals("ours, too", text(root, "tmp/f"));
      assertEquals("and this", text(root, "absolute/f"));
    }
  }

  @Test
  void damagedArchivesAreErrorsAndNothingElse() throws Exception {
    byte[] good = lower();
    Random random = new Random(Long.getLong("parhelion.seed", 1));
    for (int i = 0; i < 1000; i++) {
      byte[] bad = good.clone();
      for (int n = random.nextInt(1, 4); n > 0; n--) {
        int at = random.nextInt(bad.length);
        bad[at] = (byte) random.nextInt(256);
        int header = at & ~511;
        fixChecksum(bad, header);
      }
      if (random.nextInt(4) == 0) {
        bad = java.util.Arrays.copyOf(bad, random.nextInt(bad.length));
      }
      byte[] packed = random.nextInt(3) == 0 ? gzip(bad) : bad;
      LayerCache scratch = new LayerCache(directory.resolve("fuzz"));
      Path file = directory.resolve("fuzz.tar");
      Files.write(file, packed);
      try {
        RootFileSystem.open(file, scratch).close();
      } catch (IOException e) {
        // As it should be.
      }
    }
  }

  /** So that damage reaches what is behind the checksum. */
  private static void fixChecksum(byte[] tar, int header) {
    java.util.Arrays.fill(tar, header + 148, header + 156, (byte) ' ');
    int sum = 0;
    for (int i = 0; i < 512; i++) {
      sum += tar[header + i] & 0xff;
    }
    byte[] text = "%06o\0 ".formatted(sum).getBytes(UTF_8);
    System.arraycopy(text, 0, tar, header + 148, 8);
  }

  @Test
  void aDirectoryIsServedAndNotChanged() throws Exception {
    Path source = Files.createDirectories(directory.resolve("root/etc"));
    Files.writeString(source.resolve("f"), "host");
    Files.createLink(source.resolve("g"), source.resolve("f"));
    Files.createSymbolicLink(source.resolve("l"), Path.of("/outside"));
    try (RootFileSystem root = RootFileSystem.open(directory.resolve("root"), cache)) {
      Node f = walk(root.tree().root(), "etc/f");
      assertEquals(2, f.attributes().links());
      assertEquals("host", text(root, "etc/g"));
      assertEquals("/outside", walk(root.tree().root(), "etc/l").readLink());
      OpenFile open = f.open(2);
      open.write(4, ByteBuffer.allocateDirect(5).put("guest".getBytes(UTF_8)).flip());
      open.close();
      assertEquals("hostguest", text(root, "etc/g"));
      Node etc = walk(root.tree().root(), "etc");
      etc.unlink("l", false);
      etc.makeDirectory("d", new Creation(0755, 5, 6)).close();
      f.setAttributes(new AttributeChange(04711, 7, 8, null, null, null));
      assertEquals(7, f.attributes().uid());
      assertEquals(List.of("d", "f", "g"), names(root, "etc"));
    }
    assertEquals("host", Files.readString(source.resolve("f")));
    assertTrue(Files.isSymbolicLink(source.resolve("l")));
    assertTrue(Files.notExists(source.resolve("d")));
  }

  /** Random reads, writes, cuts and growths against an array. */
  @Test
  void aFileHoldsWhatWasWrittenOverWhatItCameWith() throws Exception {
    Random random = new Random(Long.getLong("parhelion.seed", 1));
    for (int round = 0; round < 60; round++) {
      byte[] model = new byte[1 << 16];
      int size = random.nextInt(40000);
      byte[] content = new byte[size];
      random.nextBytes(content);
      System.arraycopy(content, 0, model, 0, size);
      try (RootFileSystem root = open(new TarWriter().file("f", content).bytes())) {
        Node node = walk(root.tree().root(), "f");
        OpenFile open = node.open(2);
        for (int step = 0; step < 200; step++) {
          int at = random.nextInt(60000);
          int length = random.nextInt(1, random.nextBoolean() ? 5000 : 300);
          switch (random.nextInt(5)) {
            case 0 -> {
              node.setAttributes(new AttributeChange(null, null, null, (long) at, null, null));
              java.util.Arrays.fill(model, Math.min(at, size), model.length, (byte) 0);
              size = at;
            }
            case 1, 2 -> {
              byte[] written = new byte[length];
              random.nextBytes(written);
              ByteBuffer from = ByteBuffer.allocateDirect(length).put(written).flip();
              assertEquals(length, open.write(at, from));
              System.arraycopy(written, 0, model, at, length);
              size = Math.max(size, at + length);
            }
            default -> {
              ByteBuffer into = ByteBuffer.allocateDirect(length);
              int expected = Math.clamp(size - at, 0, length);
              assertEquals(expected, open.read(at, into), "round " + round + " step " + step);
              byte[] got = new byte[expected];
              into.flip().get(got);
              assertArrayEquals(
                  java.util.Arrays.copyOfRange(model, at, at + expected),
                  got,
                  "round " + round + " step " + step);
            }
          }
          assertEquals(size, node.attributes().sizeBytes());
        }
        open.close();
        root.tree().root().unlink("f", false);
        assertTrue(root.tree().storedBlocks() >= 0);
        node.close();
      }
    }
  }

  @Test
  void blocksAreGivenBackWhenTheLastUserOfAFileIsGone() throws Exception {
    try (RootFileSystem root = open(new TarWriter().file("f", 0644, "x").bytes())) {
      Node top = root.tree().root();
      Node.Opened made = top.create("new", 0102, new Creation(0644, 0, 0));
      made.file().write(0, ByteBuffer.allocateDirect(100_000));
      assertEquals(25, root.tree().storedBlocks());
      top.unlink("new", false);
      assertEquals(25, root.tree().storedBlocks(), "it is still open");
      made.file().close();
      made.node().close();
      assertEquals(0, root.tree().storedBlocks());
    }
  }

  @Test
  void aTreeHoldsNoMoreThanItMay() throws Exception {
    CowTree.Limits limits = new CowTree.Limits(10, 1000, 4);
    try (CowTree tree = new CowTree(directory, limits, () -> {})) {
      Node root = tree.root();
      FileError files =
          assertThrows(
              FileError.class,
              () -> {
                for (int i = 0; i < 20; i++) {
                  root.makeDirectory("d" + i, new Creation(0755, 0, 0)).close();
                }
              });
      assertEquals(28, files.errno());
      root.unlink("d0", true);
      Node.Opened file = root.create("f", 0102, new Creation(0644, 0, 0));
      FileError text =
          assertThrows(
              FileError.class, () -> file.node().setAttribute("user.x", new byte[2000], 0));
      assertEquals(28, text.errno());
      FileError blocks =
          assertThrows(
              FileError.class,
              () -> {
                for (int i = 0; i < 10; i++) {
                  file.file().write((long) i << 30, ByteBuffer.allocateDirect(10));
                }
              });
      assertEquals(28, blocks.errno());
    }
  }

  @Test
  void directoriesAreMovedButNotIntoThemselves() throws Exception {
    try (RootFileSystem root = open(new TarWriter().file("a/b/c/f", 0644, "x").bytes())) {
      Node top = root.tree().root();
      Node c = walk(root.tree().root(), "a/b/c");
      FileError e = assertThrows(FileError.class, () -> top.rename("a", c, "a"));
      assertEquals(22, e.errno());
      assertEquals(39, assertThrows(FileError.class, () -> top.unlink("a", true)).errno());
      walk(root.tree().root(), "a/b").rename("c", top, "c");
      assertEquals("x", text(root, "c/f"));
      assertEquals(
          top.attributes().inode(), walk(root.tree().root(), "c").parent().attributes().inode());
      assertEquals(4, top.attributes().links());
    }
  }
}
