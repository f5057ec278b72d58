package parhelion.backends.console;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import parhelion.backends.BackendThread;

/** What sits behind the ring: a log of the last output, and a stream that may be slow or broken. */
@Timeout(60)
class ConsoleSinkTest {
  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  @Test
  void theLogKeepsTheLastBytes() {
    ConsoleLog log = new ConsoleLog(10);
    assertEquals("", new String(log.tail(), StandardCharsets.ISO_8859_1));
    StringBuilder all = new StringBuilder();
    for (int i = 0; i < 40; i++) {
      String text = "x".repeat(i % 7) + i;
      assertEquals(text.length(), log.accept(bytes("--" + text), 2, text.length()));
      all.append(text);
      String expected = all.substring(Math.max(0, all.length() - 10));
      assertEquals(expected, new String(log.tail(), StandardCharsets.ISO_8859_1));
    }
    log.accept(bytes("0123456789abcdefghijklmno"), 0, 25);
    assertEquals("fghijklmno", new String(log.tail(), StandardCharsets.ISO_8859_1));
    assertEquals(all.length() + 25, log.writtenBytes());
    assertThrows(IllegalArgumentException.class, () -> new ConsoleLog(0));
  }

  /** A stream that writes one call per permit. */
  private static final class Slow extends OutputStream {
    final Semaphore permits = new Semaphore(0);
    final ByteArrayOutputStream written = new ByteArrayOutputStream();

    @Override
    public void write(int b) {
      throw new UnsupportedOperationException();
    }

    @Override
    public synchronized void write(byte[] b, int offset, int length) {
      permits.acquireUninterruptibly();
      written.write(b, offset, length);
    }
  }

  @Test
  void aSlowStreamStopsTheGuestAndNotTheAgent() throws InterruptedException {
    Slow slow = new Slow();
    StreamSink sink = new StreamSink("writer", slow, 8192);
    GuestConsole guest = new GuestConsole();
    ConsoleRing console = new ConsoleRing(guest.page, guest.port, sink);
    byte[] flood = bytes("0123456789abcdef".repeat(4096));
    int written = 0;
    for (int i = 0; i < 100; i++) {
      written += guest.write(flood, written);
      console.signal();
      console.runAll();
    }
    // The writer holds at most one chunk of 4096, the buffer 8192, the ring 2048.
    assertTrue(written >= 8192 + 2048 && written <= 4096 + 8192 + 2048, "written " + written);
    assertFalse(sink.drain(Duration.ofMillis(1)));
    slow.permits.release(1_000_000);
    try (BackendThread _ = BackendThread.start("console", console)) {
      while (written < flood.length) {
        written += guest.write(flood, written);
        console.signal();
      }
      while (guest.unreadOutput() > 0) {
        Thread.onSpinWait();
      }
    }
    assertTrue(sink.drain(Duration.ofSeconds(30)));
    assertEquals(
        new String(flood, StandardCharsets.ISO_8859_1),
        slow.written.toString(StandardCharsets.ISO_8859_1));
    assertNull(sink.failure());
    console.close();
  }

  @Test
  void roomIsReportedOnceToWhoeverWasRefused() throws InterruptedException {
    Slow slow = new Slow();
    StreamSink sink = new StreamSink("writer", slow, 4096);
    CountDownLatch room = new CountDownLatch(1);
    sink.whenRoom(room::countDown);
    byte[] block = new byte[4096];
    while (sink.accept(block, 0, block.length) == block.length) {
      Thread.onSpinWait();
    }
    slow.permits.release(100);
    room.await();
    assertTrue(sink.drain(Duration.ofSeconds(30)));
    sink.close();
    assertEquals(5, sink.accept(block, 0, 5));
  }

  @Test
  void aBrokenStreamSwallowsOutputInsteadOfStoppingTheGuest() throws InterruptedException {
    StreamSink sink =
        new StreamSink(
            "writer",
            new OutputStream() {
              @Override
              public void write(int b) throws IOException {
                throw new IOException("Broken pipe");
              }
            },
            4096);
    sink.accept(bytes("x"), 0, 1);
    assertTrue(sink.drain(Duration.ofSeconds(30)));
    IOException failure = sink.failure();
    assertNotNull(failure);
    byte[] block = new byte[5000];
    assertEquals(5000, sink.accept(block, 0, 5000));
    sink.close();
  }
}
