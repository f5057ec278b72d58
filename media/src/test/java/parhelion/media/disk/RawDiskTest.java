package parhelion.media.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RawDiskTest {
  @TempDir Path directory;

  private Path image(String name, long sizeBytes) throws IOException {
    Path path = directory.resolve(name);
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.setLength(sizeBytes);
    }
    return path;
  }

  private static byte[] read(Disk disk, long offset, int length) throws IOException {
    byte[] bytes = new byte[length];
    disk.read(offset, ByteBuffer.wrap(bytes));
    return bytes;
  }

  private static byte[] random(int length) {
    byte[] bytes = new byte[length];
    new Random(1).nextBytes(bytes);
    return bytes;
  }

  @Test
  void whatIsWrittenIsReadAndIsInTheFile() throws IOException {
    Path path = image("a", 1 << 20);
    byte[] bytes = random(5000);
    try (Disk disk = DiskImages.open(path, DiskOptions.WRITABLE)) {
      assertEquals(1 << 20, disk.sizeBytes());
      disk.write(1536, ByteBuffer.wrap(bytes));
      disk.flush();
      assertArrayEquals(bytes, read(disk, 1536, 5000));
    }
    byte[] file = Files.readAllBytes(path);
    assertArrayEquals(bytes, java.util.Arrays.copyOfRange(file, 1536, 6536));
  }

  @Test
  void theLastSectorOfAnOddFileIsFilledUpWithZeroes() throws IOException {
    Path path = directory.resolve("odd");
    Files.write(path, random(700));
    try (Disk disk = DiskImages.open(path, DiskOptions.WRITABLE)) {
      assertEquals(1024, disk.sizeBytes());
      byte[] expected = java.util.Arrays.copyOf(random(700), 1024);
      assertArrayEquals(expected, read(disk, 0, 1024));
      assertThrows(DiskException.class, () -> read(disk, 1024, 512));
      assertThrows(DiskException.class, () -> disk.write(768, ByteBuffer.allocate(512)));
    }
  }

  @Test
  void manyBuffersAreOneTransferWhateverTheyAre() throws IOException {
    Path path = image("many", 1 << 20);
    byte[] content = random(1 << 20);
    Random random = new Random(7);
    try (Disk disk = DiskImages.open(path, DiskOptions.WRITABLE)) {
      disk.write(0, ByteBuffer.wrap(content));
      for (int round = 0; round < 50; round++) {
        int at = 512 * random.nextInt(1000);
        List<ByteBuffer> out = new ArrayList<>();
        int bytes = buffers(random, out, (1 << 20) - at);
        int done = at;
        for (ByteBuffer buffer : out) {
          byte[] part = new byte[buffer.remaining()];
          random.nextBytes(part);
          buffer.put(0, part);
          System.arraycopy(part, 0, content, done, part.length);
          done += part.length;
        }
        disk.write(at, out);
        out.forEach(buffer -> assertEquals(0, buffer.remaining()));
        assertArrayEquals(
            java.util.Arrays.copyOfRange(content, at, at + bytes), read(disk, at, bytes));
        List<ByteBuffer> in = new ArrayList<>();
        int wanted = buffers(random, in, bytes);
        disk.read(at, in);
        done = at;
        for (ByteBuffer buffer : in) {
          assertEquals(0, buffer.remaining());
          byte[] got = new byte[buffer.position()];
          buffer.get(0, got);
          assertArrayEquals(java.util.Arrays.copyOfRange(content, done, done + got.length), got);
          done += got.length;
        }
        assertEquals(at + wanted, done);
      }
    }
  }

  /** Up to 300 buffers, more than one call takes, some of them on the heap; their bytes. */
  private static int buffers(Random random, List<ByteBuffer> made, int most) {
    int bytes = 0;
    boolean heap = random.nextInt(4) == 0;
    for (int i = random.nextInt(300); i >= 0 && bytes < most; i--) {
      int length = Math.min(most - bytes, random.nextInt(2000));
      boolean here = heap && random.nextInt(8) == 0;
      made.add(here ? ByteBuffer.allocate(length) : ByteBuffer.allocateDirect(length));
      bytes += length;
    }
    return bytes;
  }

  @Test
  void manyBuffersEndWithZeroesWhereTheFileEnds() throws IOException {
    Path path = directory.resolve("short");
    Files.write(path, random(700));
    try (Disk disk = DiskImages.open(path, DiskOptions.WRITABLE)) {
      List<ByteBuffer> in = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        in.add(ByteBuffer.allocateDirect(256));
      }
      in.forEach(buffer -> buffer.put(0, new byte[256]).put(9, (byte) 99));
      disk.read(0, in);
      ByteBuffer all = ByteBuffer.allocate(1024);
      in.forEach(buffer -> all.put(buffer.flip()));
      assertArrayEquals(java.util.Arrays.copyOf(random(700), 1024), all.array());
      assertThrows(
          DiskException.class, () -> disk.read(512, List.of(ByteBuffer.allocateDirect(513))));
    }
  }

  @Test
  void zeroesAndDiscardedSpaceReadAsZeroesAndLeaveNeighboursAlone() throws IOException {
    Path path = image("z", 1 << 20);
    try (Disk disk = DiskImages.open(path, DiskOptions.WRITABLE)) {
      byte[] bytes = random(1 << 20);
      disk.write(0, ByteBuffer.wrap(bytes));
      disk.writeZeroes(1000, 200_000);
      disk.discard(500_000, 1 << 16);
      java.util.Arrays.fill(bytes, 1000, 201_000, (byte) 0);
      byte[] now = read(disk, 0, 1 << 20);
      System.arraycopy(now, 500_000, bytes, 500_000, 1 << 16);
      assertArrayEquals(bytes, now);
    }
  }

  @Test
  void discardGivesSpaceBackToTheHost() throws IOException {
    assumeTrue(HostCalls.AVAILABLE, "holes are punched on Linux only");
    Path path = image("d", 8 << 20);
    try (Disk disk = DiskImages.open(path, DiskOptions.WRITABLE)) {
      disk.write(0, ByteBuffer.wrap(random(8 << 20)));
      disk.flush();
      assertEquals(0, disk.zeroesAt(0));
      disk.discard(1 << 20, 6 << 20);
      assertEquals(6 << 20, disk.zeroesAt(1 << 20));
    }
  }

  @Test
  void aWriterExcludesEveryoneAndReadersShare() throws IOException {
    Path path = image("locked", 4096);
    try (Disk writer = DiskImages.open(path, DiskOptions.WRITABLE)) {
      DiskException failure =
          assertThrows(DiskException.class, () -> DiskImages.open(path, DiskOptions.READ_ONLY));
      assertTrue(failure.getMessage().startsWith(path + ": is in use"), failure.getMessage());
      assertThrows(DiskException.class, () -> DiskImages.open(path, DiskOptions.WRITABLE));
      assertFalse(writer.isReadOnly());
    }
    try (Disk one = DiskImages.open(path, DiskOptions.READ_ONLY);
        Disk two = DiskImages.open(path, DiskOptions.READ_ONLY)) {
      assertThrows(DiskException.class, () -> DiskImages.open(path, DiskOptions.WRITABLE));
      assertTrue(one.isReadOnly() && two.isReadOnly());
      assertThrows(DiskException.class, () -> one.write(0, ByteBuffer.allocate(512)));
    }
    DiskImages.open(path, DiskOptions.WRITABLE).close();
  }

  @Test
  void theGuestOfAGuessedRawImageCannotMakeItAnotherFormat() throws IOException {
    Path path = image("guessed", 1 << 16);
    byte[] header = new byte[4096];
    System.arraycopy("QFI".getBytes(StandardCharsets.US_ASCII), 0, header, 0, 3);
    header[3] = (byte) 0xfb;
    header[7] = 3;
    try (Disk disk = DiskImages.open(path, DiskOptions.WRITABLE)) {
      assertThrows(DiskException.class, () -> disk.write(0, ByteBuffer.wrap(header)));
      // Not in parts either.
      disk.write(2, ByteBuffer.wrap(header, 2, 510));
      assertThrows(DiskException.class, () -> disk.write(0, ByteBuffer.wrap(header, 0, 2)));
      disk.write(512, ByteBuffer.wrap(header, 0, 512));
    }
    try (Disk disk = DiskImages.open(path, DiskOptions.WRITABLE.withFormat(ImageFormat.RAW))) {
      disk.write(0, ByteBuffer.wrap(header));
    }
  }

  @Test
  void anInterruptedThreadDoesNotCloseTheDisk() throws IOException {
    Path path = image("interrupted", 1 << 16);
    try (Disk disk = DiskImages.open(path, DiskOptions.WRITABLE)) {
      Thread.currentThread().interrupt();
      disk.write(512, ByteBuffer.wrap(random(512)));
      assertTrue(Thread.interrupted());
      Thread.currentThread().interrupt();
      assertArrayEquals(random(512), read(disk, 512, 512));
      assertTrue(Thread.interrupted());
      assertThrows(DiskException.class, () -> DiskImages.open(path, DiskOptions.WRITABLE));
    }
  }

  @Test
  void whatIsNoImageIsRefusedInOneLine() throws IOException {
    Path vmdk = directory.resolve("x.vmdk");
    Files.writeString(vmdk, "KDMV");
    for (Path each :
        new Path[] {vmdk, directory, directory.resolve("none"), Path.of("/dev/null")}) {
      DiskException failure =
          assertThrows(DiskException.class, () -> DiskImages.open(each, DiskOptions.WRITABLE));
      assertTrue(failure.getMessage().startsWith(each.toString()), failure.getMessage());
      assertFalse(failure.getMessage().contains("\n"));
    }
  }

  @Test
  void aDiskGrowsAndShrinks() throws IOException {
    Path path = image("resized", 4096);
    try (Disk disk = DiskImages.open(path, DiskOptions.WRITABLE)) {
      disk.write(0, ByteBuffer.wrap(random(4096)));
      disk.resize(1 << 20);
      assertEquals(1 << 20, disk.sizeBytes());
      assertArrayEquals(new byte[8192], read(disk, 4096, 8192));
      disk.resize(2048);
      disk.resize(4096);
      assertArrayEquals(new byte[2048], read(disk, 2048, 2048));
      assertThrows(DiskException.class, () -> disk.resize(1000));
    }
    assertEquals(4096, Files.size(path));
  }
}
