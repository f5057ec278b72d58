package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import parhelion.toolstack.debian.PackageCache;
import parhelion.toolstack.image.ImageException;
import parhelion.toolstack.image.Progress;

/** A running guest's memory as {@code parhelion memory} changes it, by Xen's balloon driver. */
@Tag("boot")
@Timeout(value = 20, unit = TimeUnit.MINUTES)
final class MemoryTest {
  @TempDir Path directory;

  private static void hasPackages() {
    try {
      PackageCache.ofUser(Progress.NONE).kernel("linux-image-cloud-amd64");
    } catch (ImageException e) {
      Assumptions.abort("no packages to boot: " + e.getMessage());
    }
  }

  private static int heldMib(NamedGuest guest) throws IOException, InterruptedException {
    assertEquals(0, guest.ask("info", "--json"), guest.printed());
    return new ObjectMapper().readTree(guest.printed()).path("heldMib").asInt();
  }

  private static long totalMib(NamedGuest guest) throws IOException, InterruptedException {
    String line = guest.sh("grep MemTotal /proc/meminfo");
    return Long.parseLong(line.replaceAll("[^0-9]", "")) / 1024;
  }

  private static void resize(NamedGuest guest, int mib) throws IOException, InterruptedException {
    assertEquals(0, guest.ask("memory", mib + "M"), guest.printed());
    int unused =
        guest.first(
            () -> {
              int held = heldMib(guest);
              if (Math.abs(held - mib) > 1) {
                throw new IOException("it holds " + held + " MiB");
              }
              return held;
            });
  }

  @ParameterizedTest
  @ValueSource(strings = {"--mode para", "--mode pvh", "--mode full --interface xen"})
  void aGuestOfXenGivesMemoryUpAndTakesItAgain(String mode) throws Exception {
    hasPackages();
    List<String> arguments =
        Stream.concat(Stream.of(mode.split(" ")), Stream.of("--cmd", "tail -f /dev/null")).toList();
    try (NamedGuest guest = new NamedGuest(directory, "memory", arguments)) {
      guest.awaitCommands();
      long all = totalMib(guest);
      resize(guest, 160);
      assertTrue(totalMib(guest) < all - 80, totalMib(guest) + " of " + all);
      resize(guest, 250);
      assertTrue(totalMib(guest) > all - 20, totalMib(guest) + " of " + all);
      assertEquals(0, guest.ask("stop", "--force"));
    }
  }

  @Test
  void aPcWithoutABalloonSaysWhatItNeeds() throws Exception {
    hasPackages();
    List<String> arguments = List.of("--mode", "full", "--cmd", "tail -f /dev/null");
    try (NamedGuest guest = new NamedGuest(directory, "none", arguments)) {
      int unused =
          guest.first(
              () -> {
                if (guest.ask("memory", "100M") != 1
                    || !guest.printed().contains("--virtio-balloon 0")) {
                  throw new IOException(guest.printed());
                }
                return 0;
              });
      assertEquals(0, guest.ask("stop", "--force"));
    }
  }
}
