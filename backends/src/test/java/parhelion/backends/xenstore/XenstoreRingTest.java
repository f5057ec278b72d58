package parhelion.backends.xenstore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import parhelion.abi.XenstoreDomainInterface;
import parhelion.abi.XenstoreWire;

/** The ring page: pieces, wrap-around, back pressure, and a guest that spoils it. */
class XenstoreRingTest {
  private static final int REQ_CONS = XenstoreDomainInterface.REQ_CONS.offset();
  private static final int REQ_PROD = XenstoreDomainInterface.REQ_PROD.offset();
  private static final int RSP_CONS = XenstoreDomainInterface.RSP_CONS.offset();
  private static final int RSP_PROD = XenstoreDomainInterface.RSP_PROD.offset();
  private static final int ERROR = XenstoreDomainInterface.ERROR.offset();
  private static final int CONNECTION = XenstoreDomainInterface.CONNECTION.offset();

  private final XenstoreDaemon daemon = new XenstoreDaemon(StoreHost.PERMISSIVE);
  private final XenstoreClient dom0 = daemon.dom0();
  private final GuestStore guest = new GuestStore(daemon, 1);

  @BeforeEach
  void prepareTheDomain() {
    dom0.mkdir("/local/domain/1", Perms.parse("n1"));
  }

  private static byte[] request(XsOp op, String payload) {
    return new XsMessage(op.nr(), 7, 0, Args.bytes(payload.replace('|', '\0'))).encode();
  }

  @Test
  void introductionResetsTheRingAndSaysWhatTheServerCan() {
    assertEquals(15, guest.page.loadAcquire(XenstoreDomainInterface.SERVER_FEATURES.offset()));
    assertEquals(XenstoreWire.CONNECTED, guest.page.loadAcquire(CONNECTION));
    assertEquals(1, guest.port.notifications());
  }

  @Test
  void aRequestMayArriveByteByByte() {
    byte[] bytes = request(XsOp.WRITE, "a|value");
    for (byte each : bytes) {
      assertEquals(1, guest.push(new byte[] {each}));
      guest.signal();
      daemon.runAll();
    }
    guest.pull();
    XsMessage reply = guest.next();
    assertNotNull(reply);
    assertEquals(7, reply.reqId());
    assertEquals("value", dom0.read("/local/domain/1/a"));
  }

  @Test
  void indexesRunFreelyAndWrapAround() {
    for (int offset : List.of(REQ_CONS, REQ_PROD, RSP_CONS, RSP_PROD)) {
      guest.page.storeRelease(offset, -700);
    }
    for (int i = 0; i < 100; i++) {
      assertEquals("OK|", guest.ask(XsOp.WRITE, "a|" + "x".repeat(i * 20)));
      assertEquals("x".repeat(i * 20), guest.ask(XsOp.READ, "a|"));
    }
    assertTrue(guest.page.loadAcquire(REQ_PROD) > 0);
  }

  @Test
  void theGuestIsNotifiedOncePerTurnAndOnlyIfTheRingMoved() {
    int before = guest.port.notifications();
    guest.signal();
    daemon.runAll();
    assertEquals(before, guest.port.notifications());
    guest.push(request(XsOp.READ, "a|"));
    guest.push(request(XsOp.READ, "a|"));
    guest.signal();
    guest.signal();
    daemon.runAll();
    assertEquals(before + 1, guest.port.notifications());
  }

