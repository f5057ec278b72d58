package parhelion.media.net.shared;

import java.io.EOFException;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.concurrent.Semaphore;
import parhelion.media.net.Packet;
import parhelion.media.net.Packet.Checksum;
import parhelion.media.net.Packet.Gso;
import parhelion.media.net.SoftwareOffload;

/**
 * One connection between a switch and a process that is plugged into it. Each packet is sent as its
 * length (32 bits, big-endian), its {@link Checksum} and {@link Gso} (8 bits each, by ordinal), the
 * payload of a segment (16 bits), and the frame.
 *
 * <p>Back-pressure is the socket's: who cannot take a packet does not read on, and who cannot write
 * refuses packets once its queue is full. Two threads of its own; methods may be called by any.
 */
final class SwitchLink implements AutoCloseable {
  static final int MAX_QUEUED_BYTES = 1 << 20;

  private static final int HEADER_BYTES = 8;
  private static final int MAX_QUEUED_PACKETS = 1024;
  private static final int PACKETS_A_WRITE = 32;

  /** What the link is tied to in this process. Called by the link's threads. */
  interface End {
    /**
     * Takes a packet that has arrived; false if there is no room, which ends with {@link #room}.
     */
    boolean arrived(Packet packet);

    /** There is room again after {@link #offer} has refused. */
    void roomToOffer();

    /** The connection is no more; called once. */
    void ended();
  }

  private final SocketChannel channel;
  private final End end;
  private final Semaphore room = new Semaphore(0);

  /** Guarded by itself, with what follows. */
  private final ArrayDeque<Packet> queue = new ArrayDeque<>();

  private int queuedBytes;
  private boolean refused;
  private boolean closed;

  /** A link over a connection, which it owns from now on. */
  SwitchLink(SocketChannel channel, End end) {
    this.channel = channel;
    this.end = end;
  }

  /** Starts to serve it. */
  void start() {
    Thread.ofVirtual().name("switch link reader").start(this::read);
    Thread.ofVirtual().name("switch link writer").start(this::write);
  }

  /** Takes a packet for the far side; false if there is no room. */
  boolean offer(Packet packet) {
    synchronized (queue) {
      if (closed) {
        return true; // as on a cable that was pulled
      }
      if (queuedBytes >= MAX_QUEUED_BYTES || queue.size() >= MAX_QUEUED_PACKETS) {
        refused = true;
        return false;
      }
      queue.add(packet);
      queuedBytes += packet.bytes().length;
      queue.notifyAll();
      return true;
    }
  }

  /** There is room in this process after a packet was refused. */
  void room() {
    room.release();
  }

  @Override
  public void close() {
    synchronized (queue) {
      if (closed) {
        return;
      }
      closed = true;
      queue.clear();
      queue.notifyAll();
    }
    try {
      channel.close();
    } catch (IOException e) {
      // It is gone anyway.
    }
    room.release();
    end.ended();
  }

  private boolean isClosed() {
    synchronized (queue) {
      return closed;
    }
  }

  // --- the reader's thread ---

  private void read() {
    ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
    try {
      while (!isClosed()) {
        readFully(channel, header.clear());
        Packet packet = readPacket(header.flip());
        while (!end.arrived(packet) && !isClosed()) {
          room.acquire();
          room.drainPermits();
        }
      }
    } catch (IOException | InterruptedException e) {
      // A connection that ends or talks nonsense is over; the far side joins anew if it wants to.
    } finally {
      close();
    }
  }

  private Packet readPacket(ByteBuffer header) throws IOException {
    int length = header.getInt();
    int checksum = header.get();
    int gso = header.get();
    int gsoSize = header.getShort() & 0xffff;
    if (length < Packet.MIN_BYTES
        || length > Packet.MAX_BYTES
        || checksum < 0
        || checksum >= Checksum.values().length
        || gso < 0
        || gso >= Gso.values().length) {
      throw new ProtocolException("no packet");
    }
    byte[] frame = new byte[length];
    readFully(channel, ByteBuffer.wrap(frame));
    Packet packet = new Packet(frame, Checksum.values()[checksum], Gso.values()[gso], gsoSize);
    if (!SoftwareOffload.isSound(packet)) {
      throw new ProtocolException("a packet that is not what it claims");
    }
    return packet;
  }

  static void readFully(SocketChannel channel, ByteBuffer target) throws IOException {
    while (target.hasRemaining()) {
      if (channel.read(target) < 0) {
        throw new EOFException();
      }
    }
  }

  // --- the writer's thread ---

  private void write() {
    try {
      while (true) {
        ByteBuffer[] buffers = take();
        if (buffers.length == 0) {
          return;
        }
        long left = 0;
        for (ByteBuffer each : buffers) {
          left += each.remaining();
        }
        while (left > 0) {
          left -= channel.write(buffers);
        }
      }
    } catch (IOException | InterruptedException e) {
      // As above.
    } finally {
      close();
    }
  }

  /** Waits for packets; none once the link is closed. */
  private ByteBuffer[] take() throws InterruptedException {
    ByteBuffer[] buffers;
    boolean roomAgain;
    synchronized (queue) {
      while (queue.isEmpty() && !closed) {
        queue.wait();
      }
      buffers = new ByteBuffer[Math.min(queue.size(), PACKETS_A_WRITE) * 2];
      for (int i = 0; i < buffers.length; i += 2) {
        Packet packet = queue.remove();
        byte[] frame = packet.bytes();
        queuedBytes -= frame.length;
        buffers[i] = header(packet);
        buffers[i + 1] = ByteBuffer.wrap(frame);
      }
      roomAgain =
          refused && queuedBytes <= MAX_QUEUED_BYTES / 2 && queue.size() <= MAX_QUEUED_PACKETS / 2;
      refused &= !roomAgain;
    }
    if (roomAgain) {
      end.roomToOffer();
    }
    return buffers;
  }

  private static ByteBuffer header(Packet packet) {
    return ByteBuffer.allocate(HEADER_BYTES)
        .putInt(packet.bytes().length)
        .put((byte) packet.checksum().ordinal())
        .put((byte) packet.gso().ordinal())
        .putShort((short) packet.gsoSizeBytes())
        .flip();
  }
}
