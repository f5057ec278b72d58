package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import parhelion.toolstack.debian.PackageCache;
import parhelion.toolstack.image.ImageException;
import parhelion.toolstack.image.Progress;

/** Cards that come to a running PC and go, by ACPI, as Linux sees them. */
@Tag("boot")
@Tag("full")
@Timeout(value = 20, unit = TimeUnit.MINUTES)
final class PcHotPlugTest {
  private static final String CONNECT =
      "ip link set eth0 up && udhcpc -i eth0 -q -n -t 20 -T 1 -s /etc/udhcpc >/dev/null 2>&1;"
          + " ping -c 3 -W 20 10.0.2.2 | grep -c '3 packets received'";

  @TempDir Path directory;

  /** Waits until a test of the guest's sh holds. */
  private static void await(NamedGuest guest, ConsoleShell shell, String test) throws Exception {
    int unused =
        guest.first(
            () -> {
              if (!shell.ask(test + " && echo yes").equals("yes\n")) {
                throw new IOException("not yet: " + test);
              }
              return 0;
            });
  }

  @Test
  void cardsComeAndGoWhileLinuxRuns() throws Exception {
    try {
      PackageCache.ofUser(Progress.NONE).kernelWithModules("linux-image-cloud-amd64", true);
    } catch (ImageException e) {
      Assumptions.abort("no packages to boot: " + e.getMessage());
    }
    Path socket = directory.resolve("socket");
    List<String> arguments =
        List.of(
            "--mode",
            "full",
            "--virtio-rng",
            "--console",
            "unix:" + socket,
            "--modules",
            "virtio_blk,virtio_net,af_packet",
            "--cmd",
            ConsoleShell.COMMANDS);
    try (NamedGuest guest = new NamedGuest(directory, "plug", arguments);
        ConsoleShell shell = guest.first(() -> new ConsoleShell(socket))) {
      disk(guest, shell);
      assertEquals(0, guest.ask("attach", "net", "nat"), guest.printed());
      await(guest, shell, "[ -e /sys/class/net/eth0 ]");
      assertEquals("1\n", shell.ask(CONNECT));
      guest.detach("eth0", "--force");
      await(guest, shell, "! [ -e /sys/class/net/eth0 ]");
      // What was there from the start can go, too.
      assertEquals("virtio_rng.0\n", shell.ask("cat /sys/class/misc/hw_random/rng_current"));
      guest.detach("virtio-rng");
      await(guest, shell, "grep -q none /sys/class/misc/hw_random/rng_current");
      guest.refused("there is no device eth7", "detach", "eth7");
      guest.refused("there is no disk eth7", "resize", "eth7", "1M");
      assertEquals("", shell.ask("dmesg | grep -E 'BUG:|WARNING:|Oops|ACPI Error'"));
      shell.leave();
      assertEquals(7, guest.end(), guest.text());
    }
  }

  private void disk(NamedGuest guest, ConsoleShell shell) throws Exception {
    Path image = Files.write(directory.resolve("disk.img"), new byte[1 << 20]);
    for (int round = 0; round < 2; round++) {
      assertEquals(0, guest.ask("attach", "disk", image + ",format=raw"), guest.printed());
      assertEquals("xvda\n", guest.printed());
      assertTrue(guest.devices().contains("xvda"));
      await(guest, shell, "[ -b /dev/vda ]");
      if (round == 1) {
        assertEquals(0, guest.ask("resize", "xvda", "2M"), guest.printed());
        await(guest, shell, "[ $(cat /sys/block/vda/size) = 4096 ]");
      }
      String write = "echo written%d | dd of=/dev/vda seek=%d conv=sync,fsync 2>/dev/null";
      assertEquals("", shell.ask(write.formatted(round, 5 + round)));
      guest.detach("xvda");
      await(guest, shell, "! [ -e /sys/block/vda ]");
    }
    byte[] written = Files.readAllBytes(image);
    assertEquals(2 << 20, written.length);
    for (int round = 0; round < 2; round++) {
      int at = (5 + round) * 512;
      assertEquals("written" + round, new String(written, at, 8, StandardCharsets.US_ASCII));
    }
    guest.refused("by virtio only", "attach", "disk", image + ",format=raw,bus=ahci");
  }
}
