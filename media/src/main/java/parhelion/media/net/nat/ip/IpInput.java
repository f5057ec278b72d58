package parhelion.media.net.nat.ip;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.Packet;
import parhelion.media.net.nat.config.NatConfig;
import parhelion.media.net.nat.config.Subnet;
import parhelion.media.net.nat.loop.Count;
import parhelion.media.net.nat.loop.Counts;
import parhelion.media.net.nat.loop.EventLoop;
import parhelion.media.net.nat.wire.InternetChecksum;
import parhelion.media.net.nat.wire.IpAddress;
import parhelion.media.net.nat.wire.MacAddress;
import parhelion.media.net.nat.wire.Wire;

/**
 * Takes frames from guests apart, as far as IP: ARP and neighbour discovery are dealt with here,
 * whole datagrams are handed on. Every length in a frame is held against what there is.
 */
public final class IpInput {
  private static final int MAX_EXTENSION_HEADERS = 8;
  private static final int MORE_AND_OFFSET = 0x3fff;

  private final Subnet subnet;
  private final Counts counts;
  private final Consumer<Datagram> handler;
  private final Neighbours neighbours;
  private final IpOutput output;
  private final Arp arp;
  private final NeighbourDiscovery discovery;
  private final Fragments fragments;

  /** The handler gets datagrams of every protocol, but for neighbour discovery. */
  public IpInput(
      NatConfig config, Link link, EventLoop loop, Counts counts, Consumer<Datagram> handler) {
    this.subnet = config.subnet();
    this.counts = counts;
    this.handler = handler;
    // A guest has one IPv4 address, and several of IPv6.
    this.neighbours = new Neighbours(config.limits().guests() * 8);
    this.output = new IpOutput(subnet, config.mtu(), link, neighbours, counts);
    this.arp = new Arp(subnet, output, counts);
    this.discovery = new NeighbourDiscovery(config, output, counts, loop);
    this.fragments = new Fragments(config.limits().fragmentBytes(), loop, counts);
  }

  public IpOutput output() {
    return output;
  }

  public void receive(Packet packet) {
    byte[] frame = packet.bytes();
    counts.add(Count.RECEIVED_PACKETS);
    counts.add(Count.RECEIVED_BYTES, frame.length);
    if (frame.length < Protocol.ETHERNET_BYTES || frame.length > Packet.MAX_BYTES) {
      counts.add(Count.DROP_MALFORMED);
      return;
    }
    MacAddress to = MacAddress.read(frame, 0);
    MacAddress from = MacAddress.read(frame, MacAddress.BYTES);
    if (!from.isUnicast()) {
      counts.add(Count.DROP_MALFORMED);
      return;
    }
    if (to.isUnicast() && !to.equals(Subnet.GATEWAY_MAC)) {
      return; // Between guests: a switch floods what it has not learned yet.
    }
    switch (Wire.u16(frame, 12)) {
      case Protocol.ETHERTYPE_ARP -> arp.receive(frame);
      case Protocol.ETHERTYPE_IPV4 -> ipv4(packet, from);
      case Protocol.ETHERTYPE_IPV6 -> {
        if (subnet.ipv6()) {
          ipv6(packet, from);
        }
      }
      default -> counts.add(Count.DROP_PROTOCOL);
    }
  }

  private void ipv4(Packet packet, MacAddress mac) {
    byte[] frame = packet.bytes();
    int at = Protocol.ETHERNET_BYTES;
    int available = frame.length - at;
    int headerBytes = available < Protocol.IPV4_BYTES ? 0 : (Wire.u8(frame, at) & 15) * 4;
    int length = available < Protocol.IPV4_BYTES ? 0 : Wire.u16(frame, at + 2);
    if (headerBytes < Protocol.IPV4_BYTES
        || Wire.u8(frame, at) >>> 4 != 4
        || length < headerBytes
        || length > available) {
      counts.add(Count.DROP_MALFORMED);
      return;
    }
    if (InternetChecksum.finish(InternetChecksum.sum(frame, at, headerBytes)) != 0) {
      counts.add(Count.DROP_CHECKSUM);
      return;
    }
    Datagram datagram =
        new Datagram(
            packet,
            mac,
            IpAddress.v4(frame, at + 12),
            IpAddress.v4(frame, at + 16),
            at,
            Wire.u8(frame, at + 9),
            at + headerBytes,
            length - headerBytes);
    int fragment = Wire.u16(frame, at + 6) & MORE_AND_OFFSET;
    if (!isFromGuest(datagram)) {
      return;
    }
    if (fragment == 0) {
      handler.accept(datagram);
    } else {
      boolean more = (fragment & 0x2000) != 0;
      whole(
          fragments.add(datagram, Wire.u16(frame, at + 4), (fragment & 0x1fff) * 8, more), handler);
    }
  }

