package parhelion.cpu.rewrite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static parhelion.cpu.CpuState.*;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import parhelion.cpu.Cpu;
import parhelion.cpu.Engine;

/** Generated code comes and goes: when there is no more room, with its frame, with its memory. */
class CacheLifeTest {
  private static final long SEED = Long.getLong("parhelion.seed", 1);
  private static final boolean FAST = Boolean.getBoolean("parhelion.fast");
  private static final long CODE = 0x40_0000L;
  private static final int CODE_PA = Guest.FREE;
  private static final long DATA = 0x50_0000L;
  private static final int DATA_PA = Guest.FREE + 0x1_0000;

  @BeforeEach
  void hostRunsGeneratedCode() {
    assumeTrue(HostCpu.obstacle() == null);
  }

  private static RegionCache regions(Guest g) {
    RegionCache regions = g.code.regions();
    assertNotNull(regions);
    return regions;
  }

  private static Guest guest(Engine engine) {
    Guest g = new Guest(engine);
    for (int i = 0; i < 8; i++) {
      g.map(CODE + i * 4096, CODE_PA + i * 4096, Guest.USER & ~Guest.W);
      g.map(DATA + i * 4096, DATA_PA + i * 4096, Guest.USER);
    }
    g.set(RSP, DATA + 0x8000);
    g.set(RBX, DATA);
    return g;
  }

  private static void withLittleRoom(Twin.Variant variant, int room, int salt) {
    long resets = 0;
    for (int i = 0; i < (FAST ? 2 : 12); i++) {
      try (Twin twin = new Twin(SEED * 999_983 + salt * 100 + i, variant)) {
        twin.limitCode(room);
        twin.run(4_000);
        resets += regions(twin.rewriter).counts.resets;
      }
    }
    assertTrue(resets > (FAST ? 1 : 10), "resets: " + resets);
  }

  @Test
  void programsRunWithoutRoomForMoreThanOneRegion() {
    withLittleRoom(new Twin.Variant(true, false, false, false), 0, 1);
    withLittleRoom(new Twin.Variant(true, true, true, false), 0, 2);
  }

  @Test
  void programsRunWithRoomForAFewRegions() {
    withLittleRoom(new Twin.Variant(true, false, false, true), 3_000, 3);
    withLittleRoom(new Twin.Variant(false, true, true, false), 8_000, 4);
    withLittleRoom(new Twin.Variant(true, false, true, false), 16_000, 5);
  }

  /** 1000 times a call into the next page and back. */
  private static void caller(Guest g) {
    g.write(CODE_PA, "41bde8030000 e8f50f0000 49ffcd 75f6 0f0b");
    g.write(CODE_PA + 0x1000, "48ffc0 c3");
    g.set(RAX, 0);
  }

  @Test
  void codeThatLedToADroppedFrameLeadsToWhatIsThereNow() {
    try (Guest g = guest(Engine.REWRITER)) {
      caller(g);
      g.cpu.rip(CODE);
      g.cpu.run(400);
      long so = g.get(RAX);
      assertTrue(so > 50 && so < 200, "so far " + so);
      long drops = regions(g).counts.drops;
      g.code.dropFrame(CODE_PA + 0x1000 >>> 12);
      assertTrue(regions(g).counts.drops > drops);
      g.cpu.run(400);
      // The owner has changed: the bytes, too, written where no code is known to be.
      g.code.dropFrame(CODE_PA + 0x1000 >>> 12);
      long before = g.get(RAX);
      long left = g.get(R8 + 40);
      boolean inside = g.cpu.rip() >= CODE + 0x1000;
      g.write(CODE_PA + 0x1000, "48ffc8 c3");
      g.cpu.run(100_000);
      assertEquals("[end]", g.events.toString());
      long last = g.get(RAX);
      assertTrue(
          Math.abs(before - left - last) <= (inside ? 2 : 1), before + " " + left + " " + last);
    }
  }

  @Test
  void aDroppedFrameWhoseBytesAreTheSameIsWrittenAnew() {
    try (Guest g = guest(Engine.REWRITER)) {
      caller(g);
      g.cpu.rip(CODE);
      for (int i = 0; i < 40; i++) {
        g.cpu.run(101);
        g.code.dropFrame((CODE_PA >>> 12) + (i & 1));
      }
      g.cpu.run(100_000);
      assertEquals("[end]", g.events.toString());
      assertEquals(1000, g.get(RAX));
      assertTrue(regions(g).counts.drops >= 40);
    }
  }

