package parhelion.app;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import parhelion.lab.cost.CostModel;
import parhelion.lab.cost.CostModels;
import parhelion.lab.result.ResultFile;
import parhelion.toolstack.UserError;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code parhelion report}: the results of a comparison shown again, without running anything. */
@Command(
    name = "report",
    mixinStandardHelpOptions = true,
    description = {
      "Shows what 'parhelion compare --json FILE' has measured: tables, where the time goes, what"
          + " the same would cost on named hardware, and what has changed since an earlier"
          + " comparison.",
    },
    sortOptions = false,
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "0:it was shown",
      "1:a file cannot be read or written, or is none of its kind; one line says which",
      "2:the command line is wrong"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  parhelion report now.json --html now.html",
      "  parhelion report now.json --baseline old.json",
      "  parhelion report now.json --cost-model kvm,my-machine.yaml"
    })
final class ReportCommand implements Callable<Integer> {
  @Parameters(
      arity = "0..1",
      paramLabel = "FILE",
      description = "Results, as compare --json wrote them.")
  @Nullable Path file;

  @Mixin ReportArguments report = new ReportArguments();

  @Option(
      names = "--list-models",
      description = "Name the cost models that come along, and do nothing.")
  boolean listModels;

  @Spec @Nullable CommandSpec spec;

  @Override
  public Integer call() {
    CommandLine command = Objects.requireNonNull(spec).commandLine();
    PrintWriter out = command.getOut();
    if (listModels) {
      for (CostModel model : CostModels.builtIn()) {
        out.printf("%-17s %d  %s: %s%n", model.id(), model.year(), model.title(), model.hardware());
      }
      out.flush();
      return ExitStatus.OK;
    }
    if (file == null) {
      throw new UserError("report needs a file: parhelion report FILE.json");
    }
    ReportArguments.Opened opened = report.open();
    report.show(ResultFile.read(file), opened, null, out, command.getErr());
    return ExitStatus.OK;
  }
}
