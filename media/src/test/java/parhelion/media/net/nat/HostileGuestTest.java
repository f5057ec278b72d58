package parhelion.media.net.nat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import parhelion.media.net.Packet;
import parhelion.media.net.nat.config.HostService;
import parhelion.media.net.nat.config.NatConfig;
import parhelion.media.net.nat.config.Transport;
import parhelion.media.net.nat.loop.Count;
import parhelion.media.net.nat.wire.IpAddress;

/**
 * A guest that sends what no guest should: frames of every kind in which lengths, flags and numbers
 * lie. Nothing may throw, hang or grow, and afterwards the network must still work.
 */
final class HostileGuestTest {
  private static final int CASES = Boolean.getBoolean("parhelion.fast") ? 20_000 : 200_000;

  private final HostServers servers = new HostServers();

  @Test
  void nothingThatAGuestSendsHarmsTheNetwork() {
    int port = servers.start(HostServers::echo);
    IpAddress loopback = IpAddress.v4(0x7f000001);
    // Nothing but one service: no test may talk to strangers.
    NatConfig config =
        NatConfig.DEFAULT
            .withAllow(List.of())
            .withServices(
                List.of(
                    new HostService(Transport.TCP, port, loopback, port),
                    new HostService(Transport.UDP, port, loopback, port)))
            .withResolvers(List.of(new InetSocketAddress("127.0.0.1", port)));
    Random random = new Random(Guest.SEED);
    try (Lab lab = new Lab(config)) {
      List<byte[]> seeds = seeds(port);
      for (int i = 0; i < CASES; i++) {
        byte[] frame = mutated(seeds.get(random.nextInt(seeds.size())), random);
        Packet.Checksum checksum =
            Packet.Checksum.values()[random.nextInt(Packet.Checksum.values().length)];
        lab.nat.send(new Packet(frame, checksum, Packet.Gso.NONE, 0));
        if (i % 16 == 0) {
          lab.step();
          lab.received.clear();
          lab.now += random.nextInt(20_000_000);
        }
        if (i % 4096 == 0) {
          bounded(lab, config);
        }
      }
      bounded(lab, config);
      assertEquals(0, lab.count(Count.ERRORS), "seed " + Guest.SEED);
      assertTrue(lab.count(Count.DROP_MALFORMED) > 0 && lab.count(Count.TCP_OUT) > 0);
      lab.pass(20_000_000);
      stillWorks(lab, port);
    } finally {
      servers.close();
    }
  }

  private static void bounded(Lab lab, NatConfig config) {
    assertTrue(lab.nat.stack().tcp().size() <= config.limits().tcpConnections());
    assertTrue(lab.nat.stack().udp().size() <= config.limits().udpFlows());
    assertTrue(lab.nat.stack().tcp().heldBytes() <= config.limits().bufferBytes());
  }

  private static void stillWorks(Lab lab, int port) {
    Guest guest = new Guest(lab, Guest.SEED);
    guest.nextPort = 61_000;
    GuestTcp connection = guest.connect(Lab.GATEWAY, port);
    connection.output = new byte[10_000];
    connection.endsAfterOutput = true;
    connection.open();
    guest.until("the echo", connection::isOver);
    assertEquals(10_000, connection.input.size());
  }

