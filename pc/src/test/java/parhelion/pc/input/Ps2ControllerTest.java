package parhelion.pc.input;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;
import parhelion.pc.FakeBoard;

/** The 8042 with keyboard and mouse, by port. */
final class Ps2ControllerTest {
  private static final long SEED = Long.getLong("parhelion.seed", 1);

  private final FakeBoard board = new FakeBoard(4096);
  private int resets;
  private final Ps2Controller controller = new Ps2Controller(board, () -> resets++);

  private void command(int value) {
    board.out(0x64, 1, value);
  }

  private void data(int value) {
    board.out(0x60, 1, value);
  }

  private int take() {
    assertEquals(1, board.in(0x64, 1) & 1, "the buffer is empty");
    return board.in(0x60, 1);
  }

  private void assertEmpty() {
    assertEquals(0, board.in(0x64, 1) & 1);
  }

  @Test
  void testsItselfAndItsLines() {
    command(0xaa);
    assertEquals(0x55, take());
    assertEquals(4, board.in(0x64, 1) & 4);
    command(0xab);
    assertEquals(0, take());
    command(0xa9);
    assertEquals(0, take());
  }

  @Test
  void itsConfigurationIsKept() {
    command(0x60);
    data(0x55);
    command(0x20);
    assertEquals(0x55, take());
    command(0xad);
    command(0x20);
    assertEquals(0x55 | 0x10, take());
    command(0x65);
    data(0x42);
    command(0x25);
    assertEquals(0x42, take());
  }

  @Test
  void theKeyboardAnswersItsCommands() {
    data(0xff);
    assertTrue(board.isRaised(1));
    assertEquals(0xfa, take());
    assertEquals(0xaa, take());
    assertFalse(board.isRaised(1));
    data(0xf2);
    assertEquals(0xfa, take());
    assertEquals(0xab, take());
    assertEquals(0x41, take(), "translated, as on a PC");
    data(0xed);
    assertEquals(0xfa, take());
    data(2);
    assertEquals(0xfa, take());
    assertEquals(2, controller.leds());
    data(0xee);
    assertEquals(0xee, take());
    data(0x01);
    assertEquals(0xfe, take());
    assertEmpty();
  }

  @Test
  void keysAreTranslatedUnlessThatIsOff() {
    assertTrue(controller.key(Key.A, true));
    assertTrue(controller.key(Key.A, false));
    assertTrue(controller.key(Key.UP, true));
    assertTrue(controller.key(Key.UP, false));
    int[] set1 = {0x1e, 0x9e, 0xe0, 0x48, 0xe0, 0xc8};
    for (int code : set1) {
      assertEquals(code, take());
    }
    command(0x60);
    data(0x05);
    assertTrue(controller.key(Key.A, true));
    assertTrue(controller.key(Key.A, false));
    assertEquals(0x1c, take());
    assertEquals(0xf0, take());
    assertEquals(0x1c, take());
    data(0xf5);
    assertEquals(0xfa, take());
    assertFalse(controller.key(Key.A, true), "it does not scan");
  }

  @Test
  void typingFindsKeys() {
    for (char c = ' '; c < 127; c++) {
      assertNotNull(Key.typing(c), "no key for " + c);
    }
    assertEquals(Key.Z, Key.typing('z'));
    assertEquals(Key.DIGIT_1, Key.typing('!'));
    assertEquals(Key.BACKSLASH, Key.typing('|'));
    assertTrue(Key.isShifted('A'));
    assertFalse(Key.isShifted('a'));
    assertNull(Key.typing('ä'));
  }

  @Test
  void aTypistWaitsForTheKeyboardToHaveRoom() {
    Typist typist = new Typist(controller, board);
    String text = "Parhelion, ".repeat(20);
    assertTrue(typist.type(Typist.keys(text + "<enter><control-c>")));
    StringBuilder codes = new StringBuilder();
    for (int i = 0; i < 2000; i++) {
      board.advance(5_000_000);
      while ((board.in(0x64, 1) & 1) != 0 && i > 100) {
        codes.append(Integer.toHexString(board.in(0x60, 1))).append(' ');
      }
    }
    assertTrue(codes.toString().startsWith("2a 19 99 aa 1e 9e 13 93 "));
    assertTrue(codes.toString().endsWith("1c 9c 1d 2e ae 9d "));
    assertThrows(IllegalArgumentException.class, () -> Typist.keys("<nothing>"));
    assertThrows(IllegalArgumentException.class, () -> Typist.keys("ß"));
    assertFalse(typist.type(Typist.keys("x".repeat(6000))), "what is to be typed is bounded");
  }

  @Test
  void theMouseReportsWhereItWent() {
    command(0xd4);
    data(0xff);
    assertEquals(0x20, board.in(0x64, 1) & 0x20);
    assertTrue(board.isRaised(12));
    assertEquals(0xfa, take());
    assertEquals(0xaa, take());
    assertEquals(0, take());
    controller.move(5, -3, 0, 1);
    assertEmpty();
    command(0xd4);
    data(0xf4);
    assertEquals(0xfa, take());
    controller.move(5, -3, 0, 1);
    assertEquals(0x29, take());
    assertEquals(10, take(), "with what went before");
    assertEquals(0xfa, take());
    for (int rate : new int[] {200, 100, 80}) {
      command(0xd4);
      data(0xf3);
      assertEquals(0xfa, take());
      command(0xd4);
      data(rate);
      assertEquals(0xfa, take());
    }
    command(0xd4);
    data(0xf2);
    assertEquals(0xfa, take());
    assertEquals(3, take(), "it has a wheel");
    controller.move(0, 0, 1, 0);
    assertEquals(8, take());
    assertEquals(0, take());
    assertEquals(0, take());
    assertEquals(0xff, take());
  }

  @Test
  void pinsResetTheProcessorAndTellOfLine20() {
    command(0xd0);
    assertEquals(3, take() & 3);
    command(0xd1);
    data(1);
    command(0xd0);
    assertEquals(0, take() & 2);
    command(0xfe);
    assertEquals(1, resets);
    command(0xff);
    assertEquals(1, resets);
    command(0xd1);
    data(0);
    assertEquals(2, resets);
  }

  @Test
  void anythingCanBeWrittenAndInputIsBounded() {
    Random random = new Random(SEED);
    for (int i = 0; i < 200_000; i++) {
      switch (random.nextInt(6)) {
        case 0 -> command(random.nextInt(256));
        case 1 -> data(random.nextInt(256));
        case 2 -> {
          boolean unused =
              controller.key(
                  Key.values()[random.nextInt(Key.values().length)], random.nextBoolean());
        }
        case 3 -> controller.move(random.nextInt(), random.nextInt(), random.nextInt(), 7);
        default -> {
          int unused = board.in(random.nextBoolean() ? 0x60 : 0x64, 1);
        }
      }
    }
    controller.reset();
    assertEmpty();
  }
}
