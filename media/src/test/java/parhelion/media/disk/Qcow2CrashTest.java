package parhelion.media.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import parhelion.media.disk.qcow2.CheckReport;
import parhelion.media.disk.qcow2.Qcow2Create;
import parhelion.media.disk.qcow2.Qcow2Disk;
import parhelion.media.disk.qcow2.RefcountCheck;

/**
 * Whatever fails or stops, what was acknowledged by a flush is there, and the image has leaks at
 * worst.
 */
final class Qcow2CrashTest {
  private static final long SEED = Long.getLong("parhelion.seed", 1);
  private static final int SECTORS = 6000;

  @TempDir Path directory;

  private static Disk open(MemoryFile file) throws IOException {
    return Qcow2Disk.open(
        file,
        (name, format) -> {
          throw new IOException("no backing file");
        });
  }

  private static MemoryFile image(long seed, int clusterBytes) throws IOException {
    MemoryFile file = new MemoryFile(seed);
    Qcow2Create.write(file, SECTORS * 512L, clusterBytes, null, null);
    return file;
  }

  private static CheckReport checkOnlyLeaks(MemoryFile file) throws IOException {
    CheckReport report = RefcountCheck.run(file, false, CheckReport.Progress.NONE);
    assertEquals(0, report.corruptions(), () -> report.findings().toString());
    return report;
  }

  @ParameterizedTest
  @ValueSource(ints = {512, 1024, 4096, 65536})
  void aHostThatStopsLosesNothingThatWasAcknowledged(int cluster) throws IOException {
    Random random = new Random(SEED + cluster);
    MemoryFile file = image(random.nextLong(), cluster);
    SectorModel model = new SectorModel(SEED, SECTORS, 0);
    for (int round = 0; round < 20; round++) {
      Disk disk = open(file);
      for (int i = 10 + random.nextInt(60); i > 0; i--) {
        model.draw().perform(disk);
        if (random.nextInt(8) == 0) {
          disk.flush();
          model.flushed();
        }
      }
      if (random.nextInt(4) == 0) {
        // The stop comes in the middle of a flush.
        file.succeed = random.nextInt(6);
        file.fail = 1;
        try {
          disk.flush();
          model.flushed();
        } catch (IOException e) {
          // As wanted.
        }
      }
      file = file.afterPowerCut(random.nextLong());
      model.stopped();
      checkOnlyLeaks(file);
      model.verify(open(file));
      if (round % 5 == 4) {
        RefcountCheck.run(file, true, CheckReport.Progress.NONE);
        assertTrue(checkOnlyLeaks(file).isClean());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {512, 4096, 65536})
  void writesThatFailOrTearLoseNothingElse(int cluster) throws IOException {
    Random random = new Random(SEED + cluster);
    int failures = 0;
    for (int round = 0; round < 20; round++) {
      MemoryFile file = image(random.nextLong(), cluster);
      SectorModel model = new SectorModel(SEED + round, SECTORS, 0);
      Disk disk = open(file);
      file.succeed = random.nextInt(400);
      file.fail = 1 + random.nextInt(4);
      for (int i = 0; i < 80; i++) {
        try {
          model.draw().perform(disk);
        } catch (IOException e) {
          failures++;
          model.failed();
        }
        if (random.nextInt(8) == 0) {
          try {
            disk.flush();
            model.flushed();
          } catch (IOException e) {
            failures++;
          }
        }
      }
      file.succeed = -1;
      if (random.nextBoolean()) {
        try {
          disk.flush();
          model.flushed();
        } catch (IOException e) {
          failures++;
        }
      }
      // The process is killed: what it had not written is lost, what it had is there.
      model.stopped();
      checkOnlyLeaks(file);
      model.verify(open(file));
    }
    assertTrue(failures > 10, "failures: " + failures);
  }

  @ParameterizedTest
  @ValueSource(ints = {512, 4096, 65536})
  void aFullHostDiskFailsWritesAndHarmsNothing(int cluster) throws IOException {
    MemoryFile file = image(SEED, cluster);
    SectorModel model = new SectorModel(SEED, SECTORS, 0);
    Disk disk = open(file);
    int failures = 0;
    for (int i = 0; i < 300; i++) {
      file.quota = i % 100 < 60 ? file.sizeBytes() + 8192 - 100 * (i % 100) : Long.MAX_VALUE;
      try {
        model.draw().perform(disk);
      } catch (IOException e) {
        failures++;
        model.failed();
      }
    }
    file.quota = Long.MAX_VALUE;
    disk.close();
    model.flushed();
    checkOnlyLeaks(file);
    model.verify(open(file));
    assertTrue(failures > 5, "failures: " + failures);
  }

  /** The program that is killed: says after which operation it has flushed. */
  static final class Writer {
    private Writer() {}

    public static void main(String[] args) throws IOException {
      SectorModel model =
          new SectorModel(Long.parseLong(args[1]), SECTORS, Long.parseLong(args[2]));
      try (Disk disk = DiskImages.open(Path.of(args[0]), DiskOptions.WRITABLE)) {
        for (int i = 1; ; i++) {
          model.draw().perform(disk);
          if (i % 7 == 0) {
            disk.flush();
            System.out.println(i);
          }
        }
      }
    }
  }

  @Test
  void aKilledProcessLosesNothingThatWasAcknowledged() throws Exception {
    Path image = directory.resolve("k.qcow2");
    DiskImages.create(image, ImageFormat.QCOW2, SECTORS * 512L, 4096, false);
    Random random = new Random(SEED);
    for (int round = 0; round < 4; round++) {
      long seed = random.nextLong();
      long firstStamp = (round + 1) * 1_000_000_000L;
      SectorModel model = new SectorModel(seed, SECTORS, firstStamp);
      try (Disk disk = DiskImages.open(image, DiskOptions.READ_ONLY)) {
        model.adopt(disk);
      }
      int acknowledged = runAndKill(image, seed, firstStamp, 20 + random.nextInt(150));
      for (int i = 0; i < acknowledged; i++) {
        SectorModel.Operation ignored = model.draw();
      }
      model.flushed();
      for (int i = 0; i < 100; i++) {
        SectorModel.Operation ignored = model.draw();
      }
      model.stopped();
      CheckReport report = DiskImages.check(image, false, CheckReport.Progress.NONE);
      assertEquals(0, report.corruptions(), () -> report.findings().toString());
      try (Disk disk = DiskImages.open(image, DiskOptions.READ_ONLY)) {
        model.verify(disk);
      }
    }
  }

  /** Kills the writer some lines after its start; returns the last that it said. */
  private static int runAndKill(Path image, long seed, long firstStamp, int lines)
      throws Exception {
    Process process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-XX:TieredStopAtLevel=1",
                    "--enable-native-access=ALL-UNNAMED",
                    "-cp",
                    System.getProperty("java.class.path"),
                    Writer.class.getName(),
                    image.toString(),
                    Long.toString(seed),
                    Long.toString(firstStamp)))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    int last = 0;
    try (BufferedReader said =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII))) {
      for (String line = said.readLine(); line != null; line = said.readLine()) {
        last = Integer.parseInt(line);
        if (--lines == 0) {
          // Not by the process itself, which would close its output too.
          boolean ignored = process.toHandle().destroyForcibly();
        }
      }
    }
    process.waitFor();
    assertTrue(last > 0, "the writer said nothing");
    return last;
  }
}
