package parhelion.media.net.nat;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.net.Socket;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import parhelion.media.net.Offloads;
import parhelion.media.net.nat.config.NatConfig;
import parhelion.media.net.nat.loop.Count;

/** Guests' connections to real servers of the host. */
final class TcpRelayTest {
  private static final int WINDOW = NatConfig.DEFAULT.limits().receiveBufferBytes();

  private final HostServers servers = new HostServers();
  private Lab lab;
  private Guest guest;

  @AfterEach
  void close() {
    if (lab != null) {
      assertEquals(0, lab.count(Count.DROP_CHECKSUM) + lab.count(Count.DROP_MALFORMED));
      lab.close();
    }
    servers.close();
  }

  private int start(HostServers.Session session) {
    int port = servers.start(session);
    lab = new Lab(HostServers.services(NatConfig.DEFAULT, port));
    guest = new Guest(lab, Guest.SEED);
    return port;
  }

  private static byte[] random(int length, long seed) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  @ParameterizedTest
  @CsvSource({"false, false", "false, true", "true, false", "true, true"})
  void whatGoesToAnEchoServerComesBack(boolean v6, boolean offloads) {
    int port = start(HostServers::echo);
    lab.offloads = offloads ? Offloads.ALL : Offloads.NONE;
    GuestTcp connection = guest.connect(v6 ? Lab.GATEWAY6 : Lab.GATEWAY, port);
    connection.largePayload = offloads ? 44 * 1460 : 0;
    connection.output = random(3_000_000, 1);
    connection.endsAfterOutput = true;
    connection.open();
    guest.until("the end", connection::isOver);
    assertArrayEquals(connection.output, connection.input.toByteArray());
    assertEquals(v6 ? 1440 : 1460, connection.peerMss);
    assertEquals(0, lab.count(Count.TCP_RETRANSMITTED));
    assertEquals(0, lab.nat.stack().tcp().heldBytes());
    if (offloads) {
      assertTrue(connection.segments < 400, connection.segments + " segments");
    }
    guest.pass(30_000);
    assertEquals(0, lab.nat.stack().tcp().size());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void fiftyConnectionsMoveTheirBytesOverABadCable(int variant) {
    int port = start(HostServers::echo);
    lab.offloads = variant == 1 ? Offloads.ALL : Offloads.NONE;
    guest.loses = 40;
    guest.doubles = 50;
    guest.reorders = 20;
    lab.room = variant == 2 ? 60 : Integer.MAX_VALUE;
    List<GuestTcp> connections = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      GuestTcp connection = guest.connect(Lab.GATEWAY, port);
      connection.output = random(100_000 + 1000 * i, i);
      connection.endsAfterOutput = true;
      connection.largePayload = variant == 1 && i % 2 == 0 ? 30_000 : 0;
      connection.scale = i % 3 == 0 ? -1 : i % 15;
      connection.window = i % 5 == 0 ? 5000 : 1 << 18;
      connection.open();
      connections.add(connection);
    }
    guest.until("the ends", () -> connections.stream().allMatch(GuestTcp::isOver));
    for (GuestTcp connection : connections) {
      assertArrayEquals(connection.output, connection.input.toByteArray());
      assertFalse(connection.reset);
    }
    assertTrue(lab.count(Count.TCP_RETRANSMITTED) > 0);
    assertTrue(lab.count(Count.TCP_OUT_OF_ORDER) > 0);
    guest.loses = 0;
    guest.pass(60_000);
    assertEquals(0, lab.nat.stack().tcp().size());
    assertEquals(0, lab.nat.stack().tcp().heldBytes());
  }

  @Test
  void aClosedPortResetsAndAForbiddenAddressIsProhibited() throws Exception {
    int port = start(HostServers::echo);
    servers.close();
    GuestTcp closed = guest.connect(Lab.GATEWAY, port);
    closed.open();
    guest.until("a reset", () -> closed.reset);
    assertEquals(1, lab.count(Count.TCP_REFUSED));
    GuestTcp unnamed = guest.connect(Lab.GATEWAY, port + 1);
    unnamed.open();
    guest.until("a reset", () -> unnamed.reset);
    guest.connect(new byte[] {127, 0, 0, 1}, port).open();
    guest.round();
    Received error = lab.await("an error", frame -> frame.protocol() == 1);
    assertEquals(3, error.payload()[0]);
    assertEquals(13, error.payload()[1]);
    assertEquals(port, Frame.read16(error.payload(), 8 + 20 + 2), "quotes the segment");
  }

