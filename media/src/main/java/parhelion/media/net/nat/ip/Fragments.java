package parhelion.media.net.nat.ip;

import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.Packet;
import parhelion.media.net.nat.loop.Count;
import parhelion.media.net.nat.loop.Counts;
import parhelion.media.net.nat.loop.EventLoop;
import parhelion.media.net.nat.loop.Timer;
import parhelion.media.net.nat.wire.IpAddress;

/**
 * Puts fragments of IP together. Memory is bounded by dropping the oldest incomplete datagram, and
 * what is not whole after a while is dropped, too. Overlapping fragments drop their datagram (RFC
 * 5722), in IPv4 as well: only attacks have them.
 */
final class Fragments {
  private static final long TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(15);
  private static final int MAX_PAYLOAD = 65535;
  private static final int UNIT = 8;

  private record Key(IpAddress from, IpAddress to, int protocol, int id) {}

  private static final class Partial {
    final long deadlineNanos;
    byte[] bytes = new byte[0];
    final BitSet units = new BitSet();
    int headerBytes;
    int total = -1;
    int end;
    @Nullable Datagram first;

    Partial(long deadlineNanos) {
      this.deadlineNanos = deadlineNanos;
    }

    int held() {
      return bytes.length + 256;
    }
  }

  private final int maxBytes;
  private final EventLoop loop;
  private final Counts counts;
  private final Timer expiry;
  private final Map<Key, Partial> partials = new LinkedHashMap<>();
  private int held;

  Fragments(int maxBytes, EventLoop loop, Counts counts) {
    this.maxBytes = maxBytes;
    this.loop = loop;
    this.counts = counts;
    this.expiry = loop.timer(this::expire);
  }

  /**
   * Adds a fragment.
   *
   * @param fragment its payload is the part of the datagram's
   * @param offset of that part in bytes
   * @return the whole datagram if this was the last missing part
   */
  @Nullable Datagram add(Datagram fragment, int id, int offset, boolean more) {
    Key key = new Key(fragment.from(), fragment.to(), fragment.protocol(), id);
    int end = offset + fragment.length();
    boolean odd = more && fragment.length() % UNIT != 0 || fragment.length() == 0;
    if (odd || end > MAX_PAYLOAD) {
      counts.add(Count.DROP_FRAGMENT);
      return null;
    }
    Partial partial = partials.computeIfAbsent(key, fresh -> fresh());
    int firstUnit = offset / UNIT;
    int endUnit = (end + UNIT - 1) / UNIT;
    int taken = partial.units.nextSetBit(firstUnit);
    boolean overlaps = taken >= 0 && taken < endUnit;
    boolean beyond = partial.total >= 0 && (end > partial.total || !more);
    boolean shortened = !more && end < partial.end;
    if (overlaps || beyond || shortened) {
      drop(key, partial);
      return null;
    }
    partial.units.set(firstUnit, endUnit);
    partial.end = Math.max(partial.end, end);
    partial.total = more ? partial.total : end;
    grow(partial, fragment.at() - fragment.ipAt(), end);
    if (offset == 0) {
      partial.first = fragment;
    }
    System.arraycopy(fragment.bytes(), fragment.at(), partial.bytes, offset, fragment.length());
    boolean whole =
        partial.total >= 0
            && partial.units.cardinality() == (partial.total + UNIT - 1) / UNIT
            && partial.first != null;
    if (whole) {
      held -= partial.held();
      partials.remove(key);
      return datagram(partial);
    }
    while (held > maxBytes) {
      Map.Entry<Key, Partial> oldest = partials.entrySet().iterator().next();
      drop(oldest.getKey(), oldest.getValue());
    }
    return null;
  }

  private Partial fresh() {
    Partial partial = new Partial(loop.now() + TIMEOUT_NANOS);
    held += partial.held();
    expiry.startIn(TIMEOUT_NANOS);
    return partial;
  }

  private void grow(Partial partial, int headerBytes, int end) {
    partial.headerBytes = Math.max(partial.headerBytes, headerBytes);
    if (partial.bytes.length < end) {
      held -= partial.held();
      int size = partial.total >= 0 ? end : Math.min(MAX_PAYLOAD, Math.max(end * 2, 4096));
      partial.bytes = Arrays.copyOf(partial.bytes, size);
      held += partial.held();
    }
  }

  /** The headers of the first fragment in front of the payload of all. */
  private static @Nullable Datagram datagram(Partial partial) {
    Datagram first = partial.first;
    if (first == null) {
      return null;
    }
    int headerBytes = first.at();
    byte[] whole = new byte[headerBytes + partial.total];
    System.arraycopy(first.bytes(), 0, whole, 0, headerBytes);
    System.arraycopy(partial.bytes, 0, whole, headerBytes, partial.total);
    return new Datagram(
        new Packet(whole, first.packet().checksum(), Packet.Gso.NONE, 0),
        first.mac(),
        first.from(),
        first.to(),
        first.ipAt(),
        first.protocol(),
        headerBytes,
        partial.total);
  }

  private void drop(Key key, Partial partial) {
    counts.add(Count.DROP_FRAGMENT);
    held -= partial.held();
    partials.remove(key);
  }

  private void expire() {
    long now = loop.now();
    while (!partials.isEmpty()) {
      Map.Entry<Key, Partial> oldest = partials.entrySet().iterator().next();
      long left = oldest.getValue().deadlineNanos - now;
      if (left > 0) {
        expiry.setIn(left);
        return;
      }
      drop(oldest.getKey(), oldest.getValue());
    }
  }
}
