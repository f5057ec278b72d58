package parhelion.cpu.rewrite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static parhelion.cpu.CpuState.*;
import static parhelion.cpu.memory.Host.U;

import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import parhelion.cpu.Access;
import parhelion.cpu.Cpu;
import parhelion.cpu.Engine;

/**
 * Page tables that generated code walks by itself: the same accesses go through, with the same
 * faults and the same accessed and dirty bits, as by the interpreter and as by the monitor's walks.
 */
class PageTablesTest {
  private static final long CODE = 0x40_0000L;

  /** Which bits of an entry are tried. */
  private static final int STEP = Boolean.getBoolean("parhelion.fast") ? 3 : 1;

  private static final int CODE_PA = Guest.FREE;
  private static final int DATA_PA = Guest.FREE + 0x1_0000;

  /** Has tables of all levels for itself. */
  private static final long TARGET = 0x7f12_3456_7000L;

  /** Eight times: read, add to, write below; then the end. */
  private static final String READS = "41bd08000000 488b03 4801c1 49ffcd 75f5 0f0b";

  private static final String ADDS = "41bd08000000 48010b 49ffcd 75f8 0f0b";
  private static final String WRITES = "41bd08000000 48890b 49ffcd 75f8 0f0b";
  private static final String PUSHES = "41bd08000000 51 49ffcd 75fa 0f0b";
  private static final String READS_THEN_WRITES = "41bd08000000 488b03 488903 49ffcd 75f5 0f0b";

  @BeforeEach
  void hostRunsGeneratedCode() {
    assumeTrue(HostCpu.obstacle() == null);
  }

  private static Guest guest(Engine engine, boolean walks) {
    Guest g = new Guest(engine);
    g.walks = walks;
    prepare(g);
    return g;
  }

  private static void prepare(Guest g) {
    g.map(CODE, CODE_PA, Guest.USER & ~Guest.W);
    g.map(TARGET, DATA_PA, Guest.USER);
    g.set(RBX, TARGET);
    g.set(RSP, TARGET + 4096);
    for (int i = 0; i < 512; i++) {
      g.memory.putLong(DATA_PA + i * 8, i * 0x0101_0101_0101L);
    }
  }

  private static String memory(Guest g) {
    long hash = 0;
    StringBuilder tables = new StringBuilder();
    for (long pa = 0; pa < g.memory.sizeBytes(); pa += 8) {
      long value = g.memory.getLong(pa);
      hash = hash * 31 + value;
      if (value != 0 && pa >= 0x2000 && pa < Guest.KERNEL_STACK) {
        tables.append(String.format(" %x:%x", pa, value));
      }
    }
    return String.format("%nmemory %x%s", hash, tables);
  }

  /**
   * Runs a scenario on the interpreter, and wants the same of the rewriter with walks and without.
   */
  private static void agree(BiFunction<Engine, Boolean, Guest> make, Consumer<Guest> scenario) {
    String[] outcomes = new String[3];
    for (int i = 0; i < 3; i++) {
      try (Guest g = make.apply(i == 0 ? Engine.INTERPRETER : Engine.REWRITER, i == 2)) {
        scenario.accept(g);
        outcomes[i] = g.state() + memory(g);
      }
    }
    assertEquals(outcomes[0], outcomes[1], "with the monitor's walks");
    assertEquals(outcomes[0], outcomes[2], "with walks by generated code");
  }

  private static void agree(Consumer<Guest> scenario) {
    agree(PageTablesTest::guest, scenario);
  }

  private static void program(Guest g, String hex) {
    g.write(CODE_PA, hex);
    g.run(CODE, 1000);
  }

  private static long walksOf(Guest g) {
    return U.getLong(g.cpu.state + NativeState.WALKS);
  }

  @Test
  void generatedCodeWalksWhatIsPlain() {
    try (Guest g = guest(Engine.REWRITER, true)) {
      long before = walksOf(g);
      program(g, READS);
      assertEquals("[end]", g.events.toString());
      assertTrue(walksOf(g) > before);
      assertEquals(0, g.cpu.rewriter().exits[Region.MISS]);
    }
  }

  @Test
  void everyBitOfEveryLevelCountsForReads() {
    everyBit(READS);
  }

  @Test
  void everyBitOfEveryLevelCountsForWrites() {
    everyBit(WRITES);
    everyBit(READS_THEN_WRITES);
  }

  @Test
  void everyBitOfEveryLevelCountsForReadModifyWrite() {
    everyBit(ADDS);
  }

  @Test
  void everyBitOfEveryLevelCountsForPushes() {
    everyBit(PUSHES);
  }

