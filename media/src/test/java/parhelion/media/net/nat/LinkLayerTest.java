package parhelion.media.net.nat;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import parhelion.media.net.Packet;
import parhelion.media.net.nat.config.NatConfig;
import parhelion.media.net.nat.loop.Count;

/** ARP, DHCP, neighbour discovery, router advertisements, echoes. */
final class LinkLayerTest {
  private static final byte[] NOWHERE = {0, 0, 0, 0};
  private static final byte[] EVERYWHERE = {-1, -1, -1, -1};
  private static final byte[] BROADCAST_MAC = Frame.hex("ffffffffffff");
  private static final byte[] ALL_NODES = Frame.hex("ff020000000000000000000000000001");
  private static final byte[] LINK_LOCAL = Frame.hex("fe800000000000000000000000000099");
  private static final byte[] UNSPECIFIED = new byte[16];

  private final Lab lab = new Lab(NatConfig.DEFAULT.withHostname("web").withMtu(9000));

  @AfterEach
  void close() {
    lab.close();
  }

  @Test
  void theGatewayAnswersArpForItselfAndForTheDnsForwarder() {
    for (byte[] address : new byte[][] {Lab.GATEWAY, Lab.DNS}) {
      lab.send(arpRequest(address));
      Received answer = lab.await("an answer of ARP", frame -> frame.etherType() == 0x806);
      assertEquals(2, Frame.read16(answer.payload(), 6));
      assertArrayEquals(Lab.GATEWAY_MAC, Frame.part(answer.payload(), 8, 14));
      assertArrayEquals(address, Frame.part(answer.payload(), 14, 18));
      assertArrayEquals(Lab.MAC, answer.toMac());
    }
  }

  @Test
  void nobodyAnswersArpForAnotherAddress() {
    lab.send(arpRequest(new byte[] {10, 0, 2, 77}));
    lab.step();
    assertTrue(lab.received.isEmpty());
  }

  private static byte[] arpRequest(byte[] whom) {
    byte[] request =
        Frame.bytes(Frame.hex("0001 0800 0604 0001"), Lab.MAC, Lab.GUEST, new byte[6], whom);
    return Frame.ethernet(BROADCAST_MAC, Lab.MAC, 0x806, request);
  }

  @Test
  void dhcpLeasesTheFirstGuestsAddressWithAllThatAGuestNeeds() {
    Map<Integer, byte[]> offer = dhcp(Lab.MAC, 1, NOWHERE, Frame.hex(""));
    assertArrayEquals(new byte[] {2}, offer.get(53));
    assertArrayEquals(Lab.GUEST, offer.get(-1));
    byte[] asked = Frame.bytes(Frame.hex("32 04"), Lab.GUEST, Frame.hex("36 04"), Lab.GATEWAY);
    Map<Integer, byte[]> lease = dhcp(Lab.MAC, 3, NOWHERE, asked);
    assertArrayEquals(new byte[] {5}, lease.get(53));
    assertArrayEquals(Lab.GUEST, lease.get(-1));
    assertArrayEquals(Frame.hex("ffffff00"), lease.get(1));
    assertArrayEquals(Lab.GATEWAY, lease.get(3));
    assertArrayEquals(Lab.DNS, lease.get(6));
    assertArrayEquals("web".getBytes(StandardCharsets.US_ASCII), lease.get(12));
    assertArrayEquals("parhelion.internal".getBytes(StandardCharsets.US_ASCII), lease.get(15));
    assertArrayEquals(Frame.u16(9000), lease.get(26));
    assertArrayEquals(Frame.u32(86400), lease.get(51));
    assertEquals(1, lab.count(Count.DHCP_LEASES));
  }

  @Test
  void dhcpRenewsAndRefusesWhatIsNotTheGuests() {
    dhcp(Lab.MAC, 1, NOWHERE, new byte[0]);
    assertArrayEquals(new byte[] {5}, dhcp(Lab.MAC, 3, Lab.GUEST, new byte[0]).get(53));
    byte[] another = Frame.hex("32 04 0a000222");
    assertArrayEquals(new byte[] {6}, dhcp(Lab.MAC, 3, NOWHERE, another).get(53));
  }