  @Test
  void aGuestMayEndItsHalfAndStillListen() {
    BlockingQueue<Integer> sizes = new LinkedBlockingQueue<>();
    int port =
        start(
            socket -> {
              sizes.add(socket.getInputStream().readAllBytes().length);
              socket.getOutputStream().write(random(500_000, 5));
            });
    GuestTcp connection = guest.connect(Lab.GATEWAY, port);
    connection.output = random(70_000, 4);
    connection.endsAfterOutput = true;
    connection.open();
    guest.until("the end", connection::isOver);
    assertEquals(70_000, sizes.poll());
    assertArrayEquals(random(500_000, 5), connection.input.toByteArray());
  }

  @Test
  void aServerMayEndItsHalfAndStillListen() {
    BlockingQueue<byte[]> got = new LinkedBlockingQueue<>();
    int port =
        start(
            socket -> {
              socket.getOutputStream().write(random(1000, 5));
              socket.shutdownOutput();
              got.add(socket.getInputStream().readAllBytes());
            });
    GuestTcp connection = guest.connect(Lab.GATEWAY, port);
    connection.open();
    guest.until("the server's end", () -> connection.endReceived);
    guest.pass(100);
    connection.output = random(400_000, 6);
    connection.endsAfterOutput = true;
    guest.until("the end", () -> connection.isOver() && !got.isEmpty());
    assertArrayEquals(connection.output, got.poll());
    assertArrayEquals(random(1000, 5), connection.input.toByteArray());
  }

  @Test
  void aGuestsResetReachesTheServer() {
    BlockingQueue<Object> seen = new LinkedBlockingQueue<>();
    int port =
        start(
            socket -> {
              try {
                seen.add(socket.getInputStream().readAllBytes());
              } catch (SocketException reset) {
                seen.add(reset);
              }
            });
    GuestTcp connection = guest.connect(Lab.GATEWAY, port);
    connection.output = random(1000, 1);
    connection.open();
    guest.until("the bytes", () -> connection.acknowledged == 1000);
    connection.transmit(connection.sequence() + 5, GuestTcp.RST, 0, new byte[0], new byte[0]);
    guest.pass(100);
    assertEquals(1, lab.nat.stack().tcp().size(), "a reset that is not the next thing is none");
    connection.sendReset();
    guest.until("the server's error", () -> !seen.isEmpty());
    assertTrue(seen.poll() instanceof SocketException);
    assertEquals(0, lab.nat.stack().tcp().size());
  }

  @Test
  void aServersResetReachesTheGuest() {
    int port =
        start(
            socket -> {
              assertEquals(1, socket.getInputStream().read());
              socket.setSoLinger(true, 0);
            });
    GuestTcp connection = guest.connect(Lab.GATEWAY, port);
    connection.output = new byte[] {1};
    connection.open();
    guest.until("a reset", () -> connection.reset);
    assertEquals(0, lab.nat.stack().tcp().size());
  }