  /** Flips each bit of each level's entry, alone and with the accessed and dirty bits off. */
  private static void everyBit(String hex) {
    for (int level = 1; level <= 4; level++) {
      for (int bit = 0; bit < 64; bit += STEP) {
        for (int fresh = 0; fresh < 2; fresh++) {
          long flip = 1L << bit;
          long clear = fresh == 0 ? 0 : Guest.A | Guest.D;
          int l = level;
          agree(
              g -> {
                long at = g.entry(g.get(CR3), l, TARGET);
                g.memory.putLong(at, g.memory.getLong(at) & ~clear ^ flip);
                program(g, hex);
              });
        }
      }
    }
  }

  @Test
  void everyBitOfEveryLevelCountsForFetches() {
    for (int level = 1; level <= 4; level++) {
      for (int bit = 0; bit < 64; bit += STEP) {
        long flip = 1L << bit;
        int l = level;
        agree(
            g -> {
              // jmp rbx; there: inc rax; dec r13d; jnz; jmp rcx; back: ud2
              g.write(DATA_PA, "48ffc0 41ffcd 75f8 ffe1");
              g.write(CODE_PA, "41bd05000000 ffe3 0f0b");
              g.set(RCX, CODE + 8);
              // The page first, so that code that leads there is linked; then what the bit does.
              g.run(CODE, 1000);
              long at = g.entry(g.get(CR3), l, TARGET);
              g.memory.putLong(at, g.memory.getLong(at) ^ flip);
              g.cpu.flushPage(TARGET);
              g.run(CODE, 1000);
              g.cpu.flushTlbs();
              g.run(CODE, 1000);
            });
      }
    }
  }

  private static Guest large(Engine engine, boolean walks) {
    Guest g = new Guest(engine, 1024);
    g.walks = walks;
    prepare(g);
    return g;
  }

  @Test
  void largePagesAreLeftToTheMonitor() {
    for (String hex : new String[] {READS, WRITES, ADDS, PUSHES}) {
      for (long bits :
          new long[] {Guest.USER, Guest.USER & ~Guest.A & ~Guest.D, Guest.P | Guest.U}) {
        agree(
            PageTablesTest::large,
            g -> {
              long at = g.entry(g.get(CR3), 2, TARGET);
              g.memory.putLong(at, 0x20_0000 | Guest.LARGE | bits);
              program(g, hex);
              g.memory.putLong(at, Guest.LARGE | bits);
              g.cpu.flushPage(TARGET);
              g.run(CODE, 1000);
            });
        agree(
            PageTablesTest::large,
            g -> {
              long at = g.entry(g.get(CR3), 3, TARGET);
              g.memory.putLong(at, Guest.LARGE | bits);
              program(g, hex);
            });
      }
    }
  }

  @Test
  void tablesMayLieAtTheEndOfMemoryAndNotBeyond() {
    for (int level = 2; level <= 4; level++) {
      for (int frames = -2; frames <= 1; frames++) {
        int l = level;
        int f = frames;
        agree(
            g -> {
              long end = g.memory.sizeBytes();
              long at = g.entry(g.get(CR3), l, TARGET);
              long table = g.memory.getLong(at) & -4096;
              long to = end + f * 4096L;
              if (f < 0) {
                g.memory.copy(table, to, 4096);
              }
              g.memory.putLong(at, to | Guest.USER);
              program(g, READS_THEN_WRITES);
            });
      }
    }
    for (int frames = -2; frames <= 1; frames++) {
      int f = frames;
      agree(
          g -> {
            g.map(TARGET, g.memory.sizeBytes() + f * 4096L, Guest.USER);
            program(g, READS_THEN_WRITES);
          });
    }
  }

  @Test
  void addressesThatAreNotCanonicalFault() {
    for (long va :
        new long[] {
          0x0000_7fff_ffff_fff8L,
          0x0000_8000_0000_0000L,
          0xffff_7fff_ffff_fff8L,
          0xffff_8000_0000_0000L,
          0x8000_0000_0000_0000L,
          -8,
          -4
        }) {
      for (String hex : new String[] {READS, WRITES, ADDS}) {
        agree(
            g -> {
              g.set(RBX, va);
              program(g, hex);
            });
      }
      agree(
          g -> {
            g.set(RSP, va);
            program(g, PUSHES);
          });
    }
  }

