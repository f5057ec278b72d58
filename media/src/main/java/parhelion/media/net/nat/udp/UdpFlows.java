package parhelion.media.net.nat.udp;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.UnsupportedAddressTypeException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.nat.config.NatConfig;
import parhelion.media.net.nat.config.PortForward;
import parhelion.media.net.nat.config.Subnet;
import parhelion.media.net.nat.config.Transport;
import parhelion.media.net.nat.icmp.Icmp;
import parhelion.media.net.nat.icmp.Unreachable;
import parhelion.media.net.nat.ip.Datagram;
import parhelion.media.net.nat.ip.FlowKey;
import parhelion.media.net.nat.ip.IpOutput;
import parhelion.media.net.nat.ip.Protocol;
import parhelion.media.net.nat.loop.Count;
import parhelion.media.net.nat.loop.Counts;
import parhelion.media.net.nat.loop.EventLoop;
import parhelion.media.net.nat.loop.Timer;
import parhelion.media.net.nat.policy.Egress;
import parhelion.media.net.nat.wire.IpAddress;
import parhelion.media.net.nat.wire.Wire;

/**
 * All flows of UDP of a NAT. A guest's flow has a socket of its own, connected to the one address
 * that it is for: nobody else can answer, and the host tells of ports that are closed. The flow
 * that was silent for longest makes room for a new one.
 */
public final class UdpFlows {
  private static final int MAX_PAYLOAD = 65507;
  private static final int DATAGRAMS_PER_TURN = 64;
  private static final int FIRST_PORT = 32768;
  private static final int PORTS = 28000;

  /** A flow in its order of use, with the time of the last one. */
  private static final class Entry {
    final UdpFlow flow;
    long usedAt;

    Entry(UdpFlow flow) {
      this.flow = flow;
    }
  }

  private record Client(DatagramChannel channel, SocketAddress address) {}

  private final NatConfig config;
  private final Subnet subnet;
  private final EventLoop loop;
  private final Counts counts;
  private final IpOutput ip;
  private final UdpOutput output;
  private final Egress egress;
  private final Icmp icmp;
  private final long timeoutNanos;
  private final Timer expiry;
  private final ByteBuffer transfer = ByteBuffer.allocateDirect(MAX_PAYLOAD);
  private final Map<FlowKey, Entry> flows = new LinkedHashMap<>(16, 0.75f, true);
  private final Map<Client, FlowKey> clients = new HashMap<>();
  private final List<SelectionKey> stalled = new ArrayList<>();
  private int nextPort;

  public UdpFlows(
      NatConfig config,
      EventLoop loop,
      Counts counts,
      IpOutput ip,
      UdpOutput output,
      Egress egress,
      Icmp icmp) {
    this.config = config;
    this.subnet = config.subnet();
    this.loop = loop;
    this.counts = counts;
    this.ip = ip;
    this.output = output;
    this.egress = egress;
    this.icmp = icmp;
    this.timeoutNanos = config.timeouts().udp().toNanos();
    this.expiry = loop.timer(this::expire);
  }

  public int size() {
    return flows.size();
  }

  /** Takes a datagram whose UDP header was checked. */
  public void receive(Datagram datagram, int payloadAt, int payloadBytes) {
    byte[] bytes = datagram.bytes();
    int fromPort = Wire.u16(bytes, datagram.at());
    int toPort = Wire.u16(bytes, datagram.at() + 2);
    if (datagram.to().isMulticast() || datagram.to().low() == 0xffffffffL) {
      counts.add(Count.DROP_POLICY); // What guests say to everybody around: mDNS, SSDP.
      return;
    }
    FlowKey key = new FlowKey(datagram.from(), fromPort, datagram.to(), toPort);
    Entry entry = flows.get(key);
    UdpFlow flow = entry == null ? open(key, datagram) : entry.flow;
    if (flow == null) {
      return;
    }
    try {
      touch(key);
      flow.send(ByteBuffer.wrap(bytes, payloadAt, payloadBytes));
    } catch (PortUnreachableException closed) {
      icmp.unreachable(datagram, Unreachable.PORT);
    } catch (IOException failed) {
      counts.add(Count.DROP_HOST);
    }
  }

  private @Nullable UdpFlow open(FlowKey key, Datagram datagram) {
    InetSocketAddress target = egress.target(Transport.UDP, key.peer(), key.peerPort());
    if (target == null) {
      counts.add(Count.DROP_POLICY);
      boolean own = subnet.isOwn(key.peer());
      icmp.unreachable(datagram, own ? Unreachable.PORT : Unreachable.PROHIBITED);
      return null;
    }
    DatagramChannel channel = null;
    try {
      channel = DatagramChannel.open();
      channel.configureBlocking(false);
      channel.connect(target);
      UdpFlow flow = new UdpFlow(key, channel, null);
      SelectionKey[] selection = new SelectionKey[1];
      selection[0] =
          loop.register(channel, SelectionKey.OP_READ, ready -> readable(flow, selection[0]));
      add(flow);
      return flow;
    } catch (IOException | UnsupportedAddressTypeException failed) {
      closeQuietly(channel);
      counts.add(Count.DROP_HOST);
      icmp.unreachable(datagram, Unreachable.NETWORK);
      return null;
    }
  }

