package parhelion.media.net.nat;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import parhelion.media.net.nat.config.EgressRule;
import parhelion.media.net.nat.config.HostService;
import parhelion.media.net.nat.config.NameOverride;
import parhelion.media.net.nat.config.NatConfig;
import parhelion.media.net.nat.config.PortForward;
import parhelion.media.net.nat.config.Transport;
import parhelion.media.net.nat.loop.Count;
import parhelion.media.net.nat.wire.IpAddress;

/** UDP to servers of the host and from its clients, and the forwarder of DNS. */
final class UdpAndNamesTest {
  private static final IpAddress LOOPBACK = IpAddress.v4(0x7f000001);

  private final List<AutoCloseable> open = new ArrayList<>();
  private Lab lab;
  private int nextPort = 7000;

  @AfterEach
  void close() throws Exception {
    if (lab != null) {
      lab.close();
    }
    for (AutoCloseable closeable : open) {
      closeable.close();
    }
  }

  /** Answers datagrams of the host's loopback, in a thread of its own. */
  private int server(java.util.function.UnaryOperator<byte[]> answers) throws Exception {
    DatagramSocket socket = new DatagramSocket(0, InetAddress.getByName("127.0.0.1"));
    open.add(socket);
    Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              byte[] buffer = new byte[65535];
              try {
                while (true) {
                  DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
                  socket.receive(packet);
                  byte[] answer = answers.apply(Arrays.copyOf(buffer, packet.getLength()));
                  if (answer != null) {
                    socket.send(
                        new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
                  }
                }
              } catch (java.io.IOException closed) {
                // The test is over.
              }
            });
    return socket.getLocalPort();
  }

  private static NatConfig withService(int port) {
    return NatConfig.DEFAULT.withServices(
        List.of(new HostService(Transport.UDP, port, LOOPBACK, port)));
  }

  private void sendUdp(int fromPort, byte[] to, int toPort, byte[] payload) {
    if (to.length == 16) {
      byte[] udp = Frame.udp(Lab.GUEST6, fromPort, to, toPort, payload);
      lab.sendIpv6(Frame.ipv6(Lab.GUEST6, to, 17, 64, udp));
    } else {
      byte[] udp = Frame.udp(Lab.GUEST, fromPort, to, toPort, payload);
      lab.sendIpv4(Frame.ipv4(Lab.GUEST, to, 17, udp));
    }
  }

  private Received awaitUdp(int port) {
    return lab.await("UDP", frame -> frame.protocol() == 17 && frame.toPort() == port);
  }

  @Test
  void datagramsGoToAServerAndBackAndTheirFlowEndsInSilence() throws Exception {
    int port = server(request -> Frame.bytes(request, request));
    lab = new Lab(withService(port));
    for (byte[] gateway : new byte[][] {Lab.GATEWAY, Lab.GATEWAY6}) {
      byte[] payload = {1, 2, 3};
      sendUdp(5000, gateway, port, payload);
      Received answer = awaitUdp(5000);
      assertArrayEquals(new byte[] {1, 2, 3, 1, 2, 3}, answer.udpPayload());
      assertArrayEquals(gateway, answer.from());
      assertEquals(port, answer.fromPort());
    }
    assertEquals(2, lab.nat.stack().udp().size());
    lab.pass(119_000);
    assertEquals(2, lab.nat.stack().udp().size());
    lab.pass(2_000);
    assertEquals(0, lab.nat.stack().udp().size());
  }

  @Test
  void fragmentsArePutTogetherAndLargeAnswersCut() throws Exception {
    int port = server(request -> request);
    lab = new Lab(withService(port));
    byte[] payload = new byte[20_000];
    new Random(3).nextBytes(payload);
    byte[] udp = Frame.udp(Lab.GUEST, 5001, Lab.GATEWAY, port, payload);
    List<Integer> offsets = new ArrayList<>();
    for (int at = 0; at < udp.length; at += 1480) {
      offsets.add(at);
    }
    java.util.Collections.shuffle(offsets, new Random(4));
    for (int at : offsets) {
      int end = Math.min(at + 1480, udp.length);
      int flags = at / 8 | (end < udp.length ? 0x2000 : 0);
      lab.sendIpv4(Frame.ipv4(Lab.GUEST, Lab.GATEWAY, 17, 9, flags, Frame.part(udp, at, end)));
    }
    byte[] whole = new byte[udp.length];
    int got = 0;
    while (got < whole.length) {
      Received part = lab.await("a fragment", frame -> frame.protocol() == 17);
      System.arraycopy(
          part.payload(), 0, whole, (part.fragment() & 0x1fff) * 8, part.payload().length);
      got += part.payload().length;
      assertEquals(
          (part.fragment() & 0x1fff) * 8 + part.payload().length < whole.length,
          (part.fragment() & 0x2000) != 0);
    }
    assertArrayEquals(payload, Frame.part(whole, 8, whole.length));
    byte[] pseudo = Frame.pseudoHeader(Lab.GATEWAY, Lab.GUEST, 17, whole.length);
    assertEquals(0, Frame.checksum(pseudo, whole));
  }

  @Test
  void aClosedPortOfUdpIsTold() throws Exception {
    int port;
    try (DatagramSocket free = new DatagramSocket(0, InetAddress.getByName("127.0.0.1"))) {
      port = free.getLocalPort();
    }
    lab = new Lab(withService(port));
    sendUdp(5002, Lab.GATEWAY, port, new byte[] {1});
    Received error = lab.await("an error", frame -> frame.protocol() == 1);
    assertEquals(3, error.payload()[0]);
    assertEquals(3, error.payload()[1]);
    assertEquals(5002, Frame.read16(error.payload(), 28));
    sendUdp(5003, new byte[] {127, 0, 0, 1}, port, new byte[] {1});
    Received prohibited = lab.await("an error", frame -> frame.protocol() == 1);
    assertEquals(13, prohibited.payload()[1]);
  }

  @Test
  void flowsAreBounded() throws Exception {
    int port = server(request -> request);
    lab = new Lab(withService(port));
    int limit = NatConfig.DEFAULT.limits().udpFlows();
    for (int i = 0; i < limit + 200; i++) {
      sendUdp(10_000 + i, Lab.GATEWAY, port, new byte[] {1});
      lab.step();
    }
    assertEquals(limit, lab.nat.stack().udp().size());
  }

  @Test
  void clientsOfTheHostReachAPortOfUdp() throws Exception {
    lab = new Lab(NatConfig.DEFAULT.withForwards(List.of(PortForward.parse("0:69/udp"))));
    int port = lab.nat.forwards().getFirst().hostPort();
    sendUdp(69, Lab.DNS, 53, new byte[0]); // So that the guest's address is known.
    try (DatagramSocket client = new DatagramSocket()) {
      client.connect(new InetSocketAddress("127.0.0.1", port));
      client.send(new DatagramPacket(new byte[] {7, 8}, 2));
      Received request = awaitUdp(69);
      assertArrayEquals(new byte[] {7, 8}, request.udpPayload());
      assertArrayEquals(Lab.GATEWAY, request.from());
      sendUdp(69, Lab.GATEWAY, request.fromPort(), new byte[] {9});
      lab.step();
      DatagramPacket answer = new DatagramPacket(new byte[10], 10);
      client.setSoTimeout(10_000);
      client.receive(answer);
      assertEquals(1, answer.getLength());
      assertEquals(9, answer.getData()[0]);
    }
  }

  // Names.

  private static byte[] query(int id, String name, int type) {
    byte[] labels = new byte[0];
    for (String label : name.split("\\.")) {
      byte[] text = label.getBytes(StandardCharsets.US_ASCII);
      labels = Frame.bytes(labels, new byte[] {(byte) text.length}, text);
    }
    return Frame.bytes(
        Frame.u16(id),
        Frame.hex("0100 0001 0000 0000 0000"),
        labels,
        new byte[1],
        Frame.u16(type),
        Frame.u16(1));
  }

  /** An answer with an alias in front of an address. */
  private static byte[] answer(byte[] query, byte[] address, int ttl) {
    byte[] head = query.clone();
    head[2] = (byte) 0x81;
    head[3] = (byte) 0x80;
    head[7] = 2;
    return Frame.bytes(
        head,
        Frame.hex("c00c 0005 0001 0000003c 0004 01 78 c00c"),
        Frame.hex("c00c"),
        Frame.u16(address.length == 4 ? 1 : 28),
        Frame.u16(1),
        Frame.u32(ttl),
        Frame.u16(address.length),
        address);
  }

  private Received ask(String name, int type) {
    sendUdp(6000, Lab.DNS, 53, query(0x1234, name, type));
    Received answer = awaitUdp(6000);
    assertEquals(0x1234, Frame.read16(answer.udpPayload(), 0));
    assertArrayEquals(Lab.DNS, answer.from());
    return answer;
  }

  private static int code(Received answer) {
    return answer.udpPayload()[3] & 15;
  }

  private static byte[] lastFour(Received answer) {
    byte[] message = answer.udpPayload();
    return Frame.part(message, message.length - 4, message.length);
  }

  @Test
  void queriesAreForwardedToTheNextResolverIfOneIsSilent() throws Exception {
    byte[] address = {93, 1, 2, 3};
    List<Integer> ids = new ArrayList<>();
    int deaf = server(request -> null);
    int liar =
        server(
            request -> {
              ids.add(Frame.read16(request, 0));
              return answer(request, address, 60);
            });
    lab =
        new Lab(
            NatConfig.DEFAULT.withResolvers(
                List.of(
                    new InetSocketAddress("127.0.0.1", deaf),
                    new InetSocketAddress("127.0.0.1", liar))));
    sendUdp(6000, Lab.DNS, 53, query(0x1234, "www.Example.org", 1));
    lab.step();
    assertTrue(lab.received.isEmpty());
    lab.pass(3100);
    Received answer = awaitUdp(6000);
    assertArrayEquals(address, lastFour(answer));
    assertEquals(0x1234, Frame.read16(answer.udpPayload(), 0));
    assertEquals(1, ids.size());
  }

  @Test
  void withoutAnAnswerTheQueryFails() throws Exception {
    int deaf = server(request -> new byte[] {1, 2, 3});
    lab =
        new Lab(NatConfig.DEFAULT.withResolvers(List.of(new InetSocketAddress("127.0.0.1", deaf))));
    sendUdp(6000, Lab.DNS, 53, query(1, "example.org", 1));
    lab.step();
    lab.pass(3100);
    lab.pass(3100);
    assertEquals(2, code(awaitUdp(6000)));
    assertEquals(1, lab.count(Count.DNS_FAILED));
  }

  @Test
  void ownNamesAndThoseOfTheUserAreAnsweredHere() {
    lab =
        new Lab(
            NatConfig.DEFAULT
                .withHostname("web")
                .withNames(
                    List.of(
                        NameOverride.parse("db.test=10.0.2.2"),
                        NameOverride.parse("db.test=fd00::7"))));
    assertArrayEquals(Lab.GATEWAY, lastFour(ask("gateway", 1)));
    assertArrayEquals(Lab.GATEWAY, lastFour(ask("host.parhelion.internal", 1)));
    assertArrayEquals(Lab.GUEST, lastFour(ask("WEB.parhelion.internal", 1)));
    assertArrayEquals(Lab.GATEWAY, lastFour(ask("db.test", 1)));
    byte[] v6 = ask("db.test", 28).udpPayload();
    assertArrayEquals(
        Frame.hex("fd0000000000000000000000 00000007"), Frame.part(v6, v6.length - 16, v6.length));
    assertEquals(3, code(ask("nothing.parhelion.internal", 1)));
    byte[] reverse = ask("2.2.0.10.in-addr.arpa", 12).udpPayload();
    assertTrue(new String(reverse, StandardCharsets.ISO_8859_1).contains("\7gateway"));
    assertEquals(3, code(ask("99.2.0.10.in-addr.arpa", 12)));
    assertEquals(8, lab.count(Count.DNS_QUERIES));
  }

  @Test
  void aListOfNamesOpensWhatTheForwarderAnsweredAsLongAsThatLives() throws Exception {
    byte[] address = {93, 1, 2, 3};
    int resolver = server(request -> answer(request, address, 60));
    lab =
        new Lab(
            NatConfig.DEFAULT
                .withAllow(List.of(EgressRule.parse("*.example.org")))
                .withResolvers(List.of(new InetSocketAddress("127.0.0.1", resolver))));
    assertEquals(5, code(ask("example.com", 1)), "refused");
    assertTrue(isProhibited(address));
    assertEquals(0, code(ask("www.example.org", 1)));
    assertFalse(isProhibited(address));
    lab.pass(71_000);
    assertTrue(isProhibited(address));
  }

  private boolean isProhibited(byte[] address) {
    long before = lab.count(Count.DROP_POLICY);
    // A flow that is there is not cut: each question is a new one.
    sendUdp(nextPort++, address, 9, new byte[] {1});
    lab.step();
    return lab.count(Count.DROP_POLICY) > before;
  }

  @Test
  void malformedQueriesGetAnErrorOrNothing() {
    lab = new Lab(NatConfig.DEFAULT);
    byte[] good = query(1, "example.org", 1);
    sendUdp(6000, Lab.DNS, 53, Frame.part(good, 0, 11));
    sendUdp(6000, Lab.DNS, 53, Frame.part(good, 0, 15));
    assertEquals(1, code(awaitUdp(6000)));
    byte[] update = good.clone();
    update[2] = 0x28;
    sendUdp(6000, Lab.DNS, 53, update);
    assertEquals(4, code(awaitUdp(6000)));
    byte[] looped = Frame.bytes(Frame.part(good, 0, 12), Frame.hex("c00c 0001 0001"));
    sendUdp(6000, Lab.DNS, 53, looped);
    assertEquals(1, code(awaitUdp(6000)));
  }

  @Test
  void queriesByTcpAreForwardedByTcp() throws Exception {
    byte[] address = {93, 1, 2, 3};
    HostServers servers = new HostServers();
    open.add(servers);
    int resolver =
        servers.start(
            socket -> {
              var input = new java.io.DataInputStream(socket.getInputStream());
              byte[] request = new byte[input.readUnsignedShort()];
              input.readFully(request);
              byte[] answer = answer(request, address, 60);
              socket.getOutputStream().write(Frame.bytes(Frame.u16(answer.length), answer));
            });
    lab =
        new Lab(
            NatConfig.DEFAULT.withResolvers(List.of(new InetSocketAddress("127.0.0.1", resolver))));
    Guest guest = new Guest(lab, Guest.SEED);
    GuestTcp connection = guest.connect(Lab.DNS, 53);
    byte[] outside = query(7, "www.example.org", 1);
    byte[] own = query(8, "gateway", 1);
    connection.output = Frame.bytes(Frame.u16(outside.length), outside, Frame.u16(own.length), own);
    connection.endsAfterOutput = true;
    connection.open();
    guest.until("both answers and the end", connection::isOver);
    byte[] input = connection.input.toByteArray();
    int first = Frame.read16(input, 0);
    int second = Frame.read16(input, 2 + first);
    assertEquals(input.length, 4 + first + second);
    assertEquals(15, Frame.read16(input, 2) + Frame.read16(input, 4 + first));

    GuestTcp liar = guest.connect(Lab.DNS, 53);
    liar.output = Frame.hex("ffff 0000");
    liar.open();
    guest.until("a reset", () -> liar.reset);
  }
}
