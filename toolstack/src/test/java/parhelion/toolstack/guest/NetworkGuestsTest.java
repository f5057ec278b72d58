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
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import parhelion.cpu.Engine;
import parhelion.media.net.PacketCapture;
import parhelion.media.net.VirtualSwitch;
import parhelion.media.net.VirtualSwitch.PortOptions;
import parhelion.media.net.nat.NatNetwork;
import parhelion.media.net.nat.config.HostService;
import parhelion.media.net.nat.config.NatConfig;
import parhelion.media.net.nat.config.PortForward;

/** Debian's own network driver at our backend: switch, offloads, queues, plugging. */
@Tag("boot")
@Timeout(value = 20, unit = TimeUnit.MINUTES)
final class NetworkGuestsTest {
  private final NetworkGuests guests = new NetworkGuests();

  @AfterEach
  void end() throws Exception {
    guests.close();
  }

  @Test
  @DisabledIfSystemProperty(named = Engine.PROPERTY, matches = "interpreter")
  void twoGuestsTalkThroughASwitchAndTheDriversQueuesAreUsed() throws Exception {
    VirtualSwitch lan = new VirtualSwitch("lan");
    RunningGuest a = guests.boot("a", 1, "", NetworkGuests.device(1, lan.plug(PortOptions.PLAIN)));
    RunningGuest b = guests.boot("b", 2, "", NetworkGuests.device(2, lan.plug(PortOptions.PLAIN)));
    assertEquals("rx-0\ntx-0\n", a.shell("ls -1 /sys/class/net/eth0/queues"));
    assertEquals("rx-0\nrx-1\ntx-0\ntx-1\n", b.shell("ls -1 /sys/class/net/eth0/queues"));
    NetworkGuests.address(a, "10.0.0.1");
    NetworkGuests.address(b, "10.0.0.2");
    NetworkGuests.assertReaches(a, "10.0.0.2");
    NetworkGuests.assertReaches(b, "10.0.0.1");
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
          guests.boot(
              "nat",
              2,
              "parhelion.net=eth0:dhcp:1500",
              NetworkGuests.device(0, capture.tap("eth0", nat)));
      String address = guest.shell("ip -4 addr show eth0");
      assertTrue(address.contains("inet 10.0.2.15/24"), address);
      NetworkGuests.assertReaches(guest, "10.0.2.2");
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
