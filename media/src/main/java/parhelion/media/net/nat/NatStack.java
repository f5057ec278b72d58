package parhelion.media.net.nat;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.NetworkPort;
import parhelion.media.net.Packet;
import parhelion.media.net.nat.config.NatConfig;
import parhelion.media.net.nat.dhcp.DhcpServer;
import parhelion.media.net.nat.icmp.Icmp;
import parhelion.media.net.nat.icmp.Pings;
import parhelion.media.net.nat.icmp.Unreachable;
import parhelion.media.net.nat.ip.Datagram;
import parhelion.media.net.nat.ip.IpInput;
import parhelion.media.net.nat.ip.Link;
import parhelion.media.net.nat.ip.Protocol;
import parhelion.media.net.nat.loop.Count;
import parhelion.media.net.nat.loop.Counts;
import parhelion.media.net.nat.loop.EventLoop;
import parhelion.media.net.nat.policy.Egress;
import parhelion.media.net.nat.udp.UdpOutput;
import parhelion.media.net.nat.wire.Wire;

/** The layers of a NAT, put together. All of it belongs to the loop's thread. */
final class NatStack {
  private static final int UDP_HEADER_BYTES = 8;

  private final Counts counts;
  private final Link link;
  private final IpInput input;
  private final Icmp icmp;
  private final DhcpServer dhcp;

  NatStack(
      NatConfig config,
      EventLoop loop,
      Counts counts,
      Supplier<NetworkPort.@Nullable Receiver> receiver) {
    this.counts = counts;
    this.link = new Link(receiver, counts, config.limits().outboundPackets());
    this.input = new IpInput(config, link, loop, counts, this::dispatch);
    Egress egress = new Egress(config, loop::now);
    this.icmp =
        new Icmp(
            config.subnet(),
            input.output(),
            counts,
            egress,
            new Pings(loop, config.limits().pings()));
    this.dhcp = new DhcpServer(config, new UdpOutput(input.output()), counts, loop);
  }

  void receive(Packet packet) {
    input.receive(packet);
  }

  /** The device has room again. */
  void roomToReceive() {
    link.resume();
  }

  private void dispatch(Datagram datagram) {
    switch (datagram.protocol()) {
      case Protocol.ICMP, Protocol.ICMPV6 -> icmp(datagram);
      case Protocol.UDP -> udp(datagram);
      default -> counts.add(Count.DROP_PROTOCOL);
    }
  }

  private void icmp(Datagram datagram) {
    boolean v6 = datagram.protocol() == Protocol.ICMPV6;
    if (v6 == datagram.to().v6() && !datagram.from().isUnspecified()) {
      icmp.receive(datagram);
    } else {
      counts.add(Count.DROP_PROTOCOL);
    }
  }

  private void udp(Datagram datagram) {
    byte[] bytes = datagram.bytes();
    int at = datagram.at();
    int length = datagram.length() < UDP_HEADER_BYTES ? 0 : Wire.u16(bytes, at + 4);
    if (length < UDP_HEADER_BYTES || length > datagram.length()) {
      counts.add(Count.DROP_MALFORMED);
      return;
    }
    int payloadAt = at + UDP_HEADER_BYTES;
    int payloadBytes = length - UDP_HEADER_BYTES;
    int port = Wire.u16(bytes, at + 2);
    if (port == DhcpServer.SERVER_PORT && !datagram.to().v6()) {
      dhcp.receive(datagram, payloadAt, payloadBytes);
    } else if (!datagram.from().isUnspecified()) {
      icmp.unreachable(datagram, Unreachable.PORT);
    }
  }
}
