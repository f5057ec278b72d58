package parhelion.pc.acpi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import parhelion.pc.FakeBoard;

/** The registers that the DSDT's methods for hot plug go by, and their event. */
final class HotPlugTest {
  private static final int STATUS = 0x620;
  private static final int ENABLED = 0x622;
  private static final int COME = 0x630;
  private static final int GOES = 0x634;
  private static final int EJECT = 0x638;

  private final FakeBoard board = new FakeBoard(4096);
  private final PowerManagement power =
      new PowerManagement(board, board.line(9), () -> {}, () -> {});
  private final List<Integer> ejected = new ArrayList<>();
  private final HotPlug plug = new HotPlug(board, power, ejected::add);

  @BeforeEach
  void place() {
    power.plug(board);
  }

  @Test
  void softwareIsToldOnceOfWhatComesAndGoes() {
    plug.changed(4);
    assertFalse(board.isRaised(9), "not before it wants to know");
    board.out(ENABLED, 2, 1 << HotPlug.EVENT);
    assertTrue(board.isRaised(9));
    assertEquals(1 << HotPlug.EVENT, board.in(STATUS, 2));
    board.out(STATUS, 2, 1 << HotPlug.EVENT);
    assertFalse(board.isRaised(9));
    assertEquals(1 << 4, board.in(COME, 4));
    assertEquals(0, board.in(COME, 4));
    plug.letGo(4);
    plug.letGo(31);
    assertTrue(board.isRaised(9));
    assertEquals(1 << 4 | 1 << 31, board.in(GOES, 4));
    assertEquals(0, board.in(GOES, 4));
    board.out(EJECT, 4, 1 << 4);
    assertEquals(List.of(4), ejected);
  }

  @Test
  void theBoardsOwnDevicesStayWhateverIsWritten() {
    board.out(EJECT, 4, 7);
    board.out(EJECT, 2, 1 << 4);
    board.out(COME, 4, -1);
    assertEquals(List.of(), ejected);
    Random random = new Random(Long.getLong("parhelion.seed", 1));
    for (int i = 0; i < 10_000; i++) {
      int port = 0x620 + random.nextInt(0x20);
      int size = 1 << random.nextInt(3);
      if (random.nextBoolean()) {
        board.out(port, size, random.nextInt());
      } else {
        int unused = board.in(port, size);
      }
    }
    assertTrue(ejected.stream().allMatch(slot -> slot >= HotPlug.FIRST_SLOT && slot < 32));
  }
}
