package parhelion.media.net;

/**
 * An Ethernet frame on its way between a network device and what it is plugged into, with the work
 * that its sender left to the next one: as a network card's driver leaves it to the card.
 *
 * <p>A frame with {@code gso} other than NONE may be larger than the MTU, up to 64 KiB and a
 * header: whoever cannot take it so, cuts it into segments of {@code gsoSizeBytes} of payload.
 *
 * @param bytes the frame, from the destination's MAC address on, without a checksum of its own; not
 *     changed by anyone once it has been sent
 * @param checksum what is known of the TCP or UDP checksum
 * @param gso the kind of segmentation that was left
 * @param gsoSizeBytes payload of each segment; 0 without segmentation
 */
public record Packet(byte[] bytes, Checksum checksum, Gso gso, int gsoSizeBytes) {
  /** No frame is longer: 64 KiB of IP and its Ethernet header, with a VLAN tag. */
  public static final int MAX_BYTES = 65535 + 18;

  /** Nor is any shorter: two addresses and a type. */
  public static final int MIN_BYTES = 14;

  /** What is known of a frame's TCP or UDP checksum. */
  public enum Checksum {
    /** It is in the frame, and nobody has looked at it. */
    UNKNOWN,
    /** It was found right, or the frame never left this machine. */
    VALID,
    /** It is not in the frame (only the pseudo header's sum is): who needs it fills it in. */
    BLANK
  }

  /** Segmentation that was left to the receiver. */
  public enum Gso {
    NONE,
    TCPV4,
    TCPV6
  }

  /**
   * A number that packets of one flow (same addresses, protocol and ports) have in common, for
   * keeping them in order; for other frames, of one pair of Ethernet addresses.
   */
  public int flowHash() {
    FrameHeaders h = FrameHeaders.of(bytes);
    if (h == null) {
      return hash(0, 12, 1);
    }
    int hash = h.v6() ? hash(h.ip() + 8, 32, h.protocol()) : hash(h.ip() + 12, 8, h.protocol());
    boolean ports = h.protocol() == FrameHeaders.TCP || h.protocol() == FrameHeaders.UDP;
    return ports && h.transport() + 4 <= h.end() ? hash(h.transport(), 4, hash) : hash;
  }

  private int hash(int from, int length, int seed) {
    int hash = seed;
    for (int at = from; at < Math.min(bytes.length, from + length); at++) {
      hash = hash * 31 + bytes[at];
    }
    return hash ^ hash >>> 16;
  }

  /** A plain frame, checksums and all. */
  public static Packet of(byte[] bytes) {
    return new Packet(bytes, Checksum.UNKNOWN, Gso.NONE, 0);
  }
}