  @Test
  void dataBesideCodeDropsNothing() {
    try (Guest g = guest(Engine.REWRITER)) {
      // The page is writable at DATA, and holds the code's counters behind it.
      g.map(DATA, CODE_PA, Guest.USER | Guest.NX);
      g.write(CODE_PA, "41bde8030000 48ff8300010000 48018380000000 49ffcd 75ed 0f0b");
      g.set(RAX, 3);
      g.run(CODE, 100_000);
      assertEquals("[end]", g.events.toString());
      assertEquals(1000, g.memory.getLong(CODE_PA + 0x100));
      assertEquals(3000, g.memory.getLong(CODE_PA + 0x80));
      assertEquals(0, regions(g).counts.drops);
      assertTrue(regions(g).counts.translations < 10);
      // While a store to the code itself does.
      g.memory.putByte(CODE_PA + 8, g.memory.getByte(CODE_PA + 8));
      assertTrue(regions(g).counts.drops > 0);
    }
  }

  @Test
  void manyCpusShareOneMemory() {
    List<String> outcomes = new ArrayList<>();
    for (Engine engine : new Engine[] {Engine.INTERPRETER, Engine.REWRITER}) {
      try (Guest g = guest(engine)) {
        // Each in a page of its own: sum of squares, in calls to a common function.
        g.write(CODE_PA, "41bd90010000 4c89ef e8f20f0000 480103 49ffcd 75f0 0f0b");
        g.write(CODE_PA + 0x1000, "4889f8 480fafc7 c3");
        List<Cpu> cpus = new ArrayList<>();
        for (int i = 0; i < 7; i++) {
          Cpu c = g.newCpu();
          g.start(c, g.get(CR3));
          c.put64(RBX, DATA + i * 4096);
          c.put64(RSP, DATA + i * 4096 + 0x800);
          c.rip(CODE);
          cpus.add(c);
        }
        for (int round = 0; g.events.size() < 7; round++) {
          for (int i = 0; i < 7; i++) {
            if (!cpus.get(i).isStopped()) {
              cpus.get(i).run(20 + 7 * i);
            }
          }
          if (round % 4 == 3) {
            g.code.dropFrame((CODE_PA >>> 12) + (round >>> 2 & 1));
          }
          assertTrue(round < 10_000);
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 7; i++) {
          text.append(g.memory.getLong(DATA_PA + i * 4096)).append(' ').append(cpus.get(i).retired);
          text.append('\n');
        }
        outcomes.add(text.toString());
      }
    }
    assertEquals(outcomes.get(0), outcomes.get(1));
    assertTrue(outcomes.get(0).contains(String.valueOf(400L * 401 * 801 / 6)));
  }

  @Test
  void aCpuThatGoesLeavesTheOthersTheirCode() {
    try (Guest g = guest(Engine.REWRITER)) {
      caller(g);
      for (int i = 0; i < 20; i++) {
        try (Cpu c = g.newCpu()) {
          g.start(c, g.get(CR3));
          c.put64(RSP, DATA + 0x8000);
          c.rip(CODE);
          c.run(100_000);
          assertEquals(1000, c.get64(RAX));
        }
      }
      g.run(CODE, 100_000);
      assertEquals(1000, g.get(RAX));
      assertTrue(regions(g).counts.translations < 10);
    }
  }

  /** Shared anonymous mappings of this process, by which code is written and executed. */
  private static long arenas() throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
      return lines.filter(line -> line.contains("/dev/zero")).count();
    }
  }

  @Test
  void closingTheMemoryGivesTheCodeBack() throws IOException {
    long before = arenas();
    for (int i = 0; i < 200; i++) {
      try (Guest g = guest(Engine.REWRITER)) {
        caller(g);
        g.run(CODE, 100_000);
        assertEquals(1000, g.get(RAX));
        assertTrue(arenas() > before);
      }
    }
    // Other tests in this process have closed theirs or not: those here are gone.
    assertEquals(before, arenas());
  }
}
