package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import parhelion.lab.result.Cell;
import parhelion.lab.result.Comparison;
import parhelion.lab.result.Count;
import parhelion.lab.result.Counts;
import parhelion.lab.result.Host;
import parhelion.lab.result.Kernel;
import parhelion.lab.result.ResultFile;
import parhelion.lab.result.Sample;
import parhelion.lab.result.Technique;
import parhelion.lab.result.WorkloadInfo;
import picocli.CommandLine;

/** {@code parhelion report} on files that were made here. */
final class ReportCommandTest {
  @TempDir Path directory;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int report(Object... arguments) {
    CommandLine command =
        Main.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    List<String> all = new ArrayList<>(List.of("report"));
    for (Object argument : arguments) {
      all.add(argument.toString());
    }
    return command.execute(all.toArray(String[]::new));
  }

  /** Six samples of each technique; full takes so many times as long as para. */
  private Path results(String name, double times) {
    List<Cell> cells = new ArrayList<>();
    for (Technique technique : List.of(Technique.FULL, Technique.PARA)) {
      List<Sample> samples = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        double us = (technique == Technique.FULL ? 10 * times : 10) + i * 0.01;
        long nanos = (long) (1000 * us);
        samples.add(
            new Sample(
                1,
                0,
                us,
                nanos,
                nanos,
                nanos,
                5000,
                new Counts(Map.of("HLT:cpu", new Count(2, nanos / 2)), Map.of(), 0, 0, 0, 0, 0)));
      }
      cells.add(new Cell(technique, "fork", samples, null));
    }
    Path file = directory.resolve(name);
    ResultFile.write(
        new Comparison(
            "0",
            "0",
            "2026-11-28T01:00:00Z",
            List.of("compare"),
            1,
            "real",
            new Host("a test's", 1, 0, "none", "none"),
            new Kernel("k", "1", "0".repeat(64)),
            64,
            1,
            "interpreter",
            6,
            0,
            List.of(
                new WorkloadInfo("fork", "processes", "fork and exit", "us", false, "fork proc")),
            cells),
        file);
    return file;
  }

  @Test
  void itShowsTheTableAndWritesThePageAndTheAnalysis() throws IOException {
    Path page = directory.resolve("page.html");
    Path analysis = directory.resolve("analysis.json");
    assertEquals(
        ExitStatus.OK, report(results("now.json", 2), "--html", page, "--analysis", analysis));
    assertTrue(out.toString().contains("x2.00*"), out.toString());
    assertTrue(err.toString().contains("the report is in " + page), err.toString());
    assertTrue(Files.readString(page).startsWith("<!DOCTYPE html>"));
    assertEquals(
        "parhelion-report", new ObjectMapper().readTree(analysis.toFile()).get("format").asText());
  }

  @Test
  void aBaselineSaysWhatHasChanged() {
    assertEquals(
        ExitStatus.OK, report(results("now.json", 1.5), "--baseline", results("old.json", 3)));
    assertTrue(out.toString().contains("faster"), out.toString());
    assertTrue(out.toString().contains("same"), out.toString());
  }

  @Test
  void modelsAreChosenByNameByFileOrNone() throws IOException {
    Path now = results("now.json", 2);
    assertEquals(ExitStatus.OK, report(now, "--cost-model", "none"));
    assertFalse(out.toString().contains("Modelled"), out.toString());
    Path mine =
        Files.writeString(
            directory.resolve("mine.yaml"),
            """
            id: mine
            title: a machine
            year: 2020
            hardware: none
            about: a test
            techniques: [full]
            exits: ept
            clock: 1 GHz
            guest: {instruction: 1 cycle, source: estimate}
            costs: [{for: HLT, cost: 5 us, source: estimate}]
            """);
    assertEquals(ExitStatus.OK, report(now, "--cost-model", "kvm," + mine));
    assertTrue(out.toString().contains("mine"), out.toString());
    // 5000 instructions at 1 ns, and two HLT at 5 us.
    assertTrue(out.toString().contains("3.00"), out.toString());
  }

  @Test
  void modelsAreListed() {
    assertEquals(ExitStatus.OK, report("--list-models"));
    assertEquals(8, out.toString().lines().count());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          none.json                          | no file
          now.json --baseline none.json      | no file
          now.json --baseline bad.json       | no result of compare
          now.json --cost-model vax          | no cost model 'vax'
          now.json --cost-model bad.yaml     | no cost model
          now.json --cost-model kvm,kvm      | two models
          now.json --html none/x.html        | there is no directory
          now.json --html .                  | directory
          bad.json                           | no result of compare
          """)
  void whatIsWrongIsOneLineAndStatus1(String arguments, String reason) throws IOException {
    results("now.json", 2);
    Files.writeString(directory.resolve("bad.json"), "{}");
    Files.writeString(directory.resolve("bad.yaml"), "{}");
    Object[] words =
        java.util.Arrays.stream(arguments.split(" ", -1))
            .map(
                word ->
                    word.equals(".")
                            || word.contains(".json")
                            || word.contains(".yaml")
                            || word.contains(".html")
                        ? directory.resolve(word).toString()
                        : word)
            .toArray();
    assertEquals(ExitStatus.FAILED, report(words));
    assertEquals(1, err.toString().lines().count(), err.toString());
    assertTrue(err.toString().contains(reason), err.toString());
  }

  @Test
  void withoutAFileItSaysWhatItNeeds() {
    assertEquals(ExitStatus.FAILED, report());
    assertTrue(err.toString().contains("report needs a file"), err.toString());
  }
}
