package parhelion.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** The host's end of {@code bench/programs/net}: reads, writes or echoes, as a connection asks. */
final class NetServer implements AutoCloseable {
  private static final int BUFFER_BYTES = 256 << 10;

  private final ServerSocket server;

  NetServer() throws IOException {
    server = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
    Thread.ofPlatform().daemon().name("server").start(this::accept);
  }

  int port() {
    return server.getLocalPort();
  }

  private void accept() {
    try {
      while (true) {
        Socket connection = server.accept();
        Thread.ofPlatform().daemon().start(() -> serve(connection));
      }
    } catch (IOException e) {
      // Closed.
    }
  }

  private static void serve(Socket connection) {
    try (connection) {
      connection.setTcpNoDelay(true);
      InputStream in = connection.getInputStream();
      OutputStream out = connection.getOutputStream();
      byte[] buffer = new byte[BUFFER_BYTES];
      int task = in.read();
      if (task == 'r') {
        while (true) {
          out.write(buffer);
        }
      }
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        if (task == 'e') {
          out.write(buffer, 0, n);
        }
      }
      if (task == 's') {
        out.write(1);
      }
    } catch (IOException e) {
      // The guest has had enough.
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
