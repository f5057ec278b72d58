package parhelion.media.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import parhelion.media.disk.qcow2.CheckReport;

/** Images go to and fro between QEMU's tool and us, and both agree on what is in them. */
final class Qcow2WithQemuTest {
  private static final long SEED = Long.getLong("parhelion.seed", 1);

  @TempDir Path directory;

  @BeforeEach
  void thereIsQemuImg() throws Exception {
    QemuImg.assumeThere();
  }

  private Path path(String name) {
    return directory.resolve(name);
  }

  private static void checkClean(Path image) throws Exception {
    QemuImg.Result result = QemuImg.run("check", image);
    assertEquals(0, result.status(), result::output);
    CheckReport report = DiskImages.check(image, false, CheckReport.Progress.NONE);
    assertTrue(report.isClean(), () -> report.findings().toString());
  }

  private void compare(byte[] model, Path image) throws Exception {
    Path raw = path("model.raw");
    Files.write(raw, model);
    QemuImg.ok("compare", "-f", "raw", "-F", "qcow2", raw, image);
  }

  /** As the images of other programs, too: old versions, all widths of refcounts. */
  @ParameterizedTest
  @CsvSource({
    "512,1.1,16", "4096,0.10,16", "65536,1.1,16", "2097152,1.1,16", "65536,0.10,16", "1024,1.1,1",
    "2048,1.1,2", "8192,1.1,4", "16384,1.1,8", "32768,1.1,32", "131072,1.1,64", "512,1.1,64"
  })
  void whatRandomOperationsLeaveIsTheSameForQemu(int cluster, String compat, int bits)
      throws Exception {
    Path image = path("a.qcow2");
    String options = "cluster_size=%d,compat=%s,refcount_bits=%d".formatted(cluster, compat, bits);
    int size = Math.clamp(64L * cluster, 2 << 20, 24 << 20) + 1536;
    QemuImg.ok("create", "-q", "-f", "qcow2", "-o", options, image, size);
    RandomOperations operations = new RandomOperations(SEED + cluster + bits, new byte[size]);
    for (int round = 0; round < 3; round++) {
      try (Disk disk = DiskImages.open(image, DiskOptions.WRITABLE)) {
        operations.run(disk, 150);
        operations.checkAll(disk);
      }
      checkClean(image);
      compare(operations.model, image);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {512, 4096, 65536, 1 << 21})
  void imagesThatWeCreateAreQemusToo(int cluster) throws Exception {
    Path image = path("b.qcow2");
    int size = 5 << 20;
    DiskImages.create(image, ImageFormat.QCOW2, size, cluster, false);
    checkClean(image);
    RandomOperations operations = new RandomOperations(SEED, new byte[size]);
    try (Disk disk = DiskImages.open(image, DiskOptions.WRITABLE)) {
      operations.run(disk, 200);
    }
    checkClean(image);
    compare(operations.model, image);
    Path converted = path("c.qcow2");
    QemuImg.ok("convert", "-O", "qcow2", image, converted);
    try (Disk disk = DiskImages.open(converted, DiskOptions.READ_ONLY)) {
      operations.checkAll(disk);
    }
  }

  @ParameterizedTest
  @CsvSource({"zlib,65536", "zlib,4096", "zstd,65536", "zstd,2097152"})
  void compressedClustersAreReadAndCopiedWhenTheyAreWritten(String type, int cluster)
      throws Exception {
    int size = 8 << 20;
    byte[] model = new byte[size];
    Random random = new Random(SEED);
    for (int at = 0; at < size; at += 512) {
      // Of all degrees of order.
      byte[] sector = new byte[512];
      random.nextBytes(sector);
      Arrays.fill(sector, random.nextInt(512), 512, (byte) (at >> 16));
      System.arraycopy(sector, 0, model, at, 512);
    }
    Arrays.fill(model, 3 << 20, 5 << 20, (byte) 0);
    Path raw = path("d.raw");
    Files.write(raw, model);
    Path image = path("d.qcow2");
    String options = "compression_type=%s,cluster_size=%d".formatted(type, cluster);
    QemuImg.ok("convert", "-c", "-O", "qcow2", "-o", options, "-f", "raw", raw, image);
    assertTrue(DiskImages.check(image, false, CheckReport.Progress.NONE).compressedClusters() > 0);
    RandomOperations operations = new RandomOperations(SEED, model);
    try (Disk disk = DiskImages.open(image, DiskOptions.WRITABLE)) {
      operations.checkAll(disk);
      operations.run(disk, 200);
      operations.checkAll(disk);
    }
    checkClean(image);
    compare(operations.model, image);
  }

  @ParameterizedTest
  @CsvSource({"1.1,65536", "0.10,65536", "1.1,1024", "0.10,512"})
  void snapshotsStayAsTheyWere(String compat, int cluster) throws Exception {
    int size = 3 << 20;
    Path image = path("e.qcow2");
    String options = "compat=%s,cluster_size=%d".formatted(compat, cluster);
    QemuImg.ok("create", "-q", "-f", "qcow2", "-o", options, image, size);
    RandomOperations operations = new RandomOperations(SEED, new byte[size]);
    byte[][] states = new byte[4][];
    for (int i = 0; i < states.length; i++) {
      try (Disk disk = DiskImages.open(image, DiskOptions.WRITABLE)) {
        operations.checkAll(disk);
        operations.run(disk, 80);
      }
      states[i] = operations.model.clone();
      QemuImg.ok("snapshot", "-c", "s" + i, image);
    }
    checkClean(image);
    assertEquals(4, DiskImages.info(image, null).qcow2().snapshots().size());
    QemuImg.ok("snapshot", "-d", "s1", image);
    QemuImg.ok("snapshot", "-a", "s2", image);
    operations.model = states[2].clone();
    try (Disk disk = DiskImages.open(image, DiskOptions.WRITABLE)) {
      operations.checkAll(disk);
      operations.run(disk, 80);
    }
    checkClean(image);
    compare(operations.model, image);
    for (int i : new int[] {0, 2, 3}) {
      QemuImg.ok("snapshot", "-a", "s" + i, image);
      compare(states[i], image);
    }
  }

  @ParameterizedTest
  @CsvSource({"1.1,qcow2,4096", "0.10,raw,4096", "1.1,raw,65536", "0.10,qcow2,65536"})
  void overlaysOfOverlaysReadThroughAndAreCommitted(String compat, String baseFormat, int cluster)
      throws Exception {
    int baseSize = 2 << 20;
    int size = 3 << 20;
    Path base = path("base");
    QemuImg.ok("create", "-q", "-f", baseFormat, base, baseSize);
    RandomOperations operations = new RandomOperations(SEED, new byte[baseSize]);
    DiskOptions asBase = DiskOptions.WRITABLE.withFormat(ImageFormat.of(baseFormat));
    try (Disk disk = DiskImages.open(base, asBase)) {
      operations.run(disk, 60);
    }
    Path middle = path("middle.qcow2");
    String options = "compat=%s,cluster_size=%d".formatted(compat, cluster);
    QemuImg.ok(
        "create", "-q", "-f", "qcow2", "-o", options, "-b", "base", "-F", baseFormat, middle, size);
    operations.model = Arrays.copyOf(operations.model, size);
    try (Disk disk = DiskImages.open(middle, DiskOptions.WRITABLE)) {
      operations.checkAll(disk);
      operations.run(disk, 100);
      operations.checkAll(disk);
    }
    checkClean(middle);
    compare(operations.model, middle);
    byte[] before = operations.model.clone();
    Path top = path("top.qcow2");
    DiskImages.createOverlay(top, middle, null, 0, cluster, false);
    try (Disk disk = DiskImages.open(top, DiskOptions.WRITABLE)) {
      operations.run(disk, 100);
      operations.checkAll(disk);
    }
    checkClean(top);
    compare(operations.model, top);
    compare(before, middle);
    DiskCopy.commit(top, (done, total) -> {});
    checkClean(top);
    checkClean(middle);
    compare(operations.model, middle);
    compare(operations.model, top);
    DiskCopy.commit(middle, (done, total) -> {});
    QemuImg.ok("compare", "-F", baseFormat, "-f", "qcow2", top, base);
    assertEquals(size, DiskImages.info(base, ImageFormat.of(baseFormat)).sizeBytes());
  }

  @ParameterizedTest
  @CsvSource({"1.1,512", "0.10,512", "1.1,65536", "0.10,65536"})
  void aResizedImageIsAsQemuSeesIt(String compat, int cluster) throws Exception {
    Path base = path("base.raw");
    byte[] below = new byte[1 << 20];
    new Random(SEED).nextBytes(below);
    Files.write(base, below);
    Path image = path("f.qcow2");
    String options = "compat=%s,cluster_size=%d".formatted(compat, cluster);
    int size = (600 << 10) + 512;
    QemuImg.ok(
        "create", "-q", "-f", "qcow2", "-o", options, "-b", "base.raw", "-F", "raw", image, size);
    RandomOperations operations = new RandomOperations(SEED, Arrays.copyOf(below, size));
    int[] sizes = {700 << 10, (300 << 10) + 512, 6 << 20, 5 << 20, 40 << 20, 1 << 20, 2 << 20};
    try (Disk disk = DiskImages.open(image, DiskOptions.WRITABLE)) {
      for (int next : sizes) {
        operations.run(disk, 60);
        disk.resize(next);
        operations.model = Arrays.copyOf(operations.model, next);
        operations.checkAll(disk);
      }
    }
    checkClean(image);
    compare(operations.model, image);
  }

  @Test
  void convertedImagesAreTheSameAndSparse() throws Exception {
    Path raw = path("g.raw");
    DiskImages.create(raw, ImageFormat.RAW, 1L << 34, 0, false);
    RandomOperations operations = new RandomOperations(SEED, new byte[4 << 20]);
    try (Disk disk = DiskImages.open(raw, DiskOptions.WRITABLE.withFormat(ImageFormat.RAW))) {
      operations.run(disk, 100);
    }
    Path image = path("g.qcow2");
    DiskCopy.convert(raw, ImageFormat.RAW, image, ImageFormat.QCOW2, 1 << 16, false, (a, b) -> {});
    checkClean(image);
    QemuImg.ok("compare", "-f", "raw", "-F", "qcow2", raw, image);
    Path back = path("back.raw");
    DiskCopy.convert(image, null, back, ImageFormat.RAW, 0, false, (a, b) -> {});
    QemuImg.ok("compare", "-f", "raw", "-F", "raw", raw, back);
    assertTrue(DiskImages.info(back, ImageFormat.RAW).hostBytes() <= 4 << 20);
  }
}
