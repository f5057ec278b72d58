package parhelion.backends.xenstore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import parhelion.abi.XenstoreDomainInterface;
import parhelion.abi.XenstoreWire;

/**
 * Hostile guests, at random but repeatably: nothing is thrown, nothing grows, nobody else suffers.
 */
class XenstoreFuzzTest {
  private static final long SEED = Long.getLong("parhelion.seed", 1);
  private static final int MESSAGES = Boolean.getBoolean("parhelion.fast") ? 50_000 : 300_000;
  private static final int PAGES = Boolean.getBoolean("parhelion.fast") ? 20_000 : 100_000;

  private static final String[] WORDS = {
    "a",
    "b",
    "data",
    "/",
    "/local/domain/1",
    "/local/domain/2/data",
    "@releaseDomain",
    "@introduceDomain",
    "data/a",
    "data/b/c",
    "x/y/z",
    "//",
    "",
    "n1",
    "r2",
    "b3",
    "w0",
    "T",
    "F",
    "0",
    "1",
    "4294967295",
    "-1",
    "99999999999",
    "token",
    "nodes",
    "check",
    "\u00ff\u0001",
    "n70000"
  };

  private final Random random = new Random(SEED);
  private final XenstoreDaemon daemon = new XenstoreDaemon(domid -> domid < 4);
  private final XenstoreClient dom0 = daemon.dom0();

  private GuestStore newGuest(int domid) {
    dom0.mkdir("/local/domain/" + domid, Perms.parse("n0 r" + domid));
    dom0.mkdir("/local/domain/" + domid + "/data", Perms.parse("n" + domid));
    return new GuestStore(daemon, domid);
  }

  @Test
  void randomMessagesGetOneReplyEachAndLeaveTheStoreConsistent() {
    GuestStore[] guests = {newGuest(1), newGuest(2), newGuest(3)};
    int[] sent = new int[3];
    int[] answered = new int[3];
    int[] refused = new int[3];
    for (int i = 0; i < MESSAGES; i++) {
      int who = random.nextInt(3);
      GuestStore guest = guests[who];
      byte[] bytes = message().encode();
      for (int done = 0; done < bytes.length; ) {
        int piece = Math.min(bytes.length - done, 1 + random.nextInt(1024));
        byte[] part = Arrays.copyOfRange(bytes, done, done + piece);
        done += guest.push(part);
        for (XsMessage reply : guest.exchange()) {
          answered[who]++;
          refused[who] += reply.type() == XsOp.ERROR.nr() ? 1 : 0;
        }
        guest.events.clear();
      }
      sent[who]++;
      if (i % 1000 == 0) {
        daemon.audit();
        assertTrue(daemon.save().nodes().size() < 3100, "seed " + SEED + " message " + i);
      }
    }
    for (int who = 0; who < 3; who++) {
      assertEquals(sent[who], answered[who], "seed " + SEED);
      assertTrue(refused[who] > sent[who] / 20 && refused[who] < sent[who] * 19 / 20);
    }
    assertEquals("n0 r1", dom0.perms("/local/domain/1").toString());
  }

  private XsMessage message() {
    int type = random.nextInt(20) == 0 ? random.nextInt() : random.nextInt(28);
    int txId = random.nextInt(3) == 0 ? random.nextInt(12) : 0;
    return new XsMessage(type, random.nextInt(), txId, payload());
  }

  private byte[] payload() {
    if (random.nextInt(10) == 0) {
      byte[] noise = new byte[random.nextInt(random.nextInt(10) == 0 ? 4097 : 40)];
      random.nextBytes(noise);
      return noise;
    }
    StringBuilder text = new StringBuilder();
    int words = random.nextInt(5);
    for (int i = 0; i < words; i++) {
      text.append(WORDS[random.nextInt(WORDS.length)]);
      if (random.nextInt(8) == 0) {
        text.append('/').append(random.nextInt(2000));
      }
      if (random.nextInt(10) > 0) {
        text.append('\0');
      }
    }
    return Args.bytes(text.toString());
  }

  @Test
  void randomBytesAndIndexesInTheRingPageHurtOnlyTheirGuest() {
    GuestStore good = newGuest(1);
    GuestStore bad = newGuest(2);
    byte[] noise = new byte[64];
    int failures = 0;
    for (int i = 0; i < PAGES; i++) {
      switch (random.nextInt(6)) {
        case 0 -> {
          int field = XenstoreDomainInterface.REQ_CONS.offset() + 4 * random.nextInt(8);
          int value = random.nextBoolean() ? random.nextInt() : random.nextInt(2100);
          bad.page.storeRelease(field, value);
        }
        case 1 -> {
          random.nextBytes(noise);
          bad.page.write(random.nextInt(2048 - noise.length), noise, 0, noise.length);
        }
        case 2 ->
            bad.page.storeRelease(
                XenstoreDomainInterface.REQ_PROD.offset(),
                bad.page.loadAcquire(XenstoreDomainInterface.REQ_CONS.offset())
                    + random.nextInt(1025));
        case 3 -> {
          byte[] header =
              ByteBuffer.allocate(16)
                  .order(ByteOrder.LITTLE_ENDIAN)
                  .putInt(random.nextInt(28))
                  .putInt(i)
                  .putInt(0)
                  .putInt(random.nextInt(random.nextInt(20) == 0 ? 10000 : 100))
                  .array();
          int cons = bad.page.loadAcquire(XenstoreDomainInterface.REQ_CONS.offset());
          bad.page.storeRelease(XenstoreDomainInterface.REQ_PROD.offset(), cons);
          bad.push(header);
        }
        case 4 ->
            bad.page.storeRelease(
                XenstoreDomainInterface.RSP_CONS.offset(),
                bad.page.loadAcquire(XenstoreDomainInterface.RSP_PROD.offset()));
        default -> {
          if (bad.page.loadAcquire(XenstoreDomainInterface.ERROR.offset())
              != XenstoreWire.ERROR_NONE) {
            failures++;
            bad.page.storeRelease(
                XenstoreDomainInterface.CONNECTION.offset(), XenstoreWire.RECONNECT);
          }
        }
      }
      bad.signal();
      daemon.runAll();
      if (i % 500 == 0) {
        daemon.audit();
        assertEquals("OK|", good.ask(XsOp.WRITE, "data/alive|" + i), "seed " + SEED + " page " + i);
      }
    }
    assertTrue(failures > PAGES / 100, "failures " + failures);
    XenstoreState state = daemon.save();
    assertTrue(state.nodes().size() < 2000, "nodes " + state.nodes().size());
    for (XenstoreState.Domain domain : state.domains()) {
      assertTrue(domain.unsent().size() < 2000, "queue of domain " + domain.domid());
      assertNotNull(domain.watches());
    }
  }
}
