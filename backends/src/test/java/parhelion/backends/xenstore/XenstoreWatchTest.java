package parhelion.backends.xenstore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Who hears of which change. */
class XenstoreWatchTest {
  private final XenstoreDaemon daemon = new XenstoreDaemon(StoreHost.PERMISSIVE);
  private final XenstoreClient dom0 = daemon.dom0();
  private final GuestStore guest = new GuestStore(daemon, 1);

  @BeforeEach
  void prepareTheDomain() {
    dom0.mkdir("/local/domain/1", Perms.parse("n0 r1"));
    dom0.mkdir("/local/domain/1/data", Perms.parse("n1"));
    dom0.mkdir("/secret");
  }

  private void watch(String path, String token) {
    assertEquals("OK|", guest.ask(XsOp.WATCH, path + '|' + token + '|'));
    guest.takeEvents();
  }

  @Test
  void aWatchFiresOnceWhenItIsSetUpInTheFormInWhichItWasAskedFor() {
    assertEquals("OK|", guest.ask(XsOp.WATCH, "data|mine|"));
    assertEquals(List.of("data mine"), guest.takeEvents());
    assertEquals("OK|", guest.ask(XsOp.WATCH, "/local/domain/1/data|other|"));
    assertEquals(List.of("/local/domain/1/data other"), guest.takeEvents());
  }

  @Test
  void theReplyComesBeforeTheFirstEvent() {
    guest.push(new XsMessage(XsOp.WATCH.nr(), 9, 0, Args.bytes("data\0t\0")).encode());
    guest.signal();
    daemon.runAll();
    guest.pull();
    XsMessage first = guest.next();
    XsMessage second = guest.next();
    assertEquals(XsOp.WATCH.nr(), first == null ? -1 : first.type());
    assertEquals(XsOp.WATCH_EVENT.nr(), second == null ? -1 : second.type());
    assertEquals(0, second == null ? -1 : second.reqId() | second.txId());
  }

  @Test
  void changesAtAndBelowTheWatchedPathAreReported() {
    watch("data", "t");
    dom0.write("/local/domain/1/data/a/b", "v");
    assertEquals(List.of("data/a/b t"), guest.takeEvents());
    dom0.setPerms("/local/domain/1/data/a", Perms.parse("r1"));
    assertEquals(List.of("data/a t"), guest.takeEvents());
    dom0.write("/local/domain/1/database", "v", Perms.parse("r1"));
    assertEquals(List.of(), guest.takeEvents());
  }

  @Test
  void anIdenticalEventThatIsStillPendingIsNotRepeated() {
    watch("data", "t");
    dom0.write("/local/domain/1/data", "1");
    dom0.write("/local/domain/1/data", "2");
    assertEquals(List.of("data t"), guest.takeEvents());
    dom0.write("/local/domain/1/data", "3");
    assertEquals(List.of("data t"), guest.takeEvents());
  }

  @Test
  void removalIsReportedToWatchesAboveAndToThoseOnEveryNodeThatWent() {
    dom0.write("/local/domain/1/data/a/b/c", "v");
    watch("data", "above");
    watch("data/a/b", "inside");
    watch("data/a/b/c/d", "below");
    dom0.rm("/local/domain/1/data/a");
    assertEquals(List.of("data/a/b inside", "data/a above"), guest.takeEvents());
  }

  @Test
  void depthLimitsHowFarBelowChangesCount() {
    assertEquals("EINVAL|", guest.ask(XsOp.WATCH, "data|t|-1|"));
    assertEquals("EINVAL|", guest.ask(XsOp.WATCH, "data|t|x|"));
    assertEquals("OK|", guest.ask(XsOp.WATCH, "data|zero|0|"));
    assertEquals("OK|", guest.ask(XsOp.WATCH, "data|one|1|"));
    guest.takeEvents();
    dom0.write("/local/domain/1/data/a/b", "v");
    assertEquals(List.of(), guest.takeEvents());
    dom0.write("/local/domain/1/data/c", "v");
    assertEquals(List.of("data/c one"), guest.takeEvents());
    dom0.write("/local/domain/1/data", "v");
    assertEquals(List.of("data zero", "data one"), guest.takeEvents());
  }

  @Test
  void whatTheWatcherMayNotReadIsNotReported() {
    watch("/", "root");
    dom0.write("/secret/x", "v");
    assertEquals(List.of(), guest.takeEvents());
    dom0.write("/secret/x", "v", Perms.parse("r0"));
    assertEquals(List.of("/secret/x root"), guest.takeEvents());
    dom0.setPerms("/secret/x", Perms.parse("n0"));
    assertEquals(List.of("/secret/x root"), guest.takeEvents());
    dom0.write("/secret/x", "w");
    assertEquals(List.of(), guest.takeEvents());
  }

  @Test
  void aNodeThatCouldBeReadIsReportedWhenItIsRemovedInATransaction() {
    dom0.write("/secret/x/y", "v", Perms.parse("r0"));
    watch("/secret/x/y", "t");
    dom0.transaction(
        tx -> {
          tx.rm("/secret/x");
          return true;
        });
    assertEquals(List.of("/secret/x/y t"), guest.takeEvents());
  }

