package parhelion.pc.time;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import parhelion.pc.FakeBoard;

/** The MC146818, by its data sheet. */
final class RtcTest {
  private static final long SECOND = 1_000_000_000L;

  private final FakeBoard board = new FakeBoard(4096);
  private final Rtc rtc = new Rtc(board, board.line(8));

  @BeforeEach
  void plug() {
    rtc.plug(board);
  }

  private int read(int register) {
    board.out(0x70, 1, register);
    return board.in(0x71, 1);
  }

  private void write(int register, int value) {
    board.out(0x70, 1, register);
    board.out(0x71, 1, value);
  }

  private String time() {
    return "%02x%02x-%02x-%02x %02x:%02x:%02x"
        .formatted(read(0x32), read(9), read(8), read(7), read(4), read(2), read(0));
  }

  @Test
  void itShowsTheDateInDecimalDigits() {
    board.advance((27L * 86_400 + 13 * 3600 + 45 * 60 + 59) * SECOND);
    assertEquals("1970-01-28 13:45:59", time());
    assertEquals(4, read(6), "a Wednesday");
    board.advance(SECOND);
    assertEquals("1970-01-28 13:46:00", time());
  }

  @Test
  void itCanCountInBinaryAndByTwelveHours() {
    board.advance(13 * 3600 * SECOND);
    write(11, 6);
    assertEquals(13, read(4));
    write(11, 0);
    assertEquals(0x81, read(4));
  }

  @Test
  void itCanBeSetAndGoesOnFromThere() {
    write(11, 0x82);
    write(9, 0x99);
    write(0x32, 0x20);
    write(8, 0x12);
    write(7, 0x31);
    write(4, 0x23);
    write(2, 0x59);
    write(0, 0x59);
    board.advance(5 * SECOND);
    assertEquals("2099-12-31 23:59:59", time(), "stopped");
    write(11, 2);
    board.advance(SECOND);
    assertEquals("2100-01-01 00:00:00", time());
  }

  @Test
  void whatIsNoDateIsNotTaken() {
    write(8, 0x77);
    write(7, 0);
    write(0, 0xff);
    assertEquals("1970-01-01 00:00:00", time());
  }

  @Test
  void periodicInterruptsComeAtTheirRate() {
    write(10, 0x26);
    write(11, 0x42);
    int interrupts = 0;
    for (int i = 0; i < 2000; i++) {
      board.advance(SECOND / 2000);
      if (board.isRaised(8)) {
        assertEquals(0xc0, read(12));
        assertFalse(board.isRaised(8));
        interrupts++;
      }
    }
    assertEquals(1024, interrupts, 2);
  }

  @Test
  void theAlarmFiresWhenItsTimeMatches() {
    write(1, 3);
    write(3, 0xff);
    write(5, 0xff);
    write(11, 0x22);
    board.advance(2 * SECOND);
    assertFalse(board.isRaised(8));
    board.advance(SECOND);
    assertTrue(board.isRaised(8));
    assertEquals(0xb0, read(12));
    assertEquals(0, read(12));
  }

  @Test
  void theMemoryBehindTheClockKeepsWhatIsWritten() {
    write(0x40, 0xa5);
    rtc.store(0x34, 0x12);
    rtc.reset();
    assertEquals(0xa5, read(0x40));
    assertEquals(0x12, read(0x34));
    assertEquals(0x80, read(13));
  }
}
