package parhelion.backends.net;

import org.jspecify.annotations.Nullable;
import parhelion.abi.Bytes;
import parhelion.abi.NetifExtraFlags;
import parhelion.abi.NetifExtraType;
import parhelion.abi.NetifGsoType;
import parhelion.abi.NetifRequests.NetifExtraInfo;
import parhelion.abi.NetifRequests.NetifTxRequest;
import parhelion.abi.NetifRequests.NetifTxResponse;
import parhelion.abi.NetifStatus;
import parhelion.abi.NetifTxFlags;
import parhelion.backends.Frontend;
import parhelion.media.net.MacAddress;
import parhelion.media.net.NetworkPort;
import parhelion.media.net.Packet;
import parhelion.media.net.Packet.Checksum;
import parhelion.media.net.Packet.Gso;
import parhelion.media.net.SoftwareOffload;

/**
 * A queue's transmit ring: what the guest sends. A packet is a request for each page that a part of
 * it lies in, extra infos behind the first; the first says the whole length, the others their own.
 *
 * <p>A packet's bytes are copied once, and its requests answered then. While the network has no
 * room for it nothing more is taken from the ring, which fills up and so holds the guest back.
 * Scheduler's thread only.
 */
final class TxRing implements AutoCloseable {
  /** Requests of a packet: what every frontend may use ({@code XEN_NETIF_NR_SLOTS_MIN}). */
  static final int MAX_SLOTS = 18;

  private static final int PAGE_BYTES = 4096;

  private final NetRing ring;
  private final Frontend guest;
  private final NetworkPort network;
  private final MulticastList groups;
  private final VifCounts counts;
  private final byte[] response = new byte[NetifTxResponse.STRUCT.size()];
  private final Bytes responseFields = Bytes.of(response);

  /** Of the packet being taken: where its parts are. */
  private final long[] grefs = new long[MAX_SLOTS];

  private final int[] offsets = new int[MAX_SLOTS];
  private final int[] sizes = new int[MAX_SLOTS];
  private final int[] ids = new int[NetRing.ENTRIES];

  /** How many requests it has, parts of it, and extra infos, which stand behind the first. */
  private int slots;

  private int parts;
  private int extras;
  private int gsoType;
  private int gsoSize;
  private @Nullable MacAddress joined;
  private @Nullable MacAddress left;

  /** Taken, but the network had no room yet. */
  private @Nullable Packet pending;

  TxRing(
      NetRing ring, Frontend guest, NetworkPort network, MulticastList groups, VifCounts counts) {
    this.ring = ring;
    this.guest = guest;
    this.network = network;
    this.groups = groups;
    this.counts = counts;
  }

  /**
   * Sends up to {@code packets} of what the guest has asked for.
   *
   * @return whether there may be more to do at once
   */
  boolean run(int packets) throws BrokenRingException {
    for (int i = 0; i < packets; i++) {
      Packet held = pending;
      if (held != null) {
        if (!network.send(held)) {
          counts.txHeld++;
          return false;
        }
        sent(held);
        pending = null;
      }
      int available = ring.availableOrEvent(1);
      if (available == 0) {
        return false;
      }
      pending = take(available);
    }
    return true;
  }

  private void sent(Packet packet) {
    counts.txPackets++;
    counts.txBytes += packet.bytes().length;
  }

  /** Shows the guest the answers; whether it wants an event. */
  boolean publish() {
    return ring.publish();
  }

  /** Takes the requests of one packet and answers them; the packet, if it came to one. */
  private @Nullable Packet take(int available) throws BrokenRingException {
    Bytes first = ring.read(0);
    int flags = NetifTxRequest.FLAGS.get(first, 0);
    int total = NetifTxRequest.SIZE.get(first, 0);
    slots = 0;
    parts = 0;
    part(first);
    readExtras((flags & NetifTxFlags.EXTRA_INFO) != 0, available);
    if (joined != null || left != null) {
      // Not a packet at all: the rest of the request means nothing.
      finish(changeGroups() ? NetifStatus.OKAY : NetifStatus.ERROR);
      return null;
    }
    boolean makesSense = readParts((flags & NetifTxFlags.MORE_DATA) != 0, available, total);
    if (!makesSense || total < Packet.MIN_BYTES) {
      counts.txErrors++;
      finish(NetifStatus.ERROR);
      return null;
    }
    if (offsets[0] + sizes[0] > PAGE_BYTES) {
      throw new BrokenRingException("a request crosses its page's end");
    }
    byte[] frame = copy(total);
    finish(frame == null ? NetifStatus.ERROR : NetifStatus.OKAY);
    Packet packet = frame == null ? null : packet(frame, flags);
    if (packet == null) {
      counts.txErrors++;
    }
    return packet;
  }

  private void part(Bytes request) {
    ids[slots++] = NetifTxRequest.ID.get(request, 0);
    if (parts < MAX_SLOTS) {
      grefs[parts] = NetifTxRequest.GREF.get(request, 0);
      offsets[parts] = NetifTxRequest.OFFSET.get(request, 0);
      sizes[parts] = NetifTxRequest.SIZE.get(request, 0);
    }
    parts++;
  }

