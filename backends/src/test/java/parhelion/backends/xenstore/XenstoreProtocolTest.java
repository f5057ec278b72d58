package parhelion.backends.xenstore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import parhelion.abi.XenstoreDomainInterface;

/** Every request over the ring, as a guest sends it. */
@Timeout(60)
class XenstoreProtocolTest {
  private final XenstoreDaemon daemon = new XenstoreDaemon(domid -> domid < 10);
  private final XenstoreClient dom0 = daemon.dom0();
  private GuestStore guest = new GuestStore(daemon, 1);

  @BeforeEach
  void prepareTheDomain() {
    dom0.mkdir("/local/domain/1", Perms.parse("n0 r1"));
    dom0.mkdir("/local/domain/1/data", Perms.parse("n1"));
    dom0.write("/local/domain/1/name", "one", Perms.parse("n0 r1"));
  }

  @AfterEach
  void theAccountsAreRight() {
    daemon.audit();
  }

  @Test
  void aGuestReadsWhatItMayReadByRelativeAndAbsolutePath() {
    assertEquals("one", guest.ask(XsOp.READ, "name|"));
    assertEquals("one", guest.ask(XsOp.READ, "/local/domain/1/name|"));
  }

  @Test
  void valuesAreBinaryAndWritingMakesTheNodesAbove() {
    assertEquals("OK|", guest.ask(XsOp.WRITE, "data/a/b|x|y|"));
    assertEquals("x|y|", guest.ask(XsOp.READ, "data/a/b|"));
    assertEquals("", guest.ask(XsOp.READ, "data/a|"));
    assertEquals("n1|", guest.ask(XsOp.GET_PERMS, "data/a/b|"));
  }

  @Test
  void whatIsNotReadableAnswersEaccesAndMissingNodesBelowReadableOnesEnoent() {
    dom0.write("/secret/node", "s");
    assertEquals("EACCES|", guest.ask(XsOp.READ, "/secret/node|"));
    assertEquals("EACCES|", guest.ask(XsOp.READ, "/secret/missing|"));
    assertEquals("ENOENT|", guest.ask(XsOp.READ, "missing|"));
    assertEquals("EACCES|", guest.ask(XsOp.WRITE, "name|two"));
    assertEquals("EACCES|", guest.ask(XsOp.WRITE, "new|two"));
  }

  @Test
  void malformedPathsAnswerEinval() {
    for (String path :
        List.of("", "/", "a//b", "a/", "a b", "a.b", "@x", "a\u0080", "x".repeat(2049))) {
      String expected = path.equals("/") ? "EACCES|" : "EINVAL|";
      assertEquals(expected, guest.ask(XsOp.READ, path + "|"), path);
    }
    assertEquals("EINVAL|", guest.ask(XsOp.READ, "/" + "x".repeat(3072) + "|"));
    assertEquals("EINVAL|", guest.ask(XsOp.READ, "name"));
    assertEquals("EINVAL|", guest.ask(XsOp.READ, "name|x|"));
    assertEquals("EINVAL|", guest.ask(XsOp.READ, ""));
  }

  @Test
  void directoriesListTheirChildrenOldestFirst() {
    for (String child : List.of("z", "b", "10", "9")) {
      guest.ask(XsOp.WRITE, "data/" + child + "|v");
    }
    assertEquals("z|b|10|9|", guest.ask(XsOp.DIRECTORY, "data|"));
    assertEquals("", guest.ask(XsOp.DIRECTORY, "data/z|"));
  }

  @Test
  void aDirectoryTooLongForAMessageIsReadInParts() {
    List<String> names = new ArrayList<>();
    dom0.mkdir("/many", Perms.parse("r0"));
    for (int i = 0; i < 1500; i++) {
      names.add("child" + i);
      dom0.mkdir("/many/child" + i);
    }
    assertEquals("E2BIG|", guest.ask(XsOp.DIRECTORY, "/many|"));
    StringBuilder all = new StringBuilder();
    String generation = "";
    while (!all.toString().endsWith("||")) {
      String part = guest.ask(XsOp.DIRECTORY_PART, "/many|" + all.length() + "|");
      int bar = part.indexOf('|');
      assertTrue(generation.isEmpty() || generation.equals(part.substring(0, bar)));
      generation = part.substring(0, bar);
      all.append(part.substring(bar + 1));
    }
    assertEquals(String.join("|", names) + "||", all.toString());
    assertEquals(generation + "||", guest.ask(XsOp.DIRECTORY_PART, "/many|99999|"));
    dom0.mkdir("/many/more");
    assertTrue(!guest.ask(XsOp.DIRECTORY_PART, "/many|0|").startsWith(generation + "|"));
  }

