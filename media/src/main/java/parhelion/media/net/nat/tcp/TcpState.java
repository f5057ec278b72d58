package parhelion.media.net.nat.tcp;

/** The states of a connection towards the guest (RFC 9293, section 3.3.2), and one of our own. */
enum TcpState {
  /** The guest's SYN is here, and waits until the host's socket is connected. */
  CONNECTING,
  SYN_SENT,
  SYN_RECEIVED,
  ESTABLISHED,
  FIN_WAIT_1,
  FIN_WAIT_2,
  CLOSE_WAIT,
  CLOSING,
  LAST_ACK,
  TIME_WAIT,
  CLOSED;

  boolean isOpening() {
    return this == CONNECTING || this == SYN_SENT || this == SYN_RECEIVED;
  }

  /** Whether the guest may still send data. */
  boolean receives() {
    return this == ESTABLISHED || this == FIN_WAIT_1 || this == FIN_WAIT_2;
  }

  /** Whether data may still be sent to the guest. */
  boolean sends() {
    return this == ESTABLISHED || this == CLOSE_WAIT;
  }
}