  @Test
  void resetsInTheMiddleOfStreamsEndBothSidesAndFreeWhatWasHeld() {
    BlockingQueue<Object> ends = new LinkedBlockingQueue<>();
    int port =
        start(
            socket -> {
              int first = socket.getInputStream().read();
              if (first == 'r') { // the server's reset, with bytes of the guest's unread
                socket.setSoLinger(true, 0);
                ends.add(first);
                return;
              }
              try {
                while (true) {
                  socket.getOutputStream().write(new byte[1 << 16]);
                }
              } catch (SocketException reset) {
                ends.add(reset);
              }
            });
    List<GuestTcp> connections = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      GuestTcp connection = guest.connect(Lab.GATEWAY, port);
      connection.output = i % 2 == 0 ? random(5 << 20, i) : new byte[] {'s'};
      connection.output[0] = (byte) (i % 2 == 0 ? 'r' : 's');
      connection.largePayload = 60_000;
      connection.open();
      connections.add(connection);
    }
    for (int i = 0; i < 20; i++) {
      GuestTcp connection = connections.get(i);
      if (i % 2 == 0) {
        guest.until("the server's reset", () -> connection.reset);
      } else {
        guest.until("the middle of the stream", () -> connection.input.size() > 300_000);
        connection.sendReset();
      }
    }
    guest.until("the ends of all", () -> ends.size() == 20);
    guest.until("nothing left", () -> lab.nat.stack().tcp().size() == 0);
    assertEquals(0, lab.nat.stack().tcp().heldBytes());
  }

  @Test
  void whatTheGuestHasNoRoomForStaysWithTheHost() {
    AtomicInteger written = new AtomicInteger();
    byte[] all = random(40 << 20, 7);
    int port =
        start(
            socket -> {
              for (int at = 0; at < all.length; at += 1 << 16) {
                socket.getOutputStream().write(all, at, 1 << 16);
                written.addAndGet(1 << 16);
              }
            });
    guest.applicationReads = false;
    GuestTcp connection = guest.connect(Lab.GATEWAY, port);
    connection.window = 100_000;
    connection.open();
    guest.until("a full window", () -> connection.window < 128);
    int received = connection.input.size();
    guest.pass(120_000);
    assertEquals(received, connection.input.size(), "a closed window gets nothing");
    assertTrue(connection.probes >= 3 && connection.probes < 30, connection.probes + " probes");
    assertTrue(written.get() < all.length, "the server waits");
    guest.applicationReads = true;
    connection.window = 1 << 20;
    // The guest's own update is lost: a probe has to find out.
    connection.endsAfterOutput = true;
    guest.until("the end", connection::isOver);
    assertArrayEquals(all, connection.input.toByteArray());
  }

  @Test
  void whatTheServerDoesNotTakeClosesTheGuestsWindow() {
    CountDownLatch read = new CountDownLatch(1);
    BlockingQueue<byte[]> got = new LinkedBlockingQueue<>();
    int port =
        start(
            socket -> {
              read.await();
              got.add(socket.getInputStream().readAllBytes());
            });
    GuestTcp connection = guest.connect(Lab.GATEWAY, port);
    connection.output = random(30 << 20, 3);
    connection.endsAfterOutput = true;
    connection.largePayload = 60_000;
    connection.open();
    guest.until("a closed window", () -> connection.established && connection.peerWindow < 128);
    long held = lab.nat.stack().tcp().heldBytes();
    assertTrue(held > WINDOW / 2 && held <= WINDOW, held + " bytes held");
    guest.pass(5000);
    assertTrue(connection.acknowledged < 30 << 20);
    read.countDown();
    guest.until("the end", () -> connection.endAcknowledged && !got.isEmpty());
    assertArrayEquals(connection.output, got.poll());
  }

  @Test
  void windowsAreScaledBothWays() {
    int port = start(HostServers::echo);
    GuestTcp connection = guest.connect(Lab.GATEWAY, port);
    connection.output = random(2_000_000, 3);
    connection.open();
    guest.until("the handshake", () -> connection.established);
    guest.until("the echo", () -> connection.input.size() == 2_000_000);
    assertTrue(connection.peerScale > 0);
    assertTrue(connection.peerWindow > 65535);
  }

  @Test
  void aLostSegmentIsSentAgainWithoutWaiting() {
    byte[] all = random(200_000, 2);
    int port = start(socket -> socket.getOutputStream().write(all));
    GuestTcp connection = guest.connect(Lab.GATEWAY, port);
    AtomicInteger seen = new AtomicInteger();
    guest.swallows = frame -> frame.payload().length > 1000 && seen.incrementAndGet() == 20;
    connection.open();
    guest.until("all of it", () -> connection.input.size() == all.length);
    assertArrayEquals(all, connection.input.toByteArray());
    assertEquals(1, lab.count(Count.TCP_RETRANSMITTED));
  }

  @Test
  void aLostLastSegmentIsSentAgainAfterAWhile() {
    byte[] all = random(1000, 2);
    int port =
        start(
            socket -> {
              socket.getOutputStream().write(all);
              assertEquals(-1, socket.getInputStream().read());
            });
    GuestTcp connection = guest.connect(Lab.GATEWAY, port);
    AtomicInteger seen = new AtomicInteger();
    guest.swallows = frame -> frame.payload().length > 1000 && seen.incrementAndGet() <= 3;
    connection.open();
    long before = guest.millis();
    guest.until("all of it", () -> connection.input.size() == all.length);
    assertEquals(3, lab.count(Count.TCP_RETRANSMITTED));
    assertTrue(guest.millis() - before >= 200 * (1 + 2 + 4), "each time after twice the time");
  }

  @Test
  void aGuestThatIsGoneIsGivenUp() {
    BlockingQueue<Object> seen = new LinkedBlockingQueue<>();
    int port =
        start(
            socket -> {
              try (InputStream input = socket.getInputStream()) {
                seen.add(input.read());
              } catch (SocketException reset) {
                seen.add(reset);
              }
            });
    GuestTcp silent = guest.connect(Lab.GATEWAY, port);
    silent.open();
    guest.until("the handshake", () -> silent.established);
    guest.pass(10);
    guest.pass(7_300_000);
    assertEquals(1, silent.probes, "a keepalive after two hours");
    assertEquals(1, lab.nat.stack().tcp().size(), "it was answered");
    silent.answersNothing = true;
    guest.pass(9_000_000);
    assertEquals(0, lab.nat.stack().tcp().size());
    guest.until("the server's error", () -> !seen.isEmpty());
    assertTrue(seen.poll() instanceof SocketException);
  }

  @Test
  void bothSidesMayEndAtOnce() {
    CountDownLatch end = new CountDownLatch(1);
    int port =
        start(
            socket -> {
              end.await();
              socket.shutdownOutput();
              assertEquals(-1, socket.getInputStream().read());
            });
    GuestTcp connection = guest.connect(Lab.GATEWAY, port);
    connection.open();
    guest.until("the handshake", () -> connection.established);
    guest.pass(10);
    // The server's end is on its way while the guest sends its own without having seen it.
    guest.swallows = frame -> (frame.payload()[13] & GuestTcp.FIN) != 0;
    end.countDown();
    guest.until(
        "our end", () -> lab.nat.stack().tcp().describe().toString().contains("FIN_WAIT_1"));
    connection.endsAfterOutput = true;
    guest.until("both ends", () -> lab.nat.stack().tcp().describe().toString().contains("CLOSING"));
    guest.swallows = frame -> false;
    guest.until("the end", connection::isOver);
    guest.until(
        "it to linger", () -> lab.nat.stack().tcp().describe().toString().contains("TIME_WAIT"));
    guest.pass(20_000);
    assertEquals(0, lab.nat.stack().tcp().size());
  }

  @Test
  void aLostAnswerToASynIsSentAgainAndAPortMayBeUsedAgain() {
    int port = start(socket -> socket.getOutputStream().write(1));
    GuestTcp first = guest.connect(Lab.GATEWAY, port);
    AtomicInteger lost = new AtomicInteger();
    guest.swallows =
        frame -> (frame.payload()[13] & GuestTcp.SYN) != 0 && lost.incrementAndGet() <= 2;
    first.open();
    guest.until("the byte", () -> first.input.size() == 1);
    assertTrue(lost.get() > 2);
    first.endsAfterOutput = true;
    guest.until("the end", first::isOver);
    guest.until("it to linger", () -> first.isOver() && lab.nat.stack().tcp().size() == 1);
    guest.connections.clear();
    guest.nextPort = first.port;
    GuestTcp second = guest.connect(Lab.GATEWAY, port);
    second.open();
    guest.until("the byte", () -> second.input.size() == 1);
  }

  @Test
  void halfOpenConnectionsAndAllTogetherAreBounded() {
    int port = start(socket -> assertEquals(-1, socket.getInputStream().read()));
    for (int i = 0; i < 6000; i++) {
      GuestTcp flood = guest.connect(Lab.GATEWAY, port);
      flood.answersNothing = true;
      flood.open();
      lab.step();
      guest.round();
      guest.connections.clear();
    }
    int halfOpen = NatConfig.DEFAULT.limits().halfOpen();
    assertTrue(lab.nat.stack().tcp().size() <= halfOpen);
    assertTrue(lab.count(Count.DROP_LIMIT) >= 6000 - halfOpen - 1);
    guest.pass(100_000);
    assertEquals(0, lab.nat.stack().tcp().size());
    assertTrue(servers.failures.stream().allMatch(SocketException.class::isInstance));
    try (Socket host = new Socket()) {
      assertFalse(host.isClosed());
    } catch (java.io.IOException failed) {
      throw new AssertionError(failed);
    }
  }
}
