package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
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

/**
 * Someone at the display and the keyboard of a PC that was started without firmware, and commands
 * and files by its steward.
 */
@Tag("boot")
@Timeout(value = 20, unit = TimeUnit.MINUTES)
final class PcScreenTest {
  @TempDir Path directory;

  private static void awaitOnScreen(NamedGuest guest, String words) throws Exception {
    int unused =
        guest.first(
            () -> {
              if (guest.ask("screen") != 0 || !guest.printed().contains(words)) {
                throw new IOException(words + " is not on the screen: " + guest.printed());
              }
              return 0;
            });
  }

  @Test
  void aShellOnTheDisplayTakesWhatIsTyped() throws Exception {
    try {
      PackageCache packages = PackageCache.ofUser(Progress.NONE);
      packages.kernelWithModules("linux-image-cloud-amd64");
      packages.busybox();
    } catch (ImageException e) {
      Assumptions.abort("no packages to boot: " + e.getMessage());
    }
    List<String> arguments =
        List.of(
            "--mode",
            "full",
            "--console",
            "file:" + directory.resolve("first"),
            "--cmd",
            "sh -i </dev/tty1 >/dev/tty1 2>&1");
    try (NamedGuest guest = new NamedGuest(directory, "screen", arguments)) {
      awaitOnScreen(guest, "root#");
      assertEquals(0, guest.ask("keys", "echo \"It is $((6 * 7))\"<enter>"), guest.printed());
      awaitOnScreen(guest, "It is 42");
      Path picture = directory.resolve("screen.png");
      assertEquals(0, guest.ask("screen", "--png", picture.toString()), guest.printed());
      byte[] png = {(byte) 0x89, 'P', 'N', 'G'};
      assertArrayEquals(png, Arrays.copyOf(Files.readAllBytes(picture), 4));

      guest.awaitCommands();
      assertEquals(7, guest.execIn("sh", "-c", "exit 7"));
      byte[] bytes = new byte[100_000];
      new Random(1).nextBytes(bytes);
      Path sent = Files.write(directory.resolve("sent"), bytes);
      assertEquals(0, guest.copy(sent.toString(), "screen:/tmp"), guest.printed());
      Path back = directory.resolve("back");
      assertEquals(0, guest.copy("screen:/tmp/sent", back.toString()), guest.printed());
      assertArrayEquals(bytes, Files.readAllBytes(back));
      // The first console by virtio is still the user's.
      assertEquals("", guest.sh("echo hello >/dev/hvc0"));
      int unused =
          guest.first(
              () -> {
                if (!Files.readString(directory.resolve("first")).contains("hello")) {
                  throw new IOException("nothing has come by the user's console");
                }
                return 0;
              });

      assertEquals(0, guest.ask("keys", "exit 5<enter>"), guest.printed());
      assertEquals(5, guest.end(), guest.text());
    }
    assertTrue(Files.exists(directory.resolve("first")));
  }
}
