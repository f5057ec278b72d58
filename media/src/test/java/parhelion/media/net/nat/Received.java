package parhelion.media.net.nat;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import parhelion.media.net.Packet;

/**
 * A frame that the guest got, taken apart. Reading it verifies every length and checksum in it.
 *
 * @param payload of IP, without padding
 */
record Received(
    byte[] toMac,
    byte[] fromMac,
    int etherType,
    byte[] from,
    byte[] to,
    int protocol,
    int fragment,
    byte[] payload,
    Packet packet) {
  static Received of(Packet packet) {
    byte[] frame = packet.bytes();
    byte[] toMac = Frame.part(frame, 0, 6);
    byte[] fromMac = Frame.part(frame, 6, 12);
    int type = Frame.read16(frame, 12);
    byte[] none = new byte[0];
    if (type == 0x800) {
      return ipv4(packet, toMac, fromMac);
    }
    if (type == 0x86dd) {
      return ipv6(packet, toMac, fromMac);
    }
    assertEquals(0x806, type, "a frame of ARP or IP");
    byte[] payload = Frame.part(frame, 14, frame.length);
    return new Received(toMac, fromMac, type, none, none, -1, 0, payload, packet);
  }

  private static Received ipv4(Packet packet, byte[] toMac, byte[] fromMac) {
    byte[] frame = packet.bytes();
    assertEquals(0x45, frame[14]);
    assertEquals(frame.length - 14, Frame.read16(frame, 16), "the length of IP");
    assertEquals(0, Frame.checksum(Frame.part(frame, 14, 34)), "the checksum of IP");
    byte[] from = Frame.part(frame, 26, 30);
    byte[] to = Frame.part(frame, 30, 34);
    byte[] payload = Frame.part(frame, 34, frame.length);
    int fragment = Frame.read16(frame, 20) & 0x3fff;
    int protocol = frame[23] & 0xff;
    if (fragment == 0) {
      verify(packet, from, to, protocol, payload);
    }
    return new Received(toMac, fromMac, 0x800, from, to, protocol, fragment, payload, packet);
  }

  private static Received ipv6(Packet packet, byte[] toMac, byte[] fromMac) {
    byte[] frame = packet.bytes();
    assertEquals(6, frame[14] >> 4);
    assertEquals(frame.length - 54, Frame.read16(frame, 18), "the length of IP");
    byte[] from = Frame.part(frame, 22, 38);
    byte[] to = Frame.part(frame, 38, 54);
    int protocol = frame[20] & 0xff;
    byte[] payload = Frame.part(frame, 54, frame.length);
    if (protocol != 44) {
      verify(packet, from, to, protocol, payload);
    }
    return new Received(toMac, fromMac, 0x86dd, from, to, protocol, 0, payload, packet);
  }

  private static void verify(Packet packet, byte[] from, byte[] to, int protocol, byte[] payload) {
    byte[] pseudo = Frame.pseudoHeader(from, to, protocol, payload.length);
    if (protocol == 1) {
      assertEquals(0, Frame.checksum(payload), "the checksum of ICMP");
      return;
    }
    if (packet.checksum() == Packet.Checksum.BLANK) {
      assertEquals(6, protocol, "only TCP leaves its checksum out");
      byte[] sum = Frame.part(payload, 16, 18);
      assertArrayEquals(Frame.u16(0xffff - Frame.checksum(pseudo)), sum, "the pseudo header's sum");
      return;
    }
    assertEquals(0, Frame.checksum(pseudo, payload), "the checksum of protocol " + protocol);
    if (protocol == 17) {
      assertEquals(payload.length, Frame.read16(payload, 4), "the length of UDP");
      assertTrue(Frame.read16(payload, 6) != 0, "a checksum of UDP");
    }
  }

  int fromPort() {
    return Frame.read16(payload, 0);
  }

  int toPort() {
    return Frame.read16(payload, 2);
  }

  byte[] udpPayload() {
    return Frame.part(payload, 8, payload.length);
  }
}