  @Test
  void mkdirKeepsAnExistingValueAndRmRemovesAllBelow() {
    guest.ask(XsOp.WRITE, "data/a|v");
    assertEquals("OK|", guest.ask(XsOp.MKDIR, "data/a|"));
    assertEquals("v", guest.ask(XsOp.READ, "data/a|"));
    assertEquals("OK|", guest.ask(XsOp.MKDIR, "data/a/b/c|"));
    assertEquals("OK|", guest.ask(XsOp.RM, "data/a|"));
    assertEquals("ENOENT|", guest.ask(XsOp.READ, "data/a/b/c|"));
    assertEquals("OK|", guest.ask(XsOp.RM, "data/a|"));
    assertEquals("ENOENT|", guest.ask(XsOp.RM, "data/a/b/c|"));
    assertEquals("EACCES|", guest.ask(XsOp.RM, "name|"));
  }

  @Test
  void nobodyRemovesTheRoot() {
    dom0.setPerms("/", Perms.parse("b0"));
    assertEquals("EINVAL|", guest.ask(XsOp.RM, "/|"));
  }

  @Test
  void anOwnerGrantsAndRevokesButDoesNotGiveAway() {
    GuestStore other = new GuestStore(daemon, 2);
    guest.ask(XsOp.WRITE, "data/a|v");
    assertEquals("EACCES|", other.ask(XsOp.READ, "/local/domain/1/data/a|"));
    assertEquals("OK|", guest.ask(XsOp.SET_PERMS, "data/a|n1|r2|"));
    assertEquals("n1|r2|", guest.ask(XsOp.GET_PERMS, "data/a|"));
    assertEquals("v", other.ask(XsOp.READ, "/local/domain/1/data/a|"));
    assertEquals("EACCES|", other.ask(XsOp.WRITE, "/local/domain/1/data/a|w"));
    assertEquals("EACCES|", other.ask(XsOp.SET_PERMS, "/local/domain/1/data/a|n2|"));
    assertEquals("OK|", guest.ask(XsOp.SET_PERMS, "data/a|n1|w2|"));
    assertEquals("EACCES|", other.ask(XsOp.READ, "/local/domain/1/data/a|"));
    assertEquals("OK|", other.ask(XsOp.WRITE, "/local/domain/1/data/a|w"));
    assertEquals("EPERM|", guest.ask(XsOp.SET_PERMS, "data/a|n2|"));
    assertEquals("ENOENT|", guest.ask(XsOp.SET_PERMS, "data/a|n77|"));
  }

  @Test
  void malformedPermissionsAnswerEinvalAndTooManyEnospc() {
    guest.ask(XsOp.WRITE, "data/a|v");
    for (String perms : List.of("", "x1|", "n|", "n1x|", "n-1|", "n70000|", "1|", "|")) {
      assertEquals("EINVAL|", guest.ask(XsOp.SET_PERMS, "data/a|" + perms), perms);
    }
    assertEquals("OK|", guest.ask(XsOp.SET_PERMS, "data/a|n1|r2|r3|r4|r5|"));
    assertEquals("ENOSPC|", guest.ask(XsOp.SET_PERMS, "data/a|n1|r2|r3|r4|r5|r6|"));
  }

  @Test
  void permissionsOfADomainThatDoesNotExistAreNotInheritedByALaterOne() {
    guest.ask(XsOp.WRITE, "data/a|v");
    assertEquals("OK|", guest.ask(XsOp.SET_PERMS, "data/a|n1|r77|"));
    assertEquals("n1|r77|", guest.ask(XsOp.GET_PERMS, "data/a|"));
    GuestStore late = new GuestStore(daemon, 77);
    assertEquals("EACCES|", late.ask(XsOp.READ, "/local/domain/1/data/a|"));
  }

  @Test
  void aDomainWithATargetHasTheRightsOfThatDomain() {
    GuestStore stub = new GuestStore(daemon, 2);
    guest.ask(XsOp.WRITE, "data/a|v");
    assertEquals("EACCES|", stub.ask(XsOp.READ, "/local/domain/1/data/a|"));
    GuestStore control = new GuestStore(daemon, 0);
    assertEquals("OK|", control.ask(XsOp.SET_TARGET, "2|1|"));
    assertEquals("v", stub.ask(XsOp.READ, "/local/domain/1/data/a|"));
    assertEquals("OK|", stub.ask(XsOp.WRITE, "/local/domain/1/data/a|w"));
    daemon.release(1);
    dom0.write("/x", "", Perms.parse("n1"));
    assertEquals("EACCES|", stub.ask(XsOp.READ, "/x|"));
  }

  @Test
  void whatOnlyDom0MayDoAnswersEacces() {
    for (XsOp op : XsOp.values()) {
      if (op.who() == XsOp.Who.DOM0) {
        assertEquals("EACCES|", guest.ask(op, "1|"), op.name());
      }
    }
    assertEquals("EACCES|", guest.ask(XsOp.GET_FEATURE, "1|"));
  }

