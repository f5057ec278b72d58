package parhelion.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import parhelion.cpu.interp.CodeCache;
import parhelion.cpu.memory.MachineMemory;
import parhelion.cpu.rewrite.RegionCache;

/** Which engine it is, and what the rewriter tells of itself. */
@Isolated("sets system properties")
final class EngineTest {
  private static final String REFUSE = "parhelion.refuse.code";

  /** mov ecx, 100; again: cpuid; mov ecx, [100]; jmp again: a loop without end. */
  private static final String LOOP = "b964000000 0fa2 8b0c2500010000 ebf5";

  private static void refusing(Runnable work) {
    System.setProperty(REFUSE, "true");
    try {
      work.run();
    } finally {
      System.clearProperty(REFUSE);
    }
  }

  @Test
  void enginesHaveNames() {
    for (Engine engine : Engine.values()) {
      assertEquals(engine, Engine.of(engine.label));
    }
    assertEquals("interpreter", Engine.INTERPRETER.label);
    assertNull(Engine.of("AUTO"));
    assertNull(Engine.of("tcg"));
  }

  @Test
  void aWrongPropertyIsNamed() {
    String before = System.getProperty(Engine.PROPERTY);
    System.setProperty(Engine.PROPERTY, "tcg");
    try {
      var e = assertThrows(IllegalArgumentException.class, Engine::preferred);
      assertTrue(e.getMessage().startsWith("parhelion.engine=tcg: "), e.getMessage());
    } finally {
      if (before == null) {
        System.clearProperty(Engine.PROPERTY);
      } else {
        System.setProperty(Engine.PROPERTY, before);
      }
    }
  }

  @Test
  void autoIsTheInterpreterWhereExecutableMemoryIsRefusedAndSaysWhy() {
    refusing(
        () -> {
          try (MachineMemory memory = new MachineMemory(16)) {
            CodeCache code = new CodeCache(memory, Engine.AUTO);
            assertEquals(Engine.INTERPRETER, code.engine());
            assertNull(code.engineStats());
            assertNotNull(code.obstacle());
          }
        });
  }

  @Test
  void theInterpreterNeedsNothingOfTheHost() {
    refusing(
        () -> {
          try (MachineMemory memory = new MachineMemory(16)) {
            CodeCache code = new CodeCache(memory, Engine.INTERPRETER);
            assertEquals(Engine.INTERPRETER, code.engine());
            assertNull(code.obstacle());
          }
        });
  }

  @Test
  void theRewriterIsNotReplaced() {
    refusing(
        () -> {
          try (MachineMemory memory = new MachineMemory(16)) {
            assertThrows(
                EngineUnavailableException.class, () -> new CodeCache(memory, Engine.REWRITER));
          }
        });
  }

  private static Machine rewriting() {
    Machine m = Machine.long64(0);
    if (m.cpu.code.engine() != Engine.REWRITER) {
      m.close();
      assumeTrue(false, "the interpreter is the engine here");
    }
    return m;
  }

  private static Map<String, Long> byName(List<EngineStats.Count> counts) {
    return counts.stream()
        .collect(Collectors.toMap(EngineStats.Count::name, EngineStats.Count::count));
  }

  @Test
  void whatTheRewriterDoesIsCounted() {
    try (Machine m = rewriting()) {
      m.code(LOOP);
      m.cpu.run(30_000);
      EngineStats stats = m.cpu.code.engineStats();
      assertTrue(stats.regions() >= 1, stats::toString);
      assertTrue(stats.instructions() >= 4 && stats.instructions() < 100, stats::toString);
      assertTrue(stats.hostBytes() > stats.instructions(), stats::toString);
      assertTrue(stats.heldBytes() >= stats.hostBytes(), stats::toString);
      assertTrue(stats.writingNanos() > 0, stats::toString);
      assertEquals(0, stats.drops());
      assertEquals(0, stats.resets());
      long interpreted = byName(stats.interpreted()).get("CPUID");
      assertTrue(interpreted >= 9_999 && interpreted <= 10_001, stats::toString);
      assertTrue(byName(stats.exits()).get("interpret") >= interpreted - 1, stats::toString);
    }
  }

  @Test
  void aRunThatNeedNotBeExactEndsWhereABlockDoes() {
    try (Machine m = rewriting()) {
      m.code("48ffc0".repeat(20) + "ebc2"); // inc rax, 20 times; jmp to the first
      for (int instructions : new int[] {1_000, 1_013, 300, 21_000, 777}) {
        long before = m.cpu.retired;
        m.cpu.runAbout(instructions);
        long ran = m.cpu.retired - before;
        assertTrue(ran <= instructions && ran > instructions - 21, () -> "ran " + ran);
        assertEquals(Machine.CODE, m.cpu.rip());
        assertEquals(m.cpu.retired / 21 * 20, m.cpu.get64(CpuState.RAX));
      }
    }
  }

  @Test
  void aShortRunGoesOnAllTheSame() {
    try (Machine m = rewriting()) {
      m.code("48ffc0".repeat(20) + "ebc2");
      for (int i = 1; i <= 30; i++) {
        m.cpu.runAbout(1);
        assertTrue(m.cpu.retired >= i);
      }
    }
  }

  @Test
  void aStoreToCodeDropsItsRegion() {
    try (Machine m = rewriting()) {
      m.code(LOOP);
      m.cpu.run(1000);
      m.code(LOOP);
      assertTrue(m.cpu.code.engineStats().drops() > 0);
    }
  }

  @Test
  void aHostAddressInGeneratedCodeLeadsToTheGuests() {
    try (Machine m = rewriting()) {
      m.code(LOOP);
      m.cpu.run(100);
      RegionCache regions = m.cpu.code.regions();
      List<long[]> told = new ArrayList<>();
      List<long[]> routines = new ArrayList<>();
      regions.listen(
          new RegionCache.Listener() {
            @Override
            public void routines(long host, long bytes) {
              routines.add(new long[] {host, bytes});
            }

            @Override
            public void region(long host, long bytes, long va) {
              told.add(new long[] {host, bytes, va});
            }
          });
      int before = told.size();
      assertTrue(before > 0);
      m.bytes(Machine.HANDLER, LOOP);
      m.cpu.rip(Machine.HANDLER);
      m.cpu.run(100);
      assertTrue(told.size() > before, "what is written later is told as well");
      for (long[] region : told) {
        assertEquals(OptionalLong.of(region[2]), regions.guestAddress(region[0]));
        assertEquals(OptionalLong.of(region[2]), regions.guestAddress(region[0] + region[1] - 1));
      }
      assertEquals(Machine.CODE, told.getFirst()[2]);
      assertEquals(OptionalLong.empty(), regions.guestAddress(routines.getFirst()[0]));
      long[] last = told.getLast();
      assertEquals(OptionalLong.empty(), regions.guestAddress(last[0] + last[1]));
    }
  }
}
