package parhelion.backends.xenstore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Isolation, conflicts, and agreement with a model. */
class XenstoreTransactionTest {
  private static final long SEED = Long.getLong("parhelion.seed", 1);
  private static final int ROUNDS = Boolean.getBoolean("parhelion.fast") ? 20_000 : 100_000;

  private final XenstoreDaemon daemon = new XenstoreDaemon(StoreHost.PERMISSIVE);
  private final XenstoreClient dom0 = daemon.dom0();
  private final GuestStore guest = new GuestStore(daemon, 1);

  @BeforeEach
  void prepareTheDomain() {
    dom0.mkdir("/local/domain/1", Perms.parse("n1"));
    dom0.write("/local/domain/1/a", "0", Perms.parse("n1"));
    dom0.write("/local/domain/1/b", "0", Perms.parse("n1"));
  }

  @AfterEach
  void theAccountsAreRight() {
    daemon.audit();
  }

  private int start() {
    return Integer.parseInt(guest.ask(XsOp.TRANSACTION_START, "|").replace("|", ""));
  }

  @Test
  void aTransactionSeesTheStoreAsItWasAtItsStartAndItsOwnChanges() {
    int tx = start();
    guest.ask(XsOp.WRITE, "a|1");
    assertEquals("0", guest.ask(XsOp.READ, tx, "a|"));
    guest.ask(XsOp.WRITE, tx, "b|2");
    assertEquals("2", guest.ask(XsOp.READ, tx, "b|"));
    assertEquals("0", guest.ask(XsOp.READ, "b|"));
    assertEquals("EAGAIN|", guest.ask(XsOp.TRANSACTION_END, tx, "T|"));
    assertEquals("0", guest.ask(XsOp.READ, "b|"));
    assertEquals("ENOENT|", guest.ask(XsOp.TRANSACTION_END, tx, "T|"));
  }

  @Test
  void changesElsewhereDoNotDisturbATransaction() {
    int tx = start();
    guest.ask(XsOp.WRITE, tx, "a|1");
    guest.ask(XsOp.MKDIR, tx, "a/x/y|");
    dom0.write("/elsewhere/c", "1");
    dom0.write("/local/domain/1/b/deep/node", "1");
    assertEquals("OK|", guest.ask(XsOp.TRANSACTION_END, tx, "T|"));
    assertEquals("1", guest.ask(XsOp.READ, "a|"));
    assertEquals("", guest.ask(XsOp.READ, "a/x/y|"));
    assertEquals("1", dom0.read("/local/domain/1/b/deep/node"));
  }

  @Test
  void lookingForANodeThatOthersThenMakeIsAConflict() {
    int tx = start();
    assertEquals("ENOENT|", guest.ask(XsOp.READ, tx, "new|"));
    guest.ask(XsOp.WRITE, "new|1");
    assertEquals("EAGAIN|", guest.ask(XsOp.TRANSACTION_END, tx, "T|"));
  }

  @Test
  void removingATreeInWhichOthersChangeSomethingIsAConflict() {
    guest.ask(XsOp.WRITE, "a/x/y|1");
    int tx = start();
    assertEquals("OK|", guest.ask(XsOp.RM, tx, "a|"));
    guest.ask(XsOp.WRITE, "a/x/z|1");
    assertEquals("EAGAIN|", guest.ask(XsOp.TRANSACTION_END, tx, "T|"));
    assertEquals("1", guest.ask(XsOp.READ, "a/x/z|"));
  }

  @Test
  void aTreeCanBeReplacedWhileUnrelatedThingsChange() {
    guest.ask(XsOp.WRITE, "a/x/y|1");
    int tx = start();
    guest.ask(XsOp.RM, tx, "a|");
    guest.ask(XsOp.WRITE, tx, "a/new|2");
    dom0.write("/elsewhere", "1");
    assertEquals("OK|", guest.ask(XsOp.TRANSACTION_END, tx, "T|"));
    assertEquals("new|", guest.ask(XsOp.DIRECTORY, "a|"));
    assertEquals("2", guest.ask(XsOp.READ, "a/new|"));
  }

  @Test
  void permissionsBelongToATransactionToo() {
    int tx = start();
    assertEquals("OK|", guest.ask(XsOp.SET_PERMS, tx, "a|n1|r2|"));
    assertEquals("n1|r2|", guest.ask(XsOp.GET_PERMS, tx, "a|"));
    assertEquals("n1|", guest.ask(XsOp.GET_PERMS, "a|"));
    dom0.write("/elsewhere", "1");
    assertEquals("OK|", guest.ask(XsOp.TRANSACTION_END, tx, "T|"));
    assertEquals("n1|r2|", guest.ask(XsOp.GET_PERMS, "a|"));
  }

