package parhelion.media.net.nat.udp;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.nat.config.NatException;
import parhelion.media.net.nat.config.PortForward;
import parhelion.media.net.nat.loop.EventLoop;

/** A UDP port of the host that leads to a guest's. */
public final class UdpForward implements AutoCloseable {
  private final PortForward forward;
  private final DatagramChannel channel;

  private UdpForward(PortForward forward, DatagramChannel channel) {
    this.forward = forward;
    this.channel = channel;
  }

  /**
   * Binds the port.
   *
   * @throws NatException if it cannot be had
   */
  public static UdpForward bind(PortForward wanted) {
    DatagramChannel channel = null;
    try {
      channel =
          DatagramChannel.open(
              wanted.hostAddress().v6()
                  ? StandardProtocolFamily.INET6
                  : StandardProtocolFamily.INET);
      channel.configureBlocking(false);
      channel.bind(new InetSocketAddress(wanted.hostAddress().toInet(), wanted.hostPort()));
      int port = ((InetSocketAddress) channel.getLocalAddress()).getPort();
      return new UdpForward(wanted.withHostPort(port), channel);
    } catch (IOException | UnsupportedOperationException failed) {
      closeQuietly(channel);
      throw NatException.cannotBind(wanted, failed);
    }
  }

  /** With the port that the host picked. */
  public PortForward forward() {
    return forward;
  }

  /** Takes datagrams from now on. */
  public void start(EventLoop loop, UdpFlows flows) throws IOException {
    SelectionKey[] selection = new SelectionKey[1];
    selection[0] =
        loop.register(
            channel,
            SelectionKey.OP_READ,
            ready -> flows.forwarded(forward, channel, selection[0]));
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

  @Override
  public void close() {
    closeQuietly(channel);
  }
}
