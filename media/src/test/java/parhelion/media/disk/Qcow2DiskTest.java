package parhelion.media.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import parhelion.media.disk.qcow2.CheckReport;

final class Qcow2DiskTest {
  private static final int MIB = 1 << 20;

  @TempDir Path directory;

  private Path image(String name, long size, int cluster) throws DiskException {
    Path path = directory.resolve(name);
    DiskImages.create(path, ImageFormat.QCOW2, size, cluster, false);
    return path;
  }

  private static void patch(Path path, long offset, int... bytes) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.seek(offset);
      for (int each : bytes) {
        file.write(each);
      }
    }
  }

  private static String refused(Path path, DiskOptions options) {
    DiskException failure = assertThrows(DiskException.class, () -> DiskImages.open(path, options));
    assertTrue(failure.getMessage().startsWith(path.getParent().toString()), failure.getMessage());
    return failure.getMessage();
  }

  private static byte[] bytes(long seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private static byte[] read(Disk disk, long offset, int length) throws IOException {
    byte[] bytes = new byte[length];
    disk.read(offset, ByteBuffer.wrap(bytes));
    return bytes;
  }

  private static CheckReport check(Path path) throws DiskException {
    return DiskImages.check(path, false, CheckReport.Progress.NONE);
  }

  /** Bytes of the header that make an image one that cannot be served, and what is said of it. */
  @ParameterizedTest
  @CsvSource({
    "7, 4, version 4",
    "23, 8, 2^8",
    "23, 22, 2^22",
    "35, 1, encrypted",
    "36, 127, L1 table has",
    "47, 1, L1 table is at",
    "56, 1, refcount table",
    "79, 4, external data file",
    "79, 16, extended L2 entries",
    "72, 128, incompatible feature 63",
    "79, 8, compression",
    "99, 7, refcounts are 2^7",
    "103, 3, its length is 3",
    "24, 128, size"
  })
  void aHeaderThatCannotBeServedIsRefusedByName(int at, int value, String said) throws Exception {
    Path path = image("h", MIB, 65536);
    patch(path, at, value);
    String message = refused(path, DiskOptions.READ_ONLY);
    assertTrue(message.contains(said), message);
  }

  @Test
  void aDamagedImageIsOnlyReadUntilItIsRepaired() throws Exception {
    Path path = image("c", MIB, 65536);
    patch(path, 79, 2);
    assertTrue(refused(path, DiskOptions.WRITABLE).contains("check --repair"));
    DiskImages.open(path, DiskOptions.READ_ONLY).close();
    assertTrue(DiskImages.check(path, true, CheckReport.Progress.NONE).isClean());
    DiskImages.open(path, DiskOptions.WRITABLE).close();
  }

  @Test
  void refcountsThatWereLeftForLaterAreMadeWhenTheImageIsWritten() throws Exception {
    Path path = image("lazy", 4 * MIB, 4096);
    try (Disk disk = DiskImages.open(path, DiskOptions.WRITABLE)) {
      disk.write(0, ByteBuffer.wrap(bytes(1, MIB)));
    }
    // The block of refcounts, as it was when the image was empty, and the dirty bit.
    byte[] block = new byte[4096];
    for (int i = 0; i < 4; i++) {
      block[2 * i + 1] = 1;
    }
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.seek(8192);
      file.write(block);
    }
    patch(path, 79, 1);
    assertTrue(check(path).corruptions() > 200);
    try (Disk disk = DiskImages.open(path, DiskOptions.WRITABLE)) {
      disk.write(2 * MIB, ByteBuffer.wrap(bytes(2, MIB)));
      assertArrayEquals(bytes(1, MIB), read(disk, 0, MIB));
    }
    assertTrue(check(path).isClean());
    assertEquals(false, DiskImages.info(path, null).qcow2().dirty());
  }

  @Test
  void leaksAndWrongRefcountsAreFoundAndRepaired() throws Exception {
    Path path = image("leaks", MIB, 4096);
    try (Disk disk = DiskImages.open(path, DiskOptions.WRITABLE)) {
      disk.write(0, ByteBuffer.wrap(bytes(1, MIB / 2)));
    }
    assertTrue(check(path).isClean());
    // Cluster 1000 is not there; cluster 20 is counted twice, cluster 30 not at all.
    patch(path, 8192 + 2 * 1000, 0, 1);
    patch(path, 8192 + 2 * 20, 0, 2);
    patch(path, 8192 + 2 * 30, 0, 0);
    CheckReport found = check(path);
    assertEquals(2, found.leaks());
    assertEquals(1, found.corruptions(), () -> found.findings().toString());
    CheckReport repaired = DiskImages.check(path, true, CheckReport.Progress.NONE);
    assertEquals(2, repaired.repairedLeaks());
    assertEquals(1, repaired.repairedCorruptions());
    assertTrue(check(path).isClean());
  }

  @Test
  void autoclearBitsAreClearedByWhoeverWrites() throws Exception {
    Path path = image("auto", MIB, 65536);
    patch(path, 95, 3);
    DiskImages.open(path, DiskOptions.READ_ONLY).close();
    assertEquals(3, Files.readAllBytes(path)[95]);
    DiskImages.open(path, DiskOptions.WRITABLE).close();
    assertEquals(0, Files.readAllBytes(path)[95]);
  }

  @Test
  void anImageThatIsItsOwnBackingFileIsRefused() throws Exception {
    Path self = directory.resolve("self");
    DiskImages.create(self, ImageFormat.QCOW2, MIB, 65536, false);
    Path over = directory.resolve("over");
    DiskImages.createOverlay(over, self, ImageFormat.QCOW2, 0, 65536, false);
    Files.copy(over, self, StandardCopyOption.REPLACE_EXISTING);
    assertTrue(refused(self, DiskOptions.READ_ONLY).contains("its own backing file"));
    assertTrue(refused(over, DiskOptions.WRITABLE).contains("its own backing file"));
    assertTrue(refused(self, DiskOptions.WRITABLE).contains("in use"));
  }

  @Test
  void chainsThatAreTooLongAreRefused() throws Exception {
    Path last = image("0", MIB, 4096);
    for (int i = 1; i < 64; i++) {
      Path next = directory.resolve("" + i);
      DiskImages.createOverlay(next, last, ImageFormat.QCOW2, 0, 4096, false);
      last = next;
    }
    DiskImages.open(last, DiskOptions.WRITABLE).close();
    Path tooMuch = directory.resolve("64");
    DiskImages.createOverlay(tooMuch, last, ImageFormat.QCOW2, 0, 4096, false);
    assertTrue(refused(tooMuch, DiskOptions.READ_ONLY).contains("more than 64"));
  }

  @Test
  void aBackingFileThatOnlyLooksLikeQcow2NamesNoFurtherFile() throws Exception {
    Path secret = directory.resolve("secret");
    Files.write(secret, bytes(1, MIB));
    Path base = directory.resolve("base");
    DiskImages.createOverlay(base, secret, ImageFormat.RAW, 0, 4096, false);
    Path over = directory.resolve("over");
    DiskImages.createOverlay(over, base, ImageFormat.QCOW2, 0, 4096, false);
    DiskImages.open(over, DiskOptions.READ_ONLY).close();
    // The header of the overlay loses the word for the format.
    patch(over, 104, 0x12, 0x34, 0x56, 0x78);
    assertTrue(refused(over, DiskOptions.READ_ONLY).contains("nobody says"));
  }

  @Test
  void aMissingBackingFileIsNamed() throws Exception {
    Path base = image("base", MIB, 65536);
    Path over = directory.resolve("over");
    DiskImages.createOverlay(over, base, null, 0, 65536, false);
    Files.delete(base);
    assertTrue(refused(over, DiskOptions.WRITABLE).startsWith(base + ": no such file"));
  }

  @Test
  void overlaysShareABackingFileThatNobodyWrites() throws Exception {
    Path base = image("base", MIB, 65536);
    Path a = directory.resolve("a");
    Path b = directory.resolve("b");
    DiskImages.createOverlay(a, base, null, 0, 65536, false);
    DiskImages.createOverlay(b, base, null, 0, 65536, false);
    try (Disk one = DiskImages.open(a, DiskOptions.WRITABLE);
        Disk two = DiskImages.open(b, DiskOptions.WRITABLE)) {
      one.write(0, ByteBuffer.wrap(bytes(1, 4096)));
      assertArrayEquals(new byte[4096], read(two, 0, 4096));
      assertTrue(refused(base, DiskOptions.WRITABLE).contains("in use"));
      assertThrows(DiskException.class, () -> DiskCopy.commit(a, (done, total) -> {}));
    }
    DiskImages.open(base, DiskOptions.WRITABLE).close();
  }

  @Test
  void aSnapshotLeavesItsImageAsItWas() throws Exception {
    Path raw = directory.resolve("raw");
    Files.write(raw, bytes(1, 4 * MIB));
    RandomOperations operations = new RandomOperations(1, bytes(1, 4 * MIB));
    try (Disk disk = DiskImages.open(raw, DiskOptions.SNAPSHOT);
        Disk other = DiskImages.open(raw, DiskOptions.SNAPSHOT)) {
      operations.run(disk, 200);
      operations.checkAll(disk);
      assertArrayEquals(bytes(1, 4 * MIB), read(other, 0, 4 * MIB));
    }
    assertArrayEquals(bytes(1, 4 * MIB), Files.readAllBytes(raw));
    DiskImages.open(raw, DiskOptions.WRITABLE).close();
  }

  @Test
  void discardedSpaceIsUsedAgain() throws Exception {
    Path path = image("reuse", 64 * MIB, 65536);
    try (Disk disk = DiskImages.open(path, DiskOptions.WRITABLE)) {
      for (int i = 0; i < 20; i++) {
        disk.write((i % 3) * 16L * MIB, ByteBuffer.wrap(bytes(i, 8 * MIB)));
        disk.flush();
        disk.discard(0, 64 * MIB);
        disk.flush();
        assertArrayEquals(new byte[MIB], read(disk, (i % 3) * 16L * MIB, MIB));
      }
    }
    assertTrue(Files.size(path) < 12 * MIB, () -> "length " + path.toFile().length());
    assertTrue(check(path).isClean());
  }

  @Test
  void aDiskOfManyTerabytesIsCheapUntilItIsWritten() throws Exception {
    Path path = image("large", 16L << 40, 65536);
    try (Disk disk = DiskImages.open(path, DiskOptions.WRITABLE)) {
      disk.write((16L << 40) - 4096, ByteBuffer.wrap(bytes(1, 4096)));
      disk.discard(0, (16L << 40) - MIB);
      assertArrayEquals(bytes(1, 4096), read(disk, (16L << 40) - 4096, 4096));
    }
    assertTrue(check(path).isClean());
    assertTrue(DiskImages.info(path, null).hostBytes() < 2 * MIB);
  }

  /** Each thread has sectors of its own, in clusters and tables that it shares with the others. */
  @Test
  void threadsAtOnceDoNotHarmOneAnother() throws Exception {
    Path path = image("threads", 8 * MIB, 4096);
    int threads = 4;
    AtomicBoolean stop = new AtomicBoolean();
    try (Disk disk = DiskImages.open(path, DiskOptions.WRITABLE);
        ExecutorService pool = Executors.newFixedThreadPool(threads + 1)) {
      List<Callable<byte[]>> tasks = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        int thread = t;
        tasks.add(() -> ownSectors(disk, thread, threads));
      }
      Future<?> flusher =
          pool.submit(
              () -> {
                while (!stop.get()) {
                  disk.flush();
                }
                return null;
              });
      List<Future<byte[]>> results = pool.invokeAll(tasks);
      stop.set(true);
      flusher.get();
      for (int t = 0; t < threads; t++) {
        byte[] expected = results.get(t).get();
        for (int s = t; s < expected.length / 512; s += threads) {
          byte[] sector = Arrays.copyOfRange(expected, s * 512, s * 512 + 512);
          assertArrayEquals(sector, read(disk, s * 512L, 512), "sector " + s);
        }
      }
    }
    assertTrue(check(path).isClean());
  }

  private static byte[] ownSectors(Disk disk, int thread, int threads) throws IOException {
    Random random = new Random(thread);
    byte[] model = new byte[8 * MIB];
    for (int i = 0; i < 3000; i++) {
      int s = random.nextInt(model.length / 512 / threads) * threads + thread;
      if (random.nextInt(3) == 0) {
        assertArrayEquals(
            Arrays.copyOfRange(model, s * 512, s * 512 + 512), read(disk, s * 512L, 512));
      } else if (random.nextInt(3) == 0) {
        disk.writeZeroes(s * 512L, 512);
        Arrays.fill(model, s * 512, s * 512 + 512, (byte) 0);
      } else {
        byte[] sector = bytes(random.nextLong(), 512);
        disk.write(s * 512L, ByteBuffer.wrap(sector));
        System.arraycopy(sector, 0, model, s * 512, 512);
      }
    }
    return model;
  }
}
