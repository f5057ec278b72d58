package parhelion.media.net;

import java.util.Map;

/**
 * A socket of a network that one network device is plugged into: a port of the virtual switch, or
 * of user-mode NAT. Methods may be called by any thread and do not block.
 *
 * <p>Back-pressure goes both ways: {@link #send} refuses what the network has no room for, and
 * calls {@link Receiver#roomToSend} when it has again; a {@link Receiver} that refuses a packet
 * calls {@link #roomToReceive}. What is refused stays with the sender.
 *
 * <p>A network takes packets with whatever work was left in them; a device says what it takes by
 * {@link Receiver#offloads}. {@link SoftwareOffload} does the work for who cannot.
 */
public interface NetworkPort extends AutoCloseable {
  /**
   * The device's side. Called by a thread of the network's own, or of another device; must not
   * block.
   */
  interface Receiver {
    /**
     * Takes a packet; false if there is no room, which ends with {@link NetworkPort#roomToReceive}.
     */
    boolean receive(Packet packet);

    /** There is room again after a {@link NetworkPort#send} that was refused. */
    void roomToSend();

    /**
     * What may be left to this receiver now; a sender asks for each packet, as a device's driver
     * may be replaced by one that takes less.
     */
    default Offloads offloads() {
      return Offloads.NONE;
    }
  }

  /** Names the device; before anything is sent. */
  void connect(Receiver receiver);

  /**
   * Takes a packet into the network; false if there is no room, which ends with {@link
   * Receiver#roomToSend}.
   */
  boolean send(Packet packet);

  /** The receiver has room again after it refused a packet. */
  void roomToReceive();

  /** What the network has counted, for {@code --stats}, in the order in which it is shown. */
  default Map<String, Long> counts() {
    return Map.of();
  }

  /** Unplugs the device: nothing is received any more. */
  @Override
  void close();
}
