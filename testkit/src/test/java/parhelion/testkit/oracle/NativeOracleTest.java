package parhelion.testkit.oracle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import parhelion.cpu.Engine;
import parhelion.cpu.interp.CodeCache;
import parhelion.cpu.memory.MachineMemory;

/** The engine against the host's processor: docs/testing.md. */
class NativeOracleTest {
  private static final long SEED = Long.getLong("parhelion.seed", 1);
  private static final boolean FAST = Boolean.getBoolean("parhelion.fast");
  private static final double FACTOR =
      Double.parseDouble(System.getProperty("parhelion.cases", FAST ? "0.1" : "1"));

  /** Of the single instructions the rewriter, which writes code for each, gets so many. */
  private static final double SINGLES = rewrites() ? 0.4 : 1;

  private static boolean rewrites() {
    try (MachineMemory memory = new MachineMemory(16)) {
      return new CodeCache(memory).engine() == Engine.REWRITER;
    }
  }

  @BeforeEach
  void hostCanBeAsked() {
    assumeTrue(
        OracleRun.isSupported(), "needs an x86-64 Linux host; elsewhere only the corpus runs");
  }

  @Test
  void singleInstructionsByTheMillionEndAsOnTheHost() {
    try (OracleRun run = new OracleRun(SEED)) {
      run.singles((long) (1_010_000 * SINGLES * FACTOR), ".*");
      report(run, "single instructions");
      assertEquals(List.of(), run.uncovered(), "rows without a case");
      assertTrue(run.encodings() >= 1_000, () -> run.encodings() + " encodings");
      assertTrue(run.cases() >= 1_000_000 * SINGLES * FACTOR, () -> run.cases() + " cases");
    }
  }

  @Test
  void shortProgramsEndAsOnTheHost() {
    try (OracleRun run = new OracleRun(SEED)) {
      run.programs((long) (200_000 * FACTOR));
      report(run, "short programs");
      assertTrue(run.encodings() >= 1_000, () -> run.encodings() + " encodings");
    }
  }

  @Test
  void programsThatModifyThemselvesEndAsOnTheHost() {
    try (OracleRun run = new OracleRun(SEED)) {
      run.selfModifying((long) (60_000 * FACTOR));
      report(run, "self-modifying programs");
    }
  }

  @Test
  void instructionsOf32BitCodeEndAsOnTheHost() {
    try (OracleRun run = new OracleRun(SEED, 32)) {
      assumeTrue(run.has32BitCode(), "this host has no 32-bit code");
      run.singles((long) (200_000 * SINGLES * FACTOR), ".*");
      report(run, "32-bit instructions");
      assertEquals(List.of(), run.uncovered(), "rows without a case");
    }
  }

  private static void report(OracleRun run, String what) {
    System.out.println("Native oracle, " + what + ", seed " + SEED + ": " + run.summary());
    assertEquals("", String.join("\n", run.reports()), run::failures);
  }

  @Test
  void anInterpreterThatDiffersIsNoticed() {
    try (NativeOracle oracle = new NativeOracle()) {
      // CPUID: the interpreter's processor is not the host's.
      oracle.load(new Program(oracle.input.arena, new byte[] {0x0f, (byte) 0xa2}, 0, false, 0));
      oracle.input.state.gprs[0] = 1;
      assertEquals(NativeOracle.Outcome.DIFFERED, oracle.run(true));
      assertTrue(oracle.report().contains("cpuid"), oracle::report);
      assertTrue(oracle.report().contains("RAX: host"), oracle::report);
    }
  }

  @Test
  void theSameSeedGivesTheSameCases() {
    Arena arena = new Arena(Arena.PLACES[0]);
    Program a = new ProgramGenerator(arena, OracleRows.all(), new FastRandom(5)).next();
    Program b = new ProgramGenerator(arena, OracleRows.all(), new FastRandom(5)).next();
    assertEquals(a.listing(), b.listing());
  }
}
