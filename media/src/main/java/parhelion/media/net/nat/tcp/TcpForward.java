package parhelion.media.net.nat.tcp;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.nat.config.NatException;
import parhelion.media.net.nat.config.PortForward;
import parhelion.media.net.nat.loop.EventLoop;
import parhelion.media.net.nat.wire.IpAddress;

/** A TCP port of the host that leads to a guest's. */
public final class TcpForward implements AutoCloseable {
  private static final int BACKLOG = 128;
  private static final int ACCEPTS_PER_TURN = 64;

  private final PortForward forward;
  private final ServerSocketChannel server;

  private TcpForward(PortForward forward, ServerSocketChannel server) {
    this.forward = forward;
    this.server = server;
  }

  /**
   * Binds the port.
   *
   * @throws NatException if it cannot be had
   */
  public static TcpForward bind(PortForward wanted) {
    ServerSocketChannel server = null;
    try {
      server = ServerSocketChannel.open();
      server.configureBlocking(false);
      server.setOption(StandardSocketOptions.SO_REUSEADDR, true);
      server.bind(new InetSocketAddress(wanted.hostAddress().toInet(), wanted.hostPort()), BACKLOG);
      int port = ((InetSocketAddress) server.getLocalAddress()).getPort();
      return new TcpForward(wanted.withHostPort(port), server);
    } catch (IOException | UnsupportedOperationException failed) {
      closeQuietly(server);
      throw NatException.cannotBind(wanted, failed);
    }
  }

  /** With the port that the host picked. */
  public PortForward forward() {
    return forward;
  }

  /** Takes clients from now on; the guest has this address if the forward names no other. */
  public void start(EventLoop loop, TcpFlows flows, IpAddress firstGuest) throws IOException {
    IpAddress named = forward.guestAddress();
    IpAddress guest = named == null ? firstGuest : named;
    loop.register(server, SelectionKey.OP_ACCEPT, ready -> accept(flows, guest));
  }

  private void accept(TcpFlows flows, IpAddress guest) {
    try {
      for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        SocketChannel client = server.accept();
        if (client == null) {
          return;
        }
        flows.openToGuest(client, guest, forward.guestPort());
      }
    } catch (IOException gone) {
      // That client went away; the next one is another.
    }
  }

  private static void closeQuietly(@Nullable ServerSocketChannel server) {
    try {
      if (server != null) {
        server.close();
      }
    } catch (IOException alreadyBroken) {
      // It is closed either way.
    }
  }

  @Override
  public void close() {
    closeQuietly(server);
  }
}
