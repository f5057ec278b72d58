package parhelion.toolstack.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import parhelion.media.disk.DiskImages;
import parhelion.media.disk.DiskOptions;
import parhelion.media.disk.ImageFormat;
import parhelion.media.net.MacAddress;
import parhelion.media.net.nat.NatNetwork;
import parhelion.media.net.nat.config.NatConfig;
import parhelion.pc.time.HostClock;
import parhelion.toolstack.CpuChoice;
import parhelion.toolstack.debian.PackageCache;
import parhelion.toolstack.device.BlockConfig;
import parhelion.toolstack.device.CardModel;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.toolstack.device.DiskBus;
import parhelion.toolstack.device.NetworkDevice;
import parhelion.toolstack.device.PcInterface;
import parhelion.toolstack.image.DefaultInitramfs;
import parhelion.toolstack.image.ElfCache;
import parhelion.toolstack.image.ElfImage;
import parhelion.toolstack.image.GuestCommand;
import parhelion.toolstack.image.ImageException;
import parhelion.toolstack.image.KernelImage;
import parhelion.toolstack.image.KernelModules;
import parhelion.toolstack.image.ModuleSet;
import parhelion.toolstack.image.Progress;

/**
 * Linux at work on an IDE disk, one of AHCI and an e1000: what is counted by cause, device and
 * register is what a trace of the same run has seen happen, one by one.
 */
@Tag("boot")
@Timeout(value = 20, unit = TimeUnit.MINUTES)
final class PcCountsTest {
  private static final int DISK_BYTES = 1 << 20;
  private static final Pattern LINE = Pattern.compile("\\S+ vcpu0 [0-9a-f]{16} (.+)");
  private static final String COMMANDS =
      "for d in sda sdb; do dd if=/dev/$d of=/dev/null bs=64k 2>/dev/null; echo $d $?; done;"
          + " echo x | dd of=/dev/sda conv=fsync 2>/dev/null;"
          + " ping -c 2 -W 20 10.0.2.2 | grep received";

  @TempDir Path directory;
  private final StringBuilder console = new StringBuilder();
  private final List<DeviceConfig> devices = new ArrayList<>();

  private int take(byte[] bytes, int offset, int length) {
    console.append(new String(bytes, offset, length, StandardCharsets.ISO_8859_1));
    return length;
  }

  private void disk(String name, DiskBus bus) throws IOException {
    Path image = directory.resolve(name);
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(DISK_BYTES);
    }
    DiskOptions options = DiskOptions.WRITABLE.withFormat(ImageFormat.RAW);
    devices.add(BlockConfig.of(name, DiskImages.open(image, options), false, false, 512, bus));
  }

  private GuestConfig config() {
    ModuleSet.Request request =
        new ModuleSet.Request(List.of("ata_piix", "ahci", "sd_mod", "e1000"), List.of());
    PackageCache packages = PackageCache.ofUser(Progress.NONE);
    GuestCommand command = new GuestCommand(COMMANDS, "0123456789abcdef");
    try {
      PackageCache.Kernel kernel = packages.kernelWithModules("linux-image-amd64");
      byte[] initrd =
          DefaultInitramfs.build(
              packages.busybox(),
              command,
              KernelModules.open(Objects.requireNonNull(kernel.modules())).select(request));
      return new GuestConfig(
          "test",
          ElfImage.of(
              KernelImage.open(
                  kernel.image(),
                  ElfCache.ofUser(),
                  KernelImage.DEFAULT_LIMIT_BYTES,
                  Progress.NONE)),
          () -> null,
          ByteBuffer.wrap(initrd),
          "console=ttyS0 quiet loglevel=1 parhelion.net=eth0:dhcp:1500 "
              + command.kernelArguments(),
          256,
          1,
          CpuChoice.preferred(),
          devices);
    } catch (ImageException e) {
      return Assumptions.abort("no packages to boot: " + e.getMessage());
    }
  }

  @Test
  void countsByDeviceAndRegisterAreWhatHappened() throws Exception {
    disk("xvda", DiskBus.IDE);
    disk("xvdb", DiskBus.AHCI);
    devices.add(
        new NetworkDevice(
            0,
            MacAddress.ofDevice(1, 0),
            NetworkDevice.DEFAULT_MTU,
            NatNetwork.open(NatConfig.DEFAULT),
            CardModel.E1000));
    Path trace = directory.resolve("trace");
    Map<String, Long> counted = new TreeMap<>();
    try (PcGuest guest =
        new PcGuest(PcSetup.of(config(), PcInterface.NONE), new HostClock(), this::take)) {
      guest.traceTo(trace);
      assertEquals(Outcome.Kind.POWEROFF, guest.run().kind(), console::toString);
      assertNull(guest.finishTrace());
      guest
          .counts()
          .interceptions()
          .forEach((key, tally) -> counted.put(key.replace(':', ' '), tally.times()));
    } finally {
      devices.forEach(DeviceConfig::close);
    }
    String text = console.toString();
    assertTrue(text.contains("sda 0") && text.contains("sdb 0"), text);
    assertTrue(text.contains("2 packets received"), text);
    assertEquals(counted, seen(trace));
    for (String device : List.of("ide", "ahci", "e1000", "cpu")) {
      assertTrue(
          counted.keySet().stream()
              .anyMatch(key -> key.toLowerCase(Locale.ROOT).contains(" " + device)),
          () -> device + " is not in " + counted.keySet());
    }
  }

  private static Map<String, Long> seen(Path trace) throws IOException {
    Map<String, Long> seen = new TreeMap<>();
    try (Stream<String> lines = Files.lines(trace)) {
      lines.forEach(
          line -> {
            Matcher matcher = LINE.matcher(line);
            assertTrue(matcher.matches(), line);
            seen.merge(matcher.group(1).replace(':', ' '), 1L, Long::sum);
          });
    }
    return seen;
  }
}
