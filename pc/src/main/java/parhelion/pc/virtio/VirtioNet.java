package parhelion.pc.virtio;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.MacAddress;
import parhelion.media.net.NetworkPort;
import parhelion.media.net.Offloads;
import parhelion.media.net.Packet;
import parhelion.media.net.Packet.Checksum;
import parhelion.media.net.Packet.Gso;
import parhelion.media.net.SoftwareOffload;
import parhelion.pc.Board;
import parhelion.pc.net.Checksums;
import parhelion.pc.net.Inbox;

/**
 * A network card (section 5.1): one pair of queues, checksums and TCP segmentation both ways, and
 * buffers that are merged for a large packet.
 */
public final class VirtioNet implements VirtioDevice {
  private static final int RX = 0;
  private static final int TX = 1;
  private static final int QUEUE_SIZE = 256;
  private static final int HEADER_BYTES = 12;

  private static final long CSUM = 1L;
  private static final long GUEST_CSUM = 1L << 1;
  private static final long MTU = 1L << 3;
  private static final long MAC = 1L << 5;
  private static final long GUEST_TSO4 = 1L << 7;
  private static final long GUEST_TSO6 = 1L << 8;
  private static final long HOST_TSO4 = 1L << 11;
  private static final long HOST_TSO6 = 1L << 12;
  private static final long MERGE = 1L << 15;
  private static final long STATUS = 1L << 16;

  private static final int NEEDS_CSUM = 1;
  private static final int DATA_VALID = 2;
  private static final int GSO_NONE = 0;
  private static final int GSO_TCPV4 = 1;
  private static final int GSO_TCPV6 = 4;
  private static final int GSO_ECN = 0x80;

  private final VirtioPci transport;
  private final NetworkPort network;
  private final Inbox inbox;
  private final MacAddress mac;
  private final int mtu;
  private long features;

  /** What the packet that was last taken from the network was made into. */
  private final ArrayDeque<Packet> incoming = new ArrayDeque<>();

  /** A packet for which the network had no room. */
  private @Nullable Packet refused;

  private VirtioNet(
      VirtioPci transport, Board board, NetworkPort network, MacAddress mac, int mtu) {
    this.transport = transport;
    this.network = network;
    this.mac = mac;
    this.mtu = mtu;
    inbox =
        new Inbox(
            board,
            network,
            () -> transport.run(this::deliver),
            () -> transport.run(() -> notified(TX)));
  }

  /** A card that is plugged into a network. */
  public static VirtioPci device(
      Board board, String name, NetworkPort network, MacAddress mac, int mtu) {
    return new VirtioPci(
        board, name, transport -> new VirtioNet(transport, board, network, mac, mtu));
  }

  @Override
  public VirtioKind kind() {
    return VirtioKind.NET;
  }

  @Override
  public long features() {
    long sends = CSUM | HOST_TSO4 | HOST_TSO6;
    long receives = GUEST_CSUM | GUEST_TSO4 | GUEST_TSO6 | MERGE;
    return sends | receives | MTU | MAC | STATUS;
  }

  @Override
  public int[] queueSizes() {
    return new int[] {QUEUE_SIZE, QUEUE_SIZE};
  }

