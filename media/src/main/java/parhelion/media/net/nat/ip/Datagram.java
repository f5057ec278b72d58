package parhelion.media.net.nat.ip;

import parhelion.media.net.Packet;
import parhelion.media.net.nat.wire.InternetChecksum;
import parhelion.media.net.nat.wire.IpAddress;
import parhelion.media.net.nat.wire.MacAddress;

/**
 * A datagram from a guest, whole, with its headers checked.
 *
 * @param packet what it came in; its headers are in the bytes before {@code at}
 * @param ipAt where the IP header is
 * @param protocol of IP, as in both IPv4 and IPv6
 * @param at where the payload is
 * @param length of the payload in bytes
 */
public record Datagram(
    Packet packet,
    MacAddress mac,
    IpAddress from,
    IpAddress to,
    int ipAt,
    int protocol,
    int at,
    int length) {
  public byte[] bytes() {
    return packet.bytes();
  }

  /** Whether the checksum of TCP, UDP or ICMPv6 is right, or its sender left it out. */
  public boolean hasGoodChecksum() {
    return packet.checksum() != Packet.Checksum.UNKNOWN
        || InternetChecksum.finish(
                (long) InternetChecksum.pseudoHeader(from, to, protocol, length)
                    + InternetChecksum.sum(bytes(), at, length))
            == 0;
  }
}
