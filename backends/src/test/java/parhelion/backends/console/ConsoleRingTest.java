package parhelion.backends.console;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import parhelion.abi.XenConsoleState;
import parhelion.abi.XenconsInterface;
import parhelion.backends.BackendThread;

/** Both directions of the console's ring, back pressure, and a guest that spoils it. */
@Timeout(60)
class ConsoleRingTest {
  private static final long SEED = Long.getLong("parhelion.seed", 1);

  /** A sink with as much room as the test gives it. */
  private static final class Limited implements ConsoleSink {
    final ByteArrayOutputStream taken = new ByteArrayOutputStream();
    int room = Integer.MAX_VALUE;
    Runnable signal = () -> {};
    boolean closed;

    @Override
    public int accept(byte[] bytes, int offset, int length) {
      int count = Math.min(length, room);
      taken.write(bytes, offset, count);
      room -= count;
      return count;
    }

    @Override
    public void whenRoom(Runnable signal) {
      this.signal = signal;
    }

    @Override
    public void close() {
      closed = true;
    }

    String text() {
      return taken.toString(StandardCharsets.ISO_8859_1);
    }
  }

  private final GuestConsole guest = new GuestConsole();
  private final Limited sink = new Limited();
  private final ConsoleRing console = new ConsoleRing(guest.page, guest.port, sink);

