package parhelion.media.net.nat.tcp;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.nio.channels.UnresolvedAddressException;
import java.nio.channels.UnsupportedAddressTypeException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.nat.config.NatConfig;
import parhelion.media.net.nat.config.Subnet;
import parhelion.media.net.nat.config.Transport;
import parhelion.media.net.nat.icmp.Icmp;
import parhelion.media.net.nat.icmp.Unreachable;
import parhelion.media.net.nat.ip.Datagram;
import parhelion.media.net.nat.ip.FlowKey;
import parhelion.media.net.nat.ip.IpOutput;
import parhelion.media.net.nat.loop.Count;
import parhelion.media.net.nat.loop.Counts;
import parhelion.media.net.nat.loop.EventLoop;
import parhelion.media.net.nat.policy.Egress;
import parhelion.media.net.nat.wire.IpAddress;

/** All connections of a NAT: which segment belongs to which, and how new ones come about. */
public final class TcpFlows {
  private static final int DNS_PORT = 53;
  private static final int FIRST_PORT = 32768;
  private static final int LAST_PORT = 60999;

  private final Subnet subnet;
  private final Egress egress;
  private final Icmp icmp;
  private final Counts counts;
  private final EventLoop loop;
  private final TcpShared shared;
  private final Supplier<@Nullable FarSide> dnsStreams;
  private final int maxConnections;
  private final int maxHalfOpen;
  private final Map<FlowKey, TcpConnection> connections = new LinkedHashMap<>();
  private final SecureRandom random = new SecureRandom();
  private int nextPort = FIRST_PORT;

  /** The supplier opens streams to the forwarder of DNS, as long as there may be more. */
  public TcpFlows(
      NatConfig config,
      EventLoop loop,
      Counts counts,
      IpOutput output,
      Egress egress,
      Icmp icmp,
      Supplier<@Nullable FarSide> dnsStreams) {
    this.subnet = config.subnet();
    this.egress = egress;
    this.icmp = icmp;
    this.counts = counts;
    this.loop = loop;
    this.shared = new TcpShared(config, loop, counts, new TcpOutput(output, counts));
    this.dnsStreams = dnsStreams;
    this.maxConnections = config.limits().tcpConnections();
    this.maxHalfOpen = config.limits().halfOpen();
  }

  /** How many connections there are, those that linger included. */
  public int size() {
    return connections.size();
  }

  /** Bytes from guests that far sides have not taken. */
  public long heldBytes() {
    return shared.config.limits().bufferBytes() - shared.receiveBudget.free();
  }

  public void receive(Datagram datagram) {
    Segment segment = Segment.read(datagram);
    if (segment == null || segment.fromPort() == 0 || segment.toPort() == 0) {
      counts.add(Count.DROP_MALFORMED);
      return;
    }
    if (!datagram.hasGoodChecksum()) {
      counts.add(Count.DROP_CHECKSUM);
      return;
    }
    if (datagram.to().isMulticast() || datagram.to().equals(subnet.v4().broadcast())) {
      counts.add(Count.DROP_ADDRESS);
      return;
    }
    FlowKey key = segment.key();
    TcpConnection connection = connections.get(key);
    boolean opens =
        segment.has(Segment.SYN) && !segment.has(Segment.ACK) && !segment.has(Segment.RST);
    if (connection != null && opens && connection.mayBeReopenedBy(segment)) {
      connection.close();
      connection = null;
    }
    if (connection != null) {
      connection.arrived(segment);
    } else if (opens) {
      open(key, segment);
    } else {
      counts.add(Count.DROP_SEGMENT);
      shared.output.reset(segment);
    }
  }

  /** Moves bytes and acknowledges what came: at the end of a turn. */
  public void flush() {
    while (!shared.dirty.isEmpty()) {
      shared.dirty.removeFirst().flush();
    }
  }

  /** The device has room again. */
  public void resume() {
    shared.dirty.addAll(shared.stalled);
    shared.stalled.clear();
  }

  /** Forgets all connections: the device is another. */
  public void reset() {
    for (TcpConnection connection : List.copyOf(connections.values())) {
      connection.close();
    }
  }

  // From the guest.

  private void open(FlowKey key, Segment syn) {
    if (shared.halfOpen >= maxHalfOpen || !hasRoom()) {
      counts.add(Count.DROP_LIMIT);
      return;
    }
    if (subnet.isDns(key.peer()) && key.peerPort() == DNS_PORT) {
      FarSide stream = dnsStreams.get();
      if (stream == null) {
        counts.add(Count.DROP_LIMIT);
      } else {
        connection(key, syn).connected(stream);
      }
      return;
    }
    InetSocketAddress target = egress.target(Transport.TCP, key.peer(), key.peerPort());
    if (target != null) {
      connect(connection(key, syn), target);
      return;
    }
    counts.add(Count.DROP_POLICY);
    if (subnet.isOwn(key.peer())) {
      shared.output.reset(syn);
    } else {
      icmp.unreachable(syn.datagram(), Unreachable.PROHIBITED);
    }
  }

