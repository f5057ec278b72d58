package parhelion.media.net.nat;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import parhelion.media.net.nat.config.NatConfig;
import parhelion.media.net.nat.config.NatException;
import parhelion.media.net.nat.config.NetworkBoot;
import parhelion.media.net.nat.loop.Count;
import parhelion.media.share.HostTree;

/** Files for machines that boot from the network, at the gateway. */
final class TftpTest {
  private static final int READ = 1;
  private static final int WRITE = 2;
  private static final int DATA = 3;
  private static final int ACK = 4;
  private static final int ERROR = 5;
  private static final int OPTIONS = 6;

  @TempDir Path directory = Path.of("");
  private Path served = Path.of("");
  private Lab lab;
  private int port = 2000;

  @BeforeEach
  void open() throws IOException {
    Assumptions.assumeTrue(HostTree.isAvailable(), "no directories can be served on this host");
    served = Files.createDirectory(directory.resolve("served"));
    lab = new Lab(NatConfig.DEFAULT.withBoot(new NetworkBoot(served, "start.0")));
  }

  @AfterEach
  void close() {
    if (lab != null) {
      lab.close();
    }
  }

  private void send(int toPort, byte[] message) {
    byte[] udp = Frame.udp(Lab.GUEST, port, Lab.GATEWAY, toPort, message);
    lab.sendIpv4(Frame.ipv4(Lab.GUEST, Lab.GATEWAY, 17, udp));
  }

