package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import parhelion.media.share.HostTree;

/**
 * Programs of the host against servers in a guest, through NAT: iperf3 with 50 connections each
 * way, streams of which one half ends first, resets in the middle, a server that stalls, and curl
 * with its time-outs.
 */
@Tag("boot")
@Tag("full")
@Timeout(value = 40, unit = TimeUnit.MINUTES)
final class TrafficTest {
  private static final int CONNECTIONS = 50;
  private static final int SUMS = 7001;
  private static final int ZEROES = 7002;
  private static final int STALLS = 7003;
  private static final int IPERF = 5201;

  /**
   * A server that sums what it gets to its end, for which socat has to wait longer than its half a
   * second; one that sends without end; one that never answers.
   */
  private static final String SERVE =
      """
      socat -t 1000 TCP-LISTEN:7001,fork,reuseaddr,backlog=64 EXEC:sha256sum &
      socat -u EXEC:'cat /dev/zero' TCP-LISTEN:7002,fork,reuseaddr,backlog=64 &
      while :; do iperf3 -s -p 5201 >/dev/null 2>&1; done &
      exec socat TCP-LISTEN:7003,reuseaddr,fork EXEC:'sleep 100000'
      """;

  @TempDir private Path directory;

  private NamedGuest guest;

  private JsonNode iperf(DebianTree tree, String... options)
      throws IOException, InterruptedException {
    List<String> arguments = new ArrayList<>(List.of("-c", "127.0.0.1", "-J", "-t", "5"));
    arguments.addAll(List.of("-p", Integer.toString(guest.port(IPERF))));
    arguments.addAll(List.of(options));
    Path output = directory.resolve("iperf");
    Process client =
        tree.program("usr/bin/iperf3", arguments).redirectOutput(output.toFile()).start();
    try {
      assertTrue(client.waitFor(10, TimeUnit.MINUTES), "iperf3 does not end");
      return new ObjectMapper().readTree(Files.readString(output));
    } finally {
      client.destroyForcibly();
    }
  }

  /** One run; the server starts anew after each, so it may not be there at first. */
  private JsonNode connected(DebianTree tree, String... options)
      throws IOException, InterruptedException {
    return guest.first(
        () -> {
          JsonNode tried = iperf(tree, options);
          String error = tried.path("error").asText();
          if (error.contains("unable to")) {
            throw new IOException(error);
          }
          return tried;
        });
  }

  private void bulk(DebianTree tree, String... options) throws IOException, InterruptedException {
    JsonNode result = connected(tree, options);
    assertTrue(result.path("error").isMissingNode(), result.path("error").asText());
    long sent = result.path("end").path("sum_sent").path("bytes").asLong();
    long received = result.path("end").path("sum_received").path("bytes").asLong();
    assertTrue(sent > 0 && received > 0, result.path("end").toString());
  }

  @Test
  void clientsOfTheHostDoTheirWorstToServersInAGuest() throws Exception {
    Assumptions.assumeTrue(HostTree.isAvailable(), "no directories can be shared on this host");
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
    DebianTree tree = DebianTree.of(List.of("iperf3", "socat", "bash", "coreutils"));
    List<String> arguments =
        new ArrayList<>(List.of("--rootfs", tree.root().toString(), "--workdir", "/"));
    for (int port : new int[] {SUMS, ZEROES, STALLS, IPERF}) {
      arguments.addAll(List.of("-p", "0:" + port));
    }
    arguments.addAll(List.of("--vcpus", "2", "--cmd", SERVE));
    try (NamedGuest running = new NamedGuest(directory, "traffic", arguments)) {
      guest = running;
      guest.awaitCommands();
      bulk(tree);
      bulk(tree, "-P", Integer.toString(CONNECTIONS));
      bulk(tree, "-P", Integer.toString(CONNECTIONS), "-R");
      halvesThatEndFirst();
      resets();
      stalls();
      assertEquals(0, guest.ask("stop", "--force"));
    }
  }

  private void halvesThatEndFirst() throws Exception {
    byte[] bytes = new byte[1_000_003];
    new Random(1).nextBytes(bytes);
    String sum =
        HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes)) + "  -\n";
    int port = guest.port(SUMS);
    try (var tasks = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<byte[]>> answers = new ArrayList<>();
      for (int i = 0; i < CONNECTIONS; i++) {
        answers.add(
            tasks.submit(
                () -> {
                  try (Socket socket = new Socket("127.0.0.1", port)) {
                    socket.getOutputStream().write(bytes);
                    socket.shutdownOutput();
                    return socket.getInputStream().readAllBytes();
                  }
                }));
      }
      for (Future<byte[]> answer : answers) {
        assertArrayEquals(sum.getBytes(StandardCharsets.UTF_8), answer.get());
      }
    }
  }

  /** Clients that go in the middle of a stream, either way. */
  private void resets() throws Exception {
    for (int i = 0; i < CONNECTIONS; i++) {
      int port = guest.port(i % 2 == 0 ? SUMS : ZEROES);
      try (Socket socket = new Socket("127.0.0.1", port)) {
        if (i % 2 == 0) {
          socket.getOutputStream().write(new byte[100_000]);
        } else {
          assertEquals(50_000, socket.getInputStream().readNBytes(50_000).length);
        }
        socket.setSoLinger(true, 0); // a reset
      }
    }
  }

  private void stalls() throws Exception {
    String uri = "http://127.0.0.1:" + guest.port(STALLS) + "/";
    Process curl;
    try {
      curl = new ProcessBuilder("curl", "-s", "--max-time", "3", uri).start();
    } catch (IOException e) {
      return; // no curl here; the rest has been tried
    }
    assertEquals(28, curl.waitFor(), "curl's status for a time that ran out");
    Process impatient = new ProcessBuilder("curl", "-s", "http://127.0.0.1:1/").start();
    assertEquals(7, impatient.waitFor(), "curl's status for a refusal");
  }
}
