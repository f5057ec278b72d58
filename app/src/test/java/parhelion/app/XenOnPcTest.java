package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import parhelion.toolstack.image.DefaultInitramfs;
import parhelion.toolstack.image.GuestCommand;
import parhelion.toolstack.image.ImageException;
import parhelion.toolstack.image.Progress;

/** Debian's Xen on an emulated PC, by multiboot, with Debian's Linux as its dom0. */
@Tag("boot")
@Tag("full")
@Timeout(value = 40, unit = TimeUnit.MINUTES)
final class XenOnPcTest {
  @TempDir Path directory;

  @Test
  void linuxRunsAsItsDom0() throws Exception {
    Path xen =
        DebianTree.of(List.of("xen-hypervisor-4.17-amd64"))
            .root()
            .resolve("boot/xen-4.17-amd64.gz");
    GuestCommand command =
        GuestCommand.of("cat /sys/hypervisor/uuid; grep -c xen-pirq /proc/interrupts; reboot -f");
    Path kernel = null;
    Path initrd = directory.resolve("initrd");
    try {
      PackageCache packages = PackageCache.ofUser(Progress.NONE);
      kernel = packages.kernel("linux-image-amd64").image();
      Files.write(initrd, DefaultInitramfs.build(packages.busybox(), command));
    } catch (ImageException e) {
      Assumptions.abort("no packages to boot: " + e.getMessage());
    }
    Path output = directory.resolve("output");
    Process process =
        BadSurroundingsTest.parhelion(
                "run",
                "--mode",
                "full",
                "--no-reboot",
                "--memory",
                "768M",
                "--kernel",
                xen.toString(),
                "--append",
                "com1=115200,8n1 console=com1 no-real-mode dom0_mem=400M",
                "--initrd",
                kernel + " console=hvc0 " + command.kernelArguments() + "," + initrd)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertTrue(process.waitFor(30, TimeUnit.MINUTES), "it hangs");
    } finally {
      process.destroyForcibly();
    }
    String text = Files.readString(output, StandardCharsets.ISO_8859_1);
    assertEquals(0, process.exitValue(), text);
    assertTrue(text.contains("(XEN) Xen version 4.17"), text);
    assertTrue(text.contains("\n00000000-0000-0000-0000-000000000000"), text); // dom0's
    assertTrue(text.contains("(XEN) Hardware Dom0 shutdown: rebooting machine"), text);
  }
}