  @Override
  public byte[] config() {
    ByteBuffer config = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < 6; i++) {
      config.put(i, (byte) (mac.bits() >>> 40 - 8 * i));
    }
    config.putShort(6, (short) 1);
    config.putShort(8, (short) 1);
    config.putShort(10, (short) mtu);
    return config.array();
  }

  @Override
  public void start(long chosen) {
    features = chosen;
    boolean sums = has(GUEST_CSUM);
    inbox.setOffloads(new Offloads(sums, sums && has(GUEST_TSO4), sums && has(GUEST_TSO6)));
    inbox.setOpen(true);
  }

  private boolean has(long feature) {
    return (features & feature) != 0;
  }

  @Override
  public void stop() {
    inbox.setOpen(false);
    incoming.clear();
    refused = null;
    features = 0;
  }

  @Override
  public void notified(int index) throws BrokenQueueException {
    if (index == RX) {
      deliver();
    } else {
      transmit();
    }
  }

  // -- From the guest.

  private void transmit() throws BrokenQueueException {
    Virtqueue queue = transport.queue(TX);
    if (!queue.isEnabled()) {
      return;
    }
    Packet first = refused;
    refused = null;
    if (first != null && !offer(first)) {
      return;
    }
    for (Chain chain = queue.take(); chain != null; chain = queue.take()) {
      Packet packet = packet(chain);
      queue.give(chain, 0);
      if (packet != null && !offer(packet)) {
        break;
      }
    }
    transport.interrupt(TX);
  }

  /** Sends a packet; keeps it if there is no room, until the network says that there is. */
  private boolean offer(Packet packet) {
    boolean taken = network.send(packet);
    if (!taken) {
      refused = packet;
    }
    return taken;
  }

  /** The packet of a chain; null for one that cannot be sent. */
  private static @Nullable Packet packet(Chain chain) {
    long length = chain.readableBytes() - HEADER_BYTES;
    if (length < Packet.MIN_BYTES || length > Packet.MAX_BYTES) {
      return null;
    }
    byte[] header = new byte[HEADER_BYTES];
    byte[] frame = new byte[(int) length];
    int unused = chain.read(0, header, 0, HEADER_BYTES);
    unused = chain.read(HEADER_BYTES, frame, 0, frame.length);
    ByteBuffer fields = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
    boolean blank = (fields.get(0) & NEEDS_CSUM) != 0;
    Gso gso;
    switch (fields.get(1) & 0xff & ~GSO_ECN) {
      case GSO_NONE -> gso = Gso.NONE;
      case GSO_TCPV4 -> gso = Gso.TCPV4;
      case GSO_TCPV6 -> gso = Gso.TCPV6;
      default -> {
        return null;
      }
    }
    int gsoSize = gso == Gso.NONE ? 0 : fields.getShort(4) & 0xffff;
    Packet packet = new Packet(frame, blank ? Checksum.BLANK : Checksum.UNKNOWN, gso, gsoSize);
    if (SoftwareOffload.isSound(packet)) {
      return packet;
    }
    int start = fields.getShort(6) & 0xffff;
    int at = start + (fields.getShort(8) & 0xffff);
    boolean filled = gso == Gso.NONE && Checksums.fill(frame, start, at);
    return filled ? Packet.of(frame) : null;
  }

  // -- To the guest.

  private void deliver() throws BrokenQueueException {
    Virtqueue queue = transport.queue(RX);
    if (!queue.isEnabled()) {
      return;
    }
    boolean room = true;
    while (room) {
      Packet packet = incoming.peek();
      if (packet == null) {
        // What is for this guest stays with the network while the guest has lent no buffers.
        Packet whole = queue.waiting() == 0 ? null : inbox.poll();
        room = whole != null;
        if (whole != null) {
          incoming.addAll(SoftwareOffload.complete(whole, inbox.offloads()));
        }
        continue;
      }
      room = put(queue, packet);
      if (room) {
        incoming.remove();
      }
    }
    transport.interrupt(RX);
  }

  /** Puts a packet into the guest's buffers; false if there are too few. */
  private boolean put(Virtqueue queue, Packet packet) throws BrokenQueueException {
    byte[] frame = packet.bytes();
    long needed = HEADER_BYTES + frame.length;
    List<Chain> chains = new ArrayList<>(1);
    long room = 0;
    while (room < needed) {
      Chain chain = queue.take();
      if (chain == null) {
        queue.putBack(chains.size());
        return false;
      }
      if (chain.writableBytes() < HEADER_BYTES) {
        throw new BrokenQueueException("a receive buffer without room for a header");
      }
      chains.add(chain);
      room += chain.writableBytes();
      if (!has(MERGE) && room < needed) {
        queue.putBack(1);
        return true; // it can never fit: it is lost
      }
    }
    byte[] all = new byte[(int) needed];
    header(ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN), packet, chains.size());
    System.arraycopy(frame, 0, all, HEADER_BYTES, frame.length);
    int done = 0;
    for (Chain chain : chains) {
      int length = (int) Math.min(chain.writableBytes(), needed - done);
      int unused = chain.write(0, all, done, length);
      queue.give(chain, length);
      done += length;
    }
    return true;
  }

  private static void header(ByteBuffer header, Packet packet, int buffers) {
    header.putShort(10, (short) buffers);
    if (packet.checksum() == Checksum.VALID) {
      header.put(0, (byte) DATA_VALID);
    } else if (packet.checksum() == Checksum.BLANK) {
      Checksums.Place place = Checksums.placeOf(packet.bytes());
      if (place != null) {
        header.put(0, (byte) NEEDS_CSUM);
        header.putShort(6, (short) place.start());
        header.putShort(8, (short) (place.field() - place.start()));
      }
    }
    if (packet.gso() != Gso.NONE) {
      header.put(1, (byte) (packet.gso() == Gso.TCPV4 ? GSO_TCPV4 : GSO_TCPV6));
      header.putShort(2, (short) Checksums.headerBytes(packet.bytes()));
      header.putShort(4, (short) packet.gsoSizeBytes());
    }
  }
}