  @Test
  void anAccessThatCrossesIntoAnAbsentPageFaultsThere() {
    for (int offset = 4086; offset <= 4096; offset++) {
      for (long bits : new long[] {0, Guest.USER & ~Guest.W, Guest.USER}) {
        for (String hex : new String[] {READS, WRITES, ADDS}) {
          long va = TARGET + offset;
          agree(
              g -> {
                g.map(TARGET + 4096, DATA_PA + 0x3000, bits);
                g.set(RBX, va);
                program(g, hex);
              });
        }
      }
    }
  }

  @Test
  void aPageThatIsMappedElsewhereIsReadThereAfterAFlush() {
    for (boolean all : new boolean[] {false, true}) {
      agree(
          g -> {
            g.memory.putLong(DATA_PA + 0x1000, 0x1234);
            program(g, READS);
            g.map(TARGET, DATA_PA + 0x1000, Guest.USER);
            if (all) {
              g.cpu.flushTlbs();
            } else {
              g.cpu.flushPage(TARGET);
            }
            g.run(CODE, 1000);
            g.map(TARGET, DATA_PA, Guest.USER & ~Guest.D);
            g.cpu.flushPage(TARGET);
            program(g, ADDS);
            g.map(TARGET, DATA_PA, 0);
            g.cpu.flushPage(TARGET);
            g.run(CODE, 1000);
          });
    }
  }

  /** Calls two functions in two other pages, which add to RAX, five times. */
  private static void callers(Guest g) {
    g.write(CODE_PA, "41bd05000000 ffd3 ffd1 49ffcd 75f7 0f0b");
    g.map(TARGET + 4096, DATA_PA + 0x1000, Guest.USER);
    g.map(TARGET + 8192, DATA_PA + 0x2000, Guest.USER);
    for (int i = 0; i < 4; i++) {
      g.write(DATA_PA + 0x1000 * i + 0x4000, "4883c0" + "0" + (i + 1) + "c3");
    }
    g.map(TARGET + 4096, DATA_PA + 0x4000, Guest.USER & ~Guest.W);
    g.map(TARGET + 8192, DATA_PA + 0x5000, Guest.USER & ~Guest.W);
    g.set(RBX, TARGET + 4096);
    g.set(RCX, TARGET + 8192);
    g.set(RAX, 0);
  }

  @Test
  void codeThatIsMappedElsewhereIsExecutedThere() {
    agree(
        g -> {
          callers(g);
          g.run(CODE, 1000);
          for (int i = 0; i < 40; i++) {
            g.map(TARGET + 4096, DATA_PA + 0x4000 + (i & 3) * 0x1000, Guest.USER & ~Guest.W);
            if ((i & 4) == 0) {
              g.cpu.flushPage(TARGET + 4096);
            } else {
              g.cpu.flushTlbs();
            }
            g.run(CODE, 1000);
          }
        });
  }

  @Test
  void codeThatWasMappedThereBeforeIsNotWrittenAnew() {
    try (Guest g = guest(Engine.REWRITER, true)) {
      callers(g);
      long made = 0;
      for (int i = 0; i < 20; i++) {
        g.map(TARGET + 4096, DATA_PA + 0x4000 + (i & 1) * 0x1000, Guest.USER & ~Guest.W);
        g.cpu.flushPage(TARGET + 4096);
        g.run(CODE, 1000);
        if (i == 3) {
          made = g.code.regions().counts.translations;
        }
      }
      assertEquals(10 * 5 * (1 + 2) + 10 * 5 * (2 + 2), g.get(RAX));
      assertEquals(made, g.code.regions().counts.translations);
    }
  }

  @Test
  void codeOfAPageThatCanBeWrittenNoMoreStaysInUseBesideNewCode() {
    try (Guest g = guest(Engine.REWRITER, true)) {
      // Two functions in one page, the first of which is called while it can be written.
      g.write(CODE_PA, "41bdc8000000 ffd3 ffd1 49ffcd 75f7 0f0b");
      g.write(DATA_PA + 0x4000, "4883c001 c3 4883c002 c3");
      g.map(TARGET + 4096, DATA_PA + 0x4000, Guest.USER);
      g.set(RAX, 0);
      g.set(RBX, TARGET + 4096);
      g.set(RCX, TARGET + 4096);
      g.run(CODE, 10_000);
      g.map(TARGET + 4096, DATA_PA + 0x4000, Guest.USER & ~Guest.W);
      g.cpu.flushPage(TARGET + 4096);
      g.set(RCX, TARGET + 4096 + 5);
      g.run(CODE, 10_000);
      long walks = walksOf(g);
      g.run(CODE, 10_000);
      assertEquals(200 * (1 + 1 + 1 + 2 + 1 + 2), g.get(RAX));
      assertEquals(walks, walksOf(g), "both are known to be where they are");
    }
  }

