package parhelion.toolstack.console;

import java.io.IOException;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import parhelion.backends.console.ConsoleEnd;
import parhelion.backends.console.ConsoleInput;
import parhelion.backends.console.ConsoleSink;
import parhelion.toolstack.UserError;

/**
 * A console behind a Unix socket: one client at a time, later ones wait until it goes. Clients are
 * served by a virtual thread.
 */
final class SocketEnd implements ConsoleEnd {
  private final Path path;
  private final ServerSocketChannel server;
  private final VisitedSink sink = new VisitedSink();
  private final GuestInput input = new GuestInput();
  private volatile @Nullable SocketChannel client;

  SocketEnd(Path path) {
    this.path = path;
    try {
      server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    } catch (IOException | UnsupportedOperationException e) {
      throw new UserError("--console unix: this host has no Unix sockets: use pty or file", e);
    }
    try {
      server.bind(UnixDomainSocketAddress.of(path));
    } catch (IOException e) {
      close();
      throw new UserError(
          "--console unix:" + path + ": " + e.getMessage() + ": give a path that is free", e);
    }
    Thread.ofVirtual().name("console socket").start(this::listen);
  }

  private void listen() {
    try {
      while (true) {
        try (SocketChannel channel = server.accept()) {
          client = channel;
          serve(channel);
        } finally {
          client = null;
          sink.go();
        }
      }
    } catch (IOException e) {
      // Closed.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void serve(SocketChannel channel) throws InterruptedException {
    ByteBuffer bytes = ByteBuffer.allocate(1024);
    try {
      OutputStream out = Channels.newOutputStream(channel);
      sink.come(out);
      while (channel.read(bytes) >= 0) {
        input.feed(bytes.array(), bytes.position());
        bytes.clear();
      }
    } catch (IOException e) {
      // This client has gone.
    }
  }

  @Override
  public ConsoleSink sink() {
    return sink;
  }

  @Override
  public void connected(ConsoleInput ring) {
    input.connected(ring);
  }

  @Override
  public void disconnected() {
    input.disconnected();
  }

  @Override
  public String where() {
    return "unix:" + path;
  }

  @Override
  public void close() {
    sink.drain();
    try {
      if (server.getLocalAddress() != null) {
        Files.deleteIfExists(path);
      }
      server.close();
      SocketChannel last = client;
      if (last != null) {
        last.close();
      }
    } catch (IOException e) {
      // It is of no use any more, closed or not.
    }
  }
}
