package parhelion.toolstack.guest;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Assumptions;
import parhelion.cpu.CpuModel;
import parhelion.media.net.MacAddress;
import parhelion.media.net.NetworkPort;
import parhelion.toolstack.CpuChoice;
import parhelion.toolstack.debian.PackageCache;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.toolstack.device.NetworkDevice;
import parhelion.toolstack.image.DefaultInitramfs;
import parhelion.toolstack.image.ElfCache;
import parhelion.toolstack.image.ElfImage;
import parhelion.toolstack.image.ImageException;
import parhelion.toolstack.image.KernelImage;
import parhelion.toolstack.image.KernelModules;
import parhelion.toolstack.image.Progress;

/** Guests with Debian's cloud kernel and its network driver; they end with this. */
final class NetworkGuests implements AutoCloseable {
  private final List<RunningGuest> guests = new ArrayList<>();

  @Override
  public void close() throws Exception {
    for (RunningGuest guest : guests) {
      guest.close();
    }
  }

  /** Boots one to its prompt. */
  RunningGuest boot(String name, int vcpus, String words, DeviceConfig... devices)
      throws Exception {
    PackageCache cache = PackageCache.ofUser(Progress.NONE);
    PackageCache.Kernel kernel;
    byte[] initrd;
    try {
      kernel = cache.kernelWithModules("linux-image-cloud-amd64");
      initrd =
          DefaultInitramfs.build(
              cache.busybox(),
              null,
              KernelModules.open(Objects.requireNonNull(kernel.modules()))
                  .select(NetworkDevice.MODULES));
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
                name,
                elf,
                () -> null,
                ByteBuffer.wrap(initrd),
                "console=hvc0 parhelion.size=24x500 " + words,
                256,
                vcpus,
                new CpuChoice(CpuModel.V3),
                List.of(devices)));
    guests.add(guest);
    guest.awaitPrompt();
    return guest;
  }

  static NetworkDevice device(int number, NetworkPort port) {
    return new NetworkDevice(0, MacAddress.ofDevice(1, number), NetworkDevice.DEFAULT_MTU, port);
  }

  static void address(RunningGuest guest, String address) throws Exception {
    guest.shell("ip addr add " + address + "/24 dev eth0; ip link set eth0 up");
  }

  static void assertReaches(RunningGuest guest, String address) throws Exception {
    String pings = guest.shell("ping -c 3 -W 20 " + address);
    assertTrue(pings.contains("3 packets received"), pings);
  }
}