  /**
   * Linux's own manners: it looks at the ring until that is empty and then only after an event; it
   * raises one when it has taken from a ring that was full, or has put into one that was empty.
   */
  @Test
  void aGuestThatWaitsForEventsAsLinuxDoesMissesNoChange() {
    Random random = new Random(Long.getLong("parhelion.seed", 1));
    assertEquals("OK|", guest.ask(XsOp.WATCH, "cpu|token|"));
    guest.takeEvents();
    int[] written = new int[40];
    int[] heard = new int[40];
    byte[] request = new byte[0];
    int seen = 0;
    int replies = 0;
    boolean awake = true;
    int full = 0;
    int steps = 100_000;
    for (int step = 1; step < steps + 20_000; step++) {
      boolean settling = step >= steps; // nothing new; what is under way goes on
      switch (random.nextInt(4)) {
        case 0 -> {
          // Sometimes more than the ring has room for.
          int changes = settling || random.nextInt(3) > 0 ? 0 : random.nextInt(50) == 0 ? 60 : 1;
          for (int i = 0; i < changes; i++) {
            int node = random.nextInt(written.length);
            dom0.write("/local/domain/1/cpu/" + node, Integer.toString(step));
            written[node] = step;
          }
        }
        case 1 -> {
          boolean any = daemon.runPending();
        }
        case 2 -> {
          if (request.length == 0 && !settling && random.nextInt(4) == 0) {
            request = request(XsOp.READ, "cpu/" + random.nextInt(written.length) + "|");
          }
          int before = guest.page.loadAcquire(REQ_PROD);
          int length = Math.min(request.length, 1 + random.nextInt(30));
          int pushed = guest.push(Arrays.copyOf(request, length));
          request = Arrays.copyOfRange(request, pushed, request.length);
          if (pushed > 0 && before - guest.page.loadAcquire(REQ_CONS) <= 0) {
            guest.signal();
          }
        }
        default -> {
          awake |= guest.port.notifications() > seen;
          seen = guest.port.notifications();
          if (awake) {
            int cons = guest.page.loadAcquire(RSP_CONS);
            awake = guest.pull(1 + random.nextInt(200)) > 0;
            if (awake && guest.page.loadAcquire(RSP_PROD) - cons >= XenstoreWire.RING_SIZE) {
              full++;
              guest.signal();
            }
          }
        }
      }
      for (XsMessage message = guest.next(); message != null; message = guest.next()) {
        if (message.type() == XsOp.WATCH_EVENT.nr()) {
          String path = GuestStore.text(message).split("\0", 2)[0];
          if (path.length() > 4) {
            heard[Integer.parseInt(path.substring(4))] = step;
          }
        } else {
          replies++;
        }
      }
    }
    assertTrue(replies > 500, "replies: " + replies);
    assertTrue(full > 20, "how often the ring was full: " + full);
    for (int node = 0; node < written.length; node++) {
      assertTrue(heard[node] >= written[node], "node " + node + " changed last, unheard");
    }
  }

  @Test
  void oneSignalIsEnoughForARingFullOfRequests() {
    byte[] bytes = request(XsOp.READ, "a|");
    for (int i = 0; i < 40; i++) {
      assertEquals(bytes.length, guest.push(bytes));
    }
    guest.signal();
    daemon.runAll();
    guest.pull();
    for (int i = 0; i < 40; i++) {
      assertNotNull(guest.next(), "reply " + i);
    }
  }

  @Test
  void aGuestThatDoesNotReadIsNotReadFrom() {
    int sent = 0;
    byte[] bytes = request(XsOp.READ, "missing|");
    for (int i = 0; i < 1000; i++) {
      if (guest.push(bytes) < bytes.length) {
        break;
      }
      guest.signal();
      daemon.runAll();
      sent++;
    }
    // The response ring takes 44 replies of 23 bytes, 20 more may wait, the rest stays unread.
    assertTrue(sent > 44 + 20 && sent < 44 + 20 + 45, "sent " + sent);
    int answered = 0;
    for (int i = 0; i < 10; i++) {
      answered += guest.exchange().size();
    }
    assertTrue(answered >= sent, answered + " of " + sent);
  }

  @Test
  void eventsForAGuestThatDoesNotReadAreLimitedByItsMemoryQuota() {
    GuestStore control = new GuestStore(daemon, 0);
    assertEquals("OK|", control.ask(XsOp.SET_QUOTA, "1|memory|10000|"));
    dom0.mkdir("/many", Perms.parse("r0"));
    guest.ask(XsOp.WATCH, "/many|t|");
    guest.takeEvents();
    for (int i = 0; i < 5000; i++) {
      dom0.write("/many/node" + i, "v");
      daemon.runAll();
    }
    int events = guest.takeEvents().size();
    assertTrue(events > 100 && events < 500, "events " + events);
    dom0.write("/many/again", "v");
    assertEquals(List.of("/many/again t"), guest.takeEvents());
  }

