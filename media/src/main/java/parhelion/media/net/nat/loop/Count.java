package parhelion.media.net.nat.loop;

/** What a NAT counts. The rows are those of {@code --stats}, in this order. */
public enum Count {
  RECEIVED_PACKETS("packets from guests"),
  RECEIVED_BYTES("bytes from guests"),
  SENT_PACKETS("packets to guests"),
  SENT_BYTES("bytes to guests"),
  WAKEUPS("wake-ups of the network's thread"),
  TCP_OUT("connections of guests"),
  TCP_IN("connections to guests' ports"),
  TCP_REFUSED("connections that the other side refused"),
  TCP_RESET("connections that were reset"),
  TCP_RETRANSMITTED("segments sent again"),
  TCP_OUT_OF_ORDER("segments out of order"),
  UDP_FLOWS("flows of UDP"),
  DNS_QUERIES("queries of DNS"),
  DNS_OWN("queries answered here"),
  DNS_FAILED("queries without an answer"),
  DHCP_LEASES("leases of DHCP"),
  TFTP_FILES("files by TFTP"),
  PINGS("echo requests"),
  ICMP_ERRORS("ICMP errors sent"),
  DROP_MALFORMED("dropped: malformed"),
  DROP_CHECKSUM("dropped: wrong checksum"),
  DROP_ADDRESS("dropped: address not of this network"),
  DROP_PROTOCOL("dropped: unknown protocol"),
  DROP_FRAGMENT("dropped: fragments that did not fit or came to nothing"),
  DROP_POLICY("dropped: not allowed"),
  DROP_NEIGHBOUR("dropped: no guest has the address"),
  DROP_OUTBOUND("dropped: the device took too long"),
  DROP_MEMORY("dropped: buffers are full"),
  DROP_LIMIT("dropped: too many connections, flows or queries"),
  DROP_SEGMENT("dropped: segments outside of the window or of no connection"),
  DROP_HOST("dropped: the host did not take it"),
  ERRORS("errors of our own, survived");

  private final String label;

  Count(String label) {
    this.label = label;
  }

  public String label() {
    return label;
  }
}
