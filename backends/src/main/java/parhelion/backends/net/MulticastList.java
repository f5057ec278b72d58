package parhelion.backends.net;

import java.util.HashSet;
import java.util.Set;
import parhelion.media.net.MacAddress;
import parhelion.media.net.Packet;

/**
 * The groups that a guest wants to hear, if it wants to choose. Changed by the scheduler's thread,
 * asked by any.
 */
final class MulticastList {
  /** As in Linux's backend. */
  static final int MAX_GROUPS = 64;

  private final boolean controlled;
  private final Set<MacAddress> groups = new HashSet<>();

  /** All groups, unless {@code controlled}: then none until it is added. */
  MulticastList(boolean controlled) {
    this.controlled = controlled;
  }

  /** False if the list is full or the guest does not control it. */
  synchronized boolean add(MacAddress group) {
    return controlled
        && (groups.contains(group) || (groups.size() < MAX_GROUPS && groups.add(group)));
  }

  synchronized void remove(MacAddress group) {
    groups.remove(group);
  }

  /** Whether the guest wants a packet, as far as groups go. */
  boolean wants(Packet packet) {
    if (!controlled) {
      return true;
    }
    MacAddress to = MacAddress.of(packet.bytes(), 0);
    if (!to.isGroup() || to.equals(MacAddress.BROADCAST)) {
      return true;
    }
    synchronized (this) {
      return groups.contains(to);
    }
  }
}
