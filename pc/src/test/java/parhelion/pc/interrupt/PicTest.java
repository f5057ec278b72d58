package parhelion.pc.interrupt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import parhelion.pc.FakeBoard;

/** The pair of 8259As, by its data sheet. */
final class PicTest {
  private final FakeBoard board = new FakeBoard(4096);
  private final Pic pic = new Pic(() -> {});

  @BeforeEach
  void initialise() {
    pic.plug(board);
    initialise(0x20, 0x30, 4);
    initialise(0xa0, 0x38, 2);
  }

  private void initialise(int port, int base, int cascade) {
    board.out(port, 1, 0x11);
    board.out(port + 1, 1, base);
    board.out(port + 1, 1, cascade);
    board.out(port + 1, 1, 1);
    board.out(port + 1, 1, 0);
  }

  @Test
  void nothingIsServedBeforeItIsInitialised() {
    pic.reset();
    pic.set(1, true);
    assertFalse(pic.asks());
  }

  @Test
  void theLowestLineIsServedFirstAndHoldsTheOthersUntilItsEnd() {
    pic.set(4, true);
    pic.set(1, true);
    assertEquals(0x31, pic.acknowledge());
    assertFalse(pic.asks());
    board.out(0x20, 1, 0x20);
    assertTrue(pic.asks());
    assertEquals(0x34, pic.acknowledge());
    pic.set(0, true);
    assertTrue(pic.asks(), "a more urgent one interrupts");
    assertEquals(0x30, pic.acknowledge());
  }

  @Test
  void theSecondChipComesByLine2() {
    pic.set(12, true);
    assertTrue(pic.asks());
    assertEquals(0x3c, pic.acknowledge());
    board.out(0x20, 1, 0x0b);
    assertEquals(4, board.in(0x20, 1));
    board.out(0xa0, 1, 0x0b);
    assertEquals(0x10, board.in(0xa0, 1));
    board.out(0xa0, 1, 0x20);
    board.out(0x20, 1, 0x20);
    assertEquals(0, board.in(0x20, 1));
    assertFalse(pic.asks(), "an edge is one interrupt");
  }

  @Test
  void aMaskHoldsBackWhatCameAndLetsItThroughLater() {
    board.out(0x21, 1, 0xff);
    pic.set(3, true);
    assertFalse(pic.asks());
    assertEquals(8, board.in(0x20, 1));
    board.out(0x21, 1, 0xf7);
    assertTrue(pic.asks());
    assertEquals(0xf7, board.in(0x21, 1));
  }

  @Test
  void aLevelTriggeredLineAsksAgainWhileItIsHigh() {
    board.out(0x4d1, 1, 0x0c);
    assertEquals(0x0c, board.in(0x4d1, 1));
    pic.set(10, true);
    assertEquals(0x3a, pic.acknowledge());
    board.out(0xa0, 1, 0x20);
    board.out(0x20, 1, 0x20);
    assertTrue(pic.asks());
    pic.set(10, false);
    assertFalse(pic.asks());
  }

  @Test
  void theTimersLineIsAnEdgeForGood() {
    board.out(0x4d0, 1, 0xff);
    assertEquals(0xf8, board.in(0x4d0, 1));
  }

  @Test
  void whatIsWithdrawnBeforeItIsServedIsSpurious() {
    pic.set(4, true);
    pic.set(4, false);
    assertFalse(pic.asks());
    assertEquals(0x37, pic.acknowledge());
    board.out(0x20, 1, 0x0b);
    assertEquals(0, board.in(0x20, 1), "nothing is in service");
  }

  @Test
  void automaticEndAndRotation() {
    board.out(0x20, 1, 0x11);
    board.out(0x21, 1, 0x30);
    board.out(0x21, 1, 4);
    board.out(0x21, 1, 3);
    board.out(0x20, 1, 0x80);
    pic.set(1, true);
    assertEquals(0x31, pic.acknowledge());
    pic.set(1, false);
    pic.set(1, true);
    pic.set(5, true);
    assertEquals(0x35, pic.acknowledge(), "line 1 is the least urgent now");
  }

  @Test
  void pollingAcknowledges() {
    pic.set(6, true);
    board.out(0x20, 1, 0x0c);
    assertEquals(0x86, board.in(0x20, 1));
    board.out(0x20, 1, 0x0c);
    assertEquals(0, board.in(0x20, 1));
  }

  @Test
  void aSpecificEndEndsThatLineOnly() {
    pic.set(4, true);
    assertEquals(0x34, pic.acknowledge());
    pic.set(1, true);
    assertEquals(0x31, pic.acknowledge());
    board.out(0x20, 1, 0x64);
    board.out(0x20, 1, 0x0b);
    assertEquals(2, board.in(0x20, 1));
  }
}
