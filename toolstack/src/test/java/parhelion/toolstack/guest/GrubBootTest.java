package parhelion.toolstack.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import parhelion.backends.block.BlockOptions;
import parhelion.cpu.CpuModel;
import parhelion.media.disk.DiskImages;
import parhelion.media.disk.DiskOptions;
import parhelion.media.disk.ImageFormat;
import parhelion.toolstack.CpuChoice;
import parhelion.toolstack.debian.PackageCache;
import parhelion.toolstack.device.BlockConfig;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.toolstack.image.DefaultInitramfs;
import parhelion.toolstack.image.ElfCache;
import parhelion.toolstack.image.ElfImage;
import parhelion.toolstack.image.ImageException;
import parhelion.toolstack.image.KernelImage;
import parhelion.toolstack.image.KernelModules;
import parhelion.toolstack.image.Progress;

/**
 * GRUB as the kernel of a domain: it reads its menu, a kernel and an initramfs from the domain's
 * disk by a block driver of its own, and starts that kernel in its place.
 */
@Tag("boot")
@Timeout(value = 20, unit = TimeUnit.MINUTES)
final class GrubBootTest {
  private static final long IMAGE_BYTES = 64L << 20;
  private static final String MENU =
      """
      set timeout=0
      menuentry Debian {
        linux /boot/vmlinuz console=hvc0 quiet parhelion.size=24x500 from=menu
        initrd /boot/initrd.img
      }
      """;

  @TempDir Path temporary = Path.of("");

  @Test
  void grubStartsTheKernelOfADisksOwnBootDirectory() throws Exception {
    PackageCache cache = PackageCache.ofUser(Progress.NONE);
    PackageCache.Kernel kernel;
    Path grub;
    byte[] initrd;
    BlockConfig any = disk("xvda", file("any.img", 1 << 20), false);
    try {
      // The cloud kernel is packed with LZ4, which this GRUB cannot unpack.
      kernel = cache.kernelWithModules("linux-image-amd64");
      grub = cache.grub();
      KernelModules modules = KernelModules.open(Objects.requireNonNull(kernel.modules()));
      initrd = DefaultInitramfs.build(cache.busybox(), null, modules.select(any.modules()));
    } catch (ImageException e) {
      Assumptions.abort("no packages to boot: " + e.getMessage());
      return;
    } finally {
      any.close();
    }
    Path root = file("root.img", IMAGE_BYTES);
    Path source = temporary.resolve("boot.tar");
    try (OutputStream out = Files.newOutputStream(source);
        TarArchiveOutputStream tar = new TarArchiveOutputStream(out)) {
      add(tar, "boot/vmlinuz", Files.readAllBytes(kernel.image()));
      add(tar, "boot/initrd.img", initrd);
      add(tar, "boot/grub/grub.cfg", MENU.getBytes(StandardCharsets.UTF_8));
    }
    String words = "console=hvc0 quiet parhelion.size=24x500";
    try (BlockConfig disk = disk("xvda", root, false);
        BlockConfig tar = disk("xvdb", source, true);
        RunningGuest g = boot(kernel.image(), initrd, words, disk, tar)) {
      g.awaitPrompt();
      g.shell("mke2fs /dev/xvda >/dev/null; mkdir /m; mount -t ext4 /dev/xvda /m");
      g.shell("tar -x -f /dev/xvdb -C /m; umount /m");
      g.type("poweroff\r");
      assertEquals(Outcome.Kind.POWEROFF, g.end().kind(), g::text);
    }
    try (BlockConfig disk = disk("xvda", root, false);
        RunningGuest g = boot(grub, null, "", disk)) {
      g.await("Booting `Debian'");
      g.awaitPrompt();
      String line = g.shell("cat /proc/cmdline");
      assertTrue(line.contains("from=menu"), line);
      // The disk that GRUB's driver had is this kernel's now.
      g.shell("mkdir /m; mount -t ext4 /dev/xvda /m; echo kept >/m/file; umount /m");
      assertEquals("kept\n", g.shell("mount -t ext4 /dev/xvda /m; cat /m/file; umount /m"));
      assertEquals("", g.shell("dmesg | grep -E 'BUG:|WARNING:|Oops'"));
      g.type("poweroff\r");
      assertEquals(Outcome.Kind.POWEROFF, g.end().kind(), g::text);
    }
  }

  private static void add(TarArchiveOutputStream tar, String name, byte[] content)
      throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(name);
    entry.setSize(content.length);
    tar.putArchiveEntry(entry);
    tar.write(content);
    tar.closeArchiveEntry();
  }

  private Path file(String name, long bytes) throws IOException {
    Path file = temporary.resolve(name);
    try (RandomAccessFile raw = new RandomAccessFile(file.toFile(), "rw")) {
      raw.setLength(bytes);
    }
    return file;
  }

  private static BlockConfig disk(String name, Path file, boolean readOnly) throws IOException {
    return new BlockConfig(
        name,
        DiskImages.open(file, new DiskOptions(ImageFormat.RAW, readOnly, false)),
        new BlockOptions(readOnly, false, 512, 512, false));
  }

  private static RunningGuest boot(
      Path kernel, byte @Nullable [] initrd, String words, DeviceConfig... devices) {
    ElfImage elf =
        ElfImage.of(
            KernelImage.open(
                kernel, ElfCache.ofUser(), KernelImage.DEFAULT_LIMIT_BYTES, Progress.NONE));
    return new RunningGuest(
        new GuestConfig(
            "grub",
            elf,
            () -> null,
            initrd == null ? null : ByteBuffer.wrap(initrd),
            words,
            256,
            1,
            new CpuChoice(CpuModel.V2),
            List.of(devices)));
  }
}
