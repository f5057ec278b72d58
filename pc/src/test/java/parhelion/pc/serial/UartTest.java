package parhelion.pc.serial;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import parhelion.pc.FakeBoard;

/** The 16550A, by its data sheet. */
final class UartTest {
  private static final int AT = Uart.COM1;

  private final FakeBoard board = new FakeBoard(4096);
  private final StringBuilder sent = new StringBuilder();
  private boolean room = true;
  private final Uart uart = new Uart(board, board.line(4), this::take);

  private boolean take(byte value) {
    if (room) {
      sent.append((char) value);
    }
    return room;
  }

  @BeforeEach
  void plug() {
    uart.plug(AT);
    board.out(AT + 4, 1, 8); // OUT2
  }

  private void type(String text) throws InterruptedException {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    uart.receive(bytes, 0, bytes.length);
    board.runPosted();
  }

  @Test
  void whatIsWrittenGoesToThePeer() {
    for (char c : "hello".toCharArray()) {
      assertEquals(0x60, board.in(AT + 5, 1));
      board.out(AT, 1, c);
    }
    assertEquals("hello", sent.toString());
  }

  @Test
  void theDivisorHidesBehindItsBit() {
    board.out(AT + 3, 1, 0x83);
    board.out(AT, 1, 1);
    board.out(AT + 1, 1, 2);
    assertEquals(1, board.in(AT, 1));
    assertEquals(2, board.in(AT + 1, 1));
    board.out(AT + 3, 1, 3);
    assertEquals(0, board.in(AT + 1, 1));
    assertEquals("", sent.toString());
  }

  @Test
  void inputComesByTheFifoWithAnInterrupt() throws Exception {
    board.out(AT + 2, 1, 1);
    board.out(AT + 1, 1, 1);
    type("twenty bytes of input");
    assertTrue(board.isRaised(4));
    assertEquals(0xc4, board.in(AT + 2, 1));
    StringBuilder read = new StringBuilder();
    while ((board.in(AT + 5, 1) & 1) != 0) {
      read.append((char) board.in(AT, 1));
    }
    assertEquals("twenty bytes of input", read.toString());
    assertFalse(board.isRaised(4));
    assertEquals(0xc1, board.in(AT + 2, 1));
  }

  @Test
  void theTransmittersInterruptComesOnceAndAnew() {
    board.out(AT + 1, 1, 2);
    assertTrue(board.isRaised(4));
    assertEquals(2, board.in(AT + 2, 1));
    assertFalse(board.isRaised(4), "reading the cause clears it");
    board.out(AT, 1, 'x');
    assertTrue(board.isRaised(4));
  }

  @Test
  void aPeerWithoutRoomKeepsTheTransmitterBusy() {
    board.out(AT + 1, 1, 2);
    room = false;
    board.out(AT, 1, 'a');
    assertEquals(0, board.in(AT + 5, 1) & 0x60);
    assertFalse(board.isRaised(4));
    room = true;
    uart.peerHasRoom();
    assertEquals("a", sent.toString());
    assertEquals(0x60, board.in(AT + 5, 1) & 0x60);
    assertTrue(board.isRaised(4));
  }

  @Test
  void inLoopModeItHearsItself() {
    board.out(AT + 4, 1, 0x1f);
    assertEquals(0xf0, board.in(AT + 6, 1) & 0xf0, "outputs come back as inputs");
    board.out(AT, 1, 0x5a);
    assertEquals(0x5a, board.in(AT, 1));
    assertEquals("", sent.toString());
    assertFalse(board.isRaised(4));
    board.out(AT, 1, 1);
    board.out(AT, 1, 2);
    assertEquals(2, board.in(AT + 5, 1) & 2, "overrun");
    assertEquals(0, board.in(AT + 5, 1) & 2, "told once");
  }

  @Test
  void withoutOut2TheInterruptStaysInside() throws Exception {
    board.out(AT + 4, 1, 0);
    board.out(AT + 1, 1, 15);
    type("x");
    assertFalse(board.isRaised(4));
    board.out(AT + 4, 1, 8);
    assertTrue(board.isRaised(4));
  }

  @Test
  void theScratchRegisterKeepsAByte() {
    board.out(AT + 7, 1, 0xa5);
    assertEquals(0xa5, board.in(AT + 7, 1));
  }
}
