package parhelion.media.net.nat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import parhelion.media.net.nat.config.EgressRule;
import parhelion.media.net.nat.config.HostService;
import parhelion.media.net.nat.config.NameOverride;
import parhelion.media.net.nat.config.NatConfig;
import parhelion.media.net.nat.config.NatException;
import parhelion.media.net.nat.config.PortForward;
import parhelion.media.net.nat.config.Subnet;
import parhelion.media.net.nat.config.Transport;
import parhelion.media.net.nat.policy.Egress;
import parhelion.media.net.nat.wire.InternetChecksum;
import parhelion.media.net.nat.wire.IpAddress;

/** What users write, and where guests may go by it. */
final class OptionsTest {
  @ParameterizedTest
  @CsvSource({
    "8080:80, 127.0.0.1:8080:80/tcp",
    "127.0.0.2:8080:80, 127.0.0.2:8080:80/tcp",
    "0.0.0.0:53:5353/udp, 0.0.0.0:53:5353/udp",
    "[::1]:8080:80, [::1]:8080:80/tcp",
    "0:22/tcp, 127.0.0.1:0:22/tcp",
    "8080:10.0.2.16:80, 127.0.0.1:8080:10.0.2.16:80/tcp",
    "[::]:8080:[fd00::5]:80/udp, [::]:8080:[fd00::5]:80/udp",
  })
  void forwardsAreRead(String text, String meant) {
    assertEquals(meant, PortForward.parse(text).toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ":",
        "80",
        "80:",
        ":80",
        "80:0",
        "65536:80",
        "80:80:80:80:80",
        "host:80:80",
        "8080:80/icmp",
        "[::1:80:80",
        "[::1]80:80",
        "1.2.3:80:80",
        "1.2.3.4.5:80:80",
        "-1:80",
        "80:80/",
        "256.0.0.1:1:2",
        "8080:1.2.3.4",
        "+80:80",
        "99999999999:1"
      })
  void badForwardsAreOneLineWithTheText(String text) {
    NatException bad = assertThrows(NatException.class, () -> PortForward.parse(text));
    assertTrue(bad.getMessage().startsWith("--publish " + text), bad.getMessage());
    assertEquals(-1, bad.getMessage().indexOf('\n'));
  }

  @Test
  void servicesOfTheHostAreRead() {
    IpAddress loopback = IpAddress.v4(0x7f000001);
    assertEquals(new HostService(Transport.TCP, 5432, loopback, 5432), HostService.parse("5432"));
    assertEquals(
        new HostService(Transport.UDP, 53, loopback, 5353), HostService.parse("53:5353/udp"));
    assertEquals(
        new HostService(Transport.TCP, 80, IpAddress.v6(0, 1), 8080),
        HostService.parse("80:[::1]:8080"));
    for (String bad : new String[] {"", "0", "a", "1:2:3:4", "70000", "5432/sctp"}) {
      assertThrows(NatException.class, () -> HostService.parse(bad));
    }
  }

  @Test
  void rulesAndNamesAreRead() {
    assertTrue(EgressRule.parse("10.0.0.0/8") instanceof EgressRule.Range);
    assertTrue(EgressRule.parse("2001:db8::/32") instanceof EgressRule.Range);
    EgressRule.Name below = (EgressRule.Name) EgressRule.parse("*.Debian.org.");
    assertTrue(below.matches("deb.debian.org"));
    assertFalse(below.matches("debian.org"));
    assertFalse(below.matches("evildebian.org"));
    assertTrue(((EgressRule.Name) EgressRule.parse("*")).matches("anything.at.all"));
    for (String bad : new String[] {"", "10.0.0.1/8", "1.2.3.4/33", "a..b", "*.", "1.2.3", "a b"}) {
      assertThrows(NatException.class, () -> EgressRule.parse(bad), bad);
    }
    assertEquals(
        new NameOverride("db.test", IpAddress.v4(0x0a000001)),
        NameOverride.parse("DB.test=10.0.0.1"));
    for (String bad : new String[] {"", "=1.2.3.4", "a=", "a=b", "a"}) {
      assertThrows(NatException.class, () -> NameOverride.parse(bad), bad);
    }
    assertEquals("172.16.5.2", Subnet.parse("172.16.5.0/24").gateway4().toString());
    assertThrows(NatException.class, () -> Subnet.parse("10.0.0.0/30"));
  }

