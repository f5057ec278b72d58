package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import parhelion.media.share.HostTree;

/** Devices of every kind that come to a running guest and go, by the commands that users type. */
@Tag("boot")
@Timeout(value = 20, unit = TimeUnit.MINUTES)
final class HotPlugTest {
  private static final int MIB = 1 << 20;

  @TempDir Path directory;

  private NamedGuest guest;

  private void attached(String name, String kind, Object value)
      throws IOException, InterruptedException {
    int status = guest.ask("attach", kind, value.toString());
    assertEquals(0, status, guest.printed());
    assertEquals(name, guest.printed().lines().findFirst().orElse(""));
  }

  @Test
  void sharesDisksNetworksAndConsolesComeAndGo() throws Exception {
    Assumptions.assumeTrue(HostTree.isAvailable(), "no directories can be shared on this host");
    Path first = Files.createDirectory(directory.resolve("first"));
    Path second = Files.createDirectory(directory.resolve("second"));
    Files.writeString(second.resolve("file"), "of the second\n");
    List<String> arguments =
        List.of(
            "--share",
            first + ":/first",
            "--modules",
            "xen-netfront,af_packet,xen-blkfront",
            "--cmd",
            "tail -f /dev/null");
    try (NamedGuest running = new NamedGuest(directory, "plug", arguments)) {
      guest = running;
      guest.awaitCommands();
      shares(second);
      networks();
      disks();
      attached("console2", "console", "file:" + directory.resolve("console.log"));
      guest.sh("until [ -c /dev/hvc2 ] && echo hello >/dev/hvc2; do usleep 100000; done");
      guest.detach("console2");
      assertEquals("hello\r\n", Files.readString(directory.resolve("console.log")));
      guest.refused("no kind of device called 'usb'", "attach", "usb", "x");
      guest.refused("there is no device eth7", "detach", "eth7");
      assertEquals("", guest.sh("dmesg | grep -E 'BUG:|WARNING:|Oops' || true"));
      assertEquals(0, guest.ask("stop", "--force"));
    }
  }

  private void shares(Path second) throws IOException, InterruptedException {
    attached("share1", "share", second + ":/second place");
    assertEquals("of the second\n", guest.sh("cat '/second place/file'"));
    guest.sh("cd '/second place'; echo back >answer; sleep 10000 >/dev/null 2>&1 </dev/null &");
    assertEquals("back\n", Files.readString(second.resolve("answer")));
    guest.refused("share1 is in use in the guest", "detach", "share1");
    guest.sh("killall sleep");
    guest.detach("share1");
    assertEquals("", guest.sh("ls '/second place'"));
    attached("share1", "share", second + ":/third:ro");
    assertEquals("back\n", guest.sh("cat /third/answer"));
    assertEquals(1, guest.execIn("sh", "-c", "echo x >/third/answer"));
    guest.refused("no such directory", "attach", "share", second.resolve("none") + ":/none");
  }

  private static final String CONNECT =
      """
      until [ -e /sys/class/net/eth0 ]; do usleep 100000; done
      ip link set eth0 up && udhcpc -i eth0 -q -n -t 20 -T 1 -O mtu -s /etc/udhcpc >/dev/null 2>&1
      ping -c 3 -W 20 10.0.2.2 | grep received
      """;

  private void networks() throws IOException, InterruptedException {
    attached("eth0", "net", "nat");
    reaches();
    guest.refused("eth0 is at NAT already", "attach", "net", "nat");
    // The driver lets go, with packets under way, and comes back.
    guest.sh("ping -c 1000 -i 0.01 10.0.2.2 >/dev/null 2>&1 &");
    guest.sh("echo vif-0 >/sys/bus/xen/drivers/vif/unbind; ! [ -e /sys/class/net/eth0 ]");
    guest.sh("echo vif-0 >/sys/bus/xen/drivers/vif/bind");
    reaches();
    guest.detach("eth0");
    guest.sh("while [ -e /sys/class/net/eth0 ]; do usleep 100000; done");
    attached("eth0", "net", "nat,mtu=1400");
    reaches();
    assertEquals("1400\n", guest.sh("cat /sys/class/net/eth0/mtu"));
    attached("eth1", "net", "switch:plugged");
    guest.sh("until ip link set eth1 up; do usleep 100000; done");
    guest.detach("eth1", "--force");
  }

  private void reaches() throws IOException, InterruptedException {
    String pings = guest.sh(CONNECT);
    assertTrue(pings.startsWith("3 packets transmitted, 3 packets received"), pings);
  }

  private void disks() throws IOException, InterruptedException {
    Path image = directory.resolve("disk.img");
    Files.write(image, new byte[8 * MIB]);
    attached("xvda", "disk", image + ",format=raw");
    guest.sh("until [ -b /dev/xvda ]; do usleep 100000; done");
    assertEquals(0, guest.ask("resize", "xvda", "16M"), guest.printed());
    guest.sh("until [ $(cat /sys/block/xvda/size) = 32768 ]; do usleep 100000; done");
    guest.sh("echo written | dd of=/dev/xvda bs=1M seek=15 conv=fsync,sync 2>/dev/null");
    guest.detach("xvda");
    byte[] tail = new byte[8];
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "r")) {
      assertEquals(16 * MIB, file.length());
      file.seek(15 * MIB);
      file.readFully(tail);
    }
    assertArrayEquals("written\n".getBytes(java.nio.charset.StandardCharsets.UTF_8), tail);
    guest.refused("has no size to change", "resize", "eth0", "1G");
  }
}
