package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import parhelion.cpu.Engine;
import parhelion.cpu.interp.CodeCache;
import parhelion.cpu.memory.MachineMemory;

/**
 * {@code --engine} and {@code --perf-map} from the command line to the end of a guest; each in a
 * process of its own.
 */
final class EngineOptionsTest {
  private static final String REFUSING = "-Dparhelion.refuse.code=true";

  @TempDir Path directory;

  private record Ended(long pid, int status, String out, String err) {}

  private Ended demo(List<String> jvm, String... options) throws Exception {
    ProcessBuilder builder = BadSurroundingsTest.parhelion("demo", "--batch");
    builder.command().addAll(1, jvm);
    builder.command().addAll(List.of(options));
    Path out = directory.resolve("out");
    Path err = directory.resolve("err");
    Process process = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
    try {
      assertTrue(process.waitFor(60, TimeUnit.SECONDS), "it hangs");
    } finally {
      process.destroyForcibly();
    }
    return new Ended(
        process.pid(), process.exitValue(), Files.readString(out), Files.readString(err));
  }

  static void needsRewriter() {
    try (MachineMemory memory = new MachineMemory(16)) {
      String obstacle = new CodeCache(memory, Engine.AUTO).obstacle();
      assumeTrue(obstacle == null, obstacle);
    }
  }

  @Test
  void whereTheHostRefusesTheInterpreterRunsTheGuestAndOneLineSaysWhy() throws Exception {
    needsRewriter();
    Ended ended = demo(List.of(REFUSING), "--engine", "auto");
    assertEquals(
        "parhelion: no rewriter here, so this is slow: the host refuses executable memory"
            + " (--engine interpreter leaves this line out)\n",
        ended.err);
    assertEquals(ExitStatus.OK, ended.status);
    assertTrue(ended.out.contains("The tour is over."), ended.out);
  }

  @Test
  void theInterpreterByNameSaysNothing() throws Exception {
    Ended ended = demo(List.of(REFUSING), "--engine", "interpreter");
    assertEquals("", ended.err);
    assertEquals(ExitStatus.OK, ended.status);
  }

  @Test
  void theRewriterByNameIsAnErrorWhereTheHostRefuses() throws Exception {
    needsRewriter();
    Ended ended = demo(List.of(REFUSING), "--engine", "rewriter");
    assertEquals(
        "parhelion: --engine rewriter: the host refuses executable memory: use --engine auto or"
            + " interpreter\n",
        ended.err);
    assertEquals(ExitStatus.FAILED, ended.status);
  }

  @Test
  void aMapForPerfNamesGuestCode() throws Exception {
    needsRewriter();
    Ended ended = demo(List.of(), "--engine", "rewriter", "--perf-map");
    Path map = Path.of("/tmp/perf-" + ended.pid + ".map");
    try {
      assertEquals("", ended.err);
      List<String> lines = Files.readAllLines(map);
      assertTrue(lines.size() > 100, () -> lines.size() + " lines");
      for (String line : lines) {
        assertTrue(line.matches("[0-9a-f]{6,16} [0-9a-f]+ [ -~]+"), line);
      }
      assertTrue(lines.getFirst().endsWith(" parhelion routines"), lines.getFirst());
      String entry = " 0xffffffff80100000"; // the tour has no symbols
      assertTrue(lines.stream().anyMatch(line -> line.endsWith(entry)), () -> "" + lines);
    } finally {
      Files.deleteIfExists(map);
    }
  }

  @Test
  void theInterpreterHasNoMapForPerf() throws Exception {
    Ended ended = demo(List.of(), "--engine", "interpreter", "--perf-map");
    assertEquals(
        "parhelion: --perf-map: the interpreter generates no code to map: leave it out\n",
        ended.err);
    assertEquals(ExitStatus.FAILED, ended.status);
  }

  @Test
  void statisticsTellOfTheEngine() throws Exception {
    needsRewriter();
    Ended ended = demo(List.of(), "--engine", "rewriter", "--stats", "--json");
    JsonNode stats = new ObjectMapper().readTree(ended.out).get("stats");
    assertEquals("rewriter", stats.get("engine").asText());
    assertTrue(stats.get("rewriter").get("regions").asLong() > 100, ended.out);
    ended = demo(List.of(), "--engine", "rewriter", "--stats");
    assertTrue(ended.err.contains("\nregions written "), ended.err);
    assertTrue(ended.err.contains("\nexit: TLB miss "), ended.err);
    ended = demo(List.of(), "--engine", "interpreter", "--stats", "--json");
    stats = new ObjectMapper().readTree(ended.out).get("stats");
    assertEquals("interpreter", stats.get("engine").asText());
    assertFalse(stats.has("rewriter"), ended.out);
  }
}
