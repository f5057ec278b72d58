package parhelion.toolstack.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static parhelion.toolstack.guest.NetworkGuests.address;
import static parhelion.toolstack.guest.NetworkGuests.assertReaches;
import static parhelion.toolstack.guest.NetworkGuests.device;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import parhelion.media.net.Cable;
import parhelion.media.net.NetworkPort;
import parhelion.media.net.Packet;
import parhelion.media.net.VirtualSwitch;
import parhelion.media.net.VirtualSwitch.PortOptions;
import parhelion.media.net.nat.NatNetwork;
import parhelion.media.net.nat.config.NatConfig;

/** Several of Debian's kernels on one network: who hears whom, and packets of all sizes. */
@Tag("boot")
@Timeout(value = 20, unit = TimeUnit.MINUTES)
final class SwitchGuestsTest {
  private static final PortOptions ISOLATED = new PortOptions(true, null);

  /** As busybox's seq prints them: 2 MB. */
  private static final String MAKE = "seq 1 300000 >/tmp/sent; sha256sum </tmp/sent";

  private final NetworkGuests guests = new NetworkGuests();

  @AfterEach
  void end() throws Exception {
    guests.close();
  }

  /** Two MB over TCP, which arrive whole. */
  private static void bulk(RunningGuest from, RunningGuest to, String address) throws Exception {
    String sum = from.shell(MAKE);
    to.shell("[ -p /tmp/silence ] || mkfifo /tmp/silence");
    // This nc ends with the first half of a connection, so the receiver must not end its own.
    to.shell("(nc -l -p 99 <>/tmp/silence >/tmp/got; echo done >/tmp/end) & true");
    from.shell("until nc " + address + " 99 </tmp/sent; do usleep 100000; done");
    to.shell("while [ ! -e /tmp/end ]; do usleep 100000; done; rm /tmp/end");
    assertEquals(sum, to.shell("sha256sum </tmp/got"));
  }

  private static String received(RunningGuest guest) throws InterruptedException {
    return guest.shell("cat /sys/class/net/eth0/statistics/rx_packets");
  }

  @Test
  void isolatedGuestsReachTheirNeighbourAndNotEachOtherWithPacketsOfAllSizes() throws Exception {
    VirtualSwitch lan = new VirtualSwitch("lan");
    RunningGuest a = guests.boot("a", 1, "", device(1, lan.plug(ISOLATED)));
    RunningGuest b = guests.boot("b", 2, "", device(2, lan.plug(PortOptions.PLAIN)));
    RunningGuest c = guests.boot("c", 1, "", device(3, lan.plug(ISOLATED)));
    address(a, "10.0.0.1");
    address(b, "10.0.0.2");
    address(c, "10.0.0.3");
    assertReaches(a, "10.0.0.2");
    assertReaches(c, "10.0.0.2");

    // Even with the address at hand, nothing of a's comes to c.
    a.shell("arp -s 10.0.0.3 00:16:3e:00:01:03");
    String before = received(c);
    String pings = a.shell("ping -c 2 -W 1 10.0.0.3");
    assertTrue(pings.contains("0 packets received"), pings);
    for (int mtu : new int[] {9000, 500}) {
      a.shell("ip link set eth0 mtu " + mtu);
      b.shell("ip link set eth0 mtu " + mtu);
      String large = a.shell("ping -c 3 -W 20 -s " + (mtu - 28) + " 10.0.0.2");
      assertTrue(large.contains("3 packets received"), large);
      bulk(a, b, "10.0.0.2");
      bulk(b, a, "10.0.0.1");
    }
    // b may have asked anew who has a's address, which goes to everybody.
    long heard = Long.parseLong(received(c).strip()) - Long.parseLong(before.strip());
    assertTrue(heard < 50, "what a third heard of some thousand packets: " + heard);
    for (RunningGuest guest : new RunningGuest[] {a, b, c}) {
      assertEquals("", guest.shell("dmesg | grep -E 'BUG:|WARNING:|Oops|Invalid|Bad rx'"));
    }
  }

  /** A socket of a switch that counts the kinds of packets that are sent into it. */
  private static NetworkPort counting(NetworkPort port, Map<Packet.Gso, Integer> counts) {
    return new NetworkPort() {
      @Override
      public void connect(Receiver receiver) {
        port.connect(receiver);
      }

      @Override
      public boolean send(Packet packet) {
        boolean taken = port.send(packet);
        if (taken) {
          counts.merge(packet.gso(), 1, Integer::sum);
        }
        return taken;
      }

      @Override
      public void roomToReceive() {
        port.roomToReceive();
      }

      @Override
      public void close() {
        port.close();
      }
    };
  }

  @Test
  void largePacketsOfBothProtocolsCrossTheSwitchWhole() throws Exception {
    VirtualSwitch lan = new VirtualSwitch("lan");
    Map<Packet.Gso, Integer> counts = new ConcurrentHashMap<>();
    RunningGuest a =
        guests.boot("a", 1, "", device(1, counting(lan.plug(PortOptions.PLAIN), counts)));
    RunningGuest b = guests.boot("b", 1, "", device(2, lan.plug(PortOptions.PLAIN)));
    address(a, "10.0.0.1");
    address(b, "10.0.0.2");
    a.shell("ip addr add fd00::1/64 dev eth0");
    b.shell("ip addr add fd00::2/64 dev eth0");
    a.shell("until ping -6 -c 1 -W 5 fd00::2; do usleep 100000; done");
    bulk(a, b, "10.0.0.2");
    bulk(a, b, "fd00::2");
    assertTrue(counts.getOrDefault(Packet.Gso.TCPV4, 0) > 20, counts::toString);
    assertTrue(counts.getOrDefault(Packet.Gso.TCPV6, 0) > 20, counts::toString);
  }

  @Test
  void guestsOfOneSwitchShareANat() throws Exception {
    VirtualSwitch lan = new VirtualSwitch("lan");
    NatNetwork nat = NatNetwork.open(NatConfig.DEFAULT);
    try (Cable _ = Cable.between(lan.plug(PortOptions.PLAIN), nat)) {
      String dhcp = "parhelion.net=eth0:dhcp:1500";
      RunningGuest a = guests.boot("a", 1, dhcp, device(1, lan.plug(PortOptions.PLAIN)));
      RunningGuest b = guests.boot("b", 1, dhcp, device(2, lan.plug(PortOptions.PLAIN)));
      assertReaches(a, "10.0.2.2");
      assertReaches(b, "10.0.2.2");
      String first = a.shell("ip -4 addr show eth0 | grep -o 'inet [0-9.]*'");
      String second = b.shell("ip -4 addr show eth0 | grep -o 'inet [0-9.]*'");
      assertEquals("inet 10.0.2.15\n", first);
      assertEquals("inet 10.0.2.16\n", second);
      bulk(a, b, "10.0.2.16");
      bulk(b, a, "10.0.2.15");
    }
  }
}