  @Test
  void transactionsAreKnownToTheirOwnerOnlyAndDoNotNest() {
    int tx = start();
    GuestStore other = new GuestStore(daemon, 2);
    assertEquals("ENOENT|", other.ask(XsOp.READ, tx, "a|"));
    assertEquals("EBUSY|", guest.ask(XsOp.TRANSACTION_START, tx, "|"));
    assertEquals("ENOENT|", guest.ask(XsOp.TRANSACTION_START, 99, "|"));
    assertEquals("EINVAL|", guest.ask(XsOp.TRANSACTION_END, tx, "X|"));
    assertEquals("EINVAL|", guest.ask(XsOp.TRANSACTION_END, tx, ""));
    assertEquals("ENOENT|", guest.ask(XsOp.TRANSACTION_END, 0, "T|"));
    assertEquals("OK|", guest.ask(XsOp.WATCH, 99, "a|t|"));
    assertEquals("OK|", guest.ask(XsOp.RESET_WATCHES, "|"));
    assertEquals("ENOENT|", guest.ask(XsOp.READ, tx, "a|"));
  }

  @Test
  void aGuestHasOnlySoManyTransactionsAndSoManyNodesInOne() {
    int first = start();
    for (int i = 1; i < 10; i++) {
      start();
    }
    assertEquals("ENOSPC|", guest.ask(XsOp.TRANSACTION_START, "|"));
    assertEquals("OK|", guest.ask(XsOp.TRANSACTION_END, first, "F|"));
    int tx = start();
    String refused = "";
    for (int i = 0; i < 1100 && !refused.equals("ENOSPC|"); i++) {
      refused = guest.ask(XsOp.READ, tx, "n" + i + "|");
    }
    assertEquals("ENOSPC|", refused);
    assertEquals("ENOMEM|", guest.ask(XsOp.TRANSACTION_END, tx, "T|"));
  }

  @Test
  void removingMoreNodesThanATransactionMayTouchIsRefusedAndChangesNothing() {
    GuestStore control = new GuestStore(daemon, 0);
    for (int i = 0; i < 20; i++) {
      guest.ask(XsOp.WRITE, "a/n" + i + "|v");
    }
    assertEquals("OK|", control.ask(XsOp.SET_QUOTA, "1|transaction-nodes|10|"));
    int tx = start();
    assertEquals("ENOSPC|", guest.ask(XsOp.RM, tx, "a|"));
    assertEquals("v", guest.ask(XsOp.READ, tx, "a/n0|"));
    assertEquals("ENOMEM|", guest.ask(XsOp.TRANSACTION_END, tx, "T|"));
    assertEquals("v", guest.ask(XsOp.READ, "a/n19|"));
  }

  @Test
  void twoTransactionsTogetherDoNotGetPastTheNodeQuota() {
    GuestStore control = new GuestStore(daemon, 0);
    assertEquals("OK|", control.ask(XsOp.SET_QUOTA, "1|nodes|4|"));
    int one = start();
    int two = start();
    assertEquals("OK|", guest.ask(XsOp.WRITE, one, "a/1|"));
    assertEquals("OK|", guest.ask(XsOp.WRITE, two, "b/1|"));
    assertEquals("OK|", guest.ask(XsOp.TRANSACTION_END, one, "T|"));
    assertEquals("ENOSPC|", guest.ask(XsOp.TRANSACTION_END, two, "T|"));
    assertEquals("ENOENT|", guest.ask(XsOp.READ, "b/1|"));
  }

  @Test
  void javaTransactionsAreRepeatedUntilTheyFitAndRolledBackWhenTheyThrow() {
    AtomicInteger attempts = new AtomicInteger();
    int result =
        dom0.transaction(
            tx -> {
              int value = Integer.parseInt(tx.read("/local/domain/1/a"));
              if (attempts.incrementAndGet() <= 3) {
                dom0.write("/local/domain/1/a", Integer.toString(value + 10));
              }
              tx.write("/local/domain/1/b", Integer.toString(value));
              return value;
            });
    assertEquals(30, result);
    assertEquals("30", dom0.read("/local/domain/1/b"));
    assertEquals(4, attempts.get());
    assertThrows(
        IllegalArgumentException.class,
        () ->
            dom0.transaction(
                tx -> {
                  tx.write("/local/domain/1/b", "lost");
                  throw new IllegalArgumentException();
                }));
    assertEquals("30", dom0.read("/local/domain/1/b"));
  }

  /** One open transaction of the random run: the store's, and what the model makes of it. */
  private static final class Open {
    final StoreTransaction tx;
    final StoreModel view;
    final int changesAtStart;
    final List<String> replay = new ArrayList<>();

    Open(StoreTransaction tx, StoreModel committed, int changes) {
      this.tx = tx;
      view = new StoreModel(committed);
      changesAtStart = changes;
    }
  }

