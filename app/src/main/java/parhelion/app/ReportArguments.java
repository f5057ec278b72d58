package parhelion.app;

import java.io.Console;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import parhelion.lab.cost.CostModel;
import parhelion.lab.cost.CostModels;
import parhelion.lab.report.Analysis;
import parhelion.lab.report.HtmlReport;
import parhelion.lab.report.JsonReport;
import parhelion.lab.report.TerminalReport;
import parhelion.lab.result.Comparison;
import parhelion.lab.result.ResultFile;
import parhelion.toolstack.UserError;
import picocli.CommandLine.Option;

/** What is to be made of a comparison: the same options for a new one and for one from a file. */
final class ReportArguments {
  private static final int DEFAULT_WIDTH = 100;

  @Option(
      names = "--html",
      paramLabel = "FILE",
      description = "Write the report as a page that needs nothing else.")
  @Nullable Path html;

  @Option(
      names = "--analysis",
      paramLabel = "FILE",
      description =
          "Write what the report computes (intervals, ratios, causes, modelled times) as JSON.")
  @Nullable Path analysis;

  @Option(
      names = "--cost-model",
      paramLabel = "NAME|FILE,...",
      split = ",",
      description =
          "Hardware to say for what the same would cost on it: models that come along (see report"
              + " --list-models) or YAML files; none for none (default: all that come along).")
  List<String> costModels = List.of();

  @Option(
      names = "--baseline",
      paramLabel = "FILE",
      description = "The results of an earlier comparison: also say what has changed since.")
  @Nullable Path baseline;

  /** What the options name, read. */
  record Opened(List<CostModel> models, @Nullable Comparison baseline) {}

  /** Whether nothing is to be written to a file. */
  boolean hasNoFile() {
    return html == null && analysis == null;
  }

  /** Reads what is named, so that an error shows before anything else is done. */
  Opened open() {
    checkDirectory(html);
    checkDirectory(analysis);
    return new Opened(models(), baseline == null ? null : ResultFile.read(baseline));
  }

  private List<CostModel> models() {
    if (costModels.isEmpty()) {
      return CostModels.builtIn();
    }
    if (costModels.equals(List.of("none"))) {
      return List.of();
    }
    List<CostModel> models = new ArrayList<>();
    Set<String> ids = new HashSet<>();
    for (String name : costModels) {
      CostModel model = CostModels.of(name);
      if (!ids.add(model.id())) {
        throw new UserError(
            "--cost-model: two models are called '" + model.id() + "': change one's id");
      }
      models.add(model);
    }
    return models;
  }

  /** {@link UserError} for a file that cannot be written as its directory is not there. */
  static void checkDirectory(@Nullable Path file) {
    Path directory = file == null ? null : file.toAbsolutePath().getParent();
    if (directory != null && !Files.isDirectory(directory)) {
      throw new UserError("cannot write " + file + ": there is no directory " + directory);
    }
  }

  /**
   * Writes the files and shows the tables.
   *
   * @param otherwise where the page goes if {@code --html} was not given; null for nowhere
   * @param out for the tables
   * @param err for what was written where
   */
  void show(
      Comparison comparison,
      Opened opened,
      @Nullable Path otherwise,
      PrintWriter out,
      PrintWriter err) {
    Analysis result = Analysis.of(comparison, opened.models(), opened.baseline());
    boolean terminal = isTerminal();
    out.print(TerminalReport.of(result, width(), terminal && System.getenv("NO_COLOR") == null));
    out.flush();
    Path page = html != null ? html : otherwise;
    if (page != null) {
      ResultFile.replace(page, HtmlReport.of(result));
      err.println("parhelion: the report is in " + page);
      err.flush();
    }
    if (analysis != null) {
      ResultFile.replace(analysis, JsonReport.of(result));
    }
  }

  private static boolean isTerminal() {
    Console console = System.console();
    return console != null && console.isTerminal();
  }

  private static int width() {
    String columns = System.getenv("COLUMNS");
    if (columns != null && columns.matches("[0-9]{1,4}")) {
      return Integer.parseInt(columns);
    }
    if (isTerminal()) {
      try {
        int width = TerminalMode.save().size()[0];
        return width == 0 ? DEFAULT_WIDTH : width;
      } catch (IllegalStateException e) {
        // Standard input is none, or the terminal does not say.
      }
    }
    return DEFAULT_WIDTH;
  }
}
