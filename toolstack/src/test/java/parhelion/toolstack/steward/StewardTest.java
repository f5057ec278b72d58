package parhelion.toolstack.steward;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import parhelion.toolstack.UserError;
import parhelion.toolstack.steward.FrameReader.BrokenException;
import parhelion.toolstack.steward.RunningCommand.Exit;

/** The host's half against a guest that is made up here, honest or not. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
final class StewardTest {
  private static final long SEED = Long.getLong("parhelion.seed", 1);

  private final Steward steward = new Steward();

  @AfterEach
  void close() {
    steward.close();
  }

  private void say(byte[] bytes) {
    assertEquals(bytes.length, steward.sink().accept(bytes, 0, bytes.length));
  }

  private void hello() {
    byte[] payload = ("parhelion" + "n".repeat(16)).getBytes(StandardCharsets.US_ASCII);
    say(Wire.frame(Wire.HELLO, Wire.VERSION, 0, payload, 0, payload.length));
  }

  private void data(int channel, int stream, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    say(Wire.frame(Wire.DATA, channel, stream, bytes, 0, bytes.length));
  }

  @Test
  void noCommandStartsBeforeTheGuestHasSaidHello() throws Exception {
    assertThrows(UserError.class, () -> steward.start(CommandSpec.of("true")));
    say("login: garbage".getBytes(StandardCharsets.US_ASCII));
    hello();
    assertTrue(steward.awaitReady(Duration.ZERO));
    steward.start(CommandSpec.of("true"));
  }

  @Test
  void outputsAndTheStatusArrive() throws Exception {
    hello();
    RunningCommand command = steward.start(CommandSpec.of("x"));
    data(Wire.STDERR, command.id(), "err");
    data(Wire.STDOUT, command.id(), "out");
    say(new byte[1000]); // padding
    say(Wire.frame(Wire.DONE, 0, command.id(), 3 << 8));
    assertArrayEquals("out".getBytes(StandardCharsets.UTF_8), command.stdout().readAllBytes());
    assertArrayEquals("err".getBytes(StandardCharsets.UTF_8), command.stderr().readAllBytes());
    assertEquals(new Exit(3, null), command.await());
  }

  @Test
  void aSecondHelloEndsTheCommandsOfTheFirst() throws Exception {
    hello();
    RunningCommand command = steward.start(CommandSpec.of("x"));
    hello();
    assertThrows(IOException.class, command::await);
    assertThrows(IOException.class, () -> command.stdout().read());
    assertTrue(steward.isReady());
  }

  @Test
  void aGuestThatBreaksTheProtocolLosesItsCommandsUntilTheNextHello() throws Exception {
    List<byte[]> breaches = new ArrayList<>();
    byte[] large = Wire.frame(Wire.DATA, 1, 1);
    large[3] = 0x7f;
    breaches.add(large);
    breaches.add(Wire.frame(Wire.DATA, 1, 999));
    breaches.add(Wire.frame((byte) 'y', 1, 1));
    breaches.add(Wire.frame(Wire.CREDIT, 0, 1, 1 << 30));
    breaches.add(Wire.frame(Wire.DATA, 9, 1));
    for (byte[] breach : breaches) {
      hello();
      RunningCommand command = steward.start(CommandSpec.of("x"));
      breach[4] = (byte) (breach[4] == 1 ? command.id() : breach[4]);
      say(breach);
      assertThrows(IOException.class, command::await);
      assertFalse(steward.isReady());
    }
    hello();
    assertTrue(steward.isReady());
  }

  @Test
  void aGuestThatSendsMoreThanItMayIsRefused() throws Exception {
    hello();
    RunningCommand command = steward.start(CommandSpec.of("x"));
    byte[] chunk = new byte[Wire.MAX_PAYLOAD];
    for (int sent = 0; sent < Wire.WINDOW; sent += chunk.length) {
      say(Wire.frame(Wire.DATA, Wire.STDOUT, command.id(), chunk, 0, chunk.length));
      assertFalse(command.exit().isDone());
    }
    data(Wire.STDOUT, command.id(), "x");
    assertThrows(IOException.class, command::await);
  }

  @Test
  void sixtyFourCommandsAreTheMost() {
    hello();
    for (int i = 0; i < Wire.MAX_STREAMS; i++) {
      steward.start(CommandSpec.of("x"));
    }
    assertThrows(UserError.class, () -> steward.start(CommandSpec.of("x")));
  }

  @Test
  void randomBytesAreErrorsAndNothingElse() {
    Random random = new Random(SEED);
    for (int round = 0; round < 300; round++) {
      hello();
      if (steward.isReady()) {
        steward.start(CommandSpec.of("x"));
      }
      byte[] noise = new byte[random.nextInt(20_000)];
      random.nextBytes(noise);
      for (int at = 0; at + 8 < noise.length; at += 8 + random.nextInt(200)) {
        byte[] head =
            Wire.frame(
                "DECQHXPS".getBytes(StandardCharsets.US_ASCII)[random.nextInt(8)],
                random.nextInt(5),
                round);
        System.arraycopy(head, 0, noise, at, head.length);
        noise[at + 2] = (byte) random.nextInt(200);
      }
      say(noise);
    }
    say(new byte[2 * Wire.MAX_PAYLOAD]);
    hello();
    assertTrue(steward.isReady());
  }

  @Test
  void framesAreFoundHoweverTheyAreCut() throws BrokenException {
    Random random = new Random(SEED);
    List<String> expected = new ArrayList<>();
    List<String> found = new ArrayList<>();
    java.io.ByteArrayOutputStream all = new java.io.ByteArrayOutputStream();
    for (int i = 0; i < 500; i++) {
      byte[] payload = new byte[random.nextInt(Wire.MAX_PAYLOAD + 1)];
      random.nextBytes(payload);
      expected.add(i + ":" + java.util.Arrays.hashCode(payload));
      all.writeBytes(Wire.frame(Wire.DATA, 1, i, payload, 0, payload.length));
      all.writeBytes(new byte[random.nextInt(3)]);
    }
    FrameReader reader = new FrameReader();
    byte[] bytes = all.toByteArray();
    for (int at = 0; at < bytes.length; ) {
      int count = Math.min(bytes.length - at, 1 + random.nextInt(6000));
      reader.accept(
          bytes,
          at,
          count,
          (type, channel, stream, payload, length) ->
              found.add(
                  stream
                      + ":"
                      + java.util.Arrays.hashCode(java.util.Arrays.copyOf(payload, length))));
      at += count;
    }
    assertEquals(expected, found);
  }
}
