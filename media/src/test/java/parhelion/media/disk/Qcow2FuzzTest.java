package parhelion.media.disk;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import parhelion.media.disk.qcow2.CheckReport;
import parhelion.media.disk.qcow2.Qcow2Create;
import parhelion.media.disk.qcow2.Qcow2Disk;
import parhelion.media.disk.qcow2.Qcow2Info;
import parhelion.media.disk.qcow2.RefcountCheck;

/**
 * Images with random damage end in an error of one line or go on; nothing else is thrown, nothing
 * hangs, and the file does not grow past what was written.
 */
@Timeout(value = 15, unit = TimeUnit.MINUTES)
final class Qcow2FuzzTest {
  private static final long SEED = Long.getLong("parhelion.seed", 1);
  private static final int CASES = Boolean.getBoolean("parhelion.fast") ? 200 : 800;
  private static final long DISK_BYTES = 2 << 20;

  private static final long[] ODD = {
    0, 1, -1, 512, 1L << 62, 1L << 63, Long.MAX_VALUE, 1L << 55, 0x00ff_ffff_ffff_fe00L, 1 << 16
  };

  private static Disk open(MemoryFile file) throws IOException {
    return Qcow2Disk.open(
        file,
        (name, format) -> {
          throw new DiskException(name.length() + " bytes of a backing file's name");
        });
  }

  /** An image with data, holes and what a writer leaves. */
  private static byte[] sample(int clusterBytes) throws IOException {
    MemoryFile file = new MemoryFile(SEED);
    Qcow2Create.write(file, DISK_BYTES, clusterBytes, null, null);
    try (Disk disk = open(file)) {
      new RandomOperations(SEED, new byte[(int) DISK_BYTES]).run(disk, 60);
    }
    return file.bytes();
  }

  @ParameterizedTest
  @ValueSource(ints = {512, 4096, 65536})
  void damagedImagesAreRefusedOrServedAndNothingElse(int cluster) throws IOException {
    byte[] sample = sample(cluster);
    Random random = new Random(SEED + cluster);
    int refused = 0;
    for (int i = 0; i < CASES; i++) {
      MemoryFile file = new MemoryFile(i);
      file.bytes(damage(sample, cluster, random));
      int length = file.bytes().length;
      try {
        use(file, random);
      } catch (IOException e) {
        refused++;
        String message = String.valueOf(e.getMessage());
        assertTrue(!message.isEmpty() && !message.contains("\n"), message);
      }
      int most = length + 2 * (int) DISK_BYTES + (16 << 20);
      assertTrue(file.bytes().length <= most, () -> "grew to " + file.bytes().length);
    }
    assertTrue(refused > CASES / 20 && refused < CASES, "refused: " + refused);
  }

  private static byte[] damage(byte[] sample, int cluster, Random random) {
    byte[] bytes = sample.clone();
    ByteBuffer in = ByteBuffer.wrap(bytes);
    for (int n = 1 + random.nextInt(4); n > 0; n--) {
      // Header fields, tables near the beginning, or anywhere.
      int within =
          switch (random.nextInt(4)) {
            case 0 -> 112;
            case 1 -> Math.min(bytes.length, 8 * cluster);
            default -> bytes.length;
          };
      int at = random.nextInt(within / 8) * 8;
      switch (random.nextInt(4)) {
        case 0 -> in.put(at + random.nextInt(8), (byte) random.nextInt());
        case 1 -> in.putLong(at, ODD[random.nextInt(ODD.length)]);
        case 2 -> {
          // A reference to somewhere in the file, as the only one.
          long to = (long) random.nextInt(bytes.length / cluster) * cluster;
          in.putLong(at, to | (random.nextBoolean() ? 1L << 63 : 0));
        }
        default -> in.putInt(at + 4 * random.nextInt(2), random.nextInt(1 << random.nextInt(31)));
      }
    }
    return bytes;
  }

  private static void use(MemoryFile file, Random random) throws IOException {
    RefcountCheck.run(file, false, CheckReport.Progress.NONE);
    Qcow2Info.read(file);
    Disk disk = open(file);
    int size = (int) Math.min(disk.sizeBytes(), DISK_BYTES);
    ByteBuffer bytes = ByteBuffer.allocate(8192);
    IOException failure = null;
    for (int i = 0; i < 30; i++) {
      int offset = random.nextInt(Math.max(1, size / 512 - 16)) * 512;
      try {
        bytes.clear();
        switch (random.nextInt(5)) {
          case 0 -> disk.read(offset, bytes);
          case 1 -> disk.writeZeroes(offset, 8192);
          case 2 -> disk.discard(offset, 8192);
          case 3 -> disk.flush();
          default -> disk.write(offset, bytes);
        }
      } catch (IOException e) {
        failure = e;
      }
    }
    disk.close();
    RefcountCheck.run(file, true, CheckReport.Progress.NONE);
    if (failure != null) {
      throw failure;
    }
  }
}
