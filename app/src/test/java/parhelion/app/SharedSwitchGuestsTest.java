package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Guests in processes of their own on one switch, and one on another; a process that is killed. */
@Tag("boot")
@Timeout(value = 30, unit = TimeUnit.MINUTES)
@DisabledOnOs(OS.WINDOWS)
final class SharedSwitchGuestsTest {
  @TempDir private Path directory;

  private NamedGuest start(String name, String lan, int number) throws Exception {
    NamedGuest guest =
        new NamedGuest(
            directory, name, List.of("--net", "switch:" + lan, "--cmd", "tail -f /dev/null"));
    boolean done = false;
    try {
      guest.awaitCommands();
      guest.sh("ip addr add 10.0.0." + number + "/24 dev eth0; ip link set eth0 up");
      done = true;
      return guest;
    } finally {
      if (!done) {
        guest.close();
      }
    }
  }

  private static String pings(NamedGuest from, int to, int wait) throws Exception {
    return from.sh("ping -c 3 -W " + wait + " 10.0.0." + to + " | grep transmitted");
  }

  private static void assertReaches(NamedGuest from, int to) throws Exception {
    String pings = pings(from, to, 20);
    assertTrue(pings.contains("3 packets received"), pings);
  }

  private static void bulk(NamedGuest from, NamedGuest to, int number) throws Exception {
    String sum = from.sh("seq 1 300000 >/tmp/sent; sha256sum </tmp/sent");
    to.sh("[ -p /tmp/silence ] || mkfifo /tmp/silence");
    // This nc ends with the first half of a connection, so the receiver must not end its own.
    to.sh("rm -f /tmp/end; (nc -l -p 99 <>/tmp/silence >/tmp/got; >/tmp/end) >/dev/null 2>&1 &");
    from.sh("until nc 10.0.0." + number + " 99 </tmp/sent; do usleep 100000; done");
    String got = to.sh("while [ ! -e /tmp/end ]; do usleep 100000; done; sha256sum </tmp/got");
    assertEquals(sum, got);
  }

  @Test
  void processesShareASwitchAndTheRestGoOnWhenOneIsKilled() throws Exception {
    try (NamedGuest one = start("one", "lan", 1);
        NamedGuest two = start("two", "lan", 2);
        NamedGuest far = start("far", "other", 3)) {
      assertReaches(one, 2);
      assertReaches(two, 1);
      bulk(one, two, 2);
      assertEquals(
          "3 packets transmitted, 0 packets received, 100% packet loss\n",
          far.sh("ping -c 3 -W 1 10.0.0.1 | grep transmitted || true"));
      assertEquals("0\n", far.sh("cat /sys/class/net/eth0/statistics/rx_packets"));
      // The first process has the switch in it.
      one.kill();
      try (NamedGuest three = start("three", "lan", 4)) {
        assertReaches(three, 2);
        bulk(two, three, 4);
      }
    }
  }
}
