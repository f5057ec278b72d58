package parhelion.media.net.nat;

import static org.junit.jupiter.api.Assertions.fail;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Predicate;
import org.junit.jupiter.api.Assertions;
import parhelion.media.net.Packet;

/** A guest with TCP, at a lab's cable, which may lose, double and reorder. */
final class Guest {
  static final long SEED = Long.getLong("parhelion.seed", 1);
  private static final long REAL_LIMIT_NANOS = TimeUnit.SECONDS.toNanos(120);

  final Lab lab;
  final Random random;
  final List<GuestTcp> connections = new ArrayList<>();
  private final Deque<Packet> outbox = new ArrayDeque<>();
  private final List<Runnable> delayed = new ArrayList<>();

  /** One in so many packets, either way; 0 for none. */
  int loses;

  int doubles;
  int reorders;
  boolean applicationReads = true;

  /** What does not arrive at the guest. */
  Predicate<Received> swallows = frame -> false;

  /** What answers connections to a port of the guest. */
  Function<GuestTcp, GuestTcp> server = connection -> null;

  int nextPort = 40000;

  Guest(Lab lab, long seed) {
    this.lab = lab;
    this.random = new Random(seed);
  }

  long millis() {
    return TimeUnit.NANOSECONDS.toMillis(lab.now);
  }

  GuestTcp connect(byte[] to, int port) {
    byte[] me = to.length == 16 ? Lab.GUEST6 : Lab.GUEST;
    GuestTcp connection = new GuestTcp(this, me, nextPort++, to, port);
    connections.add(connection);
    return connection;
  }

  void transmit(Packet packet) {
    passes(() -> outbox.add(packet));
  }

  private void passes(Runnable delivery) {
    if (chance(loses)) {
      return;
    }
    if (chance(reorders)) {
      delayed.add(delivery);
      return;
    }
    delivery.run();
    if (chance(doubles)) {
      delivery.run();
    }
  }

  private boolean chance(int oneIn) {
    return oneIn > 0 && random.nextInt(oneIn) == 0;
  }

  /** One round: the NAT's turn, the cable, the guest's turn. */
  boolean round() {
    lab.nat.step(0);
    boolean moved = !lab.received.isEmpty() || !outbox.isEmpty();
    List<Runnable> late = List.copyOf(delayed);
    delayed.clear();
    Received frame;
    while ((frame = lab.received.poll()) != null) {
      Received arrived = frame;
      if (!swallows.test(arrived)) {
        passes(() -> arrived(arrived));
      }
    }
    late.forEach(Runnable::run);
    if (lab.refused) {
      lab.refused = false;
      lab.nat.roomToReceive();
    }
    List.copyOf(connections).forEach(GuestTcp::act);
    while (!outbox.isEmpty() && lab.nat.send(outbox.peek())) {
      outbox.remove();
    }
    return moved;
  }

  private void arrived(Received frame) {
    if (frame.protocol() != 6) {
      return;
    }
    for (GuestTcp connection : connections) {
      if (connection.port == frame.toPort()
          && connection.peerPort == frame.fromPort()
          && Arrays.equals(connection.peer, frame.from())) {
        connection.arrived(frame);
        return;
      }
    }
    boolean opens = (frame.payload()[13] & (GuestTcp.SYN | GuestTcp.ACK)) == GuestTcp.SYN;
    GuestTcp fresh = new GuestTcp(this, frame.to(), frame.toPort(), frame.from(), frame.fromPort());
    GuestTcp accepted = opens ? server.apply(fresh) : null;
    if (accepted != null) {
      connections.add(accepted);
      accepted.arrived(frame);
    } else if (opens) {
      fresh.peerInitial = Frame.read32(frame.payload(), 4);
      fresh.transmit(0, GuestTcp.RST | GuestTcp.ACK, 0, new byte[0], new byte[0]);
    }
  }

  /** Rounds until the condition holds; time passes, a millisecond in each idle round. */
  void until(String what, BooleanSupplier condition) {
    long end = System.nanoTime() + REAL_LIMIT_NANOS;
    int idle = 0;
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - end > 0) {
        fail("still waiting for: " + what + ", " + lab.nat.stack().tcp().describe());
      }
      if (round()) {
        idle = 0;
      } else if (idle++ > 2) {
        // Threads of the host have to run, too; their time is not the guest's.
        lab.nat.step(TimeUnit.MICROSECONDS.toNanos(200));
        lab.now += TimeUnit.MILLISECONDS.toNanos(1);
      }
    }
  }

  /** Lets time pass. */
  void pass(long millis) {
    long end = lab.now + TimeUnit.MILLISECONDS.toNanos(millis);
    while (lab.now - end < 0) {
      while (round()) {
        Assertions.assertTrue(connections.size() < 100_000);
      }
      lab.now += TimeUnit.MILLISECONDS.toNanos(Math.max(millis / 1000, 1));
    }
  }
}
