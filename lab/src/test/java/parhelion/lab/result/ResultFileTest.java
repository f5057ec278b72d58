package parhelion.lab.result;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import parhelion.toolstack.UserError;

final class ResultFileTest {
  private static final String TEXT = ResultFile.json(Comparisons.small());

  @TempDir Path directory;

  private static Comparison parse(String text) {
    return ResultFile.parse("r.json", text.getBytes(UTF_8));
  }

  private static String refused(String text) {
    String message = assertThrows(UserError.class, () -> parse(text)).getMessage();
    assertEquals(1, message.lines().count(), message);
    assertTrue(message.startsWith("r.json "), message);
    assertFalse(message.chars().anyMatch(Character::isISOControl), message);
    return message;
  }

  @Test
  void whatWasWrittenIsReadBack() {
    Path file = directory.resolve("r.json");
    ResultFile.write(Comparisons.small(), file);
    assertEquals(Comparisons.small(), ResultFile.read(file));
  }

  @Test
  void randomComparisonsSurviveTheirFile() {
    Random random = new Random(Long.getLong("parhelion.seed", 1));
    for (int i = 0; i < 50; i++) {
      Comparison comparison = random(random);
      assertEquals(comparison, parse(ResultFile.json(comparison)));
    }
  }

  @Test
  void equalRunsMakeEqualFilesWhateverOrderTheirCountsCameIn() {
    Map<String, Count> one = new TreeMap<>();
    Map<String, Count> other = new java.util.LinkedHashMap<>();
    for (int i = 9; i >= 0; i--) {
      one.put("cause " + i, new Count(i, 0));
      other.put("cause " + i, new Count(i, 0));
    }
    assertEquals(
        ResultFile.json(Comparisons.of(List.of(cell(one)))),
        ResultFile.json(Comparisons.of(List.of(cell(other)))));
  }

  @Test
  void writingReplacesAFileAndLeavesNothingElseBehind() throws IOException {
    Path file = Files.writeString(directory.resolve("r.json"), "old");
    ResultFile.write(Comparisons.small(), file);
    assertEquals(TEXT, Files.readString(file));
    try (var files = Files.list(directory)) {
      assertEquals(List.of(file), files.toList());
    }
  }

  @Test
  void aWrittenFileIsAsReadableAsAnyOther() throws IOException {
    Path file = directory.resolve("r.json");
    ResultFile.write(Comparisons.small(), file);
    Path other = Files.writeString(directory.resolve("other"), "");
    assertEquals(
        Files.getFileAttributeView(other, PosixFileAttributeView.class)
            .readAttributes()
            .permissions(),
        Files.getFileAttributeView(file, PosixFileAttributeView.class)
            .readAttributes()
            .permissions());
  }

  @Test
  void aFileThatCannotBeWrittenIsNamed() {
    Path nowhere = directory.resolve("none/r.json");
    UserError error =
        assertThrows(UserError.class, () -> ResultFile.write(Comparisons.small(), nowhere));
    assertTrue(error.getMessage().contains(nowhere.toString()), error.getMessage());
    assertThrows(UserError.class, () -> ResultFile.write(Comparisons.small(), directory));
  }

