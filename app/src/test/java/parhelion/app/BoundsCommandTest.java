package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

final class BoundsCommandTest {
  @TempDir Path directory;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int bounds(String... arguments) {
    CommandLine command =
        Main.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    List<String> all = new ArrayList<>(List.of("bounds"));
    all.addAll(List.of(arguments));
    return command.execute(all.toArray(String[]::new));
  }

  @Test
  void theDefaultShowsAJobThatIsStoppedAndOneThatIsNot() {
    assertEquals(ExitStatus.OK, bounds());
    assertTrue(
        out.toString().contains("intruder: killed after 17 instructions: it reached for 400"));
    assertTrue(out.toString().contains("squares: ended after 1334 instructions"));
  }

  @Test
  void aFileIsAJobAndWhatItPrintsIsNoCommandForATerminal() throws IOException {
    Path job = directory.resolve("escape");
    byte[] code = {
      (byte) 0xb3,
      0x1b,
      (byte) 0xb8,
      2,
      0,
      0,
      0,
      (byte) 0xcd,
      0x30, // LETTER: escape
      (byte) 0xb8,
      0,
      0,
      0,
      0,
      (byte) 0xcd,
      0x30 // END
    };
    Files.write(job, code);
    assertEquals(ExitStatus.OK, bounds(job.toString()));
    assertTrue(out.toString().contains("escape: ended after 5 instructions"), out.toString());
    assertTrue(out.toString().chars().noneMatch(c -> c == 0x1b));
  }

  @Test
  void jsonTellsAllTurns() throws IOException {
    assertEquals(ExitStatus.OK, bounds("--json", "--move", "2", "squares", "primes"));
    JsonNode all = new ObjectMapper().readTree(out.toString());
    StringBuilder squares = new StringBuilder();
    for (JsonNode turn : all.get("turns")) {
      if (turn.get("job").asText().equals("squares")) {
        squares.append(turn.get("printed").asText());
      }
    }
    assertEquals("1 4 9 16 25 36 49 64 81 100 ", squares.toString());
    assertEquals("ended", all.get("jobs").get(0).get("state").asText());
  }

  @Test
  void whatIsWrongIsOneLine() throws IOException {
    assertEquals(ExitStatus.FAILED, bounds(directory.resolve("none").toString()));
    Path large = directory.resolve("large");
    Files.write(large, new byte[2000]);
    assertEquals(ExitStatus.FAILED, bounds(large.toString()));
    assertEquals(ExitStatus.USAGE, bounds("--slice", "0"));
    assertEquals(ExitStatus.FAILED, bounds("--job-size", "16384", "squares"));
    assertEquals(4, err.toString().strip().lines().count(), err.toString());
    assertTrue(err.toString().contains("--job-size"), err.toString());
  }
}