  @Test
  void unknownRequestsAnswerEnosys() {
    for (int type : List.of(15, 16, 20, 27, 1000, 0xffff, -1, Integer.MIN_VALUE)) {
      XsMessage reply = guest.call(type, 0, new byte[0]);
      assertEquals(XsOp.ERROR.nr(), reply.type());
      assertEquals("ENOSYS\0", GuestStore.text(reply));
    }
  }

  @Test
  void domainQuestionsAreAnswered() {
    assertEquals("/local/domain/7|", guest.ask(XsOp.GET_DOMAIN_PATH, "007|"));
    assertEquals("EINVAL|", guest.ask(XsOp.GET_DOMAIN_PATH, "70000|"));
    assertEquals("EINVAL|", guest.ask(XsOp.GET_DOMAIN_PATH, "x|"));
    assertEquals("15|", guest.ask(XsOp.GET_FEATURE, ""));
    GuestStore control = new GuestStore(daemon, 0);
    assertEquals("T|", control.ask(XsOp.IS_DOMAIN_INTRODUCED, "1|"));
    assertEquals("F|", control.ask(XsOp.IS_DOMAIN_INTRODUCED, "2|"));
    assertEquals("OK|", control.ask(XsOp.RESUME, "1|"));
    assertEquals("ENOENT|", control.ask(XsOp.RESUME, "2|"));
    assertEquals("EINVAL|", control.ask(XsOp.RELEASE, "0|"));
    assertEquals("OK|", control.ask(XsOp.RELEASE, "1|"));
    assertEquals("F|", control.ask(XsOp.IS_DOMAIN_INTRODUCED, "1|"));
    assertTrue(guest.page.closed() && guest.port.closed());
    assertEquals("EINVAL|", control.ask(XsOp.INTRODUCE, "1|55|0|"));
    assertEquals("EINVAL|", control.ask(XsOp.INTRODUCE, "1|55|3|"));
    assertEquals("OK|", control.ask(XsOp.CONTROL, "check|"));
    assertEquals("EINVAL|", control.ask(XsOp.CONTROL, "live-update|"));
  }

  @Test
  void featuresCanBeWithheldFromADomainBeforeItIsIntroduced() {
    GuestStore control = new GuestStore(daemon, 0);
    assertEquals("EBUSY|", control.ask(XsOp.SET_FEATURE, "1|2|"));
    assertEquals("ENOENT|", control.ask(XsOp.SET_FEATURE, "77|2|"));
    assertEquals("EINVAL|", control.ask(XsOp.SET_FEATURE, "3|16|"));
    assertEquals("OK|", control.ask(XsOp.SET_FEATURE, "3|2|"));
    GuestStore third = new GuestStore(daemon, 3);
    assertEquals(2, third.page.loadAcquire(XenstoreDomainInterface.SERVER_FEATURES.offset()));
    assertEquals("EINVAL|", third.ask(XsOp.WATCH, "a|t|1|"));
  }

  @Test
  void quotasAreReadAndSetByName() {
    GuestStore control = new GuestStore(daemon, 0);
    assertEquals(
        "nodes watches outstanding memory transactions transaction-nodes node-permissions"
            + " path-max node-size|",
        control.ask(XsOp.GET_QUOTA, ""));
    assertEquals("1000|", control.ask(XsOp.GET_QUOTA, "nodes|"));
    assertEquals("OK|", control.ask(XsOp.SET_QUOTA, "nodes|5|"));
    assertEquals("1000|", control.ask(XsOp.GET_QUOTA, "1|nodes|"));
    assertEquals("5|", control.ask(XsOp.GET_QUOTA, "4|nodes|"));
    assertEquals("OK|", control.ask(XsOp.SET_QUOTA, "1|nodes|3|"));
    assertEquals("EINVAL|", control.ask(XsOp.SET_QUOTA, "1|bananas|3|"));
    assertEquals("EINVAL|", control.ask(XsOp.SET_QUOTA, "nodes|-1|"));
    guest.ask(XsOp.WRITE, "data/a|");
    guest.ask(XsOp.WRITE, "data/b|");
    assertEquals("ENOSPC|", guest.ask(XsOp.WRITE, "data/c|"));
  }

  @Test
  void theJavaApiSaysWhatIsWrongInOneLine() {
    XsException e = assertThrows(XsException.class, () -> dom0.read("/nowhere"));
    assertEquals("xenstore: /nowhere: no such node (ENOENT)", e.getMessage());
    assertEquals(XsErrno.ENOENT, e.errno());
    dom0.rm("/nowhere/at/all");
    assertTrue(!dom0.exists("/nowhere"));
  }
}