  @Test
  void aMissingFileAndADirectoryAreOneLineEach() {
    for (Path file : List.of(directory.resolve("none.json"), directory)) {
      String message = assertThrows(UserError.class, () -> ResultFile.read(file)).getMessage();
      assertTrue(message.contains(file.toString()), message);
      assertEquals(1, message.lines().count());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          ``                                                          | no result of compare
          {}                                                          | no result of compare
          []                                                          | no result of compare
          {"format":"something","formatVersion":1}                    | no result of compare
          {"format":"parhelion-comparison"}                           | no result of compare
          {"format":"parhelion-comparison","formatVersion":9}         | another version
          {"format":"parhelion-comparison","formatVersion":1}         | comparison is missing
          {"format":"parhelion-comparison","formatVersion":1,"x":1}   | unknown field x
          {"format":"parhelion-comparison","format":"twice"}          | damaged
          {"format":"parhelion-comparison","formatVersion":1          | damaged
          """)
  void foreignFilesAreRefused(String text, String reason) {
    String message = refused(text);
    assertTrue(message.contains(reason), message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          "seed" : 7                  | "seed" : "7"               | comparison.seed
          "seed" : 7                  | "seed" : 7.5               | comparison.seed
          "seed" : 7                  | "seed" : 99999999999999999999 | comparison.seed
          "seed" : 7,                 | ``                         | seed
          "operations" : 100          | "operations" : 0           | below 1
          "operations" : 100          | "operations" : null        | operations
          "value" : 12.5              | "value" : -1               | no finite measure
          "value" : 12.5              | "value" : 1e999            | no finite measure
          "value" : 12.5              | "value" : NaN              | damaged
          "times" : 12                | "times" : -12              | negative
          "technique" : "full"        | "technique" : "fuller"     | no technique is called 'fuller'
          "technique" : "full"        | "technique" : "para"       | two cells
          "technique" : "full"        | "technique" : 0            | technique
          "workload" : "boot"         | "workload" : "what"        | no workload is called what
          "clock" : "virtual"         | "clock" : "broken"         | neither real nor virtual
          "samples" : [ ],            | ``                         | cell.samples is missing
          "memoryMib" : 256           | "memoryMib" : 0            | memoryMib is 0
          "startedAt" : "2026-        | "startedAt" : "x2026-      | no instant
          "mmu_update" : 40           | "mmu_update" : -40         | negative
          "engine" : "interpreter"    | "engine" : "   "           | engine is empty
          "higherIsBetter" : false    | "higherIsBetter" : 0       | higherIsBetter
          """)
  void aDamagedFieldIsNamed(String found, String replacement, String reason) {
    int at = TEXT.indexOf(found);
    assertTrue(at >= 0, found);
    String message =
        refused(
            TEXT.substring(0, at)
                + (replacement == null ? "" : replacement)
                + TEXT.substring(at + found.length()));
    assertTrue(message.contains(reason), message);
  }

  @Test
  void aFileCutAnywhereIsRefused() {
    String text = TEXT.strip();
    for (int end = 0; end < text.length(); end += 7) {
      refused(text.substring(0, end));
    }
  }

  @Test
  void randomDamageIsRefusedOrHarmlessButNeverAnExceptionOfAnotherKind() {
    Random random = new Random(Long.getLong("parhelion.seed", 1));
    int refused = 0;
    for (int i = 0; i < 2000; i++) {
      byte[] bytes = TEXT.getBytes(UTF_8);
      for (int n = random.nextInt(4); n >= 0; n--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
      }
      try {
        Comparison read = ResultFile.parse("r.json", bytes);
        assertEquals(read, parse(ResultFile.json(read)));
      } catch (UserError e) {
        refused++;
        assertEquals(1, e.getMessage().lines().count());
      }
    }
    assertNotEquals(0, refused);
  }

  @Test
  void nestingWithoutEndAndNumbersWithoutEndAreRefused() {
    String head = "{\"format\":\"parhelion-comparison\",\"formatVersion\":1,\"comparison\":";
    refused(head + "[".repeat(1_000_000));
    refused(head + "1".repeat(1_000_000) + "}");
    refused(head + "1e999999999}");
    refused(head + "\"" + "x".repeat(1 << 20) + "\"}");
  }

  @Test
  void aTerminalsControlCharactersDoNotReachTheMessage() {
    refused(TEXT.replace("\"technique\" : \"full\"", "\"technique\" : \"\\u001b[2J\\nfull\""));
    refused(TEXT.replace("\"seed\"", "\"\\u001b[2J\\nseed\""));
  }

  @ParameterizedTest
  @EnumSource
  void aTechniqueIsFoundByItsName(Technique technique) {
    assertEquals(technique, Technique.of(technique.id));
    assertFalse(technique.sentence.endsWith("."));
  }

  private static Cell cell(Map<String, Count> interceptions) {
    return new Cell(
        Technique.FULL, "fork", List.of(Comparisons.sample(1, 1, 1, interceptions)), null);
  }

  private static Comparison random(Random random) {
    List<Cell> cells = new ArrayList<>();
    for (Technique technique : Technique.values()) {
      for (WorkloadInfo workload : Comparisons.WORKLOADS) {
        List<Sample> samples = new ArrayList<>();
        for (int i = random.nextInt(4); i > 0; i--) {
          samples.add(
              new Sample(
                  random.nextLong(1, Long.MAX_VALUE),
                  random.nextLong(Long.MAX_VALUE),
                  Math.abs(random.nextGaussian()) * Math.pow(10, random.nextInt(-300, 300)),
                  random.nextLong(Long.MAX_VALUE),
                  random.nextLong(Long.MAX_VALUE),
                  random.nextLong(Long.MAX_VALUE),
                  random.nextLong(Long.MAX_VALUE),
                  new Counts(
                      Map.of(text(random), new Count(random.nextInt(9), random.nextInt(9))),
                      Map.of(text(random), random.nextLong(Long.MAX_VALUE)),
                      1,
                      2,
                      3,
                      4,
                      5)));
        }
        cells.add(
            new Cell(
                technique,
                workload.id(),
                samples,
                samples.isEmpty() || random.nextBoolean() ? text(random) : null));
      }
    }
    return Comparisons.of(cells);
  }

  /** Of any characters that a guest's names could be made of. */
  private static String text(Random random) {
    StringBuilder text = new StringBuilder("k");
    for (int i = random.nextInt(20); i > 0; i--) {
      text.appendCodePoint(random.nextInt(1, 0xd800));
    }
    return text.toString();
  }
}
