package parhelion.backends.xenstore;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import parhelion.backends.BackendThread;

/** The store from Java: clients on many threads, domain directories, shutdown requests. */
@Timeout(60)
class XenstoreClientTest {
  private final XenstoreDaemon daemon = new XenstoreDaemon(StoreHost.PERMISSIVE);
  private final XenstoreClient dom0 = daemon.dom0();

  private static DomainDirectory.Config config() {
    return new DomainDirectory.Config(
        "web",
        UUID.fromString("00000000-0000-0000-0000-000000000001"),
        2,
        1,
        262144,
        524288,
        "/boot/vmlinuz",
        null,
        "console=hvc0");
  }

  @Test
  void callbacksRunOnTheAgentsThreadAndMayUseTheStore() throws InterruptedException {
    CountDownLatch registered = new CountDownLatch(1);
    CountDownLatch seen = new CountDownLatch(1);
    List<String> calls = new ArrayList<>();
    try (BackendThread _ = BackendThread.start("xenstored", daemon)) {
      dom0.watch(
          "/a",
          path -> {
            String value = dom0.readOrNull("/a");
            calls.add(Thread.currentThread().getName() + ": " + value);
            registered.countDown();
            if ("go".equals(value)) {
              dom0.write("/b", "done");
              seen.countDown();
            }
          });
      // A watch is told once of itself: the write comes after that call, as it is told of too.
      assertTrue(registered.await(30, TimeUnit.SECONDS));
      dom0.write("/a", "go");
      assertTrue(seen.await(30, TimeUnit.SECONDS));
    }
    assertEquals(List.of("xenstored: null", "xenstored: go"), calls);
    assertEquals("done", dom0.read("/b"));
  }