  private void run() {
    console.signal();
    console.runAll();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  @Test
  void outputReachesTheSinkAndTheGuestIsToldIfItMayWaitForRoom() {
    guest.write("hello, ");
    guest.write("world");
    run();
    assertEquals("hello, world", sink.text());
    assertEquals(0, guest.unreadOutput());
    assertEquals(0, guest.port.notifications());
    guest.write("x".repeat(XenconsInterface.OUT.size() / 2));
    run();
    assertEquals(1, guest.port.notifications());
    run();
    assertEquals(1, guest.port.notifications());
  }

  @Test
  void aGuestThatHasLeftInputIsToldAgainWhenItHasTakenSome() {
    console.offer(bytes("abc"), 0, 3);
    console.runAll();
    assertEquals(1, guest.port.notifications());
    run(); // it asks for a turn with input still there
    assertEquals(2, guest.port.notifications());
    assertEquals("abc", guest.read());
    run();
    assertEquals(2, guest.port.notifications());
  }

  @Test
  void indexesRunFreelyAndWrapAround() {
    for (var index : List.of(XenconsInterface.OUT_CONS, XenconsInterface.OUT_PROD)) {
      guest.page.storeRelease(index.offset(), -3000);
    }
    for (var index : List.of(XenconsInterface.IN_CONS, XenconsInterface.IN_PROD)) {
      guest.page.storeRelease(index.offset(), -700);
    }
    StringBuilder out = new StringBuilder();
    StringBuilder in = new StringBuilder();
    for (int i = 0; i < 50; i++) {
      String text = i + "x".repeat(i * 20) + "\n";
      assertEquals(text.length(), guest.write(text));
      assertEquals(text.length(), console.offer(bytes(text), 0, text.length()));
      run();
      out.append(text);
      in.append(guest.read());
      run();
      in.append(guest.read());
    }
    assertEquals(out.toString(), sink.text());
    assertEquals(out.toString(), in.toString());
  }

  @Test
  void whatTheSinkDoesNotTakeStaysInTheRingAndTheGuestWaits() {
    sink.room = 10;
    assertEquals(2048, guest.write("0123456789".repeat(300)));
    run();
    assertEquals("0123456789", sink.text());
    assertEquals(2038, guest.unreadOutput());
    assertEquals(10, guest.write("0123456789".repeat(300)));
    run();
    assertEquals("0123456789", sink.text());
    sink.room = Integer.MAX_VALUE;
    sink.signal.run();
    console.runAll();
    assertEquals(2058, sink.text().length());
  }

  @Test
  void aLoggedSinkLogsWhatWasTakenAndPassesEverythingElseOn() {
    ConsoleLog log = new ConsoleLog(100);
    try (ConsoleRing logged =
        new ConsoleRing(guest.page, guest.port, ConsoleSink.logged(sink, log))) {
      sink.room = 4;
      guest.write("abcdef");
      logged.runAll();
      assertArrayEquals(bytes("abcd"), log.tail());
      sink.room = 10;
      sink.signal.run();
      logged.runAll();
      assertArrayEquals(bytes("abcdef"), log.tail());
      assertEquals("abcdef", sink.text());
    }
    assertTrue(sink.closed);
  }

  @Test
  void aGuestThatKeepsWritingIsDrainedInTurns() {
    int[] more = {30};
    ConsoleSink refilling =
        (bytes, offset, length) -> {
          if (more[0] > 0) {
            more[0]--;
            guest.write("again");
          }
          return sink.accept(bytes, offset, length);
        };
    try (ConsoleRing busy = new ConsoleRing(guest.page, guest.port, refilling)) {
      guest.write("first");
      assertTrue(busy.runPending());
      assertEquals("first" + "again".repeat(7), sink.text());
      busy.runAll();
      assertEquals("first" + "again".repeat(30), sink.text());
    }
  }

  @Test
  void inputWaitsForRoomAndTooMuchOfItIsRefused() {
    byte[] much = new byte[20000];
    for (int i = 0; i < much.length; i++) {
      much[i] = (byte) (' ' + i % 90);
    }
    assertEquals(ConsoleRing.INPUT_BUFFER_BYTES, console.offer(much, 0, much.length));
    console.runAll();
    assertEquals(ConsoleRing.INPUT_BUFFER_BYTES - 1024, console.waitingInputBytes());
    assertEquals(1024, console.offer(much, ConsoleRing.INPUT_BUFFER_BYTES, 1024));
    assertEquals(0, console.offer(much, 0, 1));
    StringBuilder read = new StringBuilder();
    for (String part = guest.read(); !part.isEmpty(); part = guest.read()) {
      read.append(part);
      run();
    }
    String expected = new String(much, StandardCharsets.ISO_8859_1);
    assertEquals(expected.substring(0, ConsoleRing.INPUT_BUFFER_BYTES + 1024), read.toString());
  }

  @Test
  void waitingInputIsStateThatANewConsoleTakesOver() {
    byte[] much = bytes("abcdefgh".repeat(400));
    console.offer(much, 0, much.length);
    console.runAll();
    assertEquals(1024, guest.read().length());
    ConsoleRing.ConsoleState state = console.save();
    assertArrayEquals(bytes("abcdefgh".repeat(272)), state.waitingInput());
    ConsoleRing next = new ConsoleRing(guest.page, guest.port, sink);
    next.offer(state.waitingInput(), 0, state.waitingInput().length);
    next.runAll();
    assertEquals("abcdefgh".repeat(128), guest.read());
  }

  @Test
  void impossibleIndexesAreLeftAloneUntilTheyArePossibleAgain() {
    int outProd = XenconsInterface.OUT_PROD.offset();
    int inCons = XenconsInterface.IN_CONS.offset();
    console.offer(bytes("in"), 0, 2);
    for (int bad : List.of(2049, -1, Integer.MIN_VALUE, Integer.MAX_VALUE)) {
      guest.page.storeRelease(outProd, bad);
      guest.page.storeRelease(inCons, -bad);
      run();
      assertEquals("", sink.text());
      assertEquals(0, guest.page.loadAcquire(XenconsInterface.OUT_CONS.offset()));
      assertEquals(0, guest.page.loadAcquire(XenconsInterface.IN_PROD.offset()));
    }
    guest.page.storeRelease(outProd, 3);
    guest.page.storeRelease(inCons, 0);
    run();
    assertEquals(3, sink.text().length());
    assertEquals("in", guest.read());
  }

  @Test
  void randomIndexesNeitherThrowNorGetMoreThanARingfulPerTurn() {
    Random random = new Random(SEED);
    int[] fields = {
      XenconsInterface.IN_CONS.offset(),
      XenconsInterface.IN_PROD.offset(),
      XenconsInterface.OUT_CONS.offset(),
      XenconsInterface.OUT_PROD.offset()
    };
    long moved = 0;
    for (int i = 0; i < 200_000; i++) {
      int value = random.nextBoolean() ? random.nextInt() : random.nextInt(5000);
      guest.page.storeRelease(fields[random.nextInt(4)], value);
      if (random.nextInt(4) == 0) {
        console.offer(bytes("input"), 0, 5);
      }
      sink.room = random.nextInt(3000);
      sink.taken.reset();
      run();
      assertTrue(sink.taken.size() <= 2048, "seed " + SEED + " step " + i);
      assertTrue(console.waitingInputBytes() <= ConsoleRing.INPUT_BUFFER_BYTES);
      moved += sink.taken.size();
    }
    assertTrue(moved > 100_000, "moved " + moved);
  }

  @Test
  void closingTakesTheLastOutputAndLetsGoOfEverything() {
    assertEquals(XenConsoleState.CONNECTED, connection());
    guest.write("panic");
    console.offer(bytes("x"), 0, 1);
    console.close();
    console.close();
    assertEquals("panic", sink.text());
    assertTrue(sink.closed && guest.page.closed() && guest.port.closed());
    assertEquals(0, console.offer(bytes("x"), 0, 1));
    run();
  }

  private int connection() {
    byte[] one = new byte[1];
    guest.page.read(XenconsInterface.CONNECTION.offset(), one, 0, 1);
    return one[0];
  }

  @Test
  void aFeederWaitsWhileTheBufferIsFullAndStopsWhenTheConsoleCloses() throws Exception {
    byte[] much = bytes("0123456789abcdef".repeat(4096));
    StringBuilder read = new StringBuilder();
    try (BackendThread _ = BackendThread.start("console", console)) {
      Thread feeder = Thread.ofPlatform().start(() -> feed(much));
      while (read.length() < much.length) {
        String part = guest.read();
        read.append(part);
        console.signal();
        if (part.isEmpty()) {
          Thread.onSpinWait();
        }
      }
      feeder.join();
      Thread second = Thread.ofPlatform().start(() -> feed(much));
      while (console.waitingInputBytes() < ConsoleRing.INPUT_BUFFER_BYTES) {
        Thread.onSpinWait();
      }
      console.close();
      second.join();
      assertFalse(second.isAlive());
    }
    assertEquals(new String(much, StandardCharsets.ISO_8859_1), read.toString());
  }

  private void feed(byte[] much) {
    try {
      console.feed(much, 0, much.length);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