  @Test
  void aWatchIsKnownByPathAndToken() {
    watch("data", "t");
    assertEquals("EEXIST|", guest.ask(XsOp.WATCH, "data|t|"));
    assertEquals("EEXIST|", guest.ask(XsOp.WATCH, "/local/domain/1/data|t|"));
    watch("data", "u");
    assertEquals("ENOENT|", guest.ask(XsOp.UNWATCH, "data|v|"));
    assertEquals("EINVAL|", guest.ask(XsOp.UNWATCH, "data|"));
    assertEquals("EINVAL|", guest.ask(XsOp.WATCH, "data|"));
    assertEquals("OK|", guest.ask(XsOp.UNWATCH, "data|t|"));
    dom0.write("/local/domain/1/data", "v");
    assertEquals(List.of("data u"), guest.takeEvents());
    assertEquals("OK|", guest.ask(XsOp.RESET_WATCHES, "|"));
    dom0.write("/local/domain/1/data", "v");
    assertEquals(List.of(), guest.takeEvents());
  }

  @Test
  void changesInATransactionAreReportedWhenItCommitsAndNotWhenItAborts() {
    watch("data", "t");
    String tx = guest.ask(XsOp.TRANSACTION_START, "|").replace("|", "");
    int id = Integer.parseInt(tx);
    guest.ask(XsOp.WRITE, id, "data/a|1");
    guest.ask(XsOp.WRITE, id, "data/b|1");
    assertEquals(List.of(), guest.takeEvents());
    assertEquals("OK|", guest.ask(XsOp.TRANSACTION_END, id, "T|"));
    assertEquals(List.of("data/a t", "data/b t"), guest.takeEvents());
    id = Integer.parseInt(guest.ask(XsOp.TRANSACTION_START, "|").replace("|", ""));
    guest.ask(XsOp.WRITE, id, "data/c|1");
    assertEquals("OK|", guest.ask(XsOp.TRANSACTION_END, id, "F|"));
    assertEquals(List.of(), guest.takeEvents());
    assertEquals("ENOENT|", guest.ask(XsOp.READ, "data/c|"));
  }

  @Test
  void comingsAndGoingsOfDomainsAreSpecialEvents() {
    List<String> seen = new ArrayList<>();
    dom0.watch("@introduceDomain", path -> seen.add("in " + path));
    dom0.watch("@introduceDomain", 1, path -> seen.add("which " + path));
    dom0.watch("@releaseDomain/2", path -> seen.add("out " + path));
    daemon.runAll();
    seen.clear();
    new GuestStore(daemon, 2);
    assertEquals(List.of("in @introduceDomain", "which @introduceDomain/2"), seen);
    seen.clear();
    daemon.domainShutdown(2);
    daemon.domainShutdown(2);
    daemon.runAll();
    assertEquals(List.of("out @releaseDomain/2"), seen);
    new GuestStore(daemon, 3);
    daemon.release(3);
    daemon.runAll();
    seen.clear();
    daemon.release(2);
    daemon.runAll();
    assertEquals(List.of("out @releaseDomain/2"), seen);
  }

  @Test
  void aGuestMayWatchReleaseDomainButIntroduceDomainOnlyIfItIsAllowed() {
    watch("@releaseDomain", "r");
    watch("@introduceDomain", "i");
    new GuestStore(daemon, 2);
    assertEquals(List.of(), guest.takeEvents());
    daemon.release(2);
    assertEquals(List.of("@releaseDomain r"), guest.takeEvents());
    dom0.setPerms("@introduceDomain", Perms.parse("n0 r1"));
    guest.takeEvents();
    new GuestStore(daemon, 2);
    assertEquals(List.of("@introduceDomain i"), guest.takeEvents());
  }

  @Test
  void releasingADomainRemovesItsNodesAndTheRightsOthersGaveIt() {
    GuestStore second = new GuestStore(daemon, 2);
    second.ask(XsOp.WATCH, "/local/domain/1/data|t|");
    guest.ask(XsOp.WRITE, "data/a|v");
    guest.ask(XsOp.SET_PERMS, "data/a|n1|r2|");
    dom0.write("/local/domain/1/other", "v", Perms.parse("n0 r1 r2"));
    List<String> seen = new ArrayList<>();
    dom0.watch("/local/domain/1/data/a", seen::add);
    daemon.runAll();
    seen.clear();
    daemon.release(2);
    daemon.audit();
    assertEquals("n1|", guest.ask(XsOp.GET_PERMS, "data/a|"));
    assertEquals("n0 r1", dom0.perms("/local/domain/1/other").toString());
    daemon.release(1);
    daemon.runAll();
    assertEquals(List.of("/local/domain/1/data/a"), seen);
    assertEquals(List.of("other"), dom0.list("/local/domain/1"));
    daemon.audit();
  }

  @Test
  void aCallbackThatIsClosedHearsNothingMore() {
    List<String> seen = new ArrayList<>();
    XenstoreClient.Registration watch = dom0.watch("/secret", seen::add);
    watch.close();
    watch.close();
    daemon.runAll();
    assertEquals(List.of(), seen);
    assertThrows(XsException.class, () -> dom0.watch("bad path", seen::add));
  }
}
