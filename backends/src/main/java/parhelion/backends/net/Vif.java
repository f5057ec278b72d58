package parhelion.backends.net;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import parhelion.abi.NetifRequests.NetifRxRequest;
import parhelion.abi.NetifRequests.NetifTxRequest;
import parhelion.backends.Frontend;
import parhelion.backends.Port;
import parhelion.backends.xenbus.XenbusDevice;
import parhelion.backends.xenbus.XenbusDriver.RefusedException;
import parhelion.media.net.NetworkPort;
import parhelion.media.net.Packet;

/**
 * A network device while its frontend is connected: its queues, and the turns in which they are
 * served. A turn is work for the scheduler's thread between slices; it is asked for by the guest's
 * events and by the network, and takes all that has come together until then.
 */
final class Vif {
  /** So many packets of a ring in a turn, that others get theirs. */
  private static final int PACKETS_A_TURN = 64;

  /** How long the packets of a guest that goes on running may wait to be sent. */
  private static final long PATIENCE_NANOS = 100_000;

  /** One pair of rings with its event channels, which may be one. */
  private record Queue(TxRing tx, RxRing rx, Port txPort, Port rxPort) {}

  private final Frontend guest;
  private final NetworkPort network;
  private final Consumer<String> onBroken;
  private final VifCounts counts;
  private final MulticastList groups;
  private final List<Queue> queues = new ArrayList<>();
  private final AtomicBoolean posted = new AtomicBoolean();
  private volatile boolean closed;

  private Vif(
      Frontend guest,
      NetworkPort network,
      MulticastList groups,
      Consumer<String> onBroken,
      VifCounts counts) {
    this.guest = guest;
    this.network = network;
    this.groups = groups;
    this.onBroken = onBroken;
    this.counts = counts;
  }

  /**
   * Connects to what the frontend has published.
   *
   * @param onBroken told why the guest cannot be served any more; the vif does nothing from then on
   * @throws RefusedException if that is no good; nothing is held then
   */
  static Vif connect(
      XenbusDevice device,
      Frontend guest,
      NetworkPort network,
      int maxQueues,
      Consumer<String> onBroken,
      VifCounts counts)
      throws RefusedException {
    FrontendFeatures features = FrontendFeatures.of(device);
    MulticastList groups = new MulticastList(features.multicastControl());
    Vif vif = new Vif(guest, network, groups, onBroken, counts);
    boolean connected = false;
    try {
      boolean many = device.fromFrontend("multi-queue-num-queues") != null;
      long number = many ? FrontendFeatures.number(device, "multi-queue-num-queues") : 1;
      if (number < 1 || number > maxQueues) {
        throw new RefusedException(
            device + ": the frontend wants " + number + " queues, of at most " + maxQueues);
      }
      for (int i = 0; i < number; i++) {
        // With one queue its nodes stand in the directory itself, as they did before there were
        // several.
        vif.addQueue(device, features, number == 1 ? "" : "queue-" + i + "/");
      }
      connected = true;
    } finally {
      if (!connected) {
        vif.release();
      }
    }
    vif.wake();
    return vif;
  }

  private void addQueue(XenbusDevice device, FrontendFeatures features, String prefix)
      throws RefusedException {
    List<AutoCloseable> held = new ArrayList<>();
    try {
      NetRing tx = ring(device, prefix + "tx-ring-ref", NetifTxRequest.STRUCT.size());
      held.add(tx);
      NetRing rx = ring(device, prefix + "rx-ring-ref", NetifRxRequest.STRUCT.size());
      held.add(rx);
      Port txPort;
      Port rxPort;
      if (device.fromFrontend(prefix + "event-channel-tx") != null) {
        txPort = port(device, prefix + "event-channel-tx");
        held.add(txPort);
        rxPort = port(device, prefix + "event-channel-rx");
      } else {
        txPort = port(device, prefix + "event-channel");
        rxPort = txPort;
      }
      queues.add(
          new Queue(
              new TxRing(tx, guest, network, groups, counts),
              new RxRing(rx, guest, features, counts),
              txPort,
              rxPort));
      held.clear();
    } catch (BrokenRingException broken) {
      throw new RefusedException(device + ": " + broken.reason());
    } finally {
      held.forEach(Vif::close);
    }
  }

  private static void close(AutoCloseable held) {
    try {
      held.close();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private NetRing ring(XenbusDevice device, String name, int entryBytes)
      throws RefusedException, BrokenRingException {
    var page = guest.map(FrontendFeatures.number(device, name), true);
    try {
      return new NetRing(page, entryBytes);
    } catch (BrokenRingException e) {
      page.close();
      throw e;
    }
  }

  private Port port(XenbusDevice device, String name) throws RefusedException {
    return guest.bind(
        FrontendFeatures.number(device, name),
        () -> {
          counts.eventsFrom++;
          if (!closed && posted.compareAndSet(false, true)) {
            guest.defer(this::turn, PATIENCE_NANOS);
          }
        });
  }

  /** Has a turn done soon. Any thread. */
  void wake() {
    if (!closed && posted.compareAndSet(false, true)) {
      guest.post(this::turn);
    }
  }

  private void turn() {
    posted.set(false);
    if (closed) {
      return;
    }
    counts.turns++;
    boolean more = false;
    try {
      for (Queue queue : queues) {
        more |= serve(queue);
      }
    } catch (BrokenRingException broken) {
      closed = true;
      onBroken.accept(broken.reason());
      return;
    }
    if (more) {
      wake();
    }
  }

  private boolean serve(Queue queue) throws BrokenRingException {
    boolean more = queue.rx.run(PACKETS_A_TURN);
    more |= queue.tx.run(PACKETS_A_TURN);
    boolean sent = queue.tx.publish();
    boolean received = queue.rx.publish();
    if (sent && queue.txPort != queue.rxPort) {
      counts.eventsTo++;
      queue.txPort.notifyGuest();
    }
    if (received || (sent && queue.txPort == queue.rxPort)) {
      counts.eventsTo++;
      queue.rxPort.notifyGuest();
    }
    if (queue.rx.roomAgain()) {
      network.roomToReceive();
    }
    return more;
  }

  /** Takes a packet for the guest, if there is room. Any thread. */
  boolean receive(Packet packet) {
    int length = packet.bytes().length;
    if (closed || length < Packet.MIN_BYTES || length > Packet.MAX_BYTES || !groups.wants(packet)) {
      counts.missed++;
      return true;
    }
    boolean taken = queues.get(queueOf(packet)).rx.offer(packet);
    if (taken) {
      wake();
    } else {
      counts.held++;
    }
    return taken;
  }

  /** Packets of one flow keep their order: they go to one queue. */
  private int queueOf(Packet packet) {
    return queues.size() == 1 ? 0 : Math.floorMod(packet.flowHash(), queues.size());
  }

  /** Serves no more and lets go of the rings. Any thread; the scheduler's does the rest. */
  void disconnect() {
    closed = true;
    guest.post(this::release);
  }

  private void release() {
    closed = true;
    for (Queue queue : queues) {
      queue.tx.close();
      queue.rx.close();
      queue.txPort.close();
      if (queue.rxPort != queue.txPort) {
        queue.rxPort.close();
      }
    }
  }
}
