package parhelion.toolstack.guest;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
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
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import parhelion.cpu.CpuModel;
import parhelion.cpu.Engine;
import parhelion.media.net.MacAddress;
import parhelion.media.net.NetworkPort;
import parhelion.media.net.PacketCapture;
import parhelion.media.net.VirtualSwitch;
import parhelion.media.net.VirtualSwitch.PortOptions;
import parhelion.media.net.nat.NatNetwork;
import parhelion.media.net.nat.config.HostService;
import parhelion.media.net.nat.config.NatConfig;
import parhelion.media.net.nat.config.PortForward;
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

  private RunningGuest boot(String name, int vcpus, String words, DeviceConfig... devices)
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

  private static NetworkDevice device(int number, NetworkPort port) {
    return new NetworkDevice(0, MacAddress.ofDevice(1, number), NetworkDevice.DEFAULT_MTU, port);
  }

  private static void address(RunningGuest guest, String address) throws Exception {
    guest.shell("ip addr add " + address + "/24 dev eth0; ip link set eth0 up");
  }

  private static void assertReaches(RunningGuest guest, String address) throws Exception {
    String pings = guest.shell("ping -c 3 -W 20 " + address);
    assertTrue(pings.contains("3 packets received"), pings);
  }

  @Test
  @DisabledIfSystemProperty(named = Engine.PROPERTY, matches = "interpreter")
  void twoGuestsTalkThroughASwitchAndTheDriversQueuesAreUsed() throws Exception {
    VirtualSwitch lan = new VirtualSwitch("lan");
    RunningGuest a = boot("a", 1, "", device(1, lan.plug(PortOptions.PLAIN)));
    RunningGuest b = boot("b", 2, "", device(2, lan.plug(PortOptions.PLAIN)));
    assertEquals("rx-0\ntx-0\n", a.shell("ls -1 /sys/class/net/eth0/queues"));
    assertEquals("rx-0\nrx-1\ntx-0\ntx-1\n", b.shell("ls -1 /sys/class/net/eth0/queues"));
    address(a, "10.0.0.1");
    address(b, "10.0.0.2");
    assertReaches(a, "10.0.0.2");
    assertReaches(b, "10.0.0.1");
  }

  @Test
  void aGuestGetsAnAddressAndServesAndFetchesThroughNat(@TempDir Path directory) throws Exception {
    byte[] page = new byte[3_000_000];
    new Random(1).nextBytes(page);
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 100);
    server.createContext(
        "/",
        exchange -> {
          exchange.sendResponseHeaders(200, page.length);
          try (var body = exchange.getResponseBody()) {
            body.write(page);
          }
        });
    server.start();
    Path captured = directory.resolve("net.pcapng");
    int port = server.getAddress().getPort();
    NatNetwork nat =
        NatNetwork.open(
            NatConfig.DEFAULT
                .withServices(List.of(HostService.parse("80:" + port)))
                .withForwards(List.of(PortForward.parse("0:80"))));
    try (PacketCapture capture = PacketCapture.to(captured)) {
      RunningGuest guest =
          boot("nat", 2, "parhelion.net=eth0:dhcp:1500", device(0, capture.tap("eth0", nat)));
      String address = guest.shell("ip -4 addr show eth0");
      assertTrue(address.contains("inet 10.0.2.15/24"), address);
      assertReaches(guest, "10.0.2.2");
      guest.shell("mkdir /www; wget -q -O /www/page http://10.0.2.2/page");
      String sum = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(page));
      assertEquals(sum + "  /www/page\n", guest.shell("sha256sum /www/page"));

      guest.shell("httpd -p 80 -h /www");
      URI uri = URI.create("http://127.0.0.1:" + nat.forwards().getFirst().hostPort() + "/page");
      try (HttpClient client = HttpClient.newHttpClient()) {
        HttpRequest request = HttpRequest.newBuilder(uri).build();
        assertArrayEquals(page, client.send(request, BodyHandlers.ofByteArray()).body());
      }
      guest.shell("dd if=/www/page of=/www/part bs=10000 count=1");
      fiftyAtOnce(uri.resolve("part"), Arrays.copyOf(page, 10_000));
      assertEquals("", guest.shell("dmesg | grep -iE ' stall|lockup|BUG:|WARNING:|Oops'"));
      assertNull(capture.failure());
    } finally {
      nat.close();
      server.stop(0);
    }
    assertTrue(Files.size(captured) > 2L * page.length);
  }

  private static void fiftyAtOnce(URI uri, byte[] expected) throws Exception {
    try (var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<byte[]>> answers = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        answers.add(
            tasks.submit(
                () -> {
                  try (InputStream in = uri.toURL().openStream()) {
                    return in.readAllBytes();
                  }
                }));
      }
      for (Future<byte[]> answer : answers) {
        assertArrayEquals(expected, answer.get());
      }
    }
  }
}