  private void readExtras(boolean any, int available) throws BrokenRingException {
    extras = 0;
    gsoType = NetifGsoType.NONE;
    gsoSize = 0;
    joined = null;
    left = null;
    boolean more = any;
    while (more) {
      if (slots == available) {
        throw new BrokenRingException("an extra info is missing");
      }
      Bytes extra = ring.read(slots);
      ids[slots++] = 0;
      extras++;
      more = (NetifExtraInfo.FLAGS.get(extra, 0) & NetifExtraFlags.MORE) != 0;
      int type = NetifExtraInfo.TYPE.get(extra, 0);
      switch (type) {
        case NetifExtraType.GSO -> {
          gsoType = NetifExtraInfo.GSO_TYPE.get(extra, 0);
          gsoSize = NetifExtraInfo.GSO_SIZE.get(extra, 0);
          boolean known = gsoType == NetifGsoType.TCPV4 || gsoType == NetifGsoType.TCPV6;
          if (!known || gsoSize == 0) {
            throw new BrokenRingException(
                "segmentation of type %d into %d bytes".formatted(gsoType, gsoSize));
          }
        }
        case NetifExtraType.MCAST_ADD -> joined = group(extra);
        case NetifExtraType.MCAST_DEL -> left = group(extra);
        case NetifExtraType.HASH -> {
          // Only told for the receiver's convenience.
        }
        default -> throw new BrokenRingException("an extra info of type " + type);
      }
    }
  }

  private static MacAddress group(Bytes extra) {
    byte[] mac = new byte[NetifExtraInfo.MCAST_ADDR.count()];
    for (int i = 0; i < mac.length; i++) {
      mac[i] = extra.getByte(NetifExtraInfo.MCAST_ADDR.at(0, i));
    }
    return MacAddress.of(mac, 0);
  }

  private boolean changeGroups() {
    boolean done = joined == null || groups.add(joined);
    if (left != null) {
      groups.remove(left);
    }
    return done;
  }

  /** Reads the other parts' requests; false for a packet that is to be dropped. */
  private boolean readParts(boolean any, int available, int total) throws BrokenRingException {
    int rest = total;
    boolean makesSense = true;
    boolean more = any;
    while (more) {
      if (slots == available) {
        throw new BrokenRingException("a part of a packet is missing");
      }
      Bytes request = ring.read(slots);
      int offset = NetifTxRequest.OFFSET.get(request, 0);
      int size = NetifTxRequest.SIZE.get(request, 0);
      more = (NetifTxRequest.FLAGS.get(request, 0) & NetifTxFlags.MORE_DATA) != 0;
      part(request);
      if (offset + size > PAGE_BYTES) {
        throw new BrokenRingException("a request crosses its page's end");
      }
      makesSense &= size <= rest;
      rest -= size;
    }
    sizes[0] = rest;
    return makesSense && parts <= MAX_SLOTS;
  }

  /** Copies the packet out of the guest's pages; null if one of them is not granted. */
  private byte @Nullable [] copy(int total) {
    byte[] frame = new byte[total];
    int at = 0;
    for (int i = 0; i < parts; i++) {
      if (!guest.copyFrom(grefs[i], offsets[i], frame, at, sizes[i])) {
        return null;
      }
      at += sizes[i];
    }
    counts.copies += parts;
    return frame;
  }

  /** Null if the frame is not what the guest says that it is. */
  private @Nullable Packet packet(byte[] frame, int flags) {
    Gso gso =
        switch (gsoType) {
          case NetifGsoType.TCPV4 -> Gso.TCPV4;
          case NetifGsoType.TCPV6 -> Gso.TCPV6;
          default -> Gso.NONE;
        };
    Checksum checksum = Checksum.UNKNOWN;
    if ((flags & NetifTxFlags.CSUM_BLANK) != 0) {
      checksum = Checksum.BLANK;
    } else if ((flags & NetifTxFlags.DATA_VALIDATED) != 0) {
      checksum = Checksum.VALID;
    }
    if (gso != Gso.NONE && checksum != Checksum.BLANK) {
      // Some frontends leave the flag out, as it goes without saying.
      checksum = Checksum.BLANK;
      boolean unused = SoftwareOffload.blank(frame);
    }
    Packet packet = new Packet(frame, checksum, gso, gsoSize);
    return SoftwareOffload.isSound(packet) ? packet : null;
  }

  /** Answers all requests of the packet. */
  private void finish(int status) {
    for (int i = 0; i < slots; i++) {
      boolean extra = i > 0 && i <= extras;
      NetifTxResponse.ID.put(responseFields, 0, ids[i]);
      NetifTxResponse.STATUS.put(responseFields, 0, extra ? NetifStatus.NULL : status);
      ring.respond(response);
    }
    ring.consume(slots);
    counts.txRequests += slots;
  }

  @Override
  public void close() {
    pending = null;
    ring.close();
  }
}
