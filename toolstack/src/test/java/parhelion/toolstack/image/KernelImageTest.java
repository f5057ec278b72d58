package parhelion.toolstack.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class KernelImageTest {
  private static final int LIMIT = 1 << 24;
  private static final byte[] ELF = Samples.linux(Samples.data(50_000, 11));

  @TempDir Path temporary = Path.of("");

  private static byte[] bytes(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    return bytes;
  }

  private static KernelImage parse(byte[] image) {
    return KernelImage.parse(image, "vmlinuz", LIMIT, Progress.NONE);
  }

  private static String refusal(byte[] image) {
    return String.valueOf(assertThrows(ImageException.class, () -> parse(image)).getMessage());
  }

  @ParameterizedTest
  @EnumSource(
      value = Compression.class,
      names = {"NONE", "GZIP", "BZIP2", "LZMA", "XZ", "LZ4"})
  void aBzImageGivesItsElfFile(Compression kind) {
    KernelImage image = parse(Samples.bzImage(kind, ELF));
    assertEquals(kind, image.compression());
    byte[] elf = bytes(image.elf());
    assertArrayEquals(ELF, Arrays.copyOf(elf, ELF.length));
  }

  @ParameterizedTest
  @EnumSource(
      value = Compression.class,
      names = {"NONE", "GZIP", "BZIP2", "LZMA", "XZ", "LZ4"})
  void aPackedOrPlainElfFileGivesItself(Compression kind) {
    assertArrayEquals(ELF, bytes(parse(Samples.pack(kind, ELF)).elf()));
  }

  @Test
  void aZstdPayloadIsUnpackedByItsAppendedSize() {
    byte[] packed = Samples.fixture("sample-22.zst");
    byte[] image = Samples.bzImage(packed, packed.length + 4, 100_000);
    assertTrue(refusal(image).contains("is not an ELF file"));
    byte[] lying = Samples.bzImage(packed, packed.length + 4, 99_999);
    assertTrue(refusal(lying).contains("announces 100000"), refusal(lying));
  }

  @Test
  void theVersionLineIsRead() {
    BootHeader header = BootHeader.parse(Samples.bzImage(Compression.GZIP, ELF), "k");
    assertEquals("6.1.0-test (us)", header.kernelVersion());
    assertEquals(0x20f, header.version());
  }

  @Test
  void aHeaderThatIsTooOldOrLeadsOutsideTheFileIsRefused() {
    byte[] old = Samples.bzImage(Compression.GZIP, ELF);
    old[0x206] = 7;
    assertTrue(refusal(old).contains("2.07 is older than 2.08"), refusal(old));
    byte[] far = Samples.bzImage(Compression.GZIP, ELF);
    Arrays.fill(far, 0x248, 0x24c, (byte) 0xff);
    assertTrue(refusal(far).contains("promises a payload"));
    byte[] cut = Samples.bzImage(Compression.GZIP, ELF);
    assertTrue(refusal(Arrays.copyOf(cut, cut.length - 2000)).contains("cut off"));
  }

  @Test
  void whatIsNoKernelIsCalledByItsName() {
    assertTrue(refusal(new byte[0]).contains("is empty"));
    assertTrue(refusal("just some text".getBytes(StandardCharsets.UTF_8)).contains("not a kernel"));
    assertTrue(refusal("!<arch>\nx".getBytes(StandardCharsets.UTF_8)).contains("package"));
    byte[] arm = new byte[100];
    System.arraycopy(new byte[] {'A', 'R', 'M', 0x64}, 0, arm, 56, 4);
    assertTrue(refusal(arm).contains("AArch64"));
  }

  @Test
  void missingFilesAndDirectoriesAreOneLineErrors() {
    for (Path path : List.of(temporary, temporary.resolve("nothing"))) {
      ImageException e =
          assertThrows(
              ImageException.class, () -> KernelImage.open(path, null, LIMIT, Progress.NONE));
      assertTrue(String.valueOf(e.getMessage()).startsWith(path + ": "), e.getMessage());
      assertFalse(String.valueOf(e.getMessage()).contains("\n"));
    }
  }

  @Test
  void aDeclaredSizeBeyondTheLimitIsRefusedBeforeUnpacking() {
    byte[] image = Samples.bzImage(Compression.XZ, ELF);
    int sizeAt = 1024 + 48 + Samples.pack(Compression.XZ, ELF).length;
    image[sizeAt + 3] = 0x7f;
    assertTrue(refusal(image).contains("more than the limit"), refusal(image));
  }

  @Test
  void theSecondOpeningComesOutOfTheCache() throws IOException {
    Path kernel = temporary.resolve("vmlinuz");
    Files.write(kernel, Samples.bzImage(Compression.XZ, ELF));
    ElfCache cache = new ElfCache(temporary.resolve("cache"));
    KernelImage first = KernelImage.open(kernel, cache, LIMIT, Progress.NONE);
    KernelImage second = KernelImage.open(kernel, cache, LIMIT, Progress.NONE);
    assertFalse(first.cached());
    assertTrue(second.cached());
    assertArrayEquals(ELF, bytes(first.elf()));
    assertArrayEquals(ELF, bytes(second.elf()));
  }

  @Test
  void anotherKernelInTheSamePlaceIsNotTakenForTheCachedOne() throws IOException {
    Path kernel = temporary.resolve("vmlinuz");
    Files.write(kernel, Samples.bzImage(Compression.GZIP, ELF));
    FileTime then = Files.getLastModifiedTime(kernel);
    ElfCache cache = new ElfCache(temporary.resolve("cache"));
    KernelImage.open(kernel, cache, LIMIT, Progress.NONE);
    byte[] changed = ELF.clone();
    changed[Samples.ELF_DATA_AT] ^= 1;
    byte[] image = Samples.bzImage(Compression.GZIP, changed);
    Files.write(kernel, image);
    Files.setLastModifiedTime(kernel, then);
    KernelImage again = KernelImage.open(kernel, cache, LIMIT, Progress.NONE);
    assertArrayEquals(changed, bytes(again.elf()));
  }

  @Test
  void damagedBzImagesAreRefusedOrUnpackedButNothingElse() {
    byte[] small = Samples.linux(Samples.data(3000, 2));
    for (Compression kind : List.of(Compression.GZIP, Compression.LZ4, Compression.NONE)) {
      byte[] image = Samples.bzImage(kind, small);
      Corruption.fuzz(
          image,
          ImageException.class,
          bad -> KernelImage.parse(bad, "bad", 1 << 20, Progress.NONE));
    }
  }
}
