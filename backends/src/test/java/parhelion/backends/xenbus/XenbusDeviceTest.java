package parhelion.backends.xenbus;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import parhelion.abi.XenbusState;
import parhelion.backends.xenstore.StoreHost;
import parhelion.backends.xenstore.XenstoreClient;
import parhelion.backends.xenstore.XenstoreDaemon;

/** The two halves of a device, the frontend played by the test. */
class XenbusDeviceTest {
  private static final XenbusAddress DISK = new XenbusAddress("vbd", 7, 51712);

  private final XenstoreDaemon daemon = new XenstoreDaemon(StoreHost.PERMISSIVE);
  private final XenstoreClient dom0 = daemon.dom0();
  private final List<String> calls = new ArrayList<>();

  /** A driver that writes down what is asked of it and wants a ring-ref. */
  private final XenbusDriver driver =
      new XenbusDriver() {
        @Override
        public void offer(XenbusDevice device) {
          calls.add("offer");
          device.toFrontend("sectors", "2048");
        }

        @Override
        public void connect(XenbusDevice device) throws RefusedException {
          String ring = device.fromFrontend("ring-ref");
          if (ring == null) {
            throw new RefusedException("vbd 51712 of domain 7 has no ring-ref");
          }
          calls.add("connect " + ring);
        }

        @Override
        public void disconnect(XenbusDevice device) {
          calls.add("disconnect");
        }

        @Override
        public void removed() {
          calls.add("removed");
        }
      };

  private XenbusDevice plug() {
    XenbusDevice device =
        XenbusDevice.plug(
            dom0, DISK, Map.of("mode", "w"), Map.of("virtual-device", "51712"), driver);
    daemon.runAll();
    return device;
  }

  private void frontend(XenbusState state) {
    dom0.write(DISK.frontend() + "/state", Integer.toString(state.nr()));
    daemon.runAll();
  }

  @Test
  void pluggingWritesBothDirectoriesWithTheirPermissions() {
    XenbusDevice device = plug();
    assertEquals(XenbusState.INIT_WAIT, device.state());
    assertEquals("2", dom0.read(DISK.backend() + "/state"));
    assertEquals("2048", dom0.read(DISK.backend() + "/sectors"));
    assertEquals("w", dom0.read(DISK.backend() + "/mode"));
    assertEquals("n0 r7", dom0.perms(DISK.backend() + "/state").toString());
    assertEquals(DISK.backend(), dom0.read(DISK.frontend() + "/backend"));
    assertEquals("1", dom0.read(DISK.frontend() + "/state"));
    assertEquals("51712", dom0.read(DISK.frontend() + "/virtual-device"));
    assertEquals("n7 r0", dom0.perms(DISK.frontend() + "/state").toString());
  }

  @Test
  void theFrontendInitialisesConnectsAndCloses() {
    XenbusDevice device = plug();
    dom0.write(DISK.frontend() + "/ring-ref", "8");
    frontend(XenbusState.INITIALISED);
    assertEquals(XenbusState.CONNECTED, device.state());
    frontend(XenbusState.CONNECTED);
    frontend(XenbusState.CLOSING);
    assertEquals(XenbusState.CLOSING, device.state());
    frontend(XenbusState.CLOSED);
    assertEquals(XenbusState.CLOSED, device.state());
    frontend(XenbusState.INITIALISING);
    assertEquals(XenbusState.INIT_WAIT, device.state());
    dom0.write(DISK.frontend() + "/ring-ref", "9");
    frontend(XenbusState.CONNECTED);
    assertEquals(List.of("offer", "connect 8", "disconnect", "offer", "connect 9"), calls);
    assertFalse(device.removed());
  }

  @Test
  void aFrontendThatStartsOverWithoutClosingIsServedAgain() {
    XenbusDevice device = plug();
    dom0.write(DISK.frontend() + "/ring-ref", "8");
    frontend(XenbusState.CONNECTED);
    frontend(XenbusState.INITIALISING);
    assertEquals(XenbusState.INIT_WAIT, device.state());
    frontend(XenbusState.INITIALISED);
    assertEquals(List.of("offer", "connect 8", "disconnect", "offer", "connect 8"), calls);
  }

  @Test
  void aFrontendThatMakesNoSenseIsRefusedWithAReason() {
    XenbusDevice device = plug();
    frontend(XenbusState.INITIALISED);
    assertEquals(XenbusState.CLOSING, device.state());
    assertEquals(
        "vbd 51712 of domain 7 has no ring-ref",
        dom0.read("/local/domain/0/error/backend/vbd/7/51712/error"));
    dom0.write(DISK.frontend() + "/state", "nonsense");
    daemon.runAll();
    assertEquals(XenbusState.CLOSED, device.state());
    assertEquals(List.of("offer"), calls);
  }

  @Test
  void aFrontendThatBreaksTheRulesOfTheRingsIsClosedWithAReasonAndMayComeBack() {
    XenbusDevice device = plug();
    dom0.write(DISK.frontend() + "/ring-ref", "8");
    frontend(XenbusState.CONNECTED);
    device.fail("its producer ran away");
    device.fail("and again");
    daemon.runAll();
    assertEquals(XenbusState.CLOSING, device.state());
    assertEquals(
        "its producer ran away", dom0.read("/local/domain/0/error/backend/vbd/7/51712/error"));
    frontend(XenbusState.CLOSED);
    frontend(XenbusState.INITIALISING);
    frontend(XenbusState.INITIALISED);
    assertEquals(List.of("offer", "connect 8", "disconnect", "offer", "connect 8"), calls);
  }

  @Test
  void unpluggingWaitsForTheGuest() {
    XenbusDevice device = plug();
    dom0.write(DISK.frontend() + "/ring-ref", "8");
    frontend(XenbusState.CONNECTED);
    device.unplug();
    daemon.runAll();
    assertEquals("5", dom0.read(DISK.backend() + "/state"));
    assertEquals("0", dom0.read(DISK.backend() + "/online"));
    assertEquals(List.of("offer", "connect 8"), calls);
    frontend(XenbusState.CLOSING);
    assertFalse(device.removed());
    frontend(XenbusState.CLOSED);
    assertTrue(device.removed());
    assertNull(dom0.readOrNull(DISK.backend()));
    assertNull(dom0.readOrNull(DISK.frontend()));
    device.unplug();
    device.remove();
    assertEquals(List.of("offer", "connect 8", "disconnect", "removed"), calls);
  }

  @Test
  void removingDoesNotWait() {
    XenbusDevice device = plug();
    dom0.write(DISK.frontend() + "/ring-ref", "8");
    frontend(XenbusState.CONNECTED);
    device.remove();
    daemon.runAll();
    assertEquals(List.of("offer", "connect 8", "disconnect", "removed"), calls);
    assertNull(dom0.readOrNull(DISK.backend()));
  }

  @Test
  void aDeviceWhoseDomainIsGoneCleansUpAfterItself() {
    XenbusDevice device = plug();
    dom0.write(DISK.frontend() + "/ring-ref", "8");
    frontend(XenbusState.CONNECTED);
    dom0.rm(DISK.backend());
    dom0.rm("/local/domain/7");
    daemon.runAll();
    assertTrue(device.removed());
    assertEquals(List.of("offer", "connect 8", "disconnect", "removed"), calls);
    assertNull(dom0.readOrNull(DISK.backend()));
  }
}
