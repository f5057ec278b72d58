package parhelion.media.net;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * An Ethernet switch that devices of any domains are plugged into. It learns who is behind which
 * port, floods what it has not learnt, and keeps no packet itself: a packet is handed to its
 * receiver by the thread that sends it, as large and unfinished as it is.
 *
 * <p>A receiver without room holds its senders back, so that nothing is lost; but one that takes
 * nothing for {@link #STALL_MILLIS} at a stretch loses what is sent to it until it takes packets
 * again, so that it cannot hold others for ever. What goes to all is never held back: who has no
 * room misses it.
 *
 * <p>Any thread. The switch calls receivers without a lock of its own held.
 */
public final class VirtualSwitch implements AutoCloseable {
  /** How long a receiver may take nothing, in milliseconds, before it is not waited for. */
  public static final long STALL_MILLIS = 5_000;

  /** Addresses that are learnt behind one port; the oldest are forgotten first. */
  public static final int ADDRESSES_PER_PORT = 256;

  /** An address that has not been heard of for so long is forgotten, as in other switches. */
  public static final long AGEING_NANOS = TimeUnit.MINUTES.toNanos(5);

  private static final long REFRESH_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** 802.1D: frames for these are between neighbours and are never passed on. */
  private static final long RESERVED = 0x0180_c200_0000L;

  /**
   * How a device is plugged in.
   *
   * @param isolated it reaches, and is reached from, only ports that are not isolated: the way out
   * @param onlyMac if not null, what it sends comes from this address, and nobody else's does
   */
  public record PortOptions(boolean isolated, @Nullable MacAddress onlyMac) {
    public static final PortOptions PLAIN = new PortOptions(false, null);
  }

  private record Learnt(Port port, long nanos) {}

  private final String name;
  private final LongSupplier clock;
  private final Executor afterStall;
  private final List<Port> ports = new CopyOnWriteArrayList<>();

  /** Guarded by itself, and with it every port's own table. */
  private final Map<Long, Learnt> learnt = new HashMap<>();

  private final Map<Long, Port> reserved = new HashMap<>();
  private final AtomicLong dropped = new AtomicLong();

  /** A switch with no device. */
  public VirtualSwitch(String name) {
    this(
        name,
        System::nanoTime,
        CompletableFuture.delayedExecutor(STALL_MILLIS, TimeUnit.MILLISECONDS));
  }

  /**
   * For tests: with a clock in nanoseconds, and what runs work once {@link #STALL_MILLIS} has
   * passed.
   */
  VirtualSwitch(String name, LongSupplier clock, Executor afterStall) {
    this.name = name;
    this.clock = clock;
    this.afterStall = afterStall;
  }

  /** Makes a new port; it is there until it is closed. */
  public NetworkPort plug(PortOptions options) {
    Port port = new Port(options);
    if (options.onlyMac != null) {
      synchronized (learnt) {
        if (reserved.putIfAbsent(options.onlyMac.bits(), port) != null) {
          throw new IllegalArgumentException(
              options.onlyMac + " is plugged into " + this + " already");
        }
      }
    }
    ports.add(port);
    return port;
  }

  /** Packets that were not passed on: to who took none, from who must not send them. */
  public long dropped() {
    return dropped.get();
  }

  /** Addresses that are known now. */
  int addresses() {
    synchronized (learnt) {
      return learnt.size();
    }
  }

  @Override
  public void close() {
    ports.forEach(Port::close);
  }

  @Override
  public String toString() {
    return "switch " + name;
  }

  /** A socket of the switch. */
  private final class Port implements NetworkPort {
    private final PortOptions options;

    /** What was learnt behind this port, oldest first; guarded by {@link #learnt}. */
    private final LinkedHashMap<Long, Learnt> own = new LinkedHashMap<>();

    private volatile @Nullable Receiver receiver;

    /** Who waits for this port's receiver; guarded by this, as what follows. */
    private final Set<Port> waiting = new LinkedHashSet<>();

    /** Counts the times that the receiver had room: if none came while time ran, it has stalled. */
    private long rooms;

    /** A timer runs. */
    private boolean timed;

    private volatile boolean stalled;

    Port(PortOptions options) {
      this.options = options;
    }

    @Override
    public void connect(Receiver device) {
      receiver = device;
    }

    @Override
    public boolean send(Packet packet) {
      byte[] frame = packet.bytes();
      if (frame.length < Packet.MIN_BYTES) {
        return drop();
      }
      long to = MacAddress.bits(frame, 0);
      long from = MacAddress.bits(frame, 6);
      if ((to & ~0xfL) == RESERVED || !mayBeFrom(from)) {
        return drop();
      }
      Port target = learnAndFind(from, to);
      if (target == null) {
        flood(packet);
        return true;
      }
      return target == this || !reaches(target) ? drop() : target.deliver(packet, this);
    }

    private boolean drop() {
      dropped.incrementAndGet();
      return true;
    }

    private boolean reaches(Port target) {
      return !options.isolated || !target.options.isolated;
    }

    private boolean mayBeFrom(long mac) {
      if (MacAddress.isGroup(mac)) {
        return false;
      }
      if (options.onlyMac != null) {
        return options.onlyMac.bits() == mac;
      }
      synchronized (learnt) {
        return !reserved.containsKey(mac);
      }
    }

    /** The port that {@code to} is behind, or null if it is not known or a group. */
    private @Nullable Port learnAndFind(long from, long to) {
      long now = clock.getAsLong();
      synchronized (learnt) {
        Learnt before = learnt.get(from);
        if (before == null || before.port != this || now - before.nanos > REFRESH_NANOS) {
          learn(from, before, now);
        }
        if (MacAddress.isGroup(to)) {
          return null;
        }
        Port fixed = reserved.get(to);
        if (fixed != null) {
          return fixed;
        }
        Learnt found = learnt.get(to);
        return found == null || now - found.nanos > AGEING_NANOS ? null : found.port;
      }
    }

    private void learn(long mac, @Nullable Learnt before, long now) {
      if (before != null) {
        before.port.own.remove(mac);
      }
      if (own.size() == ADDRESSES_PER_PORT) {
        long oldest = own.firstEntry().getKey();
        own.remove(oldest);
        learnt.remove(oldest);
      }
      Learnt entry = new Learnt(this, now);
      own.put(mac, entry);
      learnt.put(mac, entry);
    }

    /**
     * Hands a packet to a device that may not take all that a packet can be; false if it has no
     * room. Of the segments of one, those that it has no room for any more are lost.
     */
    private boolean give(Receiver device, Packet packet) {
      if (device.offloads().equals(Offloads.ALL)) {
        return device.receive(packet);
      }
      int given = 0;
      List<Packet> completed = SoftwareOffload.complete(packet, device.offloads());
      for (Packet each : completed) {
        if (!device.receive(each)) {
          break;
        }
        given++;
      }
      if (given > 0) {
        dropped.addAndGet(completed.size() - given);
      }
      return given > 0 || completed.isEmpty();
    }

    private void flood(Packet packet) {
      for (Port target : ports) {
        Receiver device = target.receiver;
        if (target != this && device != null && reaches(target) && !give(device, packet)) {
          dropped.incrementAndGet();
        }
      }
    }

    /** Hands a packet to this port's device; false if {@code sender} is to wait. */
    private boolean deliver(Packet packet, Port sender) {
      Receiver device = receiver;
      if (device == null) {
        return drop();
      }
      if (give(device, packet)) {
        stalled = false;
        return true;
      }
      if (stalled) {
        return drop();
      }
      synchronized (this) {
        waiting.add(sender);
        if (!timed) {
          timed = true;
          time();
        }
      }
      // There may have been room again before the sender stood in the list.
      if (!give(device, packet)) {
        return false;
      }
      synchronized (this) {
        waiting.remove(sender);
        rooms++;
      }
      return true;
    }

    private synchronized void time() {
      long seen = rooms;
      afterStall.execute(() -> giveUp(seen));
    }

    private void giveUp(long seen) {
      synchronized (this) {
        timed = !waiting.isEmpty() && rooms != seen;
        if (timed) {
          time();
          return;
        }
        if (waiting.isEmpty()) {
          return;
        }
        stalled = true;
      }
      letThemSend();
    }

    @Override
    public void roomToReceive() {
      stalled = false;
      letThemSend();
    }

    private void letThemSend() {
      List<Port> them;
      synchronized (this) {
        them = List.copyOf(waiting);
        waiting.clear();
        rooms++;
      }
      for (Port sender : them) {
        Receiver device = sender.receiver;
        if (device != null) {
          device.roomToSend();
        }
      }
    }

    @Override
    public void close() {
      receiver = null;
      if (ports.remove(this)) {
        synchronized (learnt) {
          own.keySet().forEach(learnt::remove);
          own.clear();
          if (options.onlyMac != null) {
            reserved.remove(options.onlyMac.bits());
          }
        }
        letThemSend();
      }
    }
  }
}
