package parhelion.cpu.rewrite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static parhelion.cpu.CpuState.*;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import parhelion.cpu.Engine;

/** What was written for one guest is copied for the next, where the guests' bytes are the same. */
class TemplatesTest {
  // An address of this test's own: other tests of the process leave their templates elsewhere.
  private static final long CODE = 0x7654_3000L;
  private static final long DATA = 0x50_0000L;

  @BeforeEach
  void guestsShare() {
    assumeTrue(HostCpu.obstacle() == null);
    Templates.share();
  }

  /** Runs a loop of 1000 rounds, with memory accesses, at a frame; says what RAX came to. */
  private static long run(int frame, String step, long[] counts) {
    int codePa = Guest.FREE + frame * 4096;
    int dataPa = Guest.FREE + 0x1_0000;
    try (Guest g = new Guest(Engine.REWRITER)) {
      g.map(CODE, codePa, Guest.USER & ~Guest.W);
      g.map(DATA, dataPa, Guest.USER);
      g.set(RSP, DATA + 0x800);
      g.set(RBX, DATA);
      g.set(RAX, 0);
      // mov r13d, 1000; (step) add [rbx], rax; push rax; pop rcx; dec r13; jnz; ud2
      g.write(codePa, "41bde8030000" + step + "480103 50 59 49ffcd 75f3 0f0b");
      g.run(CODE, 100_000);
      RegionCache regions = g.code.regions();
      assertNotNull(regions);
      counts[0] = regions.counts.copies;
      counts[1] = regions.counts.translations;
      return g.get(RAX);
    }
  }

  @Test
  void aSecondGuestGetsCopiesAndOtherBytesAreWrittenAnew() {
    long[] first = new long[2];
    long[] second = new long[2];
    long[] other = new long[2];
    assertEquals(1000, run(0, "48ffc0", first)); // inc rax
    assertTrue(first[1] > 0);
    assertEquals(1000, run(3, "48ffc0", second));
    assertTrue(second[0] > 0, "copied");
    assertEquals(0, second[1], "written again");
    assertEquals(-1000, run(3, "48ffc8", other)); // dec rax
    assertTrue(other[1] > 0, "other bytes");
  }

  /** Runs four pieces that jump to each other; says how often generated code had to ask for one. */
  private static long chained(int frame) {
    try (Guest g = new Guest(Engine.REWRITER)) {
      g.map(CODE + 0x1000, Guest.FREE + frame * 4096, Guest.USER & ~Guest.W);
      // inc rax; jmp a; 64 bytes on: a: inc rax; jmp b; ... and at the end ud2
      for (int piece = 0; piece < 4; piece++) {
        g.write(Guest.FREE + frame * 4096 + piece * 64, piece < 3 ? "48ffc0 eb3b" : "0f0b");
      }
      g.set(RAX, 0);
      g.run(CODE + 0x1000, 100);
      assertEquals(3, g.get(RAX));
      RegionCache regions = g.code.regions();
      assertNotNull(regions);
      assertEquals(4, regions.counts.copies + regions.counts.translations);
      return regions.counts.exits[Region.CHAIN];
    }
  }

  @Test
  void whatACopyLeadsToInItsPageIsCopiedAndLinkedWithIt() {
    assertEquals(3, chained(0));
    assertEquals(0, chained(2));
  }
}
