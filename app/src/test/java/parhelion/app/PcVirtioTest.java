package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
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

/** Linux's own drivers at a PC's consoles, random numbers and balloon by virtio. */
@Tag("boot")
@Tag("full")
@Timeout(value = 20, unit = TimeUnit.MINUTES)
final class PcVirtioTest {
  private static final int KIB_PER_MIB = 1024;

  @TempDir Path directory;

  private static JsonNode info(NamedGuest guest) throws IOException, InterruptedException {
    assertEquals(0, guest.ask("info", "--json"), guest.printed());
    return new ObjectMapper().readTree(guest.printed());
  }

  /** Resident memory of the process that runs the guest. */
  private static long residentMib(NamedGuest guest) throws IOException, InterruptedException {
    Path status = Path.of("/proc", info(guest).path("pid").asText(), "status");
    for (String line : Files.readAllLines(status)) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("[^0-9]", "")) / KIB_PER_MIB;
      }
    }
    throw new IOException("no VmRSS in " + status);
  }

  /** Asks for another size, and waits until the guest has come to it. */
  private static void resize(NamedGuest guest, int mib) throws IOException, InterruptedException {
    assertEquals(0, guest.ask("memory", mib + "M"), guest.printed());
    int unused =
        guest.first(
            () -> {
              int held = info(guest).path("heldMib").asInt();
              if (held != mib) {
                throw new IOException("it holds " + held + " MiB");
              }
              return held;
            });
  }

  @Test
  void consolesRandomNumbersAndMemoryComeByVirtio() throws Exception {
    Assumptions.assumeTrue(Files.exists(Path.of("/proc/self/status")), "no /proc on this host");
    try {
      PackageCache.ofUser(Progress.NONE).kernelWithModules("linux-image-cloud-amd64", true);
    } catch (ImageException e) {
      Assumptions.abort("no packages to boot: " + e.getMessage());
    }
    Path socket = directory.resolve("socket");
    Path log = directory.resolve("log");
    List<String> arguments =
        List.of(
            "--mode",
            "full",
            "--virtio-rng",
            "--virtio-balloon",
            "0",
            "--console",
            "unix:" + socket,
            "--console",
            "file:" + log,
            "--cmd",
            ConsoleShell.COMMANDS);
    try (NamedGuest guest = new NamedGuest(directory, "virtio", arguments);
        ConsoleShell shell = guest.first(() -> new ConsoleShell(socket))) {
      assertEquals("virtio_rng.0\n", shell.ask("cat /sys/class/misc/hw_random/rng_current"));
      String random = shell.ask("head -c 16 /dev/hwrng | od -An -tx1");
      assertEquals(16 * 3 + 1, random.length(), random);
      assertNotEquals(random, shell.ask("head -c 16 /dev/hwrng | od -An -tx1"));
      assertEquals("", shell.ask("stty -F /dev/hvc1 raw; seq 5000 >/dev/hvc1"));
      memory(guest, shell);
      assertEquals("", shell.ask("dmesg | grep -E 'BUG:|WARNING:|Oops'"));
      shell.leave();
      assertEquals(7, guest.end(), guest.text());
    }
    List<String> lines = Files.readAllLines(log);
    assertEquals(5000, lines.size());
    assertEquals("5000", lines.getLast());
  }

  private static void memory(NamedGuest guest, ConsoleShell shell) throws Exception {
    // Touched once, so that the host has given it.
    shell.ask("mkdir -p /t; mount -t tmpfs t /t; dd if=/dev/zero of=/t/x bs=1M count=150; rm /t/x");
    long before = residentMib(guest);
    resize(guest, 96);
    long free = freeMib(shell);
    assertTrue(free < 96, free + " MiB are free");
    int unused =
        guest.first(
            () -> {
              long now = residentMib(guest);
              if (now > before - 100) {
                throw new IOException("from " + before + " to " + now + " MiB");
              }
              return 0;
            });
    resize(guest, 256);
    assertTrue(freeMib(shell) > free + 150, "given back");
    assertEquals(1, guest.ask("memory", "257M"));
    assertTrue(guest.printed().contains("name no more"), guest.printed());
  }

  private static long freeMib(ConsoleShell shell) throws IOException {
    String line = shell.ask("grep MemFree /proc/meminfo");
    return Long.parseLong(line.replaceAll("[^0-9]", "")) / KIB_PER_MIB;
  }
}