  private static byte[] request(int operation, String... words) {
    String text = String.join("\0", words) + "\0";
    return Frame.bytes(Frame.u16(operation), text.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static byte[] ack(int block) {
    return Frame.bytes(Frame.u16(ACK), Frame.u16(block));
  }

  private Received answer() {
    return lab.await(
        "an answer of TFTP", frame -> frame.protocol() == 17 && frame.toPort() == port);
  }

  private static byte[] message(Received frame) {
    return Arrays.copyOfRange(frame.payload(), 8, frame.payload().length);
  }

  private static int operation(Received frame) {
    return Frame.read16(message(frame), 0);
  }

  private byte[] fetch(int blockBytes, String... words) {
    send(69, request(READ, words));
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    Received frame = answer();
    if (operation(frame) == OPTIONS) {
      send(frame.fromPort(), ack(0));
      frame = answer();
    }
    for (int block = 1; ; block++) {
      byte[] message = message(frame);
      assertEquals(DATA, operation(frame));
      assertEquals(block & 0xffff, Frame.read16(message, 2));
      whole.write(message, 4, message.length - 4);
      send(frame.fromPort(), ack(block));
      if (message.length - 4 < blockBytes) {
        port++;
        return whole.toByteArray();
      }
      frame = answer();
    }
  }

  private void refuses(int code, byte[] message) {
    send(69, message);
    Received frame = answer();
    assertEquals(ERROR, operation(frame));
    assertEquals(code, Frame.read16(message(frame), 2));
  }

  private byte[] file(String name, int bytes) throws IOException {
    byte[] content = new byte[bytes];
    new Random(Guest.SEED).nextBytes(content);
    Path path = served.resolve(name);
    Files.createDirectories(path.getParent());
    Files.write(path, content);
    return content;
  }

  @Test
  void filesComeWholeByBlocksOfAnySizeAndNumbersThatWrap() throws IOException {
    byte[] exact = file("exact", 1024);
    byte[] large = file("deep/er/large", 8 * 70_000 + 3);
    file("empty", 0);
    assertArrayEquals(exact, fetch(512, "exact", "octet"));
    assertArrayEquals(exact, fetch(512, "/exact", "OCTET"));
    assertArrayEquals(new byte[0], fetch(512, "empty", "octet"));
    assertArrayEquals(large, fetch(8, "deep/er/large", "octet", "blksize", "8"));
    assertEquals(4, lab.count(Count.TFTP_FILES));
  }

  @Test
  void optionsAreAnsweredAsFarAsTheyAreInForce() throws IOException {
    file("f", 5000);
    send(69, request(READ, "f", "octet", "tsize", "0", "blksize", "65464", "colour", "red"));
    String options = new String(message(answer()), 2, 24, StandardCharsets.ISO_8859_1);
    assertEquals("blksize\0" + "1468\0tsize\0" + "5000\0", options);
  }

  @Test
  void whatIsNotAcknowledgedComesAgainUntilNobodyIsThere() throws IOException {
    file("f", 5000);
    send(69, request(READ, "f", "octet"));
    Received first = answer();
    int again = 0;
    for (int i = 0; i < 20; i++) {
      lab.pass(1000);
      again += (int) lab.received.stream().filter(frame -> frame.toPort() == port).count();
      lab.received.clear();
    }
    assertEquals(7, again);
    send(first.fromPort(), ack(1));
    assertEquals(ERROR, operation(answer()), "the transfer is over");
  }

  @Test
  void anEarlierBlocksAcknowledgementSendsNothing() throws IOException {
    file("f", 5000);
    send(69, request(READ, "f", "octet"));
    int from = answer().fromPort();
    send(from, ack(1));
    assertEquals(2, Frame.read16(message(answer()), 2));
    send(from, ack(1));
    send(from, ack(7));
    lab.step();
    assertTrue(lab.received.isEmpty());
  }

  @Test
  void nothingOutsideOfTheDirectoryIsServed() throws IOException {
    Files.writeString(directory.resolve("secret"), "secret");
    byte[] inside = file("sub/inside", 10);
    Files.createSymbolicLink(served.resolve("sub/up"), Path.of("../sub/inside"));
    Files.createSymbolicLink(served.resolve("out"), Path.of("../secret"));
    Files.createSymbolicLink(served.resolve("absolute"), directory.resolve("secret"));
    Files.createSymbolicLink(served.resolve("loop"), Path.of("loop"));
    assertArrayEquals(inside, fetch(512, "sub/up", "octet"));
    assertArrayEquals(inside, fetch(512, "../../sub/inside", "octet"), "the top is the top");
    for (String name :
        new String[] {"../secret", "out", "absolute", "loop", "sub", "", "none", "sub/inside/x"}) {
      refuses(1, request(READ, name, "octet"));
    }
  }

  @Test
  void whatIsNoRequestToReadIsRefused() throws IOException {
    file("f", 10);
    refuses(2, request(WRITE, "f", "octet"));
    refuses(4, request(READ, "f", "netascii"));
    refuses(4, request(READ, "f"));
    refuses(4, Frame.bytes(Frame.u16(READ), new byte[600]));
    assertEquals("10", Long.toString(Files.size(served.resolve("f"))));
  }

  @Test
  void noStormOfRequestsHoldsMoreThanAFewFiles() throws IOException {
    file("f", 5000);
    Random random = new Random(Guest.SEED);
    for (int i = 0; i < 3000; i++) {
      port = 1024 + random.nextInt(60000);
      byte[] message = new byte[random.nextInt(40)];
      random.nextBytes(message);
      boolean good = random.nextBoolean();
      send(
          random.nextInt(3) > 0 ? 69 : 61000 + random.nextInt(4000),
          good ? request(READ, "f", "octet", "blksize", "1000") : message);
      lab.step();
      lab.received.clear();
    }
    port = 1;
    send(69, request(READ, "f", "octet"));
    assertEquals(DATA, operation(answer()));
    try (var open = Files.list(Path.of("/proc/self/fd"))) {
      long held = open.filter(fd -> served.resolve("f").equals(target(fd))).count();
      assertEquals(32, held);
    }
  }

  private static Path target(Path fd) {
    try {
      return Files.readSymbolicLink(fd);
    } catch (IOException e) {
      return fd; // closed meanwhile
    }
  }

  @Test
  void dhcpTellsOfTheFileAndWhoHasIt() {
    byte[] discover =
        Frame.bytes(
            Frame.hex("01010600 12345678"),
            new byte[20],
            Lab.MAC,
            new byte[10 + 64 + 128],
            Frame.hex("63825363 350101 ff"));
    byte[] nowhere = new byte[4];
    byte[] everywhere = Frame.hex("ffffffff");
    byte[] udp = Frame.udp(nowhere, 68, everywhere, 67, discover);
    lab.sendIpv4(Frame.ipv4(nowhere, everywhere, 17, udp));
    byte[] offer = lab.await("an offer", frame -> frame.toPort() == 68).udpPayload();
    assertArrayEquals(Lab.GATEWAY, Frame.part(offer, 20, 24));
    byte[] name = "start.0\0".getBytes(StandardCharsets.US_ASCII);
    assertArrayEquals(name, Frame.part(offer, 108, 108 + name.length));
  }

  @Test
  void namesThatDhcpCannotCarryAndWhatIsNoDirectoryAreRefused() {
    assertThrows(NatException.class, () -> new NetworkBoot(null, "x".repeat(128)));
    assertThrows(NatException.class, () -> new NetworkBoot(null, "a b"));
    assertThrows(NatException.class, () -> new NetworkBoot(served.resolve("none"), ""));
  }
}
