package parhelion.toolstack.guest;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import parhelion.backends.block.BlockOptions;
import parhelion.cpu.CpuModel;
import parhelion.media.disk.Disk;
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
 * Linux's own block driver at our backend. A boot costs seconds, so much is done in each; the image
 * is looked at from outside wherever bytes matter.
 */
@Tag("boot")
@Timeout(value = 30, unit = TimeUnit.MINUTES)
final class DiskGuestsTest {
  private static final int MIB = 1 << 20;
  private static final BlockOptions READ_ONLY = new BlockOptions(true, false, 512, 512, false);
  private static final BlockOptions CDROM = new BlockOptions(true, true, 512, 512, false);
  private static final BlockOptions FOUR_K = new BlockOptions(false, false, 4096, 4096, false);

  @TempDir Path temporary = Path.of("");
  private final List<AutoCloseable> open = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable each : open.reversed()) {
      each.close();
    }
  }

  private RunningGuest boot(String packageName, int vcpus, String words, DeviceConfig... devices) {
    PackageCache cache = PackageCache.ofUser(Progress.NONE);
    PackageCache.Kernel kernel;
    byte[] initrd;
    try {
      kernel = cache.kernelWithModules(packageName);
      initrd =
          DefaultInitramfs.build(
              cache.busybox(),
              null,
              KernelModules.open(Objects.requireNonNull(kernel.modules()))
                  .select(devices[0].modules()));
    } catch (ImageException e) {
      return Assumptions.abort("no packages to boot: " + e.getMessage());
    }
    ElfImage elf =
        ElfImage.of(
            KernelImage.open(
                kernel.image(), ElfCache.ofUser(), KernelImage.DEFAULT_LIMIT_BYTES, Progress.NONE));
    RunningGuest guest =
        new RunningGuest(
            new GuestConfig(
                "disks",
                elf,
                () -> null,
                ByteBuffer.wrap(initrd),
                ("console=hvc0 quiet parhelion.size=24x500 " + words).strip(),
                256,
                vcpus,
                new CpuChoice(CpuModel.V2),
                List.of(devices)));
    open.add(guest);
    return guest;
  }

  private Path image(String name, int mib, int seed) throws IOException {
    Path file = temporary.resolve(name);
    byte[] content = new byte[mib * MIB];
    if (seed != 0) {
      new Random(seed).nextBytes(content);
    }
    Files.write(file, content);
    return file;
  }

  private BlockConfig disk(String name, Path file, DiskOptions how, BlockOptions as)
      throws IOException {
    BlockConfig config = new BlockConfig(name, DiskImages.open(file, how), as);
    open.addFirst(config); // closed after the guest
    return config;
  }

  private static String sha256(byte[] bytes) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }

  private static String sumOf(RunningGuest g, String file) throws InterruptedException {
    return g.shell("sha256sum " + file + " | cut -c1-64").strip();
  }

  @Test
  void aRootFileSystemIsMadeOnADiskAndBootedFrom() throws Exception {
    Path root = image("root.img", 64, 0);
    Path ballast = image("data.img", 24, 11);
    String sum;
    try (BlockConfig disk = disk("xvda", root, DiskOptions.WRITABLE, BlockOptions.DISK);
        BlockConfig other = disk("xvdb", ballast, DiskOptions.READ_ONLY, READ_ONLY);
        RunningGuest g = boot("linux-image-cloud-amd64", 1, "", disk, other)) {
      g.awaitPrompt();
      sum = sumOf(g, "/dev/xvdb");
      assertEquals(sha256(Files.readAllBytes(ballast)), sum, "24 MiB read whole");
      g.shell("mke2fs /dev/xvda >/dev/null; mkdir /m; mount -t ext4 /dev/xvda /m");
      g.shell("mkdir -p /m/bin /m/sbin /m/dev /m/proc /m/sys /m/tmp; cp /bin/busybox /m/bin/");
      g.shell(
          "for a in sh mount cat sha256sum poweroff modprobe grep; do ln -s busybox /m/bin/$a;"
              + " done");
      g.shell("printf '#!/bin/sh\\ncat /proc/mounts\\nexec sh\\n' >/m/sbin/init");
      g.shell("chmod 755 /m/sbin/init; cat /dev/xvdb >/m/ballast; umount /m");
      g.type("poweroff\r");
      assertEquals(Outcome.Kind.POWEROFF, g.end().kind(), g::text);
      assertTrue(g.guest().stats().asTable().contains("bytes per transfer"));
    }
    try (BlockConfig disk = disk("xvda", root, DiskOptions.WRITABLE, BlockOptions.DISK);
        RunningGuest g = boot("linux-image-cloud-amd64", 1, "root=/dev/xvda rw", disk)) {
      String mounts = g.await("# ");
      assertTrue(mounts.contains("/dev/xvda / ext4 rw"), mounts);
      // The root has no modules of its own.
      g.type("modprobe xfs && grep -c '^xfs ' /proc/modules && echo 'module'-loaded\r");
      g.await("module-loaded");
      g.type("sha256sum /ballast; poweroff -f\r");
      g.await(sum);
      assertEquals(Outcome.Kind.POWEROFF, g.end().kind(), g::text);
    }
  }

  @Test
  void disksOfEveryKindArePluggedResizedDetachedAndReconnected() throws Exception {
    Path plain = image("plain.img", 16, 3);
    Path wide = image("wide.img", 8, 4);
    Path later = image("later.img", 4, 5);
    FailingDisk failing = new FailingDisk(1 * MIB);
    BlockConfig disk = disk("xvda", plain, DiskOptions.WRITABLE, BlockOptions.DISK);
    BlockConfig readOnly = disk("xvdb", wide, DiskOptions.READ_ONLY, CDROM);
    BlockConfig four = disk("xvdc", image("4k.img", 8, 0), DiskOptions.WRITABLE, FOUR_K);
    BlockConfig bad = new BlockConfig("xvdz", failing, BlockOptions.DISK);
    RunningGuest g = boot("linux-image-cloud-amd64", 2, "", disk, readOnly, four, bad);
    g.awaitPrompt();
    assertEquals(sha256(Files.readAllBytes(plain)), sumOf(g, "/dev/xvda"));
    assertEquals(sha256(Files.readAllBytes(wide)), sumOf(g, "/dev/xvdb"));

    assertEquals("1\n", g.shell("cat /sys/block/xvdb/ro"));
    assertEquals("4096\n", g.shell("cat /sys/block/xvdc/queue/logical_block_size"));
    assertEquals("4096\n", g.shell("cat /sys/block/xvda/queue/physical_block_size"));
    String denied = g.shell("dd if=/dev/zero of=/dev/xvdb bs=4k count=1 2>&1");
    assertTrue(denied.contains("not permitted") || denied.contains("Read-only"), denied);
    g.shell("mke2fs -b 4096 /dev/xvdc >/dev/null; mkdir /m; mount -t ext4 /dev/xvdc /m");
    g.shell("dd if=/dev/xvda of=/m/f bs=1M count=2 2>/dev/null; umount /m; mount /dev/xvdc /m");
    byte[] front = Arrays.copyOf(Files.readAllBytes(plain), 2 * MIB);
    assertEquals(sha256(front), sumOf(g, "/m/f"));

    // Sequential data the other way, and a discard.
    g.shell("dd if=/dev/xvdb of=/dev/xvda bs=1M conv=fsync 2>/dev/null");
    byte[] copied = Arrays.copyOf(Files.readAllBytes(plain), 8 * MIB);
    assertArrayEquals(Files.readAllBytes(wide), copied);
    g.shell("blkdiscard -o 0 -l 4194304 /dev/xvda");
    assertEquals("0\n", g.shell("head -c 4194304 /dev/xvda | tr -d '\\0' | wc -c"));
    assertArrayEquals(new byte[4 * MIB], Arrays.copyOf(Files.readAllBytes(plain), 4 * MIB));

    // What fails at the host is an error for the guest, which lives on.
    failing.failing = true;
    String failed = g.shell("dd if=/dev/xvdz of=/dev/null bs=4k count=1 iflag=direct 2>&1");
    assertTrue(failed.contains("error"), failed);
    failing.failing = false;
    g.shell("echo 3 >/proc/sys/vm/drop_caches");
    assertTrue(g.shell("dd if=/dev/xvdz of=/dev/null bs=4k count=1 2>&1").contains("1+0"));

    g.guest().resize("xvda", 32L * MIB);
    g.shell("until [ $(cat /sys/block/xvda/size) = 65536 ]; do sleep 0.1; done");

    g.guest().attach(disk("xvdd", later, DiskOptions.WRITABLE, BlockOptions.DISK));
    g.shell("until [ -b /dev/xvdd ]; do sleep 0.1; done");
    assertEquals(sha256(Files.readAllBytes(later)), sumOf(g, "/dev/xvdd"));
    var detached = g.guest().detach("xvdd", false);
    g.shell("while [ -b /dev/xvdd ]; do sleep 0.1; done");
    g.awaitTrue(detached::removed);
    assertFalse(g.guest().deviceNames().contains("xvdd"));

    // The driver lets go of a disk, which it does for good: it has to be plugged in anew.
    g.shell("echo vbd-51712 >/sys/bus/xen/drivers/vbd/unbind");
    g.shell("while [ -b /dev/xvda ]; do sleep 0.1; done");
    g.awaitTrue(g.guest().detach("xvda", false)::removed);
    g.guest().attach(reopened("xvda", plain));
    g.shell("until [ -b /dev/xvda ]; do sleep 0.1; done");
    assertEquals(sha256(Files.readAllBytes(plain)), sumOf(g, "/dev/xvda"));

    // One whose disk is taken away while it is in use sees errors, not its end.
    g.guest().detach("xvdc", true);
    g.shell("until ! dd if=/dev/xvdc of=/dev/null bs=4k count=1 iflag=direct; do sleep 0.1; done");
    assertEquals("alive\n", g.shell("echo alive"));
    assertEquals("", g.shell("dmesg | grep -E 'BUG:|WARNING:|Oops'"));
  }

  /** An image that was just detached is closed soon, but not at once. */
  private BlockConfig reopened(String name, Path file) throws Exception {
    for (int tries = 0; ; tries++) {
      try {
        return disk(name, file, DiskOptions.WRITABLE, BlockOptions.DISK);
      } catch (IOException e) {
        if (tries == 1000) {
          throw e;
        }
        Thread.sleep(10);
      }
    }
  }

  @Test
  void aDiskOfSixteenTebibytesIsUsedToItsLastSector() throws Exception {
    long bytes = 16L << 40;
    Path file = temporary.resolve("huge.qcow2");
    DiskImages.create(file, ImageFormat.QCOW2, bytes, 1 << 16, false);
    try (BlockConfig disk = disk("xvda", file, DiskOptions.WRITABLE, BlockOptions.DISK);
        RunningGuest g = boot("linux-image-cloud-amd64", 1, "", disk)) {
      g.awaitPrompt();
      assertEquals(bytes + "\n", g.shell("blockdev --getsize64 /dev/xvda"));
      long last = bytes / 512 - 1;
      for (long sector : new long[] {0, (8L << 40) / 512, last}) {
        g.shell(
            "echo at "
                + sector
                + " >/t; dd if=/t bs=512 conv=sync,fsync of=/dev/xvda seek="
                + sector);
      }
      g.shell("echo 3 >/proc/sys/vm/drop_caches");
      for (long sector : new long[] {0, (8L << 40) / 512, last}) {
        String read =
            "dd if=/dev/xvda bs=512 count=1 skip=" + sector + " 2>/dev/null | tr -d '\\0'";
        assertEquals("at " + sector + "\n", g.shell(read));
      }
      String beyond = g.shell("dd if=/t bs=512 of=/dev/xvda seek=" + (last + 1) + " 2>&1");
      assertTrue(beyond.contains("No space left"), beyond);
    }
    assertTrue(Files.size(file) < 8 * MIB, "what three sectors take: " + Files.size(file));
  }

  @Test
  void driversThatLetGoInTheMiddleOfRequestsHarmNobody() throws Exception {
    Path other = image("other.img", 8, 22);
    BlockConfig bystander = disk("xvdb", other, DiskOptions.READ_ONLY, READ_ONLY);
    RunningGuest g = boot("linux-image-cloud-amd64", 2, "", slow("xvda"), bystander);
    g.awaitPrompt();
    for (int round = 0; round < 3; round++) {
      g.shell("until [ -b /dev/xvda ]; do usleep 100000; done");
      for (int reader = 0; reader < 4; reader++) {
        g.shell(
            "(while dd if=/dev/xvda of=/dev/null bs=256k iflag=direct; do :; done) 2>/dev/null &"
                + " true");
      }
      g.shell("until grep -q '  [1-9]' /sys/block/xvda/inflight; do usleep 10000; done");
      if (round == 0) {
        g.shell("echo vbd-51712 >/sys/bus/xen/drivers/vbd/unbind");
      }
      g.awaitTrue(g.guest().detach("xvda", round == 2)::removed);
      g.shell("while [ -b /dev/xvda ]; do usleep 100000; done");
      g.shell("while killall dd; do usleep 100000; done; wait"); // none waits for an answer
      assertEquals(sha256(Files.readAllBytes(other)), sumOf(g, "/dev/xvdb"));
      g.guest().attach(slow("xvda"));
    }
    assertEquals("", g.shell("dmesg | grep -E 'BUG:|WARNING:|Oops'"));
  }

  /** A disk that is in the middle of a request whenever there is one. */
  private static BlockConfig slow(String name) {
    FailingDisk disk = new FailingDisk(32 * MIB);
    disk.millis = 30;
    return new BlockConfig(name, disk, BlockOptions.DISK);
  }

  @Test
  @Tag("full")
  void theGenericAndTheRtKernelUseDisksByTheirModules() throws Exception {
    for (String kernel : List.of("linux-image-amd64", "linux-image-rt-amd64")) {
      Path file = image(kernel + ".img", 32, 0);
      try (BlockConfig disk = disk("xvda", file, DiskOptions.WRITABLE, BlockOptions.DISK);
          RunningGuest g = boot(kernel, 2, "", disk)) {
        g.awaitPrompt();
        g.shell("mke2fs /dev/xvda >/dev/null; mkdir /m; mount -t ext4 /dev/xvda /m");
        g.shell("dd if=/dev/urandom of=/m/f bs=1M count=8 conv=fsync 2>/dev/null");
        String sum = sumOf(g, "/m/f");
        g.shell("umount /m; echo 3 >/proc/sys/vm/drop_caches; mount -t ext4 /dev/xvda /m");
        assertEquals(sum, sumOf(g, "/m/f"));
        g.type("poweroff\r");
        assertEquals(Outcome.Kind.POWEROFF, g.end().kind(), g::text);
      }
    }
  }

  /** Zeroes, after a while, or nothing but failures. */
  private static final class FailingDisk implements Disk {
    private final int bytes;
    volatile boolean failing;
    volatile int millis;

    FailingDisk(int bytes) {
      this.bytes = bytes;
    }

    private void call() throws IOException {
      if (failing) {
        throw new IOException("injected");
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
    }

    @Override
    public long sizeBytes() {
      return bytes;
    }

    @Override
    public boolean isReadOnly() {
      return false;
    }

    @Override
    public void read(long offset, ByteBuffer into) throws IOException {
      call();
      into.put(new byte[into.remaining()]);
    }

    @Override
    public void write(long offset, ByteBuffer from) throws IOException {
      call();
    }

    @Override
    public void writeZeroes(long offset, long lengthBytes) throws IOException {
      call();
    }

    @Override
    public void discard(long offset, long lengthBytes) throws IOException {
      call();
    }

    @Override
    public void flush() throws IOException {
      call();
    }

    @Override
    public void resize(long newSizeBytes) throws IOException {
      throw new IOException("it has the size that it has");
    }

    @Override
    public void close() {}
  }
}
