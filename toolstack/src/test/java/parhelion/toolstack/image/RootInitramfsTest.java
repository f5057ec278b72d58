package parhelion.toolstack.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.apache.commons.compress.archivers.cpio.CpioArchiveEntry;
import org.apache.commons.compress.archivers.cpio.CpioArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import parhelion.media.rootfs.LayerCache;
import parhelion.media.rootfs.RootFileSystem;

/** Root file systems in an initramfs, read by another reader of such archives. */
@EnabledOnOs(OS.LINUX)
final class RootInitramfsTest {
  @TempDir Path directory;
  private Path source;

  private record Seen(int mode, long uid, long inode, long time, byte[] content) {}

  @BeforeEach
  void makeSource() throws IOException {
    source = Files.createDirectory(directory.resolve("source"));
  }

  private Map<String, Seen> packed(Path root) throws IOException {
    LayerCache cache = new LayerCache(directory.resolve("cache"));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (RootFileSystem opened = RootFileSystem.open(root, cache)) {
      RootInitramfs.write(opened.tree(), Channels.newChannel(out));
      assertEquals(out.size(), RootInitramfs.bytes(opened.tree()));
    }
    assertEquals(0, out.size() % 4);
    Map<String, Seen> files = new TreeMap<>();
    try (CpioArchiveInputStream in =
        new CpioArchiveInputStream(new ByteArrayInputStream(out.toByteArray()))) {
      for (CpioArchiveEntry e = in.getNextEntry(); e != null; e = in.getNextEntry()) {
        files.put(
            e.getName(),
            new Seen((int) e.getMode(), e.getUID(), e.getInode(), e.getTime(), in.readAllBytes()));
        String name = e.getName();
        assertTrue(
            name.equals("newroot") || files.containsKey(name.replaceFirst("/[^/]*$", "")),
            () -> name + " comes before its directory");
      }
    }
    return files;
  }

  @Test
  void filesOfADirectoryAreAllThereAsTheyWere() throws IOException {
    Path deep = Files.createDirectories(source.resolve("usr/share/deep"));
    byte[] large = Samples.data(700_001, 3);
    Files.write(deep.resolve("large"), large);
    Files.setPosixFilePermissions(
        deep.resolve("large"), PosixFilePermissions.fromString("rwxr-x---"));
    Files.setLastModifiedTime(deep.resolve("large"), FileTime.fromMillis(1_600_000_000_000L));
    Files.createFile(deep.resolve("empty"));
    Files.createSymbolicLink(source.resolve("lib"), Path.of("usr/lib"));
    Map<String, Seen> files = packed(source);
    assertEquals(
        "[newroot, newroot/lib, newroot/usr, newroot/usr/share, newroot/usr/share/deep,"
            + " newroot/usr/share/deep/empty, newroot/usr/share/deep/large]",
        files.keySet().toString());
    Seen seen = files.get("newroot/usr/share/deep/large");
    assertEquals(0100750, seen.mode);
    assertEquals(1_600_000_000L, seen.time);
    assertArrayEquals(large, seen.content);
    assertEquals(0120000, files.get("newroot/lib").mode & 0170000);
    assertEquals(
        "usr/lib", new String(files.get("newroot/lib").content, StandardCharsets.US_ASCII));
  }

  @Test
  void aFileWithTwoNamesIsThereOnce() throws IOException {
    Path first = Files.writeString(source.resolve("a"), "content");
    Files.createLink(source.resolve("b"), first);
    Map<String, Seen> files = packed(source);
    Seen a = files.get("newroot/a");
    Seen b = files.get("newroot/b");
    assertEquals(a.inode, b.inode);
    assertEquals("content".length(), a.content.length + b.content.length);
  }

  @Test
  void ownersModesAndDevicesOfAnArchiveStay() throws IOException {
    Path tar = directory.resolve("root.tar");
    try (TarArchiveOutputStream out =
        new TarArchiveOutputStream(Files.newOutputStream(tar), "UTF-8")) {
      TarArchiveEntry device = new TarArchiveEntry("dev/null", TarConstants.LF_CHR);
      device.setDevMajor(1);
      device.setDevMinor(3);
      out.putArchiveEntry(device);
      out.closeArchiveEntry();
      TarArchiveEntry tool = new TarArchiveEntry("bin/tool");
      tool.setIds(1000, 50);
      tool.setMode(04755);
      tool.setSize(3);
      out.putArchiveEntry(tool);
      out.write("abc".getBytes(StandardCharsets.US_ASCII));
      out.closeArchiveEntry();
    }
    Map<String, Seen> files = new HashMap<>(packed(tar));
    assertEquals(0020000, files.get("newroot/dev/null").mode & 0170000);
    assertEquals(0104755, files.get("newroot/bin/tool").mode);
    assertEquals(1000, files.get("newroot/bin/tool").uid);
  }

  @Test
  void aPathThatTheKernelWouldNotReadIsRefused() throws IOException {
    StringBuilder path = new StringBuilder();
    while (path.length() < 4090) {
      path.append("directory/");
    }
    Path tar = directory.resolve("root.tar");
    try (TarArchiveOutputStream out =
        new TarArchiveOutputStream(Files.newOutputStream(tar), "UTF-8")) {
      out.setLongFileMode(TarArchiveOutputStream.LONGFILE_GNU);
      out.putArchiveEntry(new TarArchiveEntry(path.toString()));
      out.closeArchiveEntry();
    }
    IOException refused = assertThrows(IOException.class, () -> packed(tar));
    assertTrue(refused.getMessage().contains("a path of more than"), refused::getMessage);
  }
}
