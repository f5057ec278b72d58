package parhelion.toolstack.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import parhelion.backends.block.BlockOptions;
import parhelion.cpu.CpuModel;
import parhelion.media.disk.DiskCopy;
import parhelion.media.disk.DiskImages;
import parhelion.media.disk.DiskOptions;
import parhelion.media.disk.ImageFormat;
import parhelion.toolstack.CpuChoice;
import parhelion.toolstack.debian.DebianRoot;
import parhelion.toolstack.debian.PackageCache;
import parhelion.toolstack.device.BlockConfig;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.toolstack.image.Compression;
import parhelion.toolstack.image.DebFile;
import parhelion.toolstack.image.DefaultInitramfs;
import parhelion.toolstack.image.ElfCache;
import parhelion.toolstack.image.ElfImage;
import parhelion.toolstack.image.ImageException;
import parhelion.toolstack.image.KernelImage;
import parhelion.toolstack.image.KernelModules;
import parhelion.toolstack.image.Progress;

/** A whole Debian with systemd on a disk that was made of Debian's packages. */
@Tag("boot")
@Tag("full")
@Timeout(value = 60, unit = TimeUnit.MINUTES)
final class DebianSystemTest {
  private static final long IMAGE_BYTES = 2L << 30;
  private static final String CONTROL =
      """
      Package: greeting
      Version: 1.0
      Architecture: all
      Maintainer: Nobody <nobody@example.org>
      Description: a program that greets
      """;

  @TempDir Path temporary = Path.of("");

  @Test
  void systemdRunsWithoutAFailedUnitAndAnInstalledPackageOutlivesAReboot() throws Exception {
    Path made;
    try {
      made = new DebianRoot(Progress.NONE).image(List.of(), IMAGE_BYTES, "", false);
    } catch (ImageException e) {
      Assumptions.assumeFalse(e.getMessage().contains("apt"), e.getMessage());
      throw e;
    }
    Path root = temporary.resolve("root.qcow2");
    DiskCopy.convert(
        made, ImageFormat.RAW, root, ImageFormat.QCOW2, 64 << 10, false, (done, total) -> {});
    byte[] program = "#!/bin/sh\necho good morning\n".getBytes(StandardCharsets.UTF_8);
    byte[] deb = DebFile.of(CONTROL, Map.of("./usr/bin/greet", program), Compression.GZIP);
    Path brought = temporary.resolve("greeting.img");
    Files.write(brought, Arrays.copyOf(deb, (deb.length + 511) / 512 * 512));

    try (BlockConfig disk = disk("xvda", root, ImageFormat.QCOW2, false);
        BlockConfig second = disk("xvdb", brought, ImageFormat.RAW, true);
        RunningGuest g = boot(disk, second)) {
      logIn(g);
      assertEquals("running\n", g.shell("systemctl is-system-running --wait"));
      assertEquals("", g.shell("systemctl --failed --no-legend --no-pager"));
      assertEquals("", g.shell("dpkg --audit"));
      g.shell("head -c " + deb.length + " /dev/xvdb >/tmp/greeting.deb");
      String installed = g.shell("dpkg -i /tmp/greeting.deb 2>&1");
      assertTrue(installed.contains("Setting up greeting (1.0)"), installed);
      g.type("reboot\r");
      assertEquals(Outcome.Kind.REBOOT, g.end().kind(), g::text);
    }
    try (BlockConfig disk = disk("xvda", root, ImageFormat.QCOW2, false);
        RunningGuest g = boot(disk)) {
      logIn(g);
      assertEquals("good morning\n", g.shell("greet"));
      assertEquals("running\n", g.shell("systemctl is-system-running --wait"));
      assertEquals("", g.shell("dmesg | grep -E 'BUG:|WARNING:|Oops|EXT4-fs error'"));
      g.type("poweroff\r");
      assertEquals(Outcome.Kind.POWEROFF, g.end().kind(), g::text);
    }
    assertTrue(DiskImages.check(root, false, (done, total) -> {}).isClean());
  }

  /** At the login prompt; afterwards there is a plain shell with the prompt that is waited for. */
  private static void logIn(RunningGuest g) throws InterruptedException {
    g.await("debian login: ");
    g.type("root\r");
    g.await("root@debian:~# ");
    g.type("exec env PS1=':/root''# ' sh\r");
    g.awaitPrompt();
  }

  private static BlockConfig disk(String name, Path file, ImageFormat format, boolean readOnly)
      throws Exception {
    return new BlockConfig(
        name,
        DiskImages.open(file, new DiskOptions(format, readOnly, false)),
        new BlockOptions(readOnly, false, 512, 512, false));
  }

  private static RunningGuest boot(DeviceConfig... devices) {
    PackageCache cache = PackageCache.ofUser(Progress.NONE);
    PackageCache.Kernel kernel = cache.kernelWithModules("linux-image-cloud-amd64");
    byte[] initrd =
        DefaultInitramfs.build(
            cache.busybox(),
            null,
            KernelModules.open(Objects.requireNonNull(kernel.modules()))
                .select(devices[0].modules()));
    ElfImage elf =
        ElfImage.of(
            KernelImage.open(
                kernel.image(), ElfCache.ofUser(), KernelImage.DEFAULT_LIMIT_BYTES, Progress.NONE));
    return new RunningGuest(
        new GuestConfig(
            "debian",
            elf,
            () -> null,
            ByteBuffer.wrap(initrd),
            "console=hvc0 quiet root=/dev/xvda rw",
            512,
            1,
            new CpuChoice(CpuModel.V2),
            List.of(devices)));
  }
}
