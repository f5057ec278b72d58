package parhelion.testkit.oracle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Every user-mode instruction in random forms and states against the host's processor. */
class SingleInstructionsTest {
  private static final long SEED = Long.getLong("parhelion.seed", 1);
  private static final boolean FAST = Boolean.getBoolean("parhelion.fast");
  private static final long CASES = Long.getLong("parhelion.cases", FAST ? 100_000 : 1_050_000);

  @Test
  void aMillionCasesEndAsOnTheHost() {
    assumeTrue(OracleRun.isSupported(), "needs an x86-64 Linux host; the recorded corpus runs");
    try (OracleRun run = new OracleRun(SEED)) {
      run.singles(CASES, ".*");
      System.out.println("Single instructions, seed " + SEED + ": " + run.summary());
      assertEquals("", String.join("\n", run.reports()), run::failures);
      assertEquals(List.of(), run.uncovered(), "rows without a case");
      assertTrue(run.encodings() >= 1_000, () -> run.encodings() + " encodings");
      assertTrue(run.cases() >= CASES * 95 / 100, () -> run.cases() + " cases");
      assertTrue(FAST || CASES < 1_050_000 || run.cases() >= 1_000_000, "fewer than a million");
    }
  }
}
