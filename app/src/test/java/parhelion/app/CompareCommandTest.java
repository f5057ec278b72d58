package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import parhelion.lab.result.Comparison;
import parhelion.lab.result.ResultFile;
import parhelion.lab.result.Technique;
import parhelion.lab.run.LabRun;
import parhelion.lab.workload.Roster;
import parhelion.lab.workload.Workload;
import picocli.CommandLine;

/** The command line of a comparison; what it measures is {@code LabRunTest}'s, module lab. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
final class CompareCommandTest {
  @TempDir Path directory;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int compare(String... arguments) {
    CommandLine command =
        Main.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err, true));
    List<String> all = new ArrayList<>(List.of("compare"));
    all.addAll(List.of(arguments));
    return command.execute(all.toArray(String[]::new));
  }

  private void refused(int status, String words, String... arguments) {
    err.getBuffer().setLength(0);
    assertEquals(status, compare(arguments), () -> String.join(" ", arguments));
    assertTrue(err.toString().contains(words), err::toString);
    assertEquals(1, err.toString().lines().count(), err::toString);
  }

  @Test
  void theListNamesEveryWorkloadAndTechnique() {
    assertEquals(ExitStatus.OK, compare("--list"));
    for (Workload workload : Roster.workloads()) {
      assertTrue(out.toString().contains("\n" + workload.id() + " "), workload::id);
    }
    for (Technique technique : LabRun.TECHNIQUES) {
      assertTrue(out.toString().contains("\n" + technique.id + " "), technique.id);
    }
  }

  @Test
  void whatMakesNoSenseIsOneLine() {
    refused(ExitStatus.FAILED, "no workload 'forks'", "--workload", "forks");
    refused(ExitStatus.USAGE, "'half' is none of full,", "--technique", "half");
    refused(ExitStatus.USAGE, "'0' is not a number from 1", "--repetitions", "0");
    refused(ExitStatus.USAGE, "'x' is not a number from 0", "--warm-up", "x");
    refused(ExitStatus.USAGE, "'0' is not a number from 1", "--row-time", "0");
    refused(ExitStatus.FAILED, "exclude each other", "--kernel", "a", "--package", "b");
    refused(
        ExitStatus.FAILED, "cannot write", "--html", directory.resolve("no/such.html").toString());
    refused(
        ExitStatus.FAILED,
        "cannot write",
        "--json",
        directory.resolve("no/such.json").toString(),
        "--technique",
        "partial",
        "--workload",
        "null");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void resultsAndReportAreWritten() {
    Path json = directory.resolve("result.json");
    Path html = directory.resolve("report.html");
    String[] arguments = {
      "--technique",
      "partial",
      "--workload",
      "null,integer,boot",
      "--repetitions",
      "2",
      "--warm-up",
      "0",
      "--row-time",
      "5",
      "--json",
      json.toString(),
      "--html",
      html.toString()
    };
    assertEquals(ExitStatus.OK, compare(arguments), err::toString);
    Comparison comparison = ResultFile.read(json);
    assertEquals("compare", comparison.command().getFirst());
    assertEquals(2, comparison.cell(Technique.PARTIAL, "integer").samples().size());
    assertEquals(List.of(), comparison.cell(Technique.PARTIAL, "boot").samples());
    assertTrue(Files.exists(html));
  }
}
