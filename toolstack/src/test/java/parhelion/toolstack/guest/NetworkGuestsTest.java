package parhelion.toolstack.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import parhelion.cpu.CpuModel;
import parhelion.media.net.MacAddress;
import parhelion.media.net.NetworkPort;
import parhelion.media.net.VirtualSwitch;
import parhelion.media.net.VirtualSwitch.PortOptions;
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

/** Debian's own network driver at our backend: switch, offloads, queues, plugging. */
@Tag("boot")
@Timeout(value = 20, unit = TimeUnit.MINUTES)
final class NetworkGuestsTest {
  private final List<RunningGuest> guests = new ArrayList<>();

  @AfterEach
  void end() throws Exception {
    for (RunningGuest guest : guests) {
      guest.close();
    }
  }

  private RunningGuest boot(String name, int vcpus, DeviceConfig... devices) throws Exception {
    PackageCache cache = PackageCache.ofUser(Progress.NONE);
    PackageCache.Kernel kernel;
    byte[] initrd;
    try {
      kernel = cache.kernelWithModules("linux-image-cloud-amd64");
      initrd =
          DefaultInitramfs.build(
              cache.busybox(),
              null,
              KernelModules.open(kernel.modules()).select(NetworkDevice.MODULES));
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
                "console=hvc0 parhelion.size=24x500",
                256,
                vcpus,
                new CpuChoice(CpuModel.V3),
                List.of(devices)));
    guests.add(guest);
    guest.awaitPrompt();
    return guest;
  }

  private static NetworkDevice device(int number, NetworkPort port) {
    return new NetworkDevice(0, MacAddress.ofDevice(1, number), NetworkDevice.DEFAULT_MTU, port);
  }

  @Test
  void twoGuestsTalkThroughASwitchAndATheDriversQueuesAreUsed() throws Exception {
    VirtualSwitch lan = new VirtualSwitch("lan");
    RunningGuest a = boot("a", 1, device(1, lan.plug(PortOptions.PLAIN)));
    assertEquals("rx-0\ntx-0\n", a.shell("ls -1 /sys/class/net/eth0/queues"));
    RunningGuest b = boot("b", 2, device(2, lan.plug(PortOptions.PLAIN)));
    assertEquals("rx-0\nrx-1\ntx-0\ntx-1\n", b.shell("ls -1 /sys/class/net/eth0/queues"));
    a.shell("ip addr add 10.0.0.1/24 dev eth0; ip link set eth0 up");
    b.shell("ip addr add 10.0.0.2/24 dev eth0; ip link set eth0 up");
    String pings = a.shell("ping -c 3 10.0.0.2");
    assertTrue(pings.contains("3 packets received"), pings);
  }
}
