package parhelion.toolstack.image;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExitStatusFilterTest {
  private OptionalInt status = OptionalInt.empty();

  /** Runs text through a filter in pieces of random size; {@code |} stands for CR LF. */
  private String filter(String text, boolean plain) throws IOException {
    String result = "";
    for (int seed = 0; seed < 20; seed++) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      ExitStatusFilter filter = new ExitStatusFilter(out, "abcd", plain);
      byte[] bytes = text.replace("|", "\r\n").getBytes(StandardCharsets.ISO_8859_1);
      Random random = new Random(seed);
      for (int at = 0; at < bytes.length; ) {
        int n = Math.min(bytes.length - at, 1 + random.nextInt(5));
        filter.write(bytes, at, n);
        at += n;
      }
      filter.close();
      status = filter.status();
      String seen = out.toString(StandardCharsets.ISO_8859_1);
      if (seed > 0) {
        assertEquals(result, seen);
      }
      result = seen;
    }
    return result.replace("\r\n", "|");
  }

  @ParameterizedTest
  @CsvSource({
    "hello||parhelion-exit-status: abcd 7|[ 1.0] reboot: Power down|, hello|, 7",
    "no newline|parhelion-exit-status: abcd 0|, no newline, 0",
    "|parhelion-exit-status: abcd 255|x, '', 255",
  })
  void theLineIsTakenOutWithAllAfterIt(String text, String seen, int expected) throws IOException {
    assertEquals(seen, filter(text, false));
    assertEquals(OptionalInt.of(expected), status);
  }

  @ParameterizedTest
  @CsvSource({
    "plain text|",
    "|parhelion-exit-status: dcba 7|",
    "|parhelion-exit-status: abcd x|",
    "|parhelion-exit-status: abcd 1234|",
    "|parhelion-exit-status: abcd 999|",
    "parhelion-exit-status: abcd 7|",
    "|parhelion-exit||parhelion|end",
    "|",
  })
  void everythingElsePassesUnchanged(String text) throws IOException {
    assertEquals(text, filter(text, false));
    assertEquals(OptionalInt.empty(), status);
  }

  @Test
  void aPipeGetsPlainNewlinesButKeepsOtherReturns() throws IOException {
    assertEquals("a\nb\rc\n\n", filter("a|b\rc||", true));
    assertEquals("a\n", filter("a||parhelion-exit-status: abcd 3|", true));
    assertEquals(OptionalInt.of(3), status);
  }
}
