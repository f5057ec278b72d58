package parhelion.media.net.nat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import parhelion.media.net.nat.config.HostService;
import parhelion.media.net.nat.config.NatConfig;
import parhelion.media.net.nat.config.Transport;
import parhelion.media.net.nat.wire.IpAddress;

/** Servers on the host's loopback, a thread for each connection. */
final class HostServers implements AutoCloseable {
  /** What a server does with a connection; it is closed afterwards. */
  interface Session {
    void run(Socket socket) throws Exception;
  }

  private final List<ServerSocket> servers = new ArrayList<>();
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();
  final List<Throwable> failures = new CopyOnWriteArrayList<>();

  /** Starts a server; the port that it has. */
  int start(Session session) {
    try {
      ServerSocket server = new ServerSocket(0, 200, InetAddress.getByName("127.0.0.1"));
      servers.add(server);
      Thread.ofPlatform().daemon().start(() -> serve(server, session));
      return server.getLocalPort();
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  private void serve(ServerSocket server, Session session) {
    try {
      while (true) {
        Socket socket = server.accept();
        sockets.add(socket);
        Thread.ofPlatform()
            .daemon()
            .start(
                () -> {
                  try (socket) {
                    session.run(socket);
                  } catch (Throwable failed) {
                    failures.add(failed);
                  }
                });
      }
    } catch (IOException closed) {
      // The test is over.
    }
  }

  static void echo(Socket socket) throws IOException {
    socket.getInputStream().transferTo(socket.getOutputStream());
    socket.shutdownOutput();
  }

  /** A network whose gateway has these services of the host at the same ports. */
  static NatConfig services(NatConfig config, int... ports) {
    List<HostService> services = new ArrayList<>();
    for (int port : ports) {
      services.add(new HostService(Transport.TCP, port, IpAddress.v4(0x7f000001), port));
    }
    return config.withServices(services);
  }

  @Override
  public void close() {
    try {
      for (ServerSocket server : servers) {
        server.close();
      }
      for (Socket socket : sockets) {
        socket.close();
      }
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }
}