  private void ipv6(Packet packet, MacAddress mac) {
    byte[] frame = packet.bytes();
    int at = Protocol.ETHERNET_BYTES;
    int available = frame.length - at - Protocol.IPV6_BYTES;
    int length = available < 0 ? 0 : Wire.u16(frame, at + 4);
    if (available < 0 || Wire.u8(frame, at) >>> 4 != 6 || length > available) {
      counts.add(Count.DROP_MALFORMED);
      return;
    }
    int payloadAt = at + Protocol.IPV6_BYTES;
    Datagram datagram =
        new Datagram(
            packet,
            mac,
            IpAddress.v6(frame, at + 8),
            IpAddress.v6(frame, at + 24),
            at,
            Wire.u8(frame, at + 6),
            payloadAt,
            length);
    if (isFromGuest(datagram)) {
      ipv6Payload(datagram, true);
    }
  }

  /** Walks the extension headers. What is reassembled is walked again, but has no fragments. */
  private void ipv6Payload(Datagram datagram, boolean mayBeFragment) {
    byte[] frame = datagram.bytes();
    int protocol = datagram.protocol();
    int at = datagram.at();
    int end = at + datagram.length();
    for (int headers = 0; headers < MAX_EXTENSION_HEADERS; headers++) {
      boolean skipped =
          protocol == Protocol.HOP_BY_HOP
              || protocol == Protocol.DESTINATION_OPTIONS
              || protocol == Protocol.ROUTING;
      if (!skipped && protocol != Protocol.FRAGMENT) {
        ipv6Handler(
            new Datagram(
                datagram.packet(),
                datagram.mac(),
                datagram.from(),
                datagram.to(),
                datagram.ipAt(),
                protocol,
                at,
                end - at));
        return;
      }
      int size = end - at < 8 ? 8 : skipped ? (Wire.u8(frame, at + 1) + 1) * 8 : 8;
      if (end - at < size || protocol == Protocol.ROUTING && Wire.u8(frame, at + 3) != 0) {
        break;
      }
      int next = Wire.u8(frame, at);
      if (protocol == Protocol.FRAGMENT) {
        int offsetAndMore = Wire.u16(frame, at + 2);
        Datagram rest =
            new Datagram(
                datagram.packet(),
                datagram.mac(),
                datagram.from(),
                datagram.to(),
                datagram.ipAt(),
                next,
                at + 8,
                end - at - 8);
        if (!mayBeFragment) {
          break;
        }
        int id = Wire.i32(frame, at + 4);
        boolean more = (offsetAndMore & 1) != 0;
        whole(
            fragments.add(rest, id, offsetAndMore & 0xfff8, more),
            whole -> ipv6Payload(whole, false));
        return;
      }
      protocol = next;
      at += size;
    }
    counts.add(Count.DROP_MALFORMED);
  }

  private void ipv6Handler(Datagram datagram) {
    boolean discovered =
        datagram.protocol() == Protocol.ICMPV6
            && datagram.length() > 0
            && NeighbourDiscovery.isType(Wire.u8(datagram.bytes(), datagram.at()));
    if (discovered) {
      discovery.receive(datagram);
    } else {
      handler.accept(datagram);
    }
  }

  private static void whole(@Nullable Datagram datagram, Consumer<Datagram> handler) {
    if (datagram != null) {
      handler.accept(datagram);
    }
  }

  /**
   * Whether the sender's address is one of the network's and not ours, or none at all as in DHCP
   * and neighbour discovery. Where it is one, that is where answers go.
   */
  private boolean isFromGuest(Datagram datagram) {
    IpAddress from = datagram.from();
    if (from.isUnspecified()) {
      return true;
    }
    boolean broadcast = !from.v6() && from.equals(subnet.v4().broadcast());
    if (!subnet.contains(from) || subnet.isOwn(from) || broadcast) {
      counts.add(Count.DROP_ADDRESS);
      return false;
    }
    output.learn(from, datagram.mac());
    return true;
  }

  /** Forgets which guest has which address: another device is plugged in. */
  public void reset() {
    neighbours.clear();
  }
}
