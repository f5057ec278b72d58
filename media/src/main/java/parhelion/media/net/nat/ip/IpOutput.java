package parhelion.media.net.nat.ip;

import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.Offloads;
import parhelion.media.net.Packet;
import parhelion.media.net.nat.config.Subnet;
import parhelion.media.net.nat.loop.Count;
import parhelion.media.net.nat.loop.Counts;
import parhelion.media.net.nat.wire.InternetChecksum;
import parhelion.media.net.nat.wire.IpAddress;
import parhelion.media.net.nat.wire.MacAddress;
import parhelion.media.net.nat.wire.Wire;

/**
 * Sends datagrams to guests. A sender asks for a {@link #frame} with room for the headers in front,
 * writes its payload at {@link #payloadAt}, and sends it: nothing is copied.
 */
public final class IpOutput {
  private static final int HOPS = 64;
  private static final int ND_HOPS = 255;
  private static final int DONT_FRAGMENT = 0x4000;
  private static final int MORE_FRAGMENTS = 0x2000;

  private final Subnet subnet;
  private final int mtu;
  private final Link link;
  private final Neighbours neighbours;
  private final Counts counts;
  private int nextId = ThreadLocalRandom.current().nextInt();

  IpOutput(Subnet subnet, int mtu, Link link, Neighbours neighbours, Counts counts) {
    this.subnet = subnet;
    this.mtu = mtu;
    this.link = link;
    this.neighbours = neighbours;
    this.counts = counts;
  }

  /** A frame with room for the headers and so many bytes of payload. */
  public byte[] frame(boolean v6, int payloadBytes) {
    return new byte[payloadAt(v6) + payloadBytes];
  }

  /** Where the payload of IP is in a frame. */
  public static int payloadAt(boolean v6) {
    return Protocol.ETHERNET_BYTES + (v6 ? Protocol.IPV6_BYTES : Protocol.IPV4_BYTES);
  }

  public int mtu() {
    return mtu;
  }

  public Offloads offloads() {
    return link.offloads();
  }

  public boolean isOpen() {
    return link.isOpen();
  }

  /** Sends a datagram whose payload is complete, in fragments if it has to be. */
  public void send(byte[] frame, IpAddress from, IpAddress to, int protocol) {
    if (frame.length - Protocol.ETHERNET_BYTES > mtu) {
      sendFragments(frame, from, to, protocol);
      return;
    }
    headers(frame, from, to, protocol, HOPS, 0, DONT_FRAGMENT);
    toNeighbour(frame, to, Packet.Checksum.VALID, Packet.Gso.NONE, 0);
  }

  /** Sends a message of neighbour discovery, which must not have passed a router. */
  void sendDiscovery(byte[] frame, IpAddress from, IpAddress to) {
    headers(frame, from, to, Protocol.ICMPV6, ND_HOPS, 0, 0);
    toNeighbour(frame, to, Packet.Checksum.VALID, Packet.Gso.NONE, 0);
  }

  /**
   * Sends a TCP segment, or what becomes several by {@code gso}. The checksum in the frame is that
   * which {@code checksum} promises.
   */
  public void sendSegment(
      byte[] frame,
      IpAddress from,
      IpAddress to,
      Packet.Checksum checksum,
      Packet.Gso gso,
      int gsoSizeBytes) {
    headers(frame, from, to, Protocol.TCP, HOPS, 0, DONT_FRAGMENT);
    toNeighbour(frame, to, checksum, gso, gsoSizeBytes);
  }

  /** Sends an Ethernet frame that is complete but for its addresses. */
  void sendRaw(byte[] frame, MacAddress to, int etherType) {
    ethernet(frame, to, etherType);
    link.send(new Packet(frame, Packet.Checksum.VALID, Packet.Gso.NONE, 0));
  }

  /** Learns where an address is. */
  void learn(IpAddress address, MacAddress mac) {
    if (mac.equals(neighbours.find(address))) {
      return;
    }
    for (byte[] waited : neighbours.learn(address, mac)) {
      mac.write(waited, 0);
      link.send(new Packet(waited, Packet.Checksum.VALID, Packet.Gso.NONE, 0));
    }
  }

