package parhelion.backends.xenstore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import parhelion.backends.CountingPort;

/** Saving and restoring the daemon under a guest that does not notice. */
class XenstoreStateTest {
  private final XenstoreDaemon daemon = new XenstoreDaemon(StoreHost.PERMISSIVE);
  private final GuestStore guest = prepared(daemon);

  private static GuestStore prepared(XenstoreDaemon daemon) {
    XenstoreClient dom0 = daemon.dom0();
    dom0.mkdir("/local/domain/1", Perms.parse("n1"));
    dom0.write("/local/domain/1/z", "1", Perms.parse("n1 r2"));
    dom0.write("/local/domain/1/a", "2", Perms.parse("n1"));
    return new GuestStore(daemon, 1);
  }

  /** Moves the guest to a new daemon with the same ring page. */
  private XenstoreDaemon moved() {
    XenstoreState state = daemon.save();
    XenstoreDaemon next = new XenstoreDaemon(StoreHost.PERMISSIVE);
    List<XenstoreRing> rings =
        next.restore(state, domid -> new StoreHost.Link(guest.page, new CountingPort()));
    assertEquals(1, rings.size());
    next.audit();
    guest.moveTo(next, rings.get(0));
    return next;
  }

  @Test
  void nodesPermissionsOrderAndGenerationsComeBack() {
    String before = guest.ask(XsOp.DIRECTORY_PART, "/local/domain/1|0|");
    moved();
    assertEquals(before, guest.ask(XsOp.DIRECTORY_PART, "/local/domain/1|0|"));
    assertEquals("z|a|", guest.ask(XsOp.DIRECTORY, "/local/domain/1|"));
    assertEquals("n1|r2|", guest.ask(XsOp.GET_PERMS, "z|"));
    assertEquals("OK|", guest.ask(XsOp.WRITE, "new|"));
    assertTrue(!before.equals(guest.ask(XsOp.DIRECTORY_PART, "/local/domain/1|0|")));
  }

  @Test
  void watchesComeBackInTheirFormAndSayNothingTwice() {
    guest.ask(XsOp.WATCH, "a|relative|");
    guest.ask(XsOp.WATCH, "/local/domain/1|shallow|0|");
    guest.takeEvents();
    XenstoreDaemon next = moved();
    assertEquals(List.of(), guest.takeEvents());
    next.dom0().write("/local/domain/1/a", "3");
    assertEquals(List.of("a relative"), guest.takeEvents());
  }

  @Test
  void aHalfReceivedRequestAndAHalfSentReplyAreCompleted() {
    byte[] request = new XsMessage(XsOp.WRITE.nr(), 5, 0, Args.bytes("a\0new")).encode();
    guest.push(Arrays.copyOf(request, 18));
    guest.signal();
    daemon.runAll();
    moved();
    guest.push(Arrays.copyOfRange(request, 18, request.length));
    assertEquals(5, guest.exchange().get(0).reqId());
    assertEquals("new", guest.ask(XsOp.READ, "a|"));
  }

  @Test
  void repliesAndEventsThatWaitAreDelivered() {
    XenstoreClient dom0 = daemon.dom0();
    guest.ask(XsOp.WATCH, "/local/domain/1|t|");
    guest.takeEvents();
    dom0.write("/local/domain/1/a", "v".repeat(1500));
    byte[] read = new XsMessage(XsOp.READ.nr(), 1, 0, Args.bytes("a\0")).encode();
    for (int i = 0; i < 3; i++) {
      guest.push(read);
    }
    guest.signal();
    daemon.runAll();
    dom0.write("/local/domain/1/z", "5");
    XenstoreDaemon next = moved();
    next.dom0().write("/local/domain/1/z", "6");
    List<XsMessage> replies = guest.exchange();
    assertEquals(3, replies.size());
    assertEquals(1500, replies.get(2).payload().length);
    assertEquals(List.of("/local/domain/1/a t", "/local/domain/1/z t"), guest.takeEvents());
  }

  @Test
  void anOpenTransactionHasToBeRepeated() {
    int tx = Integer.parseInt(guest.ask(XsOp.TRANSACTION_START, "|").replace("|", ""));
    guest.ask(XsOp.WRITE, tx, "a|lost");
    moved();
    assertEquals("2", guest.ask(XsOp.READ, tx, "a|"));
    assertEquals("EAGAIN|", guest.ask(XsOp.TRANSACTION_END, tx, "T|"));
    int next = Integer.parseInt(guest.ask(XsOp.TRANSACTION_START, "|").replace("|", ""));
    assertEquals("OK|", guest.ask(XsOp.WRITE, next, "a|kept"));
    assertEquals("OK|", guest.ask(XsOp.TRANSACTION_END, next, "T|"));
    assertEquals("kept", guest.ask(XsOp.READ, "a|"));
  }

  @Test
  void theStateIsACopy() {
    XenstoreState state = daemon.save();
    daemon.dom0().write("/local/domain/1/a", "changed");
    for (XenstoreState.Node node : state.nodes()) {
      Arrays.fill(node.value(), (byte) '!');
    }
    assertEquals("changed", daemon.dom0().read("/local/domain/1/a"));
    assertEquals("1", daemon.dom0().read("/local/domain/1/z"));
  }
}
