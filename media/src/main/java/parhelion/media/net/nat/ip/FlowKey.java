package parhelion.media.net.nat.ip;

import parhelion.media.net.nat.wire.IpAddress;

/** The two ends of a flow, as the guest sees them. */
public record FlowKey(IpAddress guest, int guestPort, IpAddress peer, int peerPort) {
  @Override
  public int hashCode() {
    long mixed = guest.low() * 31 + peer.low() * 0x9e3779b97f4a7c15L + peer.high() + guest.high();
    mixed += ((long) guestPort << 16 | peerPort) * 0xff51afd7ed558ccdL;
    return (int) (mixed ^ mixed >>> 32);
  }
}
