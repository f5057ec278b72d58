package parhelion.media.net.nat;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import parhelion.media.net.nat.config.NatConfig;
import parhelion.media.net.nat.config.NatException;
import parhelion.media.net.nat.config.PortForward;

/** Real clients of the host at servers in the guest. */
final class ForwardsTest {
  private final Lab lab =
      new Lab(NatConfig.DEFAULT.withForwards(List.of(PortForward.parse("0:80"))));
  private final Guest guest = new Guest(lab, Guest.SEED);
  private final int port = lab.nat.forwards().getFirst().hostPort();

  @AfterEach
  void close() {
    lab.close();
  }

  /** The guest answers the question who has its address. */
  private void know() {
    byte[] request =
        Frame.bytes(Frame.hex("0001 0800 0604 0001"), Lab.MAC, Lab.GUEST, new byte[6], Lab.GATEWAY);
    lab.send(Frame.ethernet(Frame.hex("ffffffffffff"), Lab.MAC, 0x806, request));
    lab.step();
  }

  private <T> T whileItRuns(CompletableFuture<T> client) {
    guest.until("the client", client::isDone);
    return client.join();
  }

  /** Work of the host beside the network. */
  private static <T> CompletableFuture<T> host(java.util.concurrent.Callable<T> work) {
    CompletableFuture<T> result = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              try {
                result.complete(work.call());
              } catch (Throwable failed) {
                result.completeExceptionally(failed);
              }
            });
    return result;
  }

  @Test
  void clientsOfTheHostReachTheGuestsServer() {
    know();
    byte[] page = new byte[300_000];
    new Random(1).nextBytes(page);
    guest.server =
        connection -> {
          assertEquals(80, connection.port);
          assertArrayEquals(Lab.GATEWAY, connection.peer);
          connection.output = page;
          connection.endsAfterOutput = true;
          return connection;
        };
    List<CompletableFuture<byte[]>> clients =
        java.util.stream.IntStream.range(0, 50)
            .mapToObj(
                i ->
                    host(
                        () -> {
                          try (Socket client = new Socket("127.0.0.1", port)) {
                            client.shutdownOutput();
                            return client.getInputStream().readAllBytes();
                          }
                        }))
            .toList();
    for (CompletableFuture<byte[]> client : clients) {
      assertArrayEquals(page, whileItRuns(client));
    }
    guest.connections.forEach(connection -> assertTrue(connection.endReceived));
  }

  @Test
  void aGuestThatIsNotKnownYetIsAskedFor() {
    CompletableFuture<Integer> client =
        host(
            () -> {
              try (Socket socket = new Socket("127.0.0.1", port)) {
                return socket.getInputStream().read();
              }
            });
    Received question = lab.await("a question of ARP", frame -> frame.etherType() == 0x806);
    assertArrayEquals(Lab.GUEST, Frame.part(question.payload(), 24, 28));
    guest.server =
        connection -> {
          connection.output = new byte[] {42};
          return connection;
        };
    know();
    assertEquals(42, whileItRuns(client));
  }

  @Test
  void aPortThatTheGuestHasNotResetsTheClient() {
    know();
    CompletableFuture<Object> client =
        host(
            () -> {
              try (Socket socket = new Socket("127.0.0.1", port)) {
                return socket.getInputStream().read();
              } catch (SocketException reset) {
                return reset;
              }
            });
    assertTrue(whileItRuns(client) instanceof SocketException);
  }

  @Test
  void aGuestThatIsSilentTimesOut() {
    know();
    AtomicInteger syns = new AtomicInteger();
    guest.swallows = frame -> frame.protocol() == 6 && syns.incrementAndGet() > 0;
    CompletableFuture<Object> client =
        host(
            () -> {
              try (Socket socket = new Socket("127.0.0.1", port)) {
                return socket.getInputStream().read();
              } catch (SocketException reset) {
                return reset;
              }
            });
    guest.until("a SYN", () -> syns.get() > 0);
    guest.pass(74_000);
    assertEquals(1, lab.nat.stack().tcp().size());
    guest.pass(2_000);
    assertTrue(whileItRuns(client) instanceof SocketException);
    assertTrue(syns.get() > 4, "the SYN was repeated");
  }

  @Test
  void bothMayOpenAtOnce() {
    know();
    GuestTcp[] opened = new GuestTcp[1];
    guest.swallows =
        frame -> {
          if (opened[0] != null || frame.protocol() != 6) {
            return false;
          }
          // Instead of an answer the guest sends a SYN of its own between the same ports.
          opened[0] = new GuestTcp(guest, Lab.GUEST, 80, frame.from(), frame.fromPort());
          opened[0].output = new byte[] {43};
          guest.connections.add(opened[0]);
          opened[0].open();
          return true;
        };
    CompletableFuture<Integer> client =
        host(
            () -> {
              try (Socket socket = new Socket("127.0.0.1", port)) {
                return socket.getInputStream().read();
              }
            });
    assertEquals(43, whileItRuns(client));
  }

  @Test
  void curlGetsAPage() throws Exception {
    Path curl = Path.of("/usr/bin/curl");
    assumeTrue(Files.isExecutable(curl), "no curl here");
    know();
    String body = "hello from the guest\n".repeat(5000);
    guest.server =
        connection -> {
          connection.output =
              ("HTTP/1.1 200 OK\r\nContent-Length: " + body.length() + "\r\n\r\n" + body)
                  .getBytes(StandardCharsets.US_ASCII);
          return connection;
        };
    CompletableFuture<String> client =
        host(
            () -> {
              Process process =
                  new ProcessBuilder(
                          curl.toString(), "-s", "--noproxy", "*", "http://127.0.0.1:" + port + "/")
                      .start();
              return new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            });
    assertEquals(body, whileItRuns(client));
  }

  @Test
  void aTakenPortIsNamedInOneLine() throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      int number = taken.getLocalPort();
      NatConfig config =
          NatConfig.DEFAULT.withForwards(
              List.of(PortForward.parse("0:22"), PortForward.parse(number + ":80")));
      NatException refused = assertThrows(NatException.class, () -> NatNetwork.open(config));
      assertEquals(
          "--publish: tcp port "
              + number
              + " of 127.0.0.1 is taken: stop what uses it, or take another (0 picks one)",
          refused.getMessage());
    }
  }

  @Test
  void closingFreesThePortsAndEndsTheConnections() throws Exception {
    try (NatNetwork network =
        NatNetwork.open(NatConfig.DEFAULT.withForwards(List.of(PortForward.parse("0:80"))))) {
      int number = network.forwards().getFirst().hostPort();
      new Socket("127.0.0.1", number).close();
      network.close();
      assertThrows(ConnectException.class, () -> new Socket("127.0.0.1", number).close());
    }
  }
}