  private void add(UdpFlow flow) {
    counts.add(Count.UDP_FLOWS);
    if (flows.size() >= config.limits().udpFlows()) {
      remove(flows.values().iterator().next());
    }
    flows.put(flow.key(), new Entry(flow));
    touch(flow.key());
    expiry.startIn(timeoutNanos);
  }

  /** The flow is the last used one now. */
  private void touch(FlowKey key) {
    Entry entry = flows.get(key);
    if (entry != null) {
      entry.usedAt = loop.now();
    }
  }

  private void expire() {
    long now = loop.now();
    while (!flows.isEmpty()) {
      Entry oldest = flows.values().iterator().next();
      long left = oldest.usedAt + timeoutNanos - now;
      if (left > 0) {
        expiry.setIn(left);
        return;
      }
      remove(oldest);
    }
  }

  private void remove(Entry entry) {
    UdpFlow flow = entry.flow;
    flows.remove(flow.key());
    if (flow.client() == null) {
      closeQuietly(flow.channel());
    } else {
      clients.remove(new Client(flow.channel(), flow.client()));
    }
  }

  // From the host.

  private void readable(UdpFlow flow, SelectionKey selection) {
    for (int i = 0; i < DATAGRAMS_PER_TURN; i++) {
      if (isStalled(selection)) {
        return;
      }
      try {
        transfer.clear();
        if (flow.channel().receive(transfer) == null) {
          return;
        }
        toGuest(flow.key());
      } catch (PortUnreachableException closed) {
        byte[] quote = quote(flow.key());
        FlowKey key = flow.key();
        icmp.unreachable(quote, 0, quote.length, key.guest(), key.peer(), Unreachable.PORT);
      } catch (IOException failed) {
        counts.add(Count.DROP_HOST);
        return;
      }
    }
  }

  /** A datagram stays in the host's socket while the device has no room. */
  private boolean isStalled(SelectionKey selection) {
    if (ip.isOpen()) {
      return false;
    }
    if (selection.isValid()) {
      selection.interestOps(0);
      stalled.add(selection);
    }
    return true;
  }

  /** The device has room again. */
  public void resume() {
    for (SelectionKey selection : stalled) {
      if (selection.isValid()) {
        selection.interestOps(SelectionKey.OP_READ);
      }
    }
    stalled.clear();
  }

  private void toGuest(FlowKey key) {
    touch(key);
    transfer.flip();
    boolean v6 = key.guest().v6();
    byte[] frame = output.frame(v6, transfer.remaining());
    transfer.get(frame, UdpOutput.payloadAt(v6), transfer.remaining());
    output.send(frame, key.peer(), key.peerPort(), key.guest(), key.guestPort());
  }

  /** Takes what clients sent to a forward. */
  void forwarded(PortForward forward, DatagramChannel channel, SelectionKey selection) {
    IpAddress named = forward.guestAddress();
    IpAddress guest = named == null ? subnet.firstGuest() : named;
    for (int i = 0; i < DATAGRAMS_PER_TURN; i++) {
      if (isStalled(selection)) {
        return;
      }
      try {
        transfer.clear();
        SocketAddress from = channel.receive(transfer);
        if (from == null) {
          return;
        }
        toGuest(keyOf(new Client(channel, from), guest, forward.guestPort()));
      } catch (IOException failed) {
        counts.add(Count.DROP_HOST);
        return;
      }
    }
  }

  private FlowKey keyOf(Client client, IpAddress guest, int port) {
    FlowKey known = clients.get(client);
    if (known != null) {
      return known;
    }
    IpAddress gateway = guest.v6() ? subnet.gateway6() : subnet.gateway4();
    FlowKey key;
    do {
      key = new FlowKey(guest, port, gateway, FIRST_PORT + nextPort);
      nextPort = (nextPort + 1) % PORTS;
    } while (flows.containsKey(key)); // There are far fewer flows than ports.
    clients.put(client, key);
    add(new UdpFlow(key, client.channel, client.address));
    return key;
  }

  /** The headers of a datagram of a flow, as an ICMP error quotes them. */
  private static byte[] quote(FlowKey key) {
    boolean v6 = key.guest().v6();
    int headerBytes = v6 ? 40 : 20;
    byte[] quote = new byte[headerBytes + UdpOutput.HEADER_BYTES];
    if (v6) {
      Wire.put32(quote, 0, 6 << 28);
      Wire.put16(quote, 4, UdpOutput.HEADER_BYTES);
      Wire.put8(quote, 6, Protocol.UDP);
      Wire.put8(quote, 7, 64);
      key.guest().write(quote, 8);
      key.peer().write(quote, 24);
    } else {
      Wire.put16(quote, 0, 0x4500);
      Wire.put16(quote, 2, quote.length);
      Wire.put8(quote, 8, 64);
      Wire.put8(quote, 9, Protocol.UDP);
      key.guest().write(quote, 12);
      key.peer().write(quote, 16);
    }
    Wire.put16(quote, headerBytes, key.guestPort());
    Wire.put16(quote, headerBytes + 2, key.peerPort());
    Wire.put16(quote, headerBytes + 4, UdpOutput.HEADER_BYTES);
    return quote;
  }

  /** Forgets all flows: the device is another. */
  public void reset() {
    List.copyOf(flows.values()).forEach(this::remove);
  }

  private static void closeQuietly(@Nullable DatagramChannel channel) {
    try {
      if (channel != null) {
        channel.close();
      }
    } catch (IOException alreadyBroken) {
      // It is closed either way.
    }
  }
}
