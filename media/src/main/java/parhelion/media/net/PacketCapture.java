package parhelion.media.net;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Writes what passes some network ports to a file, in the pcapng format of Wireshark and tshark
 * (draft-ietf-opsawg-pcapng). Frames are written as they pass: packets that are left to be
 * segmented appear whole, and blank checksums are blank, as in a capture on any host.
 *
 * <p>A thread of its own writes. What it cannot keep up with is not captured, and counted in the
 * file; the network never waits for it. Ports may be used by any thread.
 */
public final class PacketCapture implements AutoCloseable {
  private static final int MAX_PENDING_BYTES = 16 << 20;

  private static final int SECTION_HEADER = 0x0a0d_0d0a;
  private static final int INTERFACE_DESCRIPTION = 1;
  private static final int INTERFACE_STATISTICS = 5;
  private static final int ENHANCED_PACKET = 6;
  private static final int BYTE_ORDER_MAGIC = 0x1a2b_3c4d;
  private static final int LINKTYPE_ETHERNET = 1;

  private static final int OPT_IF_NAME = 2;
  private static final int OPT_IF_TSRESOL = 9;
  private static final int OPT_EPB_FLAGS = 2;
  private static final int OPT_ISB_IFDROP = 5;
  private static final byte NANOSECONDS = 9;
  private static final int INBOUND = 1;
  private static final int OUTBOUND = 2;

  /**
   * What the writer's thread is to write; without a frame it is an interface, or the end. A packet
   * stands in the queue before it is handed on, lest its answer overtakes it, and is written once
   * it is known to have been taken.
   */
  private static final class Item {
    final Tap tap;
    final int direction;
    final long nanos = now();
    final byte @Nullable [] frame;
    private volatile int taken;

    Item(Tap tap, int direction, byte @Nullable [] frame) {
      this.tap = tap;
      this.direction = direction;
      this.frame = frame;
    }

    void decide(boolean wasTaken) {
      taken = wasTaken ? 1 : -1;
    }

    /** Waits, for as long as it takes to hand a packet on. */
    boolean taken() {
      while (taken == 0) {
        Thread.yield();
      }
      return taken > 0;
    }
  }

  private final OutputStream out;
  private final LinkedBlockingQueue<Item> queue = new LinkedBlockingQueue<>();
  private final AtomicLong pendingBytes = new AtomicLong();
  private final List<Tap> taps = new ArrayList<>();
  private final Thread writer;
  private volatile boolean closed;
  private volatile @Nullable IOException failure;

  private PacketCapture(Path file, OutputStream out) {
    this.out = out;
    writer = Thread.ofPlatform().daemon().name("capture to " + file).unstarted(this::write);
  }

  /**
   * Begins a file; one that is there is overwritten.
   *
   * @throws IOException if it cannot be written
   */
  public static PacketCapture to(Path file) throws IOException {
    PacketCapture capture =
        new PacketCapture(file, new BufferedOutputStream(Files.newOutputStream(file), 1 << 16));
    capture.out.write(sectionHeader());
    capture.out.flush();
    capture.writer.start();
    return capture;
  }

  /**
   * What passes {@code port} is captured from now on, if it is used by way of what is returned.
   *
   * @param name of the device that is plugged in, as readers of the file see it
   */
  public NetworkPort tap(String name, NetworkPort port) {
    synchronized (taps) {
      Tap tap = new Tap(taps.size(), name, port);
      taps.add(tap);
      // In the lock: interfaces are numbered as they are written.
      queue.add(new Item(tap, 0, null));
      return tap;
    }
  }

  /** What kept the file from being whole, or null. */
  public @Nullable IOException failure() {
    return failure;
  }

  /** Packets that passed and are not in the file, as the writer did not keep up. */
  public long missed() {
    synchronized (taps) {
      return taps.stream().mapToLong(tap -> tap.missed.get()).sum();
    }
  }

