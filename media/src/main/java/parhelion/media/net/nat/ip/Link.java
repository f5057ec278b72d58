package parhelion.media.net.nat.ip;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.NetworkPort;
import parhelion.media.net.Offloads;
import parhelion.media.net.Packet;
import parhelion.media.net.nat.loop.Count;
import parhelion.media.net.nat.loop.Counts;

/**
 * The way to the device. What it refuses waits here; while anything does, {@link #isOpen} says no
 * and whoever can wait makes no more packets.
 */
public final class Link {
  private final Supplier<NetworkPort.@Nullable Receiver> receiver;
  private final Counts counts;
  private final int maxWaiting;
  private final Deque<Packet> waiting = new ArrayDeque<>();

  public Link(Supplier<NetworkPort.@Nullable Receiver> receiver, Counts counts, int maxWaiting) {
    this.receiver = receiver;
    this.counts = counts;
    this.maxWaiting = maxWaiting;
  }

  /** What the device is ready to do itself. */
  public Offloads offloads() {
    NetworkPort.Receiver device = receiver.get();
    return device == null ? Offloads.NONE : device.offloads();
  }

  /** Whether the device takes packets, as far as we know. */
  public boolean isOpen() {
    return waiting.isEmpty();
  }

  public void send(Packet packet) {
    if (!waiting.isEmpty() || !offer(packet)) {
      if (waiting.size() < maxWaiting) {
        waiting.add(packet);
      } else {
        counts.add(Count.DROP_OUTBOUND);
      }
    }
  }

  /** The device has room again: sends what waits; true if nothing waits any more. */
  public boolean resume() {
    while (!waiting.isEmpty() && offer(waiting.getFirst())) {
      waiting.removeFirst();
    }
    return waiting.isEmpty();
  }

  /** Drops what waits. */
  public void clear() {
    waiting.clear();
  }

  private boolean offer(Packet packet) {
    NetworkPort.Receiver device = receiver.get();
    if (device == null) {
      counts.add(Count.DROP_OUTBOUND);
      return true;
    }
    if (!device.receive(packet)) {
      return false;
    }
    counts.add(Count.SENT_PACKETS);
    counts.add(Count.SENT_BYTES, packet.bytes().length);
    return true;
  }
}
