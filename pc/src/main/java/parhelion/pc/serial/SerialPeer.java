package parhelion.pc.serial;

/**
 * What is at the other end of a serial line. Called on the thread that runs the machine; must not
 * block.
 */
@FunctionalInterface
public interface SerialPeer {
  /** Takes a byte; false if there is no room, and the sender is to try again later. */
  boolean send(byte value);
}