  @Test
  void countersInTransactionsOnManyThreadsLoseNothing() throws InterruptedException {
    dom0.write("/counter", "0");
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      XenstoreClient client = daemon.dom0();
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (int n = 0; n < 500; n++) {
                      client.transaction(
                          tx -> {
                            int value = Integer.parseInt(tx.read("/counter"));
                            tx.write("/counter", Integer.toString(value + 1));
                            return true;
                          });
                    }
                  }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals("2000", dom0.read("/counter"));
  }

  @Test
  void valuesKeepEveryByte() {
    byte[] all = new byte[256];
    for (int i = 0; i < all.length; i++) {
      all[i] = (byte) i;
    }
    dom0.writeBytes("/bytes", all);
    assertArrayEquals(all, dom0.readBytes("/bytes"));
    all[0] = 1;
    assertEquals(0, dom0.readBytes("/bytes")[0]);
    XsException e = assertThrows(XsException.class, () -> dom0.writeBytes("/big", new byte[4097]));
    assertEquals(XsErrno.E2BIG, e.errno());
    assertThrows(XsException.class, () -> dom0.write("@releaseDomain", "v"));
  }

  @Test
  void aNewDomainFindsWhatXensToolstackWrites() {
    DomainDirectory.describeDom0(dom0);
    DomainDirectory directory = DomainDirectory.create(dom0, 5, config());
    directory.connect(new DomainDirectory.Rings(1000, 1, 1001, 2));
    GuestStore guest = new GuestStore(daemon, 5);
    assertEquals("5", guest.ask(XsOp.READ, "domid|"));
    assertEquals("web", guest.ask(XsOp.READ, "name|"));
    assertEquals("/vm/00000000-0000-0000-0000-000000000001", guest.ask(XsOp.READ, "vm|"));
    assertEquals("web", guest.ask(XsOp.READ, "/vm/00000000-0000-0000-0000-000000000001/name|"));
    assertEquals("online", guest.ask(XsOp.READ, "cpu/0/availability|"));
    assertEquals("offline", guest.ask(XsOp.READ, "cpu/1/availability|"));
    assertEquals("262144", guest.ask(XsOp.READ, "memory/target|"));
    assertEquals("524288", guest.ask(XsOp.READ, "memory/static-max|"));
    assertEquals("2", guest.ask(XsOp.READ, "console/port|"));
    assertEquals("1001", guest.ask(XsOp.READ, "console/ring-ref|"));
    assertEquals("xenconsoled", guest.ask(XsOp.READ, "console/type|"));
    assertEquals("1", guest.ask(XsOp.READ, "store/port|"));
    assertEquals("1000", guest.ask(XsOp.READ, "store/ring-ref|"));
    assertEquals("", guest.ask(XsOp.READ, "device/suspend/event-channel|"));
    assertEquals("1", guest.ask(XsOp.READ, "control/platform-feature-xs_reset_watches|"));
    assertEquals("0", guest.ask(XsOp.READ, "console/backend-id|"));
    assertEquals("5", guest.ask(XsOp.READ, "/local/domain/0/backend/console/5/0/frontend-id|"));
  }

  @Test
  void aNewDomainMayWriteWhereGuestsWriteAndNowhereElse() {
    DomainDirectory.create(dom0, 5, config()).connect(new DomainDirectory.Rings(1000, 1, 1001, 2));
    GuestStore guest = new GuestStore(daemon, 5);
    for (String path :
        List.of(
            "control/shutdown",
            "control/sysrq",
            "control/feature-poweroff",
            "data/x",
            "drivers/0",
            "feature/x",
            "attr/os",
            "error/device/vif/0",
            "device/suspend/event-channel",
            "console/backend-id")) {
      assertEquals("OK|", guest.ask(XsOp.WRITE, path + "|v"), path);
    }
    for (String path :
        List.of(
            "name",
            "vm",
            "domid",
            "memory/target",
            "cpu/0/availability",
            "control/new",
            "console/tty",
            "device/vbd/0",
            "store/port",
            "new",
            "/vm/new",
            "/local/domain/0/name",
            "/libxl/5/type",
            "/tool/x")) {
      assertEquals("EACCES|", guest.ask(XsOp.WRITE, path + "|v"), path);
    }
    assertEquals("EACCES|", guest.ask(XsOp.READ, "/libxl/5/type|"));
    assertEquals("EACCES|", guest.ask(XsOp.DIRECTORY, "/local/domain|"));
  }

  @Test
  void theToolstackChangesWhatTheGuestWatches() {
    DomainDirectory directory = DomainDirectory.create(dom0, 5, config());
    GuestStore guest = new GuestStore(daemon, 5);
    guest.ask(XsOp.WATCH, "memory/target|m|");
    guest.ask(XsOp.WATCH, "cpu|c|");
    guest.ask(XsOp.WATCH, "console|s|");
    guest.takeEvents();
    directory.memoryTarget(1024);
    directory.vcpuOnline(1, true);
    directory.consoleSize(120, 40);
    assertEquals(
        List.of("memory/target m", "cpu/1/availability c", "console/size s"), guest.takeEvents());
    assertEquals("120 40", guest.ask(XsOp.READ, "console/size|"));
  }

  @Test
  void removingADomainLeavesNothingBehind() {
    XenstoreState before = daemon.save();
    DomainDirectory directory = DomainDirectory.create(dom0, 5, config());
    directory.connect(new DomainDirectory.Rings(1000, 1, 1001, 2));
    GuestStore guest = new GuestStore(daemon, 5);
    guest.ask(XsOp.WRITE, "data/a/b|v");
    daemon.release(5);
    directory.remove();
    List<String> left = new ArrayList<>();
    daemon.save().nodes().forEach(node -> left.add(node.path()));
    before.nodes().forEach(node -> left.remove(node.path()));
    left.removeAll(
        List.of(
            "/vm",
            "/libxl",
            "/local",
            "/local/domain",
            "/local/domain/0",
            "/local/domain/0/backend",
            "/local/domain/0/backend/console"));
    assertEquals(List.of(), left);
    daemon.audit();
  }

  @Test
  void aGuestAcknowledgesAShutdownByOverwritingTheRequest() throws InterruptedException {
    DomainDirectory.create(dom0, 5, config());
    GuestStore guest = new GuestStore(daemon, 5);
    guest.ask(XsOp.WATCH, "control/shutdown|t|");
    guest.takeEvents();
    assertFalse(ShutdownRequest.supported(dom0, 5, ShutdownRequest.Kind.REBOOT));
    guest.ask(XsOp.WRITE, "control/feature-reboot|1");
    assertTrue(ShutdownRequest.supported(dom0, 5, ShutdownRequest.Kind.REBOOT));
    try (ShutdownRequest request = ShutdownRequest.send(dom0, 5, ShutdownRequest.Kind.REBOOT)) {
      assertEquals(List.of("control/shutdown t"), guest.takeEvents());
      assertEquals("reboot", guest.ask(XsOp.READ, "control/shutdown|"));
      assertFalse(request.await(Duration.ofMillis(1)));
      guest.ask(XsOp.WRITE, "control/shutdown|");
      assertTrue(request.await(Duration.ofSeconds(30)));
      assertFalse(request.cancel());
    }
  }

  @Test
  void awaitingThreadsWakeUpWhenTheGuestAcknowledges() throws InterruptedException {
    DomainDirectory.create(dom0, 5, config());
    try (BackendThread _ = BackendThread.start("xenstored", daemon);
        ShutdownRequest request = ShutdownRequest.send(dom0, 5, ShutdownRequest.Kind.POWEROFF)) {
      Thread guest =
          Thread.ofPlatform()
              .start(
                  () -> {
                    XenstoreClient other = daemon.dom0();
                    while (!"poweroff".equals(other.read("/local/domain/5/control/shutdown"))) {
                      Thread.onSpinWait();
                    }
                    other.write("/local/domain/5/control/shutdown", "");
                  });
      assertTrue(request.await(Duration.ofSeconds(30)));
      guest.join();
    }
  }

  @Test
  void aRequestThatNobodyAnswersTimesOutAndCanBeTakenBack() throws InterruptedException {
    DomainDirectory.create(dom0, 5, config());
    ShutdownRequest request = ShutdownRequest.send(dom0, 5, ShutdownRequest.Kind.SUSPEND);
    assertFalse(request.await(Duration.ofMillis(5)));
    assertTrue(request.cancel());
    assertEquals("", dom0.read("/local/domain/5/control/shutdown"));
    ShutdownRequest key = ShutdownRequest.sysrq(dom0, 5, 's');
    assertEquals("s", dom0.read("/local/domain/5/control/sysrq"));
    dom0.rm("/local/domain/5");
    assertTrue(key.acknowledged());
    XsException e =
        assertThrows(
            XsException.class, () -> ShutdownRequest.send(dom0, 5, ShutdownRequest.Kind.HALT));
    assertEquals(XsErrno.ENOENT, e.errno());
    assertNull(dom0.readOrNull("/local/domain/5"));
  }
}
