package parhelion.media.net.nat;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.NetworkPort;
import parhelion.media.net.Packet;
import parhelion.media.net.nat.config.NatConfig;
import parhelion.media.net.nat.config.NatException;
import parhelion.media.net.nat.config.PortForward;
import parhelion.media.net.nat.config.Transport;
import parhelion.media.net.nat.loop.Count;
import parhelion.media.net.nat.loop.Counts;
import parhelion.media.net.nat.loop.EventLoop;
import parhelion.media.net.nat.tcp.TcpForward;
import parhelion.media.net.nat.udp.UdpForward;

/**
 * User-mode NAT as a network port: plug a guest's device into it, or a switch's port if several
 * guests are to share it.
 *
 * <p>Packets are taken as they come from the device, with segmentation and checksums left undone,
 * and given back so as far as the receiver's {@link NetworkPort.Receiver#offloads} allow. One
 * thread of its own runs all of it and calls the receiver; every method here may be called by any
 * thread.
 */
public final class NatNetwork implements NetworkPort {
  private static final long CLOSE_MILLIS = 2000;

  private final NatConfig config;
  private final Counts counts = new Counts();
  private final List<PortForward> forwards = new ArrayList<>();
  private final EventLoop loop;
  private final NatStack stack;
  private final @Nullable Thread thread;

  private final Object lock = new Object();
  private Deque<Packet> inbound = new ArrayDeque<>();
  private Deque<Packet> spare = new ArrayDeque<>();
  private long inboundBytes;
  private boolean refused;

  private volatile @Nullable Receiver receiver;
  private volatile boolean roomToReceive;
  private volatile boolean closed;

  private NatNetwork(NatConfig config, LongSupplier clock, boolean threaded) {
    this.config = config;
    this.loop = new EventLoop(clock, counts, this::turn, this::flush);
    this.stack = new NatStack(config, loop, counts, () -> closed ? null : receiver);
    this.thread = threaded ? new Thread(this::run, "nat") : null;
    List<TcpForward> tcp = new ArrayList<>();
    List<UdpForward> udp = new ArrayList<>();
    try {
      for (PortForward forward : config.forwards()) {
        if (forward.transport() == Transport.TCP) {
          tcp.add(TcpForward.bind(forward));
          forwards.add(tcp.getLast().forward());
        } else {
          udp.add(UdpForward.bind(forward));
          forwards.add(udp.getLast().forward());
        }
      }
      stack.start(tcp, udp);
    } catch (NatException | IOException failed) {
      tcp.forEach(TcpForward::close);
      udp.forEach(UdpForward::close);
      loop.close();
      throw failed instanceof NatException ours
          ? ours
          : new NatException("network: " + failed.getMessage(), failed);
    }
  }

  /**
   * Opens the network, with its thread.
   *
   * @throws NatException if a port of a forward cannot be had
   */
  public static NatNetwork open(NatConfig config) {
    NatNetwork network = new NatNetwork(config, System::nanoTime, true);
    Thread thread = network.thread;
    if (thread != null) {
      thread.setDaemon(true);
      thread.start();
    }
    return network;
  }

  /**
   * Opens the network without a thread: {@link #step} is what runs it. The clock gives nanoseconds.
   */
  static NatNetwork stepped(NatConfig config, LongSupplier clock) {
    return new NatNetwork(config, clock, false);
  }

  /** The port forwards, with the ports that the host picked where it was asked to. */
  public List<PortForward> forwards() {
    return List.copyOf(forwards);
  }

  /** What has been counted, without what has not. */
  @Override
  public Map<String, Long> counts() {
    Map<String, Long> counted = new LinkedHashMap<>();
    for (Count count : Count.values()) {
      if (counts.get(count) != 0) {
        counted.put("nat: " + count.label(), counts.get(count));
      }
    }
    return counted;
  }

  /** How often one thing happened. */
  public long count(Count count) {
    return counts.get(count);
  }

  @Override
  public void connect(Receiver device) {
    boolean another = receiver != null;
    receiver = device;
    if (another) {
      loop.post(stack::reset);
    }
    roomToReceive();
  }

  @Override
  public boolean send(Packet packet) {
    synchronized (lock) {
      if (closed) {
        return true; // As a cable that leads nowhere.
      }
      boolean full =
          inbound.size() >= config.limits().inboundPackets()
              || inboundBytes >= config.limits().inboundBytes();
      if (full) {
        refused = true;
        return false;
      }
      inbound.add(packet);
      inboundBytes += packet.bytes().length;
      if (inbound.size() > 1) {
        return true; // The first one has woken the thread.
      }
    }
    loop.wake();
    return true;
  }

  @Override
  public void roomToReceive() {
    roomToReceive = true;
    loop.wake();
  }

  @Override
  public void close() {
    synchronized (lock) {
      if (closed) {
        return;
      }
      closed = true;
      inbound.clear();
    }
    Thread running = thread;
    if (running == null) {
      stack.close();
      loop.close();
      return;
    }
    loop.wake();
    if (Thread.currentThread() != running) {
      try {
        running.join(CLOSE_MILLIS);
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** One turn of the loop; waits for something to do, but not longer than this. */
  void step(long maxWaitNanos) {
    loop.step(maxWaitNanos);
  }

  private void run() {
    try {
      while (!closed) {
        loop.step(TimeUnit.DAYS.toNanos(1));
      }
    } finally {
      stack.close();
      loop.close();
    }
  }

  private void turn() {
    if (roomToReceive) {
      roomToReceive = false;
      stack.roomToReceive();
    }
    Deque<Packet> packets;
    boolean tellRoom;
    synchronized (lock) {
      packets = inbound;
      inbound = spare;
      spare = packets;
      inboundBytes = 0;
      tellRoom = refused;
      refused = false;
    }
    while (!packets.isEmpty()) {
      Packet packet = packets.removeFirst();
      loop.guarded(() -> stack.receive(packet));
    }
    stack.flush();
    Receiver device = receiver;
    if (tellRoom && device != null) {
      device.roomToSend();
    }
  }

  private void flush() {
    stack.flush();
  }

  /** For tests: what the network is made of. */
  NatStack stack() {
    return stack;
  }
}