  @Test
  void theSameAddressIsOtherCodeInAnotherAddressSpace() {
    agree(
        g -> {
          callers(g);
          long first = g.get(CR3);
          long second = g.newTable();
          g.memory.copy(first, second, 4096);
          g.memory.putLong(g.entry(second, 4, TARGET), 0);
          g.map(second, TARGET, DATA_PA, Guest.USER);
          g.map(second, TARGET + 4096, DATA_PA + 0x6000, Guest.USER & ~Guest.W);
          g.map(second, TARGET + 8192, DATA_PA + 0x5000, Guest.USER & ~Guest.W);
          for (int i = 0; i < 30; i++) {
            g.set(CR3, i % 3 == 0 ? second : first);
            g.cpu.flushTlbs();
            // Now and then in the middle of the loop.
            g.run(CODE, i % 5 == 0 ? 1000 : 14);
            g.cpu.run(1000);
          }
        });
  }

  @Test
  void codeInAnAbsentPageFaultsAtItsFirstByte() {
    agree(
        g -> {
          callers(g);
          g.run(CODE, 1000);
          g.map(TARGET + 8192, 0, 0);
          g.cpu.flushPage(TARGET + 8192);
          g.run(CODE, 1000);
          g.map(TARGET + 8192, DATA_PA + 0x5000, Guest.USER & ~Guest.U);
          g.cpu.flushPage(TARGET + 8192);
          g.run(CODE, 1000);
        });
  }

  @Test
  void anInstructionOverAPagesEndFollowsBothMappings() {
    agree(
        g -> {
          // mov eax, imm32 with two bytes in the next page; ud2
          g.write(DATA_PA + 0x4ffd, "b81122");
          g.write(DATA_PA + 0x5000, "33440f0b");
          g.write(DATA_PA + 0x6000, "55660f0b");
          g.map(TARGET + 4096, DATA_PA + 0x4000, Guest.USER & ~Guest.W);
          for (int i = 0; i < 12; i++) {
            long bits = i % 4 == 3 ? 0 : Guest.USER & ~Guest.W;
            g.map(TARGET + 8192, DATA_PA + 0x5000 + (i & 1) * 0x1000, bits);
            g.cpu.flushPage(TARGET + 8192);
            g.run(TARGET + 8192 - 3, 100);
            g.events.add(Long.toHexString(g.get(RAX)));
          }
        });
  }

  // --- the window ---

  private static final long WINDOW = 0xffff_8000_0000_0000L;
  private static final int WINDOW_BYTES = 0x1800;

  /** A guest with a range that its page tables do not have. */
  private static final class WithWindow extends Guest {
    WithWindow(Engine engine, boolean walks) {
      super(engine);
      this.walks = walks;
      prepare(this);
    }

    @Override
    public @Nullable ReadWindow readWindow() {
      return new ReadWindow(WINDOW, WINDOW_BYTES, DATA_PA + 0x4000);
    }

    @Override
    public long translate(Cpu c, long va, int access) {
      long offset = va - WINDOW;
      if (offset < 0 || offset >= 1L << 43) {
        return super.translate(c, va, access);
      }
      if (offset >= WINDOW_BYTES || access != Access.READ) {
        throw c.pageFault(va, 5);
      }
      return DATA_PA + 0x4000 + (offset & -4096L) | Access.MAY_READ;
    }
  }

  @Test
  void theWindowCanBeReadAndNotWritten() {
    for (long offset :
        new long[] {
          0, 8, 0xff8, 0xffc, 0x1000, 0x17f8, 0x1800, 0x2000, 1L << 42, (1L << 43) - 8, -8
        }) {
      for (String hex : new String[] {READS, WRITES, ADDS}) {
        agree(
            WithWindow::new,
            g -> {
              g.memory.fill(DATA_PA + 0x4000, 0x2000, (byte) 0x21);
              g.set(RBX, WINDOW + offset);
              program(g, hex);
            });
      }
    }
    try (Guest g = new WithWindow(Engine.REWRITER, true)) {
      g.set(RBX, WINDOW + 0x1008);
      program(g, READS);
      assertEquals(0, g.cpu.rewriter().exits[Region.MISS]);
      assertEquals("[end]", g.events.toString());
    }
  }

  @Test
  void codeIsNotExecutedInTheWindow() {
    agree(
        WithWindow::new,
        g -> {
          g.write(DATA_PA + 0x4000, "ffe1");
          g.write(CODE_PA, "ffe3 0f0b");
          g.set(RBX, WINDOW);
          g.set(RCX, CODE + 2);
          g.run(CODE, 100);
          g.run(CODE, 100);
        });
  }
}
