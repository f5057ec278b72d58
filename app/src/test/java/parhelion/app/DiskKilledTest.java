package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import parhelion.toolstack.debian.PackageCache;
import parhelion.toolstack.image.ImageException;
import parhelion.toolstack.image.Progress;

/** What a guest was told is on its disk is there when the process dies, however it dies. */
@Tag("boot")
@Timeout(value = 20, unit = TimeUnit.MINUTES)
final class DiskKilledTest {
  /** Writes numbered sectors, each durable, and says so of each. */
  private static final String WRITER =
      "i=%d; while :; do i=$((i + 1)); printf 'sector %%08d' $i |"
          + " dd of=/dev/xvda bs=512 seek=$i conv=fsync,notrunc,sync 2>/dev/null || exit 1;"
          + " echo \"acknowledged $i\"; done";

  @TempDir Path directory;

  @Test
  void everyWriteThatWasAcknowledgedIsInTheImageAfterAKill() throws Exception {
    try {
      PackageCache cache = PackageCache.ofUser(Progress.NONE);
      cache.kernelWithModules("linux-image-cloud-amd64");
      cache.busybox();
    } catch (ImageException e) {
      Assumptions.abort("no packages to boot: " + e.getMessage());
    }
    Path image = directory.resolve("disk.img");
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(64 << 20);
    }
    Random random = new Random(Long.getLong("parhelion.seed", 1));
    int last = 0;
    for (int kill = 0; kill < 2; kill++) {
      last = writeUntilKilled(image, last, last + 20 + random.nextInt(100));
      byte[] content = Files.readAllBytes(image);
      for (int i = 1; i <= last; i++) {
        String text = new String(content, 512 * i, 15, StandardCharsets.US_ASCII);
        assertEquals("sector %08d".formatted(i), text, "of " + last + ", after kill " + kill);
      }
    }
  }

  /** Kills the process when it has acknowledged so many; returns the last that it acknowledged. */
  private int writeUntilKilled(Path image, int from, int enough)
      throws IOException, InterruptedException {
    Path errors = directory.resolve("errors");
    Process process =
        BadSurroundingsTest.parhelion(
                "run", "--disk", image + ",format=raw", "--cmd", WRITER.formatted(from))
            .redirectError(errors.toFile())
            .start();
    int last = from;
    try (BufferedReader lines = process.inputReader()) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.matches("acknowledged [0-9]+\\s*")) {
          last = Integer.parseInt(line.replaceAll("[^0-9]", ""));
          if (last == enough) {
            boolean killed = process.toHandle().destroyForcibly(); // leaves what it printed
            assertTrue(killed);
          }
        }
      }
    }
    assertTrue(process.waitFor(1, TimeUnit.MINUTES));
    assertTrue(last >= enough, "it ended after " + last + ": " + Files.readString(errors));
    return last;
  }
}
