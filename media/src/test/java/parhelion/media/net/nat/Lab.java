package parhelion.media.net.nat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import parhelion.media.net.NetworkPort;
import parhelion.media.net.Offloads;
import parhelion.media.net.Packet;
import parhelion.media.net.nat.config.NatConfig;
import parhelion.media.net.nat.loop.Count;

/**
 * A NAT that the test runs turn by turn, with a clock of the test's, and the guest's end of its
 * cable.
 */
final class Lab implements NetworkPort.Receiver, AutoCloseable {
  static final byte[] MAC = Frame.hex("02:00:00:00:00:01");
  static final byte[] GATEWAY_MAC = Frame.hex("02:00:50:48:00:02");
  static final byte[] GUEST = {10, 0, 2, 15};
  static final byte[] GATEWAY = {10, 0, 2, 2};
  static final byte[] DNS = {10, 0, 2, 3};
  static final byte[] GUEST6 = Frame.hex("fd506172 68656c00 00000000 00000099");
  static final byte[] GATEWAY6 = Frame.hex("fd506172 68656c00 00000000 00000002");
  static final byte[] DNS6 = Frame.hex("fd506172 68656c00 00000000 00000003");

  private static final long REAL_LIMIT_NANOS = TimeUnit.SECONDS.toNanos(60);

  final NatNetwork nat;
  final Deque<Received> received = new ArrayDeque<>();
  Offloads offloads = Offloads.NONE;
  int room = Integer.MAX_VALUE;
  boolean refused;
  int roomToSend;
  long now = 1_000_000_000L;

  Lab(NatConfig config) {
    nat = NatNetwork.stepped(config, () -> now);
    nat.connect(this);
  }

  @Override
  public boolean receive(Packet packet) {
    if (received.size() >= room) {
      refused = true;
      return false;
    }
    received.add(Received.of(packet));
    return true;
  }

  @Override
  public void roomToSend() {
    roomToSend++;
  }

  @Override
  public Offloads offloads() {
    return offloads;
  }

  void send(byte[] frame) {
    nat.send(Packet.of(frame));
  }

  void sendIpv4(byte[] packet) {
    send(Frame.ethernet(GATEWAY_MAC, MAC, 0x800, packet));
  }

  void sendIpv6(byte[] packet) {
    send(Frame.ethernet(GATEWAY_MAC, MAC, 0x86dd, packet));
  }

  /** Lets the NAT do what can be done now, without waiting. */
  void step() {
    nat.step(0);
    nat.step(0);
  }

  /** Time passes. */
  void pass(long millis) {
    now += TimeUnit.MILLISECONDS.toNanos(millis);
    step();
  }

  /** Runs the NAT until the condition holds; the test's clock stands still meanwhile. */
  void until(String what, BooleanSupplier condition) {
    long end = System.nanoTime() + REAL_LIMIT_NANOS;
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - end > 0) {
        fail("still waiting for: " + what);
      }
      nat.step(TimeUnit.MILLISECONDS.toNanos(1));
    }
  }

  /** Runs the NAT until it sends such a frame; those before it are dropped. */
  Received await(String what, Predicate<Received> wanted) {
    Received[] found = new Received[1];
    until(
        what,
        () -> {
          while (found[0] == null && !received.isEmpty()) {
            Received next = received.poll();
            found[0] = wanted.test(next) ? next : null;
          }
          return found[0] != null;
        });
    return found[0];
  }

  long count(Count count) {
    return nat.count(count);
  }

  @Override
  public void close() {
    nat.close();
    assertEquals(0, count(Count.ERRORS), "no error of its own");
  }
}
