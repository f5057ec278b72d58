package parhelion.backends.xenstore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a guest cannot get more of. */
class XenstoreQuotaTest {
  private final XenstoreDaemon daemon = new XenstoreDaemon(StoreHost.PERMISSIVE);
  private final XenstoreClient dom0 = daemon.dom0();
  private final GuestStore guest = new GuestStore(daemon, 1);

  @BeforeEach
  void prepareTheDomain() {
    dom0.mkdir("/local/domain/1/data", Perms.parse("n1"));
    dom0.mkdir("/shared", Perms.parse("b0"));
  }

  @AfterEach
  void theAccountsAreRight() {
    daemon.audit();
  }

  @Test
  void aGuestOwnsAtMostAThousandNodesAndCanMakeRoomByRemovingSome() {
    int made = 1;
    for (int group = 0; made < 1000; group++) {
      guest.ask(XsOp.MKDIR, "data/g" + group + "|");
      made++;
      for (int i = 0; i < 50 && made < 1000; i++, made++) {
        assertEquals("OK|", guest.ask(XsOp.MKDIR, "data/g" + group + "/n" + i + "|"));
      }
    }
    assertEquals("ENOSPC|", guest.ask(XsOp.MKDIR, "data/more|"));
    assertEquals("ENOSPC|", guest.ask(XsOp.WRITE, "/shared/more|v"));
    assertEquals("OK|", guest.ask(XsOp.RM, "data/g0/n0|"));
    assertEquals("ENOSPC|", guest.ask(XsOp.MKDIR, "data/two/levels|"));
    assertEquals("OK|", guest.ask(XsOp.MKDIR, "data/more|"));
  }

  @Test
  void aNodeIsAtMostTwoKibibytesWithPermissionsAndChildrensNames() {
    int plain = 16 + 8;
    assertEquals("OK|", guest.ask(XsOp.WRITE, "data/a|" + "v".repeat(2047 - plain)));
    assertEquals("ENOSPC|", guest.ask(XsOp.WRITE, "data/a|" + "v".repeat(2048 - plain)));
    assertEquals("ENOSPC|", guest.ask(XsOp.WRITE, "data/b|" + "v".repeat(2048 - plain)));
    assertEquals("ENOENT|", guest.ask(XsOp.READ, "data/b|"));
    assertEquals("ENOSPC|", guest.ask(XsOp.SET_PERMS, "data/a|n1|r2|"));
    int children = 0;
    while (guest.ask(XsOp.MKDIR, "data/a-child-with-a-name-" + children + "|").equals("OK|")) {
      children++;
    }
    assertTrue(children > 50 && children < 100, "children " + children);
    assertEquals(2047 - plain, guest.ask(XsOp.READ, "data/a|").length());
  }

  @Test
  void aGuestSetsAtMostSoManyWatches() {
    for (int i = 0; i < 128; i++) {
      assertEquals("OK|", guest.ask(XsOp.WATCH, "w" + i + "|t|"));
    }
    assertEquals("ENOSPC|", guest.ask(XsOp.WATCH, "more|t|"));
    assertEquals("OK|", guest.ask(XsOp.UNWATCH, "w0|t|"));
    assertEquals("OK|", guest.ask(XsOp.WATCH, "more|t|"));
  }

  @Test
  void aGuestHoldsNoMoreMemoryThanItMay() {
    GuestStore control = new GuestStore(daemon, 0);
    assertEquals("OK|", control.ask(XsOp.SET_QUOTA, "1|memory|20000|"));
    int written = 0;
    String answer = "OK|";
    while (answer.equals("OK|")) {
      answer = guest.ask(XsOp.WRITE, "data/n" + written + "|" + "v".repeat(1000));
      written++;
    }
    assertEquals("ENOMEM|", answer);
    assertTrue(written > 10 && written < 21, "written " + written);
    assertEquals("ENOMEM|", guest.ask(XsOp.WATCH, "data|t|"));
    assertEquals("OK|", guest.ask(XsOp.RM, "data/n0|"));
    assertEquals("OK|", guest.ask(XsOp.RM, "data/n1|"));
    assertEquals("OK|", guest.ask(XsOp.WRITE, "data/n0|v"));
  }

  @Test
  void aTransactionsUncommittedNodesCountAsMemory() {
    GuestStore control = new GuestStore(daemon, 0);
    assertEquals("OK|", control.ask(XsOp.SET_QUOTA, "1|memory|20000|"));
    int tx = Integer.parseInt(guest.ask(XsOp.TRANSACTION_START, "|").replace("|", ""));
    int written = 0;
    String answer = "OK|";
    while (answer.equals("OK|")) {
      answer = guest.ask(XsOp.WRITE, tx, "data/n" + written + "|" + "v".repeat(1000));
      written++;
    }
    assertEquals("ENOMEM|", answer);
    assertTrue(written < 21, "written " + written);
  }

  @Test
  void theDeepestPathsAreMadeAndRemovedQuickly() {
    GuestStore other = new GuestStore(daemon, 2);
    other.ask(XsOp.WATCH, "/shared|t|");
    String deep = "/shared" + "/x".repeat(990);
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    long start = threads.getCurrentThreadCpuTime(); // what others do meanwhile does not count
    for (int i = 0; i < 200; i++) {
      assertEquals("OK|", guest.ask(XsOp.WRITE, deep + "|v"));
      assertEquals("v", guest.ask(XsOp.READ, deep + "|"));
      assertEquals("OK|", guest.ask(XsOp.RM, "/shared/x|"));
      assertEquals("ENOENT|", guest.ask(XsOp.READ, deep + "|"));
    }
    long perRequestMicros = (threads.getCurrentThreadCpuTime() - start) / 800_000;
    assertTrue(perRequestMicros < 20_000, perRequestMicros + " us per request");
    assertEquals("EINVAL|", guest.ask(XsOp.WRITE, "/shared" + "/x".repeat(1100) + "|v"));
  }

  @Test
  void dom0HasNoLimits() {
    GuestStore control = new GuestStore(daemon, 0);
    for (int i = 0; i < 1200; i++) {
      assertEquals("OK|", control.ask(XsOp.WRITE, "/big/n" + i + "|"));
    }
    assertEquals("OK|", control.ask(XsOp.WRITE, "/big|" + "v".repeat(4000)));
    assertEquals(4000, dom0.read("/big").length());
  }
}