  /** Writes what is left and ends the file. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    synchronized (taps) {
      for (Tap tap : taps) {
        queue.add(new Item(tap, 0, null));
      }
    }
    queue.add(new Item(new Tap(-1, "", NOWHERE), 0, null));
    boolean interrupted = false;
    while (writer.isAlive()) {
      try {
        writer.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static long now() {
    Instant now = Instant.now();
    return now.getEpochSecond() * 1_000_000_000L + now.getNano();
  }

  // --- the writer's thread ---

  private void write() {
    try (out) {
      int described = 0;
      while (true) {
        Item item = queue.poll();
        if (item == null) {
          out.flush();
          item = queue.take();
        }
        byte[] frame = item.frame;
        if (frame != null) {
          if (item.taken()) {
            writePacket(item, frame);
          }
          pendingBytes.addAndGet(-frame.length);
        } else if (item.tap.number < 0) {
          return;
        } else if (item.tap.number == described) {
          out.write(interfaceDescription(item.tap.name));
          described++;
        } else {
          out.write(statistics(item));
        }
      }
    } catch (IOException e) {
      failure = e;
      queue.clear();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static int padded(int length) {
    return (length + 3) & ~3;
  }

  private static byte[] sectionHeader() {
    return buffer(28)
        .putInt(SECTION_HEADER)
        .putInt(28)
        .putInt(BYTE_ORDER_MAGIC)
        .putShort((short) 1)
        .putShort((short) 0)
        .putLong(-1)
        .putInt(28)
        .array();
  }

  private static byte[] interfaceDescription(String name) {
    byte[] utf8 = name.getBytes(StandardCharsets.UTF_8);
    int length = 16 + 4 + padded(utf8.length) + 8 + 4 + 4;
    ByteBuffer b = buffer(length);
    b.putInt(INTERFACE_DESCRIPTION).putInt(length);
    b.putShort((short) LINKTYPE_ETHERNET).putShort((short) 0).putInt(0);
    b.putShort((short) OPT_IF_NAME).putShort((short) utf8.length).put(utf8);
    b.position(20 + padded(utf8.length));
    b.putShort((short) OPT_IF_TSRESOL).putShort((short) 1).put(NANOSECONDS).put(new byte[3]);
    return b.putInt(0).putInt(length).array();
  }

  private void writePacket(Item item, byte[] frame) throws IOException {
    int length = 28 + padded(frame.length) + 8 + 4 + 4;
    ByteBuffer head = buffer(28);
    head.putInt(ENHANCED_PACKET).putInt(length).putInt(item.tap.number);
    head.putInt((int) (item.nanos >>> 32)).putInt((int) item.nanos);
    head.putInt(frame.length).putInt(frame.length);
    out.write(head.array());
    out.write(frame);
    ByteBuffer tail = buffer(padded(frame.length) - frame.length + 16);
    tail.position(tail.capacity() - 16);
    tail.putShort((short) OPT_EPB_FLAGS).putShort((short) 4).putInt(item.direction);
    out.write(tail.putInt(0).putInt(length).array());
  }

  private static byte[] statistics(Item item) {
    int length = 20 + 12 + 4 + 4;
    ByteBuffer b = buffer(length);
    b.putInt(INTERFACE_STATISTICS).putInt(length).putInt(item.tap.number);
    b.putInt((int) (item.nanos >>> 32)).putInt((int) item.nanos);
    b.putShort((short) OPT_ISB_IFDROP).putShort((short) 8).putLong(item.tap.missed.get());
    return b.putInt(0).putInt(length).array();
  }

  /** Where the item that ends the file comes from. */
  private static final NetworkPort NOWHERE =
      new NetworkPort() {
        @Override
        public void connect(Receiver receiver) {}

        @Override
        public boolean send(Packet packet) {
          return true;
        }

        @Override
        public void roomToReceive() {}

        @Override
        public void close() {}
      };

  /** A port whose packets are captured once they have been taken. */
  private final class Tap implements NetworkPort {
    private final int number;
    private final String name;
    private final NetworkPort port;
    private final AtomicLong missed = new AtomicLong();

    Tap(int number, String name, NetworkPort port) {
      this.number = number;
      this.name = name;
      this.port = port;
    }

    @Override
    public Map<String, Long> counts() {
      return port.counts();
    }

    /** Stands a packet in the queue; null if it is not captured. */
    private @Nullable Item capture(int direction, Packet packet) {
      byte[] frame = packet.bytes();
      if (closed || failure != null) {
        return null;
      }
      if (pendingBytes.addAndGet(frame.length) > MAX_PENDING_BYTES) {
        pendingBytes.addAndGet(-frame.length);
        missed.incrementAndGet();
        return null;
      }
      Item item = new Item(this, direction, frame);
      queue.add(item);
      return item;
    }

    /** Hands a packet on, captured; whether it was taken. */
    private boolean pass(int direction, Packet packet, Predicate<Packet> to) {
      Item item = capture(direction, packet);
      boolean taken = false;
      try {
        taken = to.test(packet);
      } finally {
        if (item != null) {
          item.decide(taken);
        }
      }
      return taken;
    }

    @Override
    public void connect(Receiver receiver) {
      port.connect(
          new Receiver() {
            @Override
            public boolean receive(Packet packet) {
              return pass(INBOUND, packet, receiver::receive);
            }

            @Override
            public Offloads offloads() {
              return receiver.offloads();
            }

            @Override
            public void roomToSend() {
              receiver.roomToSend();
            }
          });
    }

    @Override
    public boolean send(Packet packet) {
      return pass(OUTBOUND, packet, port::send);
    }

    @Override
    public void roomToReceive() {
      port.roomToReceive();
    }

    @Override
    public void close() {
      port.close();
    }
  }
}
