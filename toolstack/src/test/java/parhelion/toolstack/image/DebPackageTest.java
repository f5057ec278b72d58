package parhelion.toolstack.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class DebPackageTest {
  private static final String CONTROL = "Package: test\nVersion: 1\n";

  @TempDir Path temporary = Path.of("");

  private static final DebPackage.Selection ALL =
      new DebPackage.Selection() {
        @Override
        public boolean wants(String path) {
          return true;
        }

        @Override
        public boolean complete(List<String> taken) {
          return false;
        }
      };

  private static Map<String, byte[]> files() {
    Map<String, byte[]> files = new LinkedHashMap<>();
    files.put("./boot/System.map-1", Samples.data(100, 1));
    files.put("./boot/vmlinuz-1", Samples.data(70_000, 2));
    files.put("./usr/bin/tool", Samples.data(10, 3));
    files.put("./usr/" + "long/".repeat(40) + "name", Samples.data(10, 4));
    return files;
  }

  private Path deb(byte[] bytes) throws IOException {
    return Files.write(temporary.resolve("test.deb"), bytes);
  }

  private Path target() throws IOException {
    return Files.createDirectories(temporary.resolve("into"));
  }

  @ParameterizedTest
  @EnumSource(
      value = Compression.class,
      names = {"NONE", "GZIP", "BZIP2", "XZ", "LZMA"})
  void filesComeOutAsTheyWentIn(Compression kind) throws IOException {
    Path deb = deb(DebFile.of(CONTROL, files(), kind));
    Path into = target();
    List<String> taken = DebPackage.extract(deb, into, ALL, Progress.NONE);
    assertEquals(4, taken.size());
    for (Map.Entry<String, byte[]> file : files().entrySet()) {
      assertArrayEquals(file.getValue(), Files.readAllBytes(into.resolve(file.getKey())));
    }
    assertTrue(Files.isExecutable(into.resolve("usr/bin/tool")));
    assertFalse(Files.isExecutable(into.resolve("boot/vmlinuz-1")));
    assertEquals(CONTROL, DebPackage.control(deb));
  }

  @Test
  void onlyWhatIsWantedIsTakenAndReadingStopsThere() throws IOException {
    byte[] whole = DebFile.of(CONTROL, files(), Compression.NONE);
    Path deb = deb(java.util.Arrays.copyOf(whole, whole.length - 3000)); // the end is missing
    DebPackage.Selection kernel =
        new DebPackage.Selection() {
          @Override
          public boolean wants(String path) {
            return path.equals("boot/vmlinuz-1");
          }

          @Override
          public boolean complete(List<String> taken) {
            return taken.size() == 1;
          }
        };
    assertEquals(
        List.of("boot/vmlinuz-1"), DebPackage.extract(deb, target(), kernel, Progress.NONE));
    assertThrows(ImageException.class, () -> DebPackage.extract(deb, target(), ALL, Progress.NONE));
  }

  @ParameterizedTest
  @ValueSource(strings = {"../outside", "./a/../../outside", "/outside", "a/.."})
  void aPathThatLeavesTheDirectoryIsRefused(String path) throws IOException {
    Path deb = deb(DebFile.of(CONTROL, Map.of(path, new byte[10]), Compression.GZIP));
    ImageException e =
        assertThrows(
            ImageException.class, () -> DebPackage.extract(deb, target(), ALL, Progress.NONE));
    assertTrue(
        String.valueOf(e.getMessage()).contains("path")
            || String.valueOf(e.getMessage()).contains("outside"),
        e.getMessage());
    try (Stream<Path> made = Files.walk(temporary)) {
      assertTrue(made.noneMatch(p -> p.endsWith("outside")));
    }
  }

  @Test
  void zstdPackagesAreRead() throws IOException {
    // The fixture's data are no tar: what is refused shows that they were unpacked.
    byte[] deb =
        DebFile.withData(DebFile.tar(Map.of()), "data.tar.zst", Samples.fixture("sample-22.zst"));
    ImageException e =
        assertThrows(
            ImageException.class, () -> DebPackage.extract(deb(deb), target(), ALL, Progress.NONE));
    assertTrue(String.valueOf(e.getMessage()).contains("tar header"), e.getMessage());
  }

  @Test
  void whatIsNoPackageIsRefused() throws IOException {
    for (byte[] bytes :
        List.of(new byte[0], new byte[5000], "!<arch>\n".getBytes(StandardCharsets.US_ASCII))) {
      assertThrows(
          ImageException.class, () -> DebPackage.extract(deb(bytes), target(), ALL, Progress.NONE));
    }
    assertThrows(
        ImageException.class,
        () -> DebPackage.extract(temporary.resolve("no.deb"), target(), ALL, Progress.NONE));
  }

  @Test
  void pathsAreCleaned() throws IOException {
    assertEquals("a/b", TarReader.safe("./a//b/"));
    assertEquals("", TarReader.safe("./"));
    assertThrows(IOException.class, () -> TarReader.safe("a\0b"));
    assertThrows(IOException.class, () -> TarReader.safe("x".repeat(5000)));
  }

  @Test
  void aTarExtensionThatAnnouncesMuchIsRefused() {
    byte[] tar = DebFile.tar(Map.of("x".repeat(150), new byte[3]));
    assertEquals('x', tar[156]); // a pax header
    System.arraycopy("77777777777".getBytes(StandardCharsets.US_ASCII), 0, tar, 124, 11);
    int sum = 8 * ' ';
    for (int i = 0; i < 512; i++) {
      sum += i >= 148 && i < 156 ? 0 : tar[i] & 0xff;
    }
    System.arraycopy(
        String.format("%06o\0 ", sum).getBytes(StandardCharsets.US_ASCII), 0, tar, 148, 8);
    IOException e =
        assertThrows(IOException.class, () -> new TarReader(new ByteArrayInputStream(tar)).next());
    assertTrue(String.valueOf(e.getMessage()).contains("too large"), e.getMessage());
  }

  @ParameterizedTest
  @EnumSource(
      value = Compression.class,
      names = {"NONE", "XZ"})
  void damagedPackagesAreRefusedOrUnpackedButNothingElse(Compression kind) throws IOException {
    Map<String, byte[]> small = new LinkedHashMap<>();
    small.put("./a", Samples.data(700, 1));
    small.put("./" + "b".repeat(120), Samples.data(40, 1));
    byte[] good = DebFile.of(CONTROL, small, kind);
    Path into = target();
    int refused =
        Corruption.fuzz(
            good,
            ImageException.class,
            bad -> DebPackage.extract(deb(bad), into, ALL, Progress.NONE));
    assertTrue(refused > 100, "refused only " + refused);
  }
}
