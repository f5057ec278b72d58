package parhelion.media.net;

/**
 * The work that a receiver of packets is ready to do itself, and that a sender may so leave to it.
 *
 * @param blankChecksums takes packets with {@link Packet.Checksum#BLANK}
 * @param tcpv4 takes packets with {@link Packet.Gso#TCPV4}
 * @param tcpv6 takes packets with {@link Packet.Gso#TCPV6}
 */
public record Offloads(boolean blankChecksums, boolean tcpv4, boolean tcpv6) {
  /** Only frames that are no longer than the MTU, with their checksums in them. */
  public static final Offloads NONE = new Offloads(false, false, false);

  /** All that a packet can tell of. */
  public static final Offloads ALL = new Offloads(true, true, true);
}
