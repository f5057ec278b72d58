package parhelion.lab.run;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;

/**
 * What guests measure a network against: a service on the host's loopback address, which they reach
 * through their NAT as they would any other. TCP: a byte says what is wanted (S: to send, R: to
 * receive, E: an echo), eight how many bytes, little-endian. UDP: bursts of datagrams (see
 * guests/lab/net.c) with five 32-bit fields: what, the burst, the index in it, how many, how large.
 * Threads of its own; closing it ends them.
 */
final class NetService implements AutoCloseable {
  private static final int CHUNK = 64 << 10;
  private static final int MAX_CONNECTIONS = 64;
  private static final int MAX_DATAGRAM = 65_507;
  private static final int HEADER_BYTES = 20;
  private static final int MAX_BURST = 256;
  private static final long MOST_BYTES = 1L << 40;

  private final ServerSocket listener;
  private final DatagramChannel datagrams;
  private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
  private final Semaphore room = new Semaphore(MAX_CONNECTIONS);

  private NetService(ServerSocket listener, DatagramChannel datagrams) {
    this.listener = listener;
    this.datagrams = datagrams;
    Thread.ofPlatform().daemon().name("lab tcp").start(this::accept);
    Thread.ofPlatform().daemon().name("lab udp").start(this::answer);
  }

  /** Opens it on ports that are free. */
  static NetService open() throws IOException {
    InetAddress loopback = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
    ServerSocket listener = new ServerSocket(0, MAX_CONNECTIONS, loopback);
    DatagramChannel datagrams = null;
    try {
      datagrams = DatagramChannel.open();
      datagrams.bind(new InetSocketAddress(loopback, 0));
      return new NetService(listener, datagrams);
    } catch (IOException e) {
      listener.close();
      if (datagrams != null) {
        datagrams.close();
      }
      throw e;
    }
  }

  int tcpPort() {
    return listener.getLocalPort();
  }

  int udpPort() {
    return datagrams.socket().getLocalPort();
  }

  // --- TCP ---

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket connection = listener.accept();
        if (!room.tryAcquire()) {
          connection.close();
          continue;
        }
        connections.add(connection);
        Thread.ofVirtual().name("lab connection").start(() -> serve(connection));
      } catch (IOException e) {
        // That connection, or the listener, is no more.
      }
    }
  }

  private void serve(Socket connection) {
    try (connection) {
      connection.setTcpNoDelay(true);
      DataInputStream in = new DataInputStream(connection.getInputStream());
      OutputStream out = connection.getOutputStream();
      int what = in.read();
      long bytes = Math.clamp(Long.reverseBytes(in.readLong()), 0, MOST_BYTES);
      switch (what) {
        case 'S' -> {
          swallow(in, bytes);
          out.write(1);
        }
        case 'R' -> pour(out, bytes);
        case 'E' -> echo(in, out);
        default -> {}
      }
    } catch (IOException e) {
      // The guest has gone.
    } finally {
      connections.remove(connection);
      room.release();
    }
  }

  private static void swallow(InputStream in, long bytes) throws IOException {
    byte[] chunk = new byte[CHUNK];
    for (long left = bytes; left > 0; ) {
      int n = in.read(chunk, 0, (int) Math.min(left, CHUNK));
      if (n < 0) {
        return;
      }
      left -= n;
    }
  }

  private static void pour(OutputStream out, long bytes) throws IOException {
    byte[] chunk = new byte[CHUNK];
    for (long left = bytes; left > 0; ) {
      int n = (int) Math.min(left, CHUNK);
      out.write(chunk, 0, n);
      left -= n;
    }
  }

  private static void echo(InputStream in, OutputStream out) throws IOException {
    byte[] chunk = new byte[CHUNK];
    for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
      out.write(chunk, 0, n);
    }
  }

  // --- UDP ---

  private void answer() {
    ByteBuffer packet = ByteBuffer.allocateDirect(MAX_DATAGRAM).order(ByteOrder.LITTLE_ENDIAN);
    int burst = 0;
    int received = 0;
    while (datagrams.isOpen()) {
      try {
        packet.clear();
        var from = datagrams.receive(packet);
        packet.flip();
        if (from == null || packet.limit() < HEADER_BYTES) {
          continue;
        }
        switch (packet.get(0)) {
          case 'S' -> {
            // One guest at a time sends: one count is enough.
            received = packet.getInt(4) == burst ? received + 1 : 1;
            burst = packet.getInt(4);
            if (packet.getInt(8) == packet.getInt(12) - 1) {
              packet.putInt(12, received).limit(HEADER_BYTES);
              datagrams.send(packet, from);
            }
          }
          case 'R' -> send(packet, from);
          case 'E' -> datagrams.send(packet, from);
          default -> {}
        }
      } catch (ClosedChannelException e) {
        return;
      } catch (IOException e) {
        // Nobody is there to hear that answer.
      }
    }
  }

  private void send(ByteBuffer packet, java.net.SocketAddress to) throws IOException {
    int count = Math.clamp(packet.getInt(12), 0, MAX_BURST);
    int bytes = Math.clamp(packet.getInt(16), HEADER_BYTES, MAX_DATAGRAM);
    for (int i = 0; i < count; i++) {
      packet.clear().limit(bytes);
      packet.putInt(8, i);
      datagrams.send(packet, to);
    }
  }

  @Override
  public void close() {
    try {
      listener.close();
      datagrams.close();
      for (Socket connection : connections) {
        connection.close();
      }
    } catch (IOException e) {
      // They end with the process.
    }
  }
}
