package parhelion.media.net.shared;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.FileLock;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.NetworkPort;
import parhelion.media.net.Offloads;
import parhelion.media.net.Packet;
import parhelion.media.net.VirtualSwitch;
import parhelion.media.net.VirtualSwitch.PortOptions;

/**
 * The process that has the switch in it: takes in the others, a port for each. It holds the lock
 * that says that it is the one.
 */
final class SwitchServer implements AutoCloseable {
  /** Processes that may be connected; more are turned away. */
  static final int MAX_LINKS = 64;

  private final VirtualSwitch lan;
  private final Path socket;
  private final FileLock lock;
  private final ServerSocketChannel server;
  private final Set<SwitchLink> links = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  private SwitchServer(Path socket, FileLock lock, ServerSocketChannel server) {
    this.lan = new VirtualSwitch(socket.getFileName().toString());
    this.socket = socket;
    this.lock = lock;
    this.server = server;
  }

  /**
   * Opens the socket, in place of one that a dead process has left.
   *
   * @param lock held by this process; the server's from now on
   */
  static SwitchServer start(Path socket, FileLock lock) throws IOException {
    Files.deleteIfExists(socket);
    ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    channel.bind(UnixDomainSocketAddress.of(socket));
    SwitchServer server = new SwitchServer(socket, lock, channel);
    Thread.ofVirtual().name("switch " + socket).start(server::accept);
    return server;
  }

  /** A port for this process itself. */
  NetworkPort plug(PortOptions options) {
    return lan.plug(options);
  }

  private void accept() {
    try {
      while (!closed) {
        SocketChannel channel = server.accept();
        Thread.ofVirtual().start(() -> admit(channel));
      }
    } catch (IOException e) {
      // Closed.
    }
  }

  private void admit(SocketChannel channel) {
    NetworkPort port = null;
    try {
      PortOptions options = SwitchHello.read(channel);
      port = links.size() < MAX_LINKS ? plugOrNull(options) : null;
      SwitchHello.answer(channel, port != null);
      if (port != null) {
        new Member(port, channel).serve();
        return;
      }
    } catch (IOException stray) {
      // Not one of ours, or gone already.
    }
    if (port != null) {
      port.close();
    }
    try {
      channel.close();
    } catch (IOException e) {
      // It is gone anyway.
    }
  }

  private @Nullable NetworkPort plugOrNull(PortOptions options) {
    try {
      return lan.plug(options);
    } catch (IllegalArgumentException addressTaken) {
      return null;
    }
  }

  @Override
  public void close() {
    closed = true;
    try {
      server.close();
      Files.deleteIfExists(socket);
    } catch (IOException e) {
      // The next one deletes it.
    }
    links.forEach(SwitchLink::close);
    lan.close();
    try {
      lock.acquiredBy().close();
    } catch (IOException e) {
      // It goes with the process.
    }
  }

  /** Another process: its link on one side, its port on the other. */
  private final class Member implements SwitchLink.End, NetworkPort.Receiver {
    private final NetworkPort port;
    private final SwitchLink link;

    Member(NetworkPort port, SocketChannel channel) {
      this.port = port;
      link = new SwitchLink(channel, this);
    }

    void serve() {
      links.add(link);
      port.connect(this);
      link.start();
      if (closed) {
        link.close();
      }
    }

    @Override
    public boolean receive(Packet packet) {
      return link.offer(packet);
    }

    @Override
    public Offloads offloads() {
      return Offloads.ALL;
    }

    @Override
    public void roomToSend() {
      link.room();
    }

    @Override
    public boolean arrived(Packet packet) {
      return port.send(packet);
    }

    @Override
    public void roomToOffer() {
      port.roomToReceive();
    }

    @Override
    public void ended() {
      links.remove(link);
      port.close();
    }
  }
}
