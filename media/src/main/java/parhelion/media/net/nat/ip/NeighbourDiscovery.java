package parhelion.media.net.nat.ip;

import java.util.concurrent.TimeUnit;
import parhelion.media.net.nat.config.NatConfig;
import parhelion.media.net.nat.config.Subnet;
import parhelion.media.net.nat.loop.Count;
import parhelion.media.net.nat.loop.Counts;
import parhelion.media.net.nat.loop.EventLoop;
import parhelion.media.net.nat.loop.Timer;
import parhelion.media.net.nat.wire.InternetChecksum;
import parhelion.media.net.nat.wire.IpAddress;
import parhelion.media.net.nat.wire.MacAddress;
import parhelion.media.net.nat.wire.Wire;

/**
 * Neighbour discovery and router advertisements (RFC 4861, RFC 4862, RFC 8106): guests make
 * themselves addresses of the prefix, find the gateway as their router and the forwarder of DNS.
 */
public final class NeighbourDiscovery {
  private static final int ROUTER_SOLICITATION = 133;
  private static final int ROUTER_ADVERTISEMENT = 134;
  private static final int NEIGHBOUR_SOLICITATION = 135;
  private static final int NEIGHBOUR_ADVERTISEMENT = 136;
  private static final int REDIRECT = 137;

  private static final int SOURCE_ADDRESS = 1;
  private static final int TARGET_ADDRESS = 2;
  private static final int PREFIX = 3;
  private static final int MTU = 5;
  private static final int DNS_SERVER = 25;
  private static final int DNS_SEARCH = 31;

  private static final int HOP_LIMIT = 64;
  private static final int ROUTER_LIFETIME_SECONDS = 9000;
  private static final int PREFIX_LIFETIME_SECONDS = 86400;
  private static final long INTERVAL_NANOS = TimeUnit.MINUTES.toNanos(30);
  private static final IpAddress ALL_NODES = IpAddress.v6(0xff02L << 48, 1);
  private static final int AT = Protocol.ETHERNET_BYTES + Protocol.IPV6_BYTES;

  private final NatConfig config;
  private final Subnet subnet;
  private final IpOutput output;
  private final Counts counts;
  private final Timer advertise;

  NeighbourDiscovery(NatConfig config, IpOutput output, Counts counts, EventLoop loop) {
    this.config = config;
    this.subnet = config.subnet();
    this.output = output;
    this.counts = counts;
    this.advertise = loop.timer(() -> advertise(ALL_NODES));
  }

  /** Whether a message of ICMPv6 belongs here. */
  static boolean isType(int type) {
    return type >= ROUTER_SOLICITATION && type <= REDIRECT;
  }

  void receive(Datagram datagram) {
    byte[] bytes = datagram.bytes();
    int type = Wire.u8(bytes, datagram.at());
    boolean hopsIntact = Wire.u8(bytes, datagram.ipAt() + 7) == 255;
    if (!hopsIntact || datagram.length() < 8 || Wire.u8(bytes, datagram.at() + 1) != 0) {
      counts.add(Count.DROP_MALFORMED);
    } else if (!datagram.hasGoodChecksum()) {
      counts.add(Count.DROP_CHECKSUM);
    } else if (type == ROUTER_SOLICITATION) {
      learn(datagram);
      advertise(datagram.from().isUnspecified() ? ALL_NODES : datagram.from());
    } else if (type == NEIGHBOUR_SOLICITATION && datagram.length() >= 24) {
      learn(datagram);
      answer(datagram.from(), IpAddress.v6(bytes, datagram.at() + 8));
    } else if (type == NEIGHBOUR_ADVERTISEMENT && datagram.length() >= 24) {
      IpAddress target = IpAddress.v6(bytes, datagram.at() + 8);
      if (subnet.contains(target) && !subnet.isOwn(target)) {
        output.learn(target, datagram.mac());
      }
    }
  }

  private void learn(Datagram datagram) {
    IpAddress from = datagram.from();
    if (subnet.contains(from) && !subnet.isOwn(from)) {
      output.learn(from, datagram.mac());
    }
  }

