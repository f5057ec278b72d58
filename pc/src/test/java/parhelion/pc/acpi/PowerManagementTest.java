package parhelion.pc.acpi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import parhelion.pc.FakeBoard;

/** ACPI's fixed hardware. */
final class PowerManagementTest {
  private final FakeBoard board = new FakeBoard(4096);
  private final List<String> ends = new ArrayList<>();
  private final PowerManagement power =
      new PowerManagement(board, board.line(9), () -> ends.add("off"), () -> ends.add("reset"));

  @BeforeEach
  void plug() {
    power.plug(board);
  }

  @Test
  void thePowerButtonInterruptsOnceItIsEnabled() {
    power.pressPowerButton();
    assertFalse(board.isRaised(9));
    board.out(0x602, 2, 0x100);
    assertTrue(board.isRaised(9));
    assertEquals(0x100, board.in(0x600, 2));
    board.out(0x600, 2, 0x100);
    assertFalse(board.isRaised(9));
    assertEquals(0, board.in(0x600, 2));
  }

  @Test
  void onlyTheSleepStateOfTheTablesSwitchesOff() {
    assertEquals(1, board.in(0x604, 2), "in ACPI mode");
    board.out(0x604, 2, 1 << 13 | 3 << 10);
    assertEquals(List.of(), ends);
    board.out(0x604, 2, PowerManagement.SLEEP_OFF << 10);
    assertEquals(List.of(), ends, "without the enable bit");
    board.out(0x604, 2, 1 << 13 | PowerManagement.SLEEP_OFF << 10);
    assertEquals(List.of("off"), ends);
  }

  @Test
  void theResetRegisterResets() {
    board.out(0xcf9, 1, 2);
    assertEquals(List.of(), ends);
    board.out(0xcf9, 1, PowerManagement.RESET_VALUE);
    assertEquals(List.of("reset"), ends);
  }

  @Test
  void theTimerRunsAtItsRateAndTellsOfItsHighestBit() {
    int before = board.in(0x608, 4);
    board.advance(1_000_000_000L);
    assertEquals(3_579_545, board.in(0x608, 4) - before);
    board.out(0x602, 2, 1);
    board.advance(599_000_000_000L);
    assertTrue(board.isRaised(9), "after ten minutes");
    board.out(0x600, 2, 1);
    assertFalse(board.isRaised(9));
  }
}