  @Test
  void impossibleIndexesEndTheConversation() {
    for (int offset : List.of(REQ_PROD, RSP_CONS)) {
      for (int bad : List.of(1025, -1, Integer.MIN_VALUE, Integer.MAX_VALUE)) {
        GuestStore hostile = new GuestStore(daemon, 2);
        hostile.ask(XsOp.WATCH, "/|t|");
        int base = hostile.page.loadAcquire(offset == REQ_PROD ? REQ_CONS : RSP_PROD);
        if (offset == RSP_CONS) {
          hostile.push(request(XsOp.READ, "x|"));
          hostile.page.storeRelease(offset, base - bad);
        } else {
          hostile.page.storeRelease(offset, base + bad);
        }
        hostile.signal();
        daemon.runAll();
        assertEquals(XenstoreWire.ERROR_RINGIDX, hostile.page.loadAcquire(ERROR));
        assertEquals(List.of(), daemon.save().domains().getLast().watches());
        int prod = hostile.page.loadAcquire(RSP_PROD);
        dom0.write("/x", "v", Perms.parse("r0"));
        hostile.signal();
        daemon.runAll();
        assertEquals(prod, hostile.page.loadAcquire(RSP_PROD));
      }
    }
    assertEquals("OK|", guest.ask(XsOp.WRITE, "still|alive"));
  }

  @Test
  void aMessageThatIsTooLongEndsTheConversation() {
    for (int length : List.of(4097, Integer.MAX_VALUE, Integer.MIN_VALUE, -1)) {
      GuestStore hostile = new GuestStore(daemon, 2);
      byte[] header =
          ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putInt(12, length).array();
      hostile.push(header);
      hostile.signal();
      daemon.runAll();
      assertEquals(XenstoreWire.ERROR_PROTO, hostile.page.loadAcquire(ERROR));
    }
  }

  @Test
  void theLongestMessageIsAccepted() {
    assertEquals("ENOSPC|", guest.ask(XsOp.WRITE, "a|" + "v".repeat(4094)));
  }

  @Test
  void aBrokenConversationCanBeTakenUpAgain() {
    guest.ask(XsOp.WATCH, "/local/domain/1|t|");
    guest.takeEvents();
    int tx = Integer.parseInt(guest.ask(XsOp.TRANSACTION_START, "|").replace("|", ""));
    guest.page.storeRelease(REQ_PROD, 5000);
    guest.signal();
    daemon.runAll();
    guest.page.storeRelease(CONNECTION, XenstoreWire.RECONNECT);
    guest.signal();
    daemon.runAll();
    assertEquals(XenstoreWire.CONNECTED, guest.page.loadAcquire(CONNECTION));
    assertEquals(XenstoreWire.ERROR_NONE, guest.page.loadAcquire(ERROR));
    assertEquals("OK|", guest.ask(XsOp.WRITE, "a|v"));
    assertEquals(List.of(), guest.takeEvents());
    assertEquals("ENOENT|", guest.ask(XsOp.READ, tx, "a|"));
  }

  @Test
  void aReconnectionDropsWhatIsHalfSentAndHalfReceived() {
    byte[] bytes = request(XsOp.WRITE, "a|value");
    dom0.write("/local/domain/1/long", "v".repeat(1500), Perms.parse("n1"));
    guest.push(request(XsOp.READ, "long|"));
    guest.push(Arrays.copyOf(bytes, 10));
    guest.signal();
    daemon.runAll();
    guest.page.storeRelease(CONNECTION, XenstoreWire.RECONNECT);
    guest.signal();
    daemon.runAll();
    assertEquals("OK|", guest.ask(XsOp.WRITE, "b|v"));
    assertNull(dom0.readOrNull("/local/domain/1/a"));
  }

  @Test
  void introducingADomainAgainGivesItAFreshConnection() {
    guest.ask(XsOp.WATCH, "/local/domain/1|t|");
    guest.ask(XsOp.WRITE, "a|v");
    GuestStore again = new GuestStore(daemon, 1);
    assertTrue(guest.page.closed() && guest.port.closed());
    assertEquals("v", again.ask(XsOp.READ, "a|"));
    assertEquals(List.of(), again.takeEvents());
    guest.signal();
    daemon.runAll();
  }

  @Test
  void aReleasedGuestMayStillSignal() {
    daemon.release(1);
    daemon.release(1);
    guest.signal();
    daemon.runAll();
    assertTrue(guest.page.closed() && guest.port.closed());
  }
}