  /** Good frames of every kind. */
  private static List<byte[]> seeds(int port) {
    List<byte[]> seeds = new ArrayList<>();
    byte[] options = Frame.hex("020405b4 01030307");
    for (int flags : new int[] {0x02, 0x10, 0x11, 0x18, 0x14, 0x12}) {
      byte[] tcp =
          Frame.bytes(
              Frame.u16(40_000),
              Frame.u16(port),
              Frame.u32(1000),
              Frame.u32(2000),
              new byte[] {0x70, (byte) flags},
              Frame.u16(1000),
              new byte[4],
              options,
              new byte[flags == 0x18 ? 700 : 0]);
      seeds.add(v4(6, Frame.summed(Lab.GUEST, Lab.GATEWAY, 6, tcp, 16)));
      seeds.add(v6(6, Frame.summed(Lab.GUEST6, Lab.GATEWAY6, 6, tcp, 16)));
    }
    byte[] query = Frame.hex("0001 0100 0001 0000 0000 0000 07 67617465776179 00 0001 0001");
    byte[] dns = Frame.udp(Lab.GUEST, 5000, Lab.DNS, 53, query);
    seeds.add(ethernet(0x800, Frame.ipv4(Lab.GUEST, Lab.DNS, 17, dns)));
    seeds.add(v4(17, Frame.udp(Lab.GUEST, 5000, Lab.GATEWAY, port, new byte[100])));
    byte[] udp6 = Frame.udp(Lab.GUEST6, 5000, Lab.GATEWAY6, port, new byte[100]);
    seeds.add(v6(17, udp6));
    byte[] discover =
        Frame.bytes(
            Frame.hex("01010600 12345678"),
            new byte[20],
            Lab.MAC,
            new byte[202],
            Frame.hex("63825363 350101 3204 0a00020f ff"));
    seeds.add(v4(17, Frame.udp(Lab.GUEST, 68, Lab.GATEWAY, 67, discover)));
    byte[] echo = Frame.summed(Lab.GUEST, Lab.GATEWAY, 1, Frame.hex("0800 0000 1234 0001 00"), 2);
    seeds.add(v4(1, echo));
    byte[] icmp6 =
        Frame.bytes(Frame.hex("8700 0000 00000000"), Lab.GATEWAY6, Frame.hex("0101"), Lab.MAC);
    seeds.add(v6(58, Frame.summed(Lab.GUEST6, Lab.GATEWAY6, 58, icmp6, 2)));
    seeds.add(v6(58, Frame.summed(Lab.GUEST6, Lab.GATEWAY6, 58, Frame.hex("8500000000000000"), 2)));
    for (int part = 0; part < 4; part++) {
      int more = part < 3 ? 1 : 0;
      seeds.add(
          ethernet(
              0x800,
              Frame.ipv4(
                  Lab.GUEST, Lab.GATEWAY, 17, 9, part * 100 | more * 0x2000, new byte[800])));
      byte[] header = Frame.bytes(new byte[] {17, 0}, Frame.u16(part * 800 | more), Frame.u32(9));
      seeds.add(v6(44, Frame.bytes(header, new byte[800])));
    }
    seeds.add(v6(0, Frame.bytes(Frame.hex("3c000104 00000000 11000104 00000000"), udp6)));
    byte[] arp =
        Frame.bytes(Frame.hex("0001 0800 0604 0001"), Lab.MAC, Lab.GUEST, new byte[6], Lab.GATEWAY);
    seeds.add(ethernet(0x806, arp));
    return seeds;
  }

  private static byte[] v4(int protocol, byte[] payload) {
    return ethernet(0x800, Frame.ipv4(Lab.GUEST, Lab.GATEWAY, protocol, payload));
  }

  private static byte[] v6(int protocol, byte[] payload) {
    return ethernet(0x86dd, Frame.ipv6(Lab.GUEST6, Lab.GATEWAY6, protocol, 255, payload));
  }

  private static byte[] ethernet(int type, byte[] payload) {
    return Frame.ethernet(Lab.GATEWAY_MAC, Lab.MAC, type, payload);
  }

  /** One or a few lies; the checksum of an IPv4 header is right again in most of them. */
  private static byte[] mutated(byte[] seed, Random random) {
    byte[] frame =
        switch (random.nextInt(8)) {
          case 0 -> Arrays.copyOf(seed, random.nextInt(seed.length + 1));
          case 1 -> Arrays.copyOf(seed, seed.length + random.nextInt(100));
          default -> seed.clone();
        };
    int lies = random.nextInt(4);
    for (int i = 0; i < lies && frame.length > 12; i++) {
      // Headers more often than what is behind them.
      int range = Math.min(frame.length - 12, random.nextInt(4) == 0 ? 2000 : 90);
      int at = 12 + random.nextInt(range);
      frame[at] =
          switch (random.nextInt(4)) {
            case 0 -> 0;
            case 1 -> -1;
            case 2 -> (byte) (frame[at] + random.nextInt(9) - 4);
            default -> (byte) random.nextInt();
          };
    }
    boolean v4 = frame.length >= 34 && frame[12] == 8 && frame[13] == 0;
    if (v4 && (frame[14] & 15) == 5 && random.nextInt(10) > 0) {
      frame[24] = 0;
      frame[25] = 0;
      byte[] sum = Frame.u16(Frame.checksum(Frame.part(frame, 14, 34)));
      frame[24] = sum[0];
      frame[25] = sum[1];
    }
    return frame;
  }
}
