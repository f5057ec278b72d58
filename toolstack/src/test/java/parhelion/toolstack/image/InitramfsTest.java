package parhelion.toolstack.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.cpio.CpioArchiveEntry;
import org.apache.commons.compress.archivers.cpio.CpioArchiveInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InitramfsTest {
  @TempDir Path temporary = Path.of("");

  private static Initramfs sample() {
    return new Initramfs()
        .directory("dev", 0755)
        .characterDevice("dev/console", 0600, 5, 1)
        .file("etc/deep/er/file", 0640, Samples.data(1001, 1))
        .symlink("bin/sh", "busybox")
        .file("init", 0755, "#!/bin/sh\n".getBytes(StandardCharsets.US_ASCII));
  }

  private static List<String> paths(byte[] archive) {
    List<String> paths = new ArrayList<>();
    for (CpioReader.Entry entry : CpioReader.read(archive, "test")) {
      paths.add(entry.path());
    }
    return paths;
  }

  @Test
  void anotherReaderSeesWhatWasPutIn() throws IOException {
    List<String> seen = new ArrayList<>();
    try (CpioArchiveInputStream in =
        new CpioArchiveInputStream(new ByteArrayInputStream(sample().toBytes()))) {
      for (CpioArchiveEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        byte[] content = in.readAllBytes();
        seen.add(
            String.format(
                "%s %o %d,%d %d",
                entry.getName(),
                entry.getMode(),
                entry.getRemoteDeviceMaj(),
                entry.getRemoteDeviceMin(),
                content.length));
      }
    }
    assertEquals(
        List.of(
            "dev 40755 0,0 0",
            "dev/console 20600 5,1 0",
            "etc 40755 0,0 0",
            "etc/deep 40755 0,0 0",
            "etc/deep/er 40755 0,0 0",
            "etc/deep/er/file 100640 0,0 1001",
            "bin 40755 0,0 0",
            "bin/sh 120777 0,0 7",
            "init 100755 0,0 10"),
        seen);
  }

  @Test
  void ourReaderSeesTheSame() {
    byte[] archive = sample().toBytes();
    List<CpioReader.Entry> entries = CpioReader.read(archive, "test");
    assertEquals(9, entries.size());
    assertArrayEquals(Samples.data(1001, 1), entries.get(5).content(archive));
    assertTrue(entries.get(5).regularFile());
    assertEquals(1, entries.get(1).minor());
  }

  @Test
  void theSamePartsGiveTheSameBytes() throws IOException {
    assertArrayEquals(sample().toBytes(), sample().toBytes());
    byte[] gzip = sample().toGzip();
    assertArrayEquals(gzip, sample().toGzip());
    try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(gzip))) {
      assertArrayEquals(sample().toBytes(), in.readAllBytes());
    }
  }

  @Test
  void aHostDirectoryIsTakenInTheOrderOfNames() throws IOException {
    Files.createDirectories(temporary.resolve("sub/empty"));
    Files.writeString(temporary.resolve("sub/b"), "bee");
    Files.writeString(temporary.resolve("sub/a"), "a");
    Files.createSymbolicLink(temporary.resolve("link"), Path.of("/no/where"));
    byte[] archive = new Initramfs().tree(temporary).toBytes();
    assertEquals(List.of("link", "sub", "sub/a", "sub/b", "sub/empty"), paths(archive));
    CpioReader.Entry link = CpioReader.read(archive, "test").getFirst();
    assertEquals("/no/where", new String(link.content(archive), StandardCharsets.UTF_8));
    assertThrows(ImageException.class, () -> new Initramfs().tree(temporary.resolve("sub/a")));
    assertThrows(ImageException.class, () -> new Initramfs().tree(temporary.resolve("none")));
  }

  @Test
  void anInitrdIsAFileAsItIsOrADirectoryWithAConsoleAdded() throws IOException {
    Path file = Files.write(temporary.resolve("initrd.img"), new byte[100]);
    assertArrayEquals(new byte[100], Initramfs.load(file, 100));
    assertThrows(ImageException.class, () -> Initramfs.load(file, 99));
    Path root = Files.createDirectories(temporary.resolve("root/dev")).getParent();
    Files.writeString(root.resolve("init"), "#!/bin/sh");
    byte[] archive = Initramfs.load(root, 10_000);
    assertEquals(List.of("dev", "init", "dev/console", "dev/null"), paths(archive));
    assertThrows(ImageException.class, () -> Initramfs.load(root, 200));
    assertThrows(ImageException.class, () -> Initramfs.load(temporary.resolve("none"), 200));
    Path empty = Files.createFile(temporary.resolve("empty"));
    assertThrows(ImageException.class, () -> Initramfs.load(empty, 200));
  }

  @Test
  void impossiblePathsAreRefused() {
    for (String path : List.of("", "/abs", "dir/", "x".repeat(5000))) {
      assertThrows(ImageException.class, () -> new Initramfs().directory(path, 0755));
    }
  }

  @Test
  void archivesInARowAreOne() {
    byte[] one = sample().toBytes();
    byte[] two = new Initramfs().directory("more", 0700).toBytes();
    ByteArrayOutputStream both = new ByteArrayOutputStream();
    both.writeBytes(one);
    both.writeBytes(new byte[512 - one.length % 512]);
    both.writeBytes(two);
    assertEquals(10, CpioReader.read(both.toByteArray(), "test").size());
  }

  @Test
  void damagedArchivesAreRefusedOrReadButNothingElse() {
    byte[] good = sample().toBytes();
    int refused =
        Corruption.fuzz(
            good,
            ImageException.class,
            bad -> CpioReader.read(bad, "bad").forEach(e -> e.content(bad)));
    assertTrue(refused > 200, "refused only " + refused);
  }

  /** An ELF file with a list of applets in it, as busybox has. */
  static byte[] busybox() {
    StringBuilder applets = new StringBuilder("noise\0[\0[[\0");
    for (char c = 'a'; c <= 'z'; c++) {
      applets.append(c).append("pplet\0");
    }
    applets.append("zmount\0after\0");
    String text = applets.toString().replace("mpplet", "mount").replace("spplet", "sh");
    return Samples.linux(text.replace("zmount\0", "").getBytes(StandardCharsets.US_ASCII));
  }

  @Test
  void theDefaultInitramfsLinksEveryApplet() {
    byte[] archive = DefaultInitramfs.build(busybox(), "busybox", GuestSetup.of(null));
    List<String> paths = paths(archive);
    assertTrue(
        paths.containsAll(
            List.of(
                "init", "bin/busybox", "bin/[", "bin/[[", "bin/sh", "bin/mount", "dev/console")),
        paths.toString());
    assertFalse(paths.contains("bin/after"));
    assertArrayEquals(archive, DefaultInitramfs.build(busybox(), "busybox", GuestSetup.of(null)));
  }

  @Test
  void aLongCommandTravelsInTheInitramfsAndAShortOneOnTheCommandLine() {
    GuestCommand small = GuestCommand.of("uname -a");
    assertTrue(small.kernelArguments().endsWith(" parhelion.cmd=dW5hbWUgLWE="));
    assertFalse(
        paths(DefaultInitramfs.build(busybox(), "b", GuestSetup.of(small)))
            .contains("parhelion-cmd"));
    GuestCommand large = GuestCommand.of("echo " + "x".repeat(600));
    assertTrue(large.kernelArguments().endsWith(" parhelion.cmd=@"));
    assertTrue(
        paths(DefaultInitramfs.build(busybox(), "b", GuestSetup.of(large)))
            .contains("parhelion-cmd"));
    assertFalse(small.token().equals(large.token()));
  }

  @Test
  void whatIsNoBusyboxIsRefused() {
    assertThrows(
        ImageException.class,
        () -> DefaultInitramfs.build(Samples.linux(new byte[100]), "ls", GuestSetup.of(null)));
    assertThrows(
        ImageException.class,
        () -> DefaultInitramfs.build(new byte[100], "text", GuestSetup.of(null)));
    assertThrows(
        ImageException.class, () -> DefaultInitramfs.build(temporary.resolve("none"), null));
  }
}