  private void toNeighbour(
      byte[] frame, IpAddress to, Packet.Checksum checksum, Packet.Gso gso, int gsoSizeBytes) {
    MacAddress mac = macOf(to);
    ethernet(
        frame,
        mac == null ? MacAddress.BROADCAST : mac,
        to.v6() ? Protocol.ETHERTYPE_IPV6 : Protocol.ETHERTYPE_IPV4);
    if (mac != null) {
      link.send(new Packet(frame, checksum, gso, gsoSizeBytes));
      return;
    }
    // Only what is whole may wait; a segment is sent again anyway.
    boolean plain = checksum == Packet.Checksum.VALID && gso == Packet.Gso.NONE;
    if (!subnet.contains(to) || !plain || !neighbours.await(to, frame)) {
      counts.add(Count.DROP_NEIGHBOUR);
    }
    if (subnet.contains(to)) {
      ask(to);
    }
  }

  private @Nullable MacAddress macOf(IpAddress to) {
    if (to.isMulticast()) {
      return MacAddress.ofMulticast(to);
    }
    if (!to.v6() && (to.low() == 0xffffffffL || to.equals(subnet.v4().broadcast()))) {
      return MacAddress.BROADCAST;
    }
    return neighbours.find(to);
  }

  private void ask(IpAddress whom) {
    if (whom.v6()) {
      NeighbourDiscovery.solicit(this, subnet, whom);
    } else {
      Arp.ask(this, subnet, whom);
    }
  }

  private static void ethernet(byte[] frame, MacAddress to, int etherType) {
    to.write(frame, 0);
    Subnet.GATEWAY_MAC.write(frame, MacAddress.BYTES);
    Wire.put16(frame, 12, etherType);
  }

  private static void headers(
      byte[] frame, IpAddress from, IpAddress to, int protocol, int hops, int id, int flags) {
    int at = Protocol.ETHERNET_BYTES;
    if (to.v6()) {
      Wire.put32(frame, at, 6 << 28);
      Wire.put16(frame, at + 4, frame.length - at - Protocol.IPV6_BYTES);
      Wire.put8(frame, at + 6, protocol);
      Wire.put8(frame, at + 7, hops);
      from.write(frame, at + 8);
      to.write(frame, at + 24);
      return;
    }
    Wire.put16(frame, at, 0x4500);
    Wire.put16(frame, at + 2, frame.length - at);
    Wire.put16(frame, at + 4, id);
    Wire.put16(frame, at + 6, flags);
    Wire.put8(frame, at + 8, hops);
    Wire.put8(frame, at + 9, protocol);
    Wire.put16(frame, at + 10, 0);
    from.write(frame, at + 12);
    to.write(frame, at + 16);
    int sum = InternetChecksum.sum(frame, at, Protocol.IPV4_BYTES);
    Wire.put16(frame, at + 10, InternetChecksum.finish(sum));
  }

  private void sendFragments(byte[] frame, IpAddress from, IpAddress to, int protocol) {
    boolean v6 = to.v6();
    int payloadAt = payloadAt(v6);
    int headerBytes = v6 ? 8 : 0;
    int room = (mtu - (payloadAt - Protocol.ETHERNET_BYTES) - headerBytes) & ~7;
    int id = nextId++;
    int length = frame.length - payloadAt;
    for (int offset = 0; offset < length; offset += room) {
      int size = Math.min(room, length - offset);
      int more = offset + size < length ? 1 : 0;
      byte[] fragment = frame(v6, headerBytes + size);
      if (v6) {
        Wire.put8(fragment, payloadAt, protocol);
        Wire.put16(fragment, payloadAt + 2, offset | more);
        Wire.put32(fragment, payloadAt + 4, id);
        headers(fragment, from, to, Protocol.FRAGMENT, HOPS, 0, 0);
      } else {
        int flags = offset / 8 | more * MORE_FRAGMENTS;
        headers(fragment, from, to, protocol, HOPS, id & 0xffff, flags);
      }
      System.arraycopy(frame, payloadAt + offset, fragment, payloadAt + headerBytes, size);
      toNeighbour(fragment, to, Packet.Checksum.VALID, Packet.Gso.NONE, 0);
    }
  }
}