  @Test
  void everyGuestOfASwitchGetsAnAddressOfItsOwn() {
    byte[] other = Frame.hex("02:00:00:00:00:02");
    assertArrayEquals(Lab.GUEST, dhcp(Lab.MAC, 1, NOWHERE, new byte[0]).get(-1));
    Map<Integer, byte[]> second = dhcp(other, 1, NOWHERE, new byte[0]);
    assertArrayEquals(new byte[] {10, 0, 2, 16}, second.get(-1));
    assertNull(second.get(12), "the name is the first guest's");
    assertArrayEquals(Lab.GUEST, dhcp(Lab.MAC, 1, NOWHERE, new byte[0]).get(-1));
  }

  @Test
  void leasesAreBounded() {
    for (int i = 0; i < 500; i++) {
      lab.send(dhcpRequest(Frame.bytes(Frame.hex("020000aa"), Frame.u16(i)), 1, NOWHERE, NOWHERE));
      lab.step();
    }
    assertEquals(NatConfig.DEFAULT.limits().guests(), lab.received.size());
    assertEquals(500 - lab.received.size(), lab.count(Count.DROP_LIMIT));
  }

  /** The options of the answer; the address that it gives under -1. */
  private Map<Integer, byte[]> dhcp(byte[] mac, int type, byte[] current, byte[] options) {
    lab.send(dhcpRequest(mac, type, current, options));
    Received answer =
        lab.await("an answer of DHCP", frame -> frame.protocol() == 17 && frame.toPort() == 68);
    byte[] message = answer.udpPayload();
    assertArrayEquals(mac, Frame.part(message, 28, 34));
    assertArrayEquals(Frame.hex("12345678"), Frame.part(message, 4, 8));
    Map<Integer, byte[]> found = new HashMap<>();
    found.put(-1, Frame.part(message, 16, 20));
    for (int at = 240; message[at] != -1; at += 2 + message[at + 1]) {
      found.put(message[at] & 0xff, Frame.part(message, at + 2, at + 2 + message[at + 1]));
    }
    return found;
  }

  private static byte[] dhcpRequest(byte[] mac, int type, byte[] current, byte[] options) {
    byte[] message =
        Frame.bytes(
            Frame.hex("01010600 12345678 00000000"),
            current,
            new byte[12],
            mac,
            new byte[10 + 64 + 128],
            Frame.hex("63825363 3501"),
            new byte[] {(byte) type},
            options,
            new byte[] {-1});
    byte[] udp = Frame.udp(NOWHERE, 68, EVERYWHERE, 67, message);
    return Frame.ethernet(BROADCAST_MAC, mac, 0x800, Frame.ipv4(NOWHERE, EVERYWHERE, 17, udp));
  }

  @Test
  void theGatewayAnswersEchoRequests() {
    byte[] payload = new byte[3000];
    new Random(1).nextBytes(payload);
    byte[] echo = Frame.bytes(Frame.hex("0800 0000 1234 0001"), payload);
    lab.sendIpv4(
        Frame.ipv4(Lab.GUEST, Lab.GATEWAY, 1, Frame.summed(Lab.GUEST, Lab.GATEWAY, 1, echo, 2)));
    Received answer = lab.await("an echo", frame -> frame.protocol() == 1);
    assertEquals(0, answer.payload()[0]);
    assertArrayEquals(Frame.part(echo, 4, echo.length), Frame.part(answer.payload(), 4, 3008));
    assertArrayEquals(Lab.GATEWAY, answer.from());
    assertArrayEquals(Lab.GUEST, answer.to());

    byte[] echo6 = Frame.bytes(Frame.hex("8000 0000 1234 0001"), payload);
    lab.sendIpv6(icmpv6(Lab.GUEST6, Lab.GATEWAY6, 64, echo6));
    Received answer6 = lab.await("an echo", frame -> frame.protocol() == 58);
    assertEquals((byte) 129, answer6.payload()[0]);
    assertArrayEquals(payload, Frame.part(answer6.payload(), 8, 3008));
  }

  @Test
  void aPingOfTheHostItselfIsProhibited() {
    byte[] echo = Frame.summed(Lab.GUEST, Lab.GATEWAY, 1, Frame.hex("0800 0000 1234 0001"), 2);
    lab.sendIpv4(Frame.ipv4(Lab.GUEST, new byte[] {127, 0, 0, 1}, 1, echo));
    Received answer = lab.await("an error", frame -> frame.protocol() == 1);
    assertEquals(3, answer.payload()[0]);
    assertEquals(13, answer.payload()[1]);
  }