  /** Answers a solicitation; one without a source asks whether the address is free: it is not. */
  private void answer(IpAddress from, IpAddress target) {
    if (!subnet.isOwn(target)) {
      return;
    }
    boolean duplicate = from.isUnspecified();
    boolean router = subnet.isGateway(target);
    byte[] frame = output.frame(true, 32);
    Wire.put8(frame, AT, NEIGHBOUR_ADVERTISEMENT);
    int override = 0x20;
    Wire.put8(frame, AT + 4, (router ? 0x80 : 0) | (duplicate ? 0 : 0x40) | override);
    target.write(frame, AT + 8);
    linkAddress(frame, AT + 24, TARGET_ADDRESS);
    send(output, frame, target, duplicate ? ALL_NODES : from);
  }

  /** Asks who has an address. */
  static void solicit(IpOutput output, Subnet subnet, IpAddress whom) {
    byte[] frame = output.frame(true, 32);
    Wire.put8(frame, AT, NEIGHBOUR_SOLICITATION);
    whom.write(frame, AT + 8);
    linkAddress(frame, AT + 24, SOURCE_ADDRESS);
    IpAddress group = IpAddress.v6(0xff02L << 48, 0x1_ff00_0000L | whom.low() & 0xffffff);
    send(output, frame, whom.isLinkLocal() ? Subnet.GATEWAY_LINK_LOCAL : subnet.gateway6(), group);
  }

  private void advertise(IpAddress to) {
    byte[] search = searchList();
    byte[] frame = output.frame(true, 16 + 8 + 8 + 32 + 24 + search.length);
    Wire.put8(frame, AT, ROUTER_ADVERTISEMENT);
    Wire.put8(frame, AT + 4, HOP_LIMIT);
    Wire.put16(frame, AT + 6, ROUTER_LIFETIME_SECONDS);
    int at = AT + 16;
    linkAddress(frame, at, SOURCE_ADDRESS);
    at += 8;
    option(frame, at, MTU, 8);
    Wire.put32(frame, at + 4, config.mtu());
    at += 8;
    option(frame, at, PREFIX, 32);
    Wire.put8(frame, at + 2, 64);
    int onLinkAndAutonomous = 0xc0;
    Wire.put8(frame, at + 3, onLinkAndAutonomous);
    Wire.put32(frame, at + 4, PREFIX_LIFETIME_SECONDS);
    Wire.put32(frame, at + 8, PREFIX_LIFETIME_SECONDS);
    subnet.v6().first().write(frame, at + 16);
    at += 32;
    option(frame, at, DNS_SERVER, 24);
    Wire.put32(frame, at + 4, ROUTER_LIFETIME_SECONDS);
    subnet.dns6().write(frame, at + 8);
    at += 24;
    System.arraycopy(search, 0, frame, at, search.length);
    send(output, frame, Subnet.GATEWAY_LINK_LOCAL, to);
    advertise.startIn(INTERVAL_NANOS);
  }

  /** The option with the domain, as a name of DNS, filled up to eight bytes. */
  private byte[] searchList() {
    String domain = config.domain();
    byte[] option = new byte[8 + (domain.length() + 2 + 7 & ~7)];
    option(option, 0, DNS_SEARCH, option.length);
    Wire.put32(option, 4, ROUTER_LIFETIME_SECONDS);
    int at = 8;
    for (String label : domain.split("\\.")) {
      option[at++] = (byte) label.length();
      for (int i = 0; i < label.length(); i++) {
        option[at++] = (byte) label.charAt(i);
      }
    }
    return option;
  }

  private static void linkAddress(byte[] bytes, int at, int type) {
    option(bytes, at, type, 2 + MacAddress.BYTES);
    Subnet.GATEWAY_MAC.write(bytes, at + 2);
  }

  private static void option(byte[] bytes, int at, int type, int length) {
    Wire.put8(bytes, at, type);
    Wire.put8(bytes, at + 1, length / 8);
  }

  private static void send(IpOutput output, byte[] frame, IpAddress from, IpAddress to) {
    int length = frame.length - AT;
    long sum =
        (long) InternetChecksum.pseudoHeader(from, to, Protocol.ICMPV6, length)
            + InternetChecksum.sum(frame, AT, length);
    Wire.put16(frame, AT + 2, InternetChecksum.finish(sum));
    output.sendDiscovery(frame, from, to);
  }
}
