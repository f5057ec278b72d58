package parhelion.pc.time;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import parhelion.pc.FakeBoard;

/** The 8254, by its data sheet. */
final class PitTest {
  private static final long SECOND = 1_000_000_000L;

  private final FakeBoard board = new FakeBoard(4096);
  private final Pit pit = new Pit(board, board.line(0));

  @BeforeEach
  void plug() {
    pit.plug(board);
  }

  private void program(int counter, int mode, int count) {
    board.out(0x43, 1, counter << 6 | 0x30 | mode << 1);
    board.out(0x40 + counter, 1, count);
    board.out(0x40 + counter, 1, count >> 8);
  }

  private int count(int counter) {
    board.out(0x43, 1, counter << 6);
    int low = board.in(0x40 + counter, 1);
    return board.in(0x40 + counter, 1) << 8 | low;
  }

  @Test
  void counter0TicksAtItsRate() {
    program(0, 2, 11932);
    int before = board.rises(0);
    board.advance(SECOND);
    int ticks = board.rises(0) - before;
    assertTrue(ticks >= 99 && ticks <= 101, ticks + " ticks");
  }

  @Test
  void aRateThatNobodyCanServeIsServedMoreSlowly() {
    program(0, 2, 1);
    int before = board.rises(0);
    board.advance(SECOND / 100);
    int ticks = board.rises(0) - before;
    assertTrue(ticks > 0 && ticks <= 501, ticks + " ticks");
  }

  @Test
  void ticksThatAStandingHostMissedComeAfterwards() {
    program(0, 2, 11932);
    int before = board.rises(0);
    board.stall(SECOND / 2);
    board.advance(SECOND / 2);
    int ticks = board.rises(0) - before;
    assertTrue(ticks >= 99 && ticks <= 101, ticks + " ticks");
    board.stall(3600 * SECOND);
    before = board.rises(0);
    board.advance(SECOND / 10);
    ticks = board.rises(0) - before;
    assertTrue(ticks >= 10 && ticks <= 42, ticks + " ticks: an hour is not owed");
  }

  @Test
  void mode0RaisesItsOutputOnce() {
    program(0, 0, 1193);
    assertEquals(0, board.rises(0));
    board.advance(900_000);
    assertEquals(0, board.rises(0));
    board.advance(200_000);
    assertEquals(1, board.rises(0));
    board.advance(SECOND);
    assertEquals(1, board.rises(0));
    assertTrue(board.isRaised(0));
  }

  @Test
  void aLatchedCountStandsUntilItIsRead() {
    program(0, 2, 0);
    board.advance(10_000_000);
    board.out(0x43, 1, 0);
    board.advance(10_000_000);
    int low = board.in(0x40, 1);
    int latched = board.in(0x40, 1) << 8 | low;
    assertEquals(65536 - 11931, latched, 2);
    assertEquals(65536 - 23863, count(0), 2);
  }

  @Test
  void readBackTellsStatusAndCount() {
    program(2, 3, 0x1234);
    board.out(0x43, 1, 0xc8); // counter 2, both
    assertEquals(0xb6, board.in(0x42, 1), "output, loaded, both bytes, mode 3");
    int low = board.in(0x42, 1);
    assertEquals(0x1234, board.in(0x42, 1) << 8 | low);
  }

  @Test
  void theSpeakersGateStartsCounter2AndItsOutputIsSeen() {
    board.out(0x61, 1, 0);
    program(2, 1, 1193);
    assertEquals(0x20, board.in(0x61, 1) & 0x20, "waits for the gate");
    board.out(0x61, 1, 1);
    assertEquals(0, board.in(0x61, 1) & 0x20);
    board.advance(1_100_000);
    assertEquals(0x21, board.in(0x61, 1) & 0x21);
  }

  @Test
  void countsMayBeDecimal() {
    board.out(0x43, 1, 0x35); // counter 0, both bytes, mode 2, decimal
    board.out(0x40, 1, 0x00);
    board.out(0x40, 1, 0x10);
    board.advance(8_381);
    assertEquals(0x0990, count(0), 1);
  }

  @Test
  void timeGoesOnForDaysWithoutOverflow() {
    program(0, 2, 11932);
    board.out(0x43, 1, 0x30);
    board.advance(40 * 86_400 * SECOND);
    program(0, 2, 11932);
    int before = board.rises(0);
    board.advance(SECOND);
    assertTrue(board.rises(0) - before >= 99);
  }
}
