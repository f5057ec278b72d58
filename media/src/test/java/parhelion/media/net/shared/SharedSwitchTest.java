package parhelion.media.net.shared;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import parhelion.media.net.Frames;
import parhelion.media.net.MacAddress;
import parhelion.media.net.NetworkPort;
import parhelion.media.net.Offloads;
import parhelion.media.net.Packet;
import parhelion.media.net.SoftwareOffload;
import parhelion.media.net.VirtualSwitch.PortOptions;

/** Processes on one switch, all of them in this one: the socket between them is the same. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
final class SharedSwitchTest {
  @TempDir Path directory;

  private final List<Station> stations = new ArrayList<>();

  private final class Station implements NetworkPort.Receiver {
    final MacAddress mac;
    final SharedSwitch port;
    final List<Packet> received = new ArrayList<>();
    final Semaphore roomToSend = new Semaphore(0);
    boolean room = true;

    Station(int number, String lan, PortOptions options) throws IOException {
      mac = MacAddress.ofDevice(number, 0);
      port = SharedSwitch.join(directory, lan, options);
      port.connect(this);
      stations.add(this);
    }

    @Override
    public synchronized boolean receive(Packet packet) {
      if (room) {
        received.add(packet);
        notifyAll();
      }
      return room;
    }

    synchronized void setRoom(boolean now) {
      room = now;
    }

    synchronized int heard(int length) {
      return (int) received.stream().filter(each -> each.bytes().length == length).count();
    }

    synchronized int heard() {
      return received.size();
    }

    @Override
    public Offloads offloads() {
      return Offloads.ALL;
    }

    @Override
    public void roomToSend() {
      roomToSend.release();
    }

    void send(MacAddress to, int length) {
      assertTrue(port.send(Packet.of(Frames.plain(to, mac, length))));
    }

    /** Sends to all until the other one hears it, as it may have to be connected first. */
    void reach(Station other) throws InterruptedException {
      int before = other.heard();
      await(
          () -> {
            send(MacAddress.BROADCAST, 60);
            return other.heard() > before;
          });
    }
  }

  private Station station(int number) throws IOException {
    return new Station(number, "lan", PortOptions.PLAIN);
  }

  @AfterEach
  void close() {
    stations.forEach(station -> station.port.close());
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() < deadline, "it does not happen");
      Thread.sleep(5);
    }
  }

  @Test
  void theFirstServesAndTheOthersConnectAndAllTalk() throws Exception {
    Station a = station(1);
    Station b = station(2);
    Station c = station(3);
    Station elsewhere = new Station(4, "other", PortOptions.PLAIN);
    assertTrue(a.port.serves());
    assertFalse(b.port.serves());
    b.reach(a);
    b.reach(c);
    c.reach(b);
    a.reach(c);
    byte[] frame = Frames.tcp(new Random(4), true, false, false, 60_000);
    System.arraycopy(Frames.plain(c.mac, b.mac, 14), 0, frame, 0, 12);
    assertTrue(SoftwareOffload.blank(frame));
    Packet large = new Packet(frame, Packet.Checksum.BLANK, Packet.Gso.TCPV6, 1440);
    assertTrue(b.port.send(large));
    await(() -> c.received.getLast().bytes().length == frame.length);
    Packet arrived = c.received.getLast();
    assertArrayEquals(frame, arrived.bytes());
    assertEquals(large.checksum(), arrived.checksum());
    assertEquals(large.gso(), arrived.gso());
    assertEquals(1440, arrived.gsoSizeBytes());
    assertEquals(0, elsewhere.heard());
  }

  @Test
  void whenTheOneThatServesEndsAnotherTakesOver() throws Exception {
    Station a = station(1);
    Station b = station(2);
    Station c = station(3);
    b.reach(c);
    a.port.close();
    b.reach(c);
    c.reach(b);
    assertTrue(b.port.serves() ^ c.port.serves());
    Station d = station(4);
    d.reach(b);
    d.reach(c);
  }

  @Test
  void aSocketThatADeadProcessLeftIsInNobodysWay() throws Exception {
    Path socket = directory.resolve("switch-lan.sock");
    var dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    dead.bind(UnixDomainSocketAddress.of(socket));
    dead.close();
    assertTrue(Files.exists(socket));
    Station a = station(1);
    assertTrue(a.port.serves());
    station(2).reach(a);
  }

  @Test
  void aReceiverWithoutRoomHoldsTheSenderBackThroughTheSocketAndNothingIsLost() throws Exception {
    Station server = station(1);
    Station a = station(2);
    Station b = station(3);
    server.reach(a);
    a.reach(b);
    b.reach(a);
    a.setRoom(false);
    int sent = 0;
    while (b.port.send(Packet.of(Frames.plain(a.mac, b.mac, 60_000)))) {
      sent++;
      assertTrue(sent < 2000, "memory is bounded");
    }
    a.setRoom(true);
    a.port.roomToReceive();
    assertTrue(b.roomToSend.tryAcquire(60, TimeUnit.SECONDS));
    int expected = sent;
    await(() -> a.heard(60_000) >= expected);
    assertEquals(expected, a.heard(60_000));
  }

  @Test
  void strangersAreTurnedAwayAndTheSwitchGoesOn() throws Exception {
    Station a = station(1);
    Station b = station(2);
    Random random = new Random(6);
    for (int i = 0; i < 50; i++) {
      try (SocketChannel stranger = SocketChannel.open(StandardProtocolFamily.UNIX)) {
        stranger.connect(UnixDomainSocketAddress.of(directory.resolve("switch-lan.sock")));
        if (i % 2 == 0) { // one that knows the first words
          SwitchHello.write(stranger, PortOptions.PLAIN);
          SwitchHello.awaitAnswer(stranger);
        }
        byte[] nonsense = new byte[1 + random.nextInt(100)];
        random.nextBytes(nonsense);
        nonsense[0] |= 1;
        int unused = stranger.write(ByteBuffer.wrap(nonsense));
      }
    }
    a.reach(b);
    b.reach(a);
  }

  @Test
  void aGuardedAddressCanBeHadOnce() throws Exception {
    PortOptions guarded = new PortOptions(false, MacAddress.ofDevice(2, 0));
    Station a = station(1);
    Station b = new Station(2, "lan", guarded);
    b.reach(a);
    assertTrue(a.port.serves());
    IOException refused =
        assertThrows(IOException.class, () -> SharedSwitch.join(directory, "lan", guarded));
    assertTrue(String.valueOf(refused.getMessage()).contains("address"), refused::getMessage);
  }

  @Test
  void namesThatAreNoNamesAreRefused() {
    for (String name : new String[] {"", ".", "../x", "a/b", "x".repeat(33), "a b"}) {
      assertThrows(
          IOException.class, () -> SharedSwitch.join(directory, name, PortOptions.PLAIN), name);
    }
  }
}
