package parhelion.cpu.rewrite;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import parhelion.cpu.Cpu;

/** Random programs do the same on both engines, whatever happens to them meanwhile. */
class EnginesAgreeTest {
  private static final long SEED = Long.getLong("parhelion.seed", 1);
  private static final int PROGRAMS = Boolean.getBoolean("parhelion.fast") ? 4 : 25;
  private static final int INSTRUCTIONS = 6_000;

  @BeforeEach
  void hostRunsGeneratedCode() {
    assumeTrue(HostCpu.obstacle() == null);
  }

  private static void compare(Twin.Variant variant, int salt) {
    long retired = 0;
    for (int i = 0; i < PROGRAMS; i++) {
      try (Twin twin = new Twin(SEED * 1_000_003 + salt * 1000 + i, variant)) {
        twin.run(INSTRUCTIONS);
        retired += twin.rewriter.cpu.retired;
      }
    }
    assertTrue(retired >= (long) PROGRAMS * INSTRUCTIONS);
  }

  @Test
  void onTheMonitorsTranslations() {
    compare(new Twin.Variant(false, false, false, false), 1);
  }

  @Test
  void onPageTablesThatGeneratedCodeWalks() {
    compare(new Twin.Variant(true, false, false, false), 2);
  }

  @Test
  void beyondThirtyTwoBits() {
    compare(new Twin.Variant(true, false, false, true), 3);
  }

  @Test
  void withEveryFlagWhereCodeMayModifyItself() {
    compare(new Twin.Variant(true, true, false, false), 4);
  }

  @Test
  void whenCodeModifiesItself() {
    compare(new Twin.Variant(true, true, true, false), 5);
    compare(new Twin.Variant(false, true, true, true), 6);
  }

  @Test
  void whenCodeIsModifiedByAnotherAddress() {
    compare(new Twin.Variant(true, false, true, false), 7);
  }

  @Test
  void whenAnotherThreadAsksForAttention() throws InterruptedException {
    for (int i = 0; i < PROGRAMS / 4 + 1; i++) {
      try (Twin twin = new Twin(SEED * 77 + i, new Twin.Variant(true, true, true, false))) {
        Cpu cpu = twin.rewriter.cpu;
        AtomicBoolean done = new AtomicBoolean();
        Thread thread =
            new Thread(
                () -> {
                  while (!done.get()) {
                    cpu.requestAttention();
                    Thread.yield();
                  }
                });
        thread.start();
        try {
          twin.run(INSTRUCTIONS);
        } finally {
          done.set(true);
          thread.join();
        }
      }
    }
  }
}