  @Test
  void routerAdvertisementsGiveAPrefixARouterAndAForwarder() {
    lab.sendIpv6(icmpv6(LINK_LOCAL, ALL_NODES, 255, Frame.hex("8500 0000 00000000")));
    Received advertisement =
        lab.await(
            "an advertisement",
            frame -> frame.protocol() == 58 && frame.payload()[0] == (byte) 134);
    assertArrayEquals(LINK_LOCAL, advertisement.to());
    assertArrayEquals(Frame.hex("fe80000000000000000050fffe480002"), advertisement.from());
    byte[] message = advertisement.payload();
    assertEquals((byte) 255, advertisement.packet().bytes()[21], "hops");
    assertTrue(Frame.read16(message, 6) > 0, "lifetime of the router");
    Map<Integer, byte[]> options = new HashMap<>();
    for (int at = 16; at < message.length; at += message[at + 1] * 8) {
      options.put(message[at] & 0xff, Frame.part(message, at, at + message[at + 1] * 8));
    }
    assertArrayEquals(Lab.GATEWAY_MAC, Frame.part(options.get(1), 2, 8));
    assertEquals(9000, Frame.read32(options.get(5), 4));
    assertEquals(64, options.get(3)[2]);
    assertEquals((byte) 0xc0, options.get(3)[3]);
    assertArrayEquals(
        Frame.bytes(Frame.part(Lab.GATEWAY6, 0, 8), new byte[8]),
        Frame.part(options.get(3), 16, 32));
    assertArrayEquals(Lab.DNS6, Frame.part(options.get(25), 8, 24));
    assertNotNull(options.get(31));
  }

  @Test
  void neighboursAreFoundAndDuplicatesDetected() {
    byte[] solicitation =
        Frame.bytes(Frame.hex("8700 0000 00000000"), Lab.GATEWAY6, Frame.hex("0101"), Lab.MAC);
    lab.sendIpv6(icmpv6(Lab.GUEST6, Lab.GATEWAY6, 255, solicitation));
    Received answer = lab.await("an advertisement", frame -> frame.protocol() == 58);
    assertEquals((byte) 136, answer.payload()[0]);
    assertEquals((byte) 0xe0, answer.payload()[4]);
    assertArrayEquals(Lab.GATEWAY6, Frame.part(answer.payload(), 8, 24));
    assertArrayEquals(Lab.GATEWAY_MAC, Frame.part(answer.payload(), 26, 32));

    byte[] probe = Frame.bytes(Frame.hex("8700 0000 00000000"), Lab.GATEWAY6);
    lab.sendIpv6(icmpv6(UNSPECIFIED, Lab.GATEWAY6, 255, probe));
    Received taken = lab.await("an advertisement", frame -> frame.protocol() == 58);
    assertArrayEquals(ALL_NODES, taken.to());
    lab.sendIpv6(icmpv6(UNSPECIFIED, Lab.GUEST6, 255, probe));
    lab.sendIpv6(icmpv6(Lab.GUEST6, Lab.GATEWAY6, 64, solicitation));
    lab.step();
    assertEquals(1, lab.count(Count.DROP_MALFORMED), "one came over a router");
  }

  private static byte[] icmpv6(byte[] from, byte[] to, int hops, byte[] message) {
    return Frame.ipv6(from, to, 58, hops, Frame.summed(from, to, 58, message, 2));
  }

  @Test
  void aDeviceWithoutRoomGetsItsPacketsLater() {
    lab.room = 0;
    for (int i = 0; i < 10; i++) {
      lab.send(arpRequest(Lab.GATEWAY));
    }
    lab.step();
    assertTrue(lab.refused);
    lab.room = 3;
    lab.nat.roomToReceive();
    lab.step();
    assertEquals(3, lab.received.size());
    lab.room = 100;
    lab.nat.roomToReceive();
    lab.step();
    assertEquals(10, lab.received.size());
  }

  @Test
  void aQueueThatIsFullSaysWhenItHasRoom() {
    int limit = NatConfig.DEFAULT.limits().inboundPackets();
    for (int i = 0; i < limit; i++) {
      assertTrue(lab.nat.send(Packet.of(arpRequest(Lab.GATEWAY))));
    }
    assertFalse(lab.nat.send(Packet.of(arpRequest(Lab.GATEWAY))));
    lab.step();
    assertEquals(1, lab.roomToSend);
    assertTrue(lab.nat.send(Packet.of(arpRequest(Lab.GATEWAY))));
  }
}