  private TcpConnection connection(FlowKey key, @Nullable Segment syn) {
    // RFC 6528 wants numbers that nobody can guess; nobody but the guest sees them here.
    TcpConnection connection =
        new TcpConnection(
            shared,
            key,
            syn,
            random.nextInt(),
            closed -> connections.remove(closed.key()),
            late -> notConnected(late, Unreachable.HOST));
    connections.put(key, connection);
    counts.add(syn == null ? Count.TCP_IN : Count.TCP_OUT);
    return connection;
  }

  /** Whether there may be another connection; what only lingers makes room. */
  private boolean hasRoom() {
    if (connections.size() < maxConnections) {
      return true;
    }
    for (TcpConnection connection : connections.values()) {
      if (connection.state() == TcpState.TIME_WAIT) {
        connection.close();
        return true;
      }
    }
    return false;
  }

  private void connect(TcpConnection connection, InetSocketAddress target) {
    SocketChannel channel;
    try {
      channel = SocketChannel.open();
    } catch (IOException noSocket) {
      counts.add(Count.DROP_HOST);
      connection.close();
      return;
    }
    try {
      channel.configureBlocking(false);
      if (channel.connect(target)) {
        connected(connection, channel);
      } else {
        loop.register(
            channel, SelectionKey.OP_CONNECT, ready -> finishConnect(connection, channel));
      }
    } catch (IOException | UnsupportedAddressTypeException | UnresolvedAddressException failed) {
      SocketFarSide.closeQuietly(channel);
      notConnected(connection, failed);
    }
  }

  private void finishConnect(TcpConnection connection, SocketChannel channel) {
    if (connection.state() != TcpState.CONNECTING) {
      SocketFarSide.reset(channel);
      return;
    }
    try {
      if (channel.finishConnect()) {
        connected(connection, channel);
      }
    } catch (IOException failed) {
      SocketFarSide.closeQuietly(channel);
      notConnected(connection, failed);
    }
  }

  private void connected(TcpConnection connection, SocketChannel channel) throws IOException {
    connection.connected(new SocketFarSide(loop, channel));
  }

  private void notConnected(TcpConnection connection, Exception why) {
    String message = String.valueOf(why.getMessage());
    if (why instanceof NoRouteToHostException || message.contains("timed out")) {
      notConnected(connection, Unreachable.HOST);
    } else if (message.contains("unreachable") || !(why instanceof ConnectException)) {
      notConnected(connection, Unreachable.NETWORK);
    } else {
      counts.add(Count.TCP_REFUSED);
      Segment syn = connection.firstSyn();
      connection.close();
      if (syn != null) {
        shared.output.reset(syn);
      }
    }
  }

  private void notConnected(TcpConnection connection, Unreachable why) {
    Segment syn = connection.firstSyn();
    connection.close();
    if (syn != null) {
      counts.add(Count.TCP_REFUSED);
      icmp.unreachable(syn.datagram(), why);
    }
  }

  // From the host.

  /** Opens a connection to a guest's port for a client of the host; it comes from the gateway. */
  void openToGuest(SocketChannel client, IpAddress guest, int port) throws IOException {
    client.configureBlocking(false);
    IpAddress gateway = guest.v6() ? subnet.gateway6() : subnet.gateway4();
    FlowKey key = freeKey(guest, port, gateway);
    if (key == null || shared.halfOpen >= maxHalfOpen || !hasRoom()) {
      counts.add(Count.DROP_LIMIT);
      SocketFarSide.reset(client);
      return;
    }
    SocketFarSide far = new SocketFarSide(loop, client);
    connection(key, null).open(far);
  }

  private @Nullable FlowKey freeKey(IpAddress guest, int port, IpAddress gateway) {
    for (int tries = FIRST_PORT; tries <= LAST_PORT; tries++) {
      FlowKey key = new FlowKey(guest, port, gateway, nextPort);
      nextPort = nextPort == LAST_PORT ? FIRST_PORT : nextPort + 1;
      if (!connections.containsKey(key)) {
        return key;
      }
    }
    return null;
  }

  /** The connections with their states, for those who look for what is wrong. */
  public List<String> describe() {
    List<String> lines = new ArrayList<>();
    for (TcpConnection connection : connections.values()) {
      lines.add(connection.key() + " " + connection.state());
    }
    return lines;
  }
}
