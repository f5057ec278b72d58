package parhelion.media.net.nat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.NetworkPort;
import parhelion.media.net.Packet;
import parhelion.media.net.nat.config.NatConfig;
import parhelion.media.net.nat.config.Subnet;
import parhelion.media.net.nat.dhcp.DhcpServer;
import parhelion.media.net.nat.dns.DnsForwarder;
import parhelion.media.net.nat.icmp.Icmp;
import parhelion.media.net.nat.icmp.Pings;
import parhelion.media.net.nat.ip.Datagram;
import parhelion.media.net.nat.ip.IpInput;
import parhelion.media.net.nat.ip.IpOutput;
import parhelion.media.net.nat.ip.Link;
import parhelion.media.net.nat.ip.Protocol;
import parhelion.media.net.nat.loop.Count;
import parhelion.media.net.nat.loop.Counts;
import parhelion.media.net.nat.loop.EventLoop;
import parhelion.media.net.nat.policy.Egress;
import parhelion.media.net.nat.tcp.TcpFlows;
import parhelion.media.net.nat.tcp.TcpForward;
import parhelion.media.net.nat.tftp.TftpServer;
import parhelion.media.net.nat.udp.UdpFlows;
import parhelion.media.net.nat.udp.UdpForward;
import parhelion.media.net.nat.udp.UdpOutput;
import parhelion.media.net.nat.wire.Wire;

/** The layers of a NAT, put together. All of it belongs to the loop's thread. */
final class NatStack {
  private static final int UDP_HEADER_BYTES = 8;

  private final Subnet subnet;
  private final Counts counts;
  private final EventLoop loop;
  private final Link link;
  private final IpInput input;
  private final Icmp icmp;
  private final UdpOutput udpOutput;
  private final DhcpServer dhcp;
  private final DnsForwarder dns;
  private final @Nullable TftpServer tftp;
  private final UdpFlows udp;
  private final TcpFlows tcp;

  NatStack(
      NatConfig config,
      EventLoop loop,
      Counts counts,
      Supplier<NetworkPort.@Nullable Receiver> receiver) {
    this.subnet = config.subnet();
    this.counts = counts;
    this.loop = loop;
    this.link = new Link(receiver, counts, config.limits().outboundPackets());
    this.input = new IpInput(config, link, loop, counts, this::dispatch);
    IpOutput output = input.output();
    Egress egress = new Egress(config, loop::now);
    Pings pings = new Pings(loop, config.limits().pings());
    this.icmp = new Icmp(subnet, output, counts, egress, pings);
    this.udpOutput = new UdpOutput(output);
    this.dhcp = new DhcpServer(config, udpOutput, counts, loop);
    Path files = config.boot().directory();
    this.tftp = files == null ? null : new TftpServer(files, config, udpOutput, counts, loop);
    this.dns = new DnsForwarder(config, loop, counts, egress);
    this.udp = new UdpFlows(config, loop, counts, output, udpOutput, egress, icmp);
    this.tcp = new TcpFlows(config, loop, counts, output, egress, icmp, dns::stream);
  }

  /** Lets the forwards, whose ports are bound, take clients. */
  void start(List<TcpForward> tcpForwards, List<UdpForward> udpForwards) throws IOException {
    for (TcpForward forward : tcpForwards) {
      forward.start(loop, tcp, subnet.firstGuest());
    }
    for (UdpForward forward : udpForwards) {
      forward.start(loop, udp);
    }
  }

  TcpFlows tcp() {
    return tcp;
  }

  UdpFlows udp() {
    return udp;
  }

  void receive(Packet packet) {
    input.receive(packet);
  }

  /** Moves bytes and acknowledges what came. */
  void flush() {
    tcp.flush();
  }

  /** The device has room again. */
  void roomToReceive() {
    if (link.resume()) {
      tcp.resume();
      udp.resume();
    }
  }

  /** Another device is plugged in: the flows of the one before are gone. */
  void reset() {
    link.clear();
    input.reset();
    tcp.reset();
    udp.reset();
    dns.reset();
    close();
    udp.resume();
  }

  /** Lets go of files of the host. */
  void close() {
    if (tftp != null) {
      tftp.reset();
    }
  }

  private void dispatch(Datagram datagram) {
    switch (datagram.protocol()) {
      case Protocol.ICMP, Protocol.ICMPV6 -> icmp(datagram);
      case Protocol.TCP -> tcp(datagram);
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

  private void tcp(Datagram datagram) {
    if (datagram.from().isUnspecified()) {
      counts.add(Count.DROP_ADDRESS);
    } else {
      tcp.receive(datagram);
    }
  }

  private void udp(Datagram datagram) {
    byte[] bytes = datagram.bytes();
    int at = datagram.at();
    int length = datagram.length() < UDP_HEADER_BYTES ? 0 : Wire.u16(bytes, at + 4);
    if (length < UDP_HEADER_BYTES || length != datagram.length()) {
      counts.add(Count.DROP_MALFORMED);
      return;
    }
    // An IPv4 sender may leave the checksum out, and says so with a zero.
    boolean unsummed = !datagram.to().v6() && Wire.u16(bytes, at + 6) == 0;
    if (!unsummed && !datagram.hasGoodChecksum()) {
      counts.add(Count.DROP_CHECKSUM);
      return;
    }
    int payloadAt = at + UDP_HEADER_BYTES;
    int payloadBytes = length - UDP_HEADER_BYTES;
    int port = Wire.u16(bytes, at + 2);
    if (port == DhcpServer.SERVER_PORT && !datagram.to().v6()) {
      dhcp.receive(datagram, payloadAt, payloadBytes);
    } else if (datagram.from().isUnspecified() || Wire.u16(bytes, at) == 0) {
      counts.add(Count.DROP_ADDRESS);
    } else if (port == DnsForwarder.PORT && subnet.isDns(datagram.to())) {
      byte[] query = Arrays.copyOfRange(bytes, payloadAt, payloadAt + payloadBytes);
      dns.datagram(query, answer -> answer(datagram, answer));
    } else if (tftp != null && datagram.to().equals(subnet.gateway4()) && tftp.isAt(port)) {
      tftp.receive(datagram, payloadAt, payloadBytes);
    } else {
      udp.receive(datagram, payloadAt, payloadBytes);
    }
  }

  /** Sends the forwarder's answer back to where the query came from. */
  private void answer(Datagram query, byte[] answer) {
    boolean v6 = query.from().v6();
    byte[] frame = udpOutput.frame(v6, answer.length);
    System.arraycopy(answer, 0, frame, UdpOutput.payloadAt(v6), answer.length);
    int port = Wire.u16(query.bytes(), query.at());
    udpOutput.send(frame, query.to(), DnsForwarder.PORT, query.from(), port);
  }
}