  @Test
  void randomTransactionsAgreeWithAModelAndAreSerialisable() {
    Random random = new Random(SEED);
    StoreModel committed = new StoreModel();
    XenstoreDaemon plain = new XenstoreDaemon(StoreHost.PERMISSIVE);
    LocalConnection client =
        new LocalConnection(new StoreDomain(0, Quota.Limits.initial()), d -> {});
    plain.dom0().rm("/tool");
    List<Open> open = new ArrayList<>();
    int commits = 0;
    int conflicts = 0;
    int changes = 0;
    for (int round = 0; round < ROUNDS; round++) {
      int dice = random.nextInt(20);
      if (dice == 0 && open.size() < 4) {
        open.add(new Open(plain.ops().begin(client), committed, changes));
      } else if (dice == 1 && !open.isEmpty()) {
        Open ending = open.remove(random.nextInt(open.size()));
        boolean commit = random.nextInt(4) > 0;
        if (end(plain, client, ending, commit)) {
          commits++;
          changes++;
          replay(ending, committed);
        } else if (commit) {
          conflicts++;
          assertTrue(changes != ending.changesAtStart, "conflict with nothing");
        }
      } else {
        Open in = open.isEmpty() || random.nextInt(3) == 0 ? null : pick(open, random);
        StoreModel model = in == null ? committed : in.view;
        String operation = operation(random);
        String expected = apply(model, operation);
        String actual = apply(plain, client, in == null ? null : in.tx, operation);
        assertEquals(expected, actual, "seed " + SEED + " round " + round + ": " + operation);
        if (in == null) {
          changes += operation.startsWith("read") || operation.startsWith("list") ? 0 : 1;
        } else {
          in.replay.add(operation + " -> " + expected);
        }
      }
      if (round % 500 == 0) {
        plain.audit();
        assertEquals(committed.nodes(), dump(plain), "seed " + SEED + " round " + round);
      }
    }
    assertTrue(commits > ROUNDS / 200 && conflicts > ROUNDS / 1000, commits + "/" + conflicts);
  }

  private static Open pick(List<Open> open, Random random) {
    return open.get(random.nextInt(open.size()));
  }

  private static boolean end(
      XenstoreDaemon store, LocalConnection client, Open ending, boolean commit) {
    try {
      store.ops().end(client, ending.tx, commit);
      return commit;
    } catch (XsException e) {
      assertEquals(XsErrno.EAGAIN, e.errno());
      return false;
    }
  }

  /** Serialisable: run again, after all that committed before, every answer is the same. */
  private static void replay(Open committing, StoreModel committed) {
    for (String line : committing.replay) {
      int arrow = line.indexOf(" -> ");
      String answer = apply(committed, line.substring(0, arrow));
      assertEquals(line.substring(arrow + 4), answer, line);
    }
  }

  private static String operation(Random random) {
    StringBuilder path = new StringBuilder();
    int levels = random.nextInt(4);
    for (int i = 0; i < levels; i++) {
      path.append('/').append((char) ('a' + random.nextInt(4)));
    }
    String at = path.isEmpty() ? "/" : path.toString();
    return switch (random.nextInt(9)) {
      case 0, 1, 2 -> "read " + at;
      case 3 -> "list " + at;
      case 4, 5, 6 -> "write " + at + ' ' + random.nextInt(100);
      case 7 -> "mkdir " + at;
      default -> "rm " + at;
    };
  }

  private static String apply(StoreModel model, String operation) {
    String[] words = operation.split(" ");
    switch (words[0]) {
      case "read" -> {
        return model.read(words[1]);
      }
      case "list" -> {
        return model.list(words[1]);
      }
      case "write" -> model.write(words[1], words[2]);
      case "mkdir" -> model.mkdir(words[1]);
      default -> {
        return model.rm(words[1]);
      }
    }
    return "OK";
  }

  private static String apply(
      XenstoreDaemon store,
      LocalConnection client,
      @Nullable StoreTransaction tx,
      String operation) {
    String[] words = operation.split(" ");
    StoreOps ops = store.ops();
    try {
      switch (words[0]) {
        case "read" -> {
          return "="
              + new String(ops.read(client, tx, words[1]).value(), StandardCharsets.ISO_8859_1);
        }
        case "list" -> {
          return String.join(
              ",", ops.read(client, tx, words[1]).listing().stream().sorted().toList());
        }
        case "write" -> ops.write(client, tx, words[1], Args.bytes(words[2]));
        case "mkdir" -> ops.mkdir(client, tx, words[1]);
        default -> ops.rm(client, tx, words[1]);
      }
    } catch (XsException e) {
      return e.errno().name();
    }
    return "OK";
  }

  private static Map<String, String> dump(XenstoreDaemon store) {
    TreeMap<String, String> nodes = new TreeMap<>();
    for (XenstoreState.Node node : store.save().nodes()) {
      if (!StorePath.isSpecial(node.path())) {
        nodes.put(node.path(), new String(node.value(), StandardCharsets.ISO_8859_1));
      }
    }
    return nodes;
  }
}
