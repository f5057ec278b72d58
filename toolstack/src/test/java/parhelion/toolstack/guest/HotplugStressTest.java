package parhelion.toolstack.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import parhelion.backends.xenstore.XenstoreDaemon;
import parhelion.cpu.CpuModel;

@Tag("boot")
@Timeout(value = 20, unit = TimeUnit.MINUTES)
final class HotplugStressTest {
  @Test
  void stress() throws Exception {
    int rounds = Integer.getInteger("rounds", 40);
    try (RunningGuest g = DebianKernelsTest.boot("linux-image-cloud-amd64", 2, CpuModel.V3)) {
      g.awaitPrompt();
      var field = PvGuest.class.getDeclaredField("store");
      field.setAccessible(true);
      var store = ((XenstoreDaemon) field.get(g.guest())).dom0();
      int domid = g.guest().domain().id();
      g.shell(
          "(while :; do dd if=/dev/zero bs=64k count=8 2>/dev/null | md5sum >/dev/null; done) & (while :; do ls -lR /sys >/dev/null 2>&1; done) & true");
      for (int i = 0; i < rounds; i++) {
        for (int n = 0; n < 100 + i; n++) {
          store.write("/local/domain/" + domid + "/cpu/0/noise" + n, "" + i);
        }
        g.guest().vcpuOnline(1, false);
        for (int n = 0; n < 100; n++) {
          store.write("/local/domain/" + domid + "/cpu/0/other" + n, "" + i);
        }
        long t = System.nanoTime();
        g.shell(
            "n=0; while [ $(nproc) != 1 ]; do sleep 0.1; n=$((n+1)); [ $n -lt 300 ] || { dmesg | tail -20; cat /proc/interrupts; for p in $(pidof xenwatch xenbus) $(ps | grep -E 'xenwatch|xenbus|cpuhp|stop' | grep -v grep | cut -c1-6); do echo $p; cat /proc/$p/stack /proc/$p/wchan; done; echo STUCK; break; }; done");
        System.out.println(i + " off in " + (System.nanoTime() - t) / 1000000 + " ms");
        if (g.text().contains("\nSTUCK")) {
          System.out.println(g.text().substring(Math.max(0, g.text().length() - 9000)));
          throw new AssertionError("stuck");
        }
        g.guest().vcpuOnline(1, true);
        String online = "/sys/devices/system/cpu/cpu1/online";
        g.shell(
            "while [ ! -e "
                + online
                + " ]; do sleep 0.1; done; until [ $(nproc) = 2 ]; do echo 1 > "
                + online
                + "; done");
      }
      assertEquals("", g.shell("dmesg | grep -iE ' stall|lockup|BUG:|WARNING:|Oops|segfault'"));
    }
  }
}
