package parhelion.backends.net;

import java.util.ArrayDeque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.abi.Bytes;
import parhelion.abi.NetifExtraType;
import parhelion.abi.NetifGsoType;
import parhelion.abi.NetifRequests.NetifExtraInfo;
import parhelion.abi.NetifRequests.NetifRxRequest;
import parhelion.abi.NetifRequests.NetifRxResponse;
import parhelion.abi.NetifRxFlags;
import parhelion.abi.NetifStatus;
import parhelion.backends.Frontend;
import parhelion.media.net.Packet;
import parhelion.media.net.Packet.Gso;
import parhelion.media.net.SoftwareOffload;

/**
 * A queue's receive ring: what the guest is sent. It lends pages by requests; a packet is copied
 * into as many as it needs, with an extra info in a slot behind the first where it is to be
 * segmented.
 *
 * <p>{@link #offer} is for any thread; all else for the scheduler's.
 */
final class RxRing implements AutoCloseable {
  /** What waits for the guest to lend pages: one packet more than fits into these. */
  static final int MAX_QUEUED_BYTES = 1 << 20;

  static final int MAX_QUEUED_PACKETS = 1024;

  private static final int PAGE_BYTES = 4096;

  private final NetRing ring;
  private final Frontend guest;
  private final FrontendFeatures features;
  private final VifCounts counts;
  private final byte[] response = new byte[NetifRxResponse.STRUCT.size()];
  private final Bytes responseFields = Bytes.of(response);

  /** Guarded by itself, with what follows. */
  private final ArrayDeque<Packet> queue = new ArrayDeque<>();

  private int queuedBytes;
  private boolean refused;

  /** What the packet that was last taken from the queue was cut into. */
  private final ArrayDeque<Packet> cut = new ArrayDeque<>();

  RxRing(NetRing ring, Frontend guest, FrontendFeatures features, VifCounts counts) {
    this.ring = ring;
    this.guest = guest;
    this.features = features;
    this.counts = counts;
  }

  /** Takes a packet for the guest, if there is room. Any thread. */
  boolean offer(Packet packet) {
    synchronized (queue) {
      if (queuedBytes >= MAX_QUEUED_BYTES || queue.size() >= MAX_QUEUED_PACKETS) {
        refused = true;
        return false;
      }
      queue.add(packet);
      queuedBytes += packet.bytes().length;
      return true;
    }
  }

  private @Nullable Packet poll() {
    synchronized (queue) {
      Packet packet = queue.poll();
      if (packet != null) {
        queuedBytes -= packet.bytes().length;
      }
      return packet;
    }
  }

  /** Whether there is room after {@link #offer} has refused; says so once. */
  boolean roomAgain() {
    synchronized (queue) {
      boolean room =
          refused && queuedBytes <= MAX_QUEUED_BYTES / 2 && queue.size() <= MAX_QUEUED_PACKETS / 2;
      refused &= !room;
      return room;
    }
  }

  /**
   * Gives the guest up to {@code packets} packets.
   *
   * @return whether there may be more to do at once
   */
  boolean run(int packets) throws BrokenRingException {
    for (int i = 0; i < packets; i++) {
      Packet packet = cut.peek();
      if (packet == null) {
        Packet whole = poll();
        if (whole == null) {
          return false;
        }
        List<Packet> completed = SoftwareOffload.complete(whole, features.offloads());
        if (completed.isEmpty()) {
          counts.rxErrors++;
        }
        cut.addAll(completed);
        continue;
      }
      int pages = (packet.bytes().length + PAGE_BYTES - 1) / PAGE_BYTES;
      int slots = pages + (packet.gso() == Gso.NONE ? 0 : 1);
      if (pages > 1 && !features.scatterGather()) {
        cut.remove();
        counts.rxErrors++;
        continue;
      }
      if (ring.availableOrEvent(slots) < slots) {
        return false;
      }
      put(packet, pages);
      cut.remove();
      counts.rxRequests += slots;
    }
    return true;
  }

  /** Shows the guest what it was given; whether it wants an event. */
  boolean publish() {
    return ring.publish();
  }

  private void put(Packet packet, int pages) {
    byte[] frame = packet.bytes();
    boolean whole = true;
    for (int page = 0; page < pages; page++) {
      int at = page * PAGE_BYTES;
      int length = Math.min(PAGE_BYTES, frame.length - at);
      Bytes request = ring.read(0);
      int id = NetifRxRequest.ID.get(request, 0);
      boolean copied = guest.copyTo(NetifRxRequest.GREF.get(request, 0), 0, frame, at, length);
      ring.consume(1);
      whole &= copied;
      int flags = page < pages - 1 ? NetifRxFlags.MORE_DATA : 0;
      if (page == 0) {
        flags |= flags(packet);
      }
      respond(id, flags, copied ? length : NetifStatus.ERROR);
      if (page == 0 && packet.gso() != Gso.NONE) {
        putSegmentation(packet);
      }
    }
    counts.copies += pages;
    if (whole) {
      counts.rxPackets++;
      counts.rxBytes += frame.length;
    } else {
      counts.rxErrors++;
    }
  }

  private static int flags(Packet packet) {
    int flags =
        switch (packet.checksum()) {
          case UNKNOWN -> 0;
          case VALID -> NetifRxFlags.DATA_VALIDATED;
          case BLANK -> NetifRxFlags.DATA_VALIDATED | NetifRxFlags.CSUM_BLANK;
        };
    return packet.gso() == Gso.NONE ? flags : flags | NetifRxFlags.EXTRA_INFO;
  }

  private void respond(int id, int flags, int status) {
    NetifRxResponse.ID.put(responseFields, 0, id);
    NetifRxResponse.OFFSET.put(responseFields, 0, 0);
    NetifRxResponse.FLAGS.put(responseFields, 0, flags);
    NetifRxResponse.STATUS.put(responseFields, 0, status);
    ring.respond(response);
  }

  /** The page that was lent by this slot's request is not used: the frontend lends it again. */
  private void putSegmentation(Packet packet) {
    ring.consume(1);
    responseFields.putLong(0, 0);
    NetifExtraInfo.TYPE.put(responseFields, 0, NetifExtraType.GSO);
    NetifExtraInfo.GSO_SIZE.put(responseFields, 0, packet.gsoSizeBytes());
    NetifExtraInfo.GSO_TYPE.put(
        responseFields, 0, packet.gso() == Gso.TCPV4 ? NetifGsoType.TCPV4 : NetifGsoType.TCPV6);
    ring.respond(response);
  }

  /** Forgets what waits. */
  @Override
  public void close() {
    synchronized (queue) {
      queue.clear();
      queuedBytes = 0;
    }
    cut.clear();
    ring.close();
  }
}
