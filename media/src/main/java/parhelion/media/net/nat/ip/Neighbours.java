package parhelion.media.net.nat.ip;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.nat.wire.IpAddress;
import parhelion.media.net.nat.wire.MacAddress;

/**
 * Which guest has which address: learned from what guests send. A bounded number is kept, the last
 * used; so are a few frames for a guest that has been asked for and has not answered.
 */
final class Neighbours {
  private static final int MAX_WAITING = 4;

  private static final class Neighbour {
    @Nullable MacAddress mac;
    final List<byte[]> waiting = new ArrayList<>();
  }

  private final Map<IpAddress, Neighbour> known;

  Neighbours(int max) {
    known =
        new LinkedHashMap<>(16, 0.75f, true) {
          private static final long serialVersionUID = 1L;

          @Override
          protected boolean removeEldestEntry(Map.Entry<IpAddress, Neighbour> eldest) {
            return size() > max;
          }
        };
  }

  @Nullable MacAddress find(IpAddress address) {
    Neighbour neighbour = known.get(address);
    return neighbour == null ? null : neighbour.mac;
  }

  /** Learns an address; what waited for it comes back. */
  List<byte[]> learn(IpAddress address, MacAddress mac) {
    Neighbour neighbour = known.computeIfAbsent(address, unknown -> new Neighbour());
    neighbour.mac = mac;
    if (neighbour.waiting.isEmpty()) {
      return List.of();
    }
    List<byte[]> waited = List.copyOf(neighbour.waiting);
    neighbour.waiting.clear();
    return waited;
  }

  /** Keeps a frame until the address is learned; false if too many wait already. */
  boolean await(IpAddress address, byte[] frame) {
    List<byte[]> waiting = known.computeIfAbsent(address, unknown -> new Neighbour()).waiting;
    return waiting.size() < MAX_WAITING && waiting.add(frame);
  }

  /** Forgets all: the device is another. */
  void clear() {
    known.clear();
  }
}