  @Test
  void addressesAreWrittenAsTheHostWritesThem() throws Exception {
    Random random = new Random(1);
    for (int i = 0; i < 4000; i++) {
      byte[] bytes = new byte[i % 4 == 0 ? 4 : 16];
      random.nextBytes(bytes);
      for (int at = 0; at < bytes.length; at++) {
        bytes[at] &= (byte) (random.nextBoolean() ? 0 : -1);
      }
      IpAddress address = IpAddress.of(InetAddress.getByAddress(bytes));
      IpAddress read = IpAddress.parse(address.toString());
      assertEquals(address, read == null ? null : read.unmapped());
      assertEquals(InetAddress.ofLiteral(address.toString()), address.toInet());
    }
    assertEquals("fe80::1:0:0:2", IpAddress.v6(0xfe80L << 48, 0x0001_0000_0000_0002L).toString());
    assertEquals("::", IpAddress.v6(0, 0).toString());
  }

  @Test
  void sumsAreThoseOfTheDefinition() {
    Random random = new Random(2);
    for (int i = 0; i < 5000; i++) {
      byte[] bytes = new byte[random.nextInt(200)];
      random.nextBytes(bytes);
      if (i % 3 == 0) {
        java.util.Arrays.fill(bytes, (byte) (i % 2 == 0 ? -1 : 0));
      }
      int at = bytes.length == 0 ? 0 : random.nextInt(bytes.length);
      byte[] part = Frame.part(bytes, at, bytes.length);
      assertEquals(
          Frame.checksum(part) % 0xffff,
          InternetChecksum.finish(InternetChecksum.sum(bytes, at, part.length)) % 0xffff);
    }
  }

  @Test
  void guestsReachTheOutsideButNotTheHost() throws Exception {
    Egress egress = new Egress(NatConfig.DEFAULT, System::nanoTime);
    for (String outside : new String[] {"93.184.216.34", "198.51.100.1", "2001:db8::1"}) {
      assertTrue(egress.allows(IpAddress.parse(outside)), outside);
    }
    String[] closed = {
      "127.0.0.1",
      "127.9.9.9",
      "0.0.0.0",
      "0.1.2.3",
      "::1",
      "::",
      "::ffff:127.0.0.1",
      "169.254.169.254",
      "fe80::1",
      "224.0.0.1",
      "255.255.255.255",
      "240.0.0.1",
      "ff02::1",
      "10.0.2.77"
    };
    for (String inside : closed) {
      assertFalse(egress.allows(IpAddress.parse(inside)), inside);
    }
    for (NetworkInterface card : NetworkInterface.networkInterfaces().toList()) {
      for (InetAddress own : card.inetAddresses().toList()) {
        assertFalse(egress.allows(IpAddress.of(own)), own.toString());
      }
    }
    IpAddress gateway = Subnet.DEFAULT.gateway4();
    assertNull(egress.target(Transport.TCP, gateway, 5432));
  }

  @Test
  void aListClosesEverythingElseAndServicesAreOpenedBesideIt() {
    NatConfig config =
        NatConfig.DEFAULT
            .withAllow(
                List.of(
                    EgressRule.parse("198.51.100.0/24"),
                    EgressRule.parse("169.254.169.254"),
                    EgressRule.parse("127.0.0.0/8")))
            .withServices(List.of(HostService.parse("5432")));
    Egress egress = new Egress(config, System::nanoTime);
    assertTrue(egress.allows(IpAddress.parse("198.51.100.9")));
    assertTrue(egress.allows(IpAddress.parse("169.254.169.254")), "link-local, by its range");
    assertFalse(egress.allows(IpAddress.parse("198.51.101.9")));
    assertFalse(egress.allows(IpAddress.parse("127.0.0.1")), "no range opens the host itself");
    assertFalse(egress.allowsName("example.org"));
    IpAddress gateway = config.subnet().gateway4();
    InetSocketAddress service = egress.target(Transport.TCP, gateway, 5432);
    assertNotNull(service);
    assertEquals("/127.0.0.1:5432", service.toString());
    assertNull(egress.target(Transport.UDP, gateway, 5432));
  }

  @Test
  void aNameThatAnswersWithTheHostsAddressOpensNothing() {
    NatConfig config = NatConfig.DEFAULT.withAllow(List.of(EgressRule.parse("*")));
    Egress egress = new Egress(config, System::nanoTime);
    for (String inside : new String[] {"127.0.0.1", "169.254.169.254", "::1"}) {
      egress.learn("evil.example", IpAddress.parse(inside), 1000);
      assertFalse(egress.allows(IpAddress.parse(inside)), inside);
    }
    egress.learn("good.example", IpAddress.parse("198.51.100.9"), 1000);
    assertTrue(egress.allows(IpAddress.parse("198.51.100.9")));
  }
}
