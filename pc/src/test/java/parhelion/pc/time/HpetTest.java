package parhelion.pc.time;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import parhelion.pc.FakeBoard;

/** The HPET, by IA-PC HPET 1.0a. */
final class HpetTest {
  private static final long AT = Hpet.ADDRESS;

  private final FakeBoard board = new FakeBoard(4096);
  private final Hpet hpet = new Hpet(board, board::line);

  @BeforeEach
  void plug() {
    hpet.plug(board);
  }

  @Test
  void itSaysHowFastItCounts() {
    assertEquals(10_000_000, board.load(AT + 4, 4), "femtoseconds");
    assertEquals(Hpet.CAPABILITIES, board.load(AT, 8));
  }

  @Test
  void itCountsWhileItIsEnabled() {
    board.advance(1000);
    assertEquals(0, board.load(AT + 0xf0, 8));
    board.store(AT + 0xf0, 8, 50);
    board.store(AT + 0x10, 8, 1);
    board.advance(1000);
    assertEquals(150, board.load(AT + 0xf0, 8));
    board.store(AT + 0xf0, 8, 0);
    assertEquals(150, board.load(AT + 0xf0, 8), "not to be written while it runs");
    board.store(AT + 0x10, 8, 0);
    board.advance(1000);
    assertEquals(150, board.load(AT + 0xf0, 4));
  }

  @Test
  void aComparatorFiresOnceOnItsRoute() {
    board.store(AT + 0x10, 8, 1);
    board.store(AT + 0x120, 8, 21 << 9 | 4);
    board.store(AT + 0x128, 8, 100);
    board.advance(990);
    assertEquals(0, board.rises(21));
    board.advance(10);
    assertEquals(1, board.rises(21));
    board.advance(100_000);
    assertEquals(1, board.rises(21));
  }

  @ParameterizedTest
  @ValueSource(ints = {0x4c, 0x14c})
  void ticksThatAStandingHostMissedComeAfterwards(int config) {
    board.store(AT + 0x10, 8, 1);
    board.store(AT + 0x100, 8, 20 << 9 | config);
    board.store(AT + 0x108, 8, 100_000);
    int before = board.rises(20);
    board.stall(50_000_000);
    board.advance(51_000_000);
    assertEquals(101, board.rises(20) - before);
    board.store(AT + 0x100, 8, 20 << 9 | config);
    board.store(AT + 0x108, 8, -1L);
    board.store(AT + 0x108, 8, -1L >>> 1);
    board.advance(1_000_000_000);
  }

  @Test
  void aLevelTriggeredOneStaysUntilItsStatusIsCleared() {
    board.store(AT + 0x10, 8, 1);
    board.store(AT + 0x120, 8, 22 << 9 | 6);
    board.store(AT + 0x128, 8, 100);
    board.advance(2000);
    assertTrue(board.isRaised(22));
    assertEquals(2, board.load(AT + 0x20, 8));
    board.store(AT + 0x20, 8, 2);
    assertFalse(board.isRaised(22));
  }

  @Test
  void aPeriodicOneFiresAgainAndAgain() {
    board.store(AT + 0x10, 8, 1);
    board.store(AT + 0x100, 8, 20 << 9 | 8 | 4 | 0x40);
    board.store(AT + 0x108, 8, 100_000);
    board.store(AT + 0x108, 8, 100_000);
    board.advance(10_500_000);
    assertEquals(10, board.rises(20));
  }

  @Test
  void accessesThatNobodyMakesDoNothing() {
    board.store(AT + 0x10, 1, 1);
    assertEquals(0, board.load(AT + 0x10, 8));
    board.store(AT + 0x500, 8, -1);
    assertEquals(0, board.load(AT + 0x500, 8));
  }
}
