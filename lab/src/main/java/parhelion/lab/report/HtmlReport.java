package parhelion.lab.report;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import parhelion.lab.report.Analysis.Entry;
import parhelion.lab.report.Analysis.Row;
import parhelion.lab.result.Comparison;
import parhelion.lab.result.PerOperation;
import parhelion.lab.result.Technique;
import parhelion.lab.statistics.Ratio;
import parhelion.lab.statistics.Summary;

/**
 * The report as one page that needs nothing else: no script, no network. It follows the reader's
 * choice of light or dark, prints with the words that are folded away, and can be read with a
 * keyboard and aloud.
 */
public final class HtmlReport {
  private static final int MOST_KINDS = 40;

  private final Analysis analysis;
  private final Html html = new Html();

  private HtmlReport(Analysis analysis) {
    this.analysis = analysis;
  }

  /** The page. */
  public static String of(Analysis analysis) {
    return new HtmlReport(analysis).page();
  }

  private String page() {
    Comparison c = analysis.comparison();
    html.raw("<!DOCTYPE html>\n").open("html", "lang", "en").open("head");
    html.empty("meta", "charset", "utf-8");
    html.empty("meta", "name", "viewport", "content", "width=device-width, initial-scale=1");
    html.empty(
        "meta",
        "http-equiv",
        "Content-Security-Policy",
        "content",
        "default-src 'none'; style-src 'unsafe-inline'");
    html.text("title", "Techniques of virtualisation compared: Linux " + c.kernel().version());
    html.open("style").raw(style()).close().closeLine();
    html.open("body");
    html.open("header").text("h1", "Techniques of virtualisation compared");
    html.text("p", "One kernel and the same workloads, measured by Parhelion.", "class", "quiet");
    facts(c);
    html.closeLine();
    html.open("main");
    says();
    measured();
    if (analysis.changes() != null) {
      changes(analysis.changes());
    }
    details();
    new HtmlModels(html, analysis).write();
    method();
    html.close().close().closeLine();
    return html.done();
  }

  private static String style() {
    try (InputStream in = HtmlReport.class.getResourceAsStream("/parhelion/lab/report/style.css")) {
      if (in == null) {
        throw new IllegalStateException("no style sheet");
      }
      return new String(in.readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void facts(Comparison c) {
    html.open("dl", "class", "facts");
    fact("Kernel", c.kernel().version());
    fact("File", c.kernel().file());
    fact("SHA-256", c.kernel().sha256().substring(0, 16) + "...");
    fact("Started", c.startedAt());
    fact(
        "Host",
        c.host().cpu()
            + ", "
            + c.host().processors()
            + " processors, "
            + (c.host().memoryBytes() == 0
                ? ""
                : Figures.bytes((double) c.host().memoryBytes()) + ", ")
            + c.host().os());
    fact("JDK", c.host().jdk());
    fact(
        "Guests",
        c.memoryMib()
            + " MiB, "
            + c.vcpus()
            + (c.vcpus() == 1 ? " processor, " : " processors, ")
            + c.engine());
    fact("Clock, seed", c.clock() + ", " + c.seed());
    fact("Repetitions", c.repetitions() + " after " + c.warmUps() + " to warm up");
    fact("Parhelion", c.version() + ", " + c.commit());
    html.open("div", "class", "wide").text("dt", "Command");
    html.open("dd").text("code", "parhelion " + String.join(" ", c.command())).close().closeLine();
    html.closeLine();
  }

  private void fact(String name, String value) {
    html.open("div").text("dt", name).text("dd", value).closeLine();
  }

  private void says() {
    List<String> sentences = Overview.sentences(analysis);
    if (sentences.isEmpty()) {
      return;
    }
    html.open("section", "class", "says", "aria-label", "In words").open("ul");
    sentences.forEach(sentence -> html.text("li", sentence));
    html.close().closeLine();
  }

  // --- measured ---

  private void measured() {
    html.open("section", "id", "measured");
    html.open("h2").text("What was measured ").text("span", "measured", "class", "tag measure");
    html.closeLine();
    html.open("ul", "class", "quiet");
    for (Technique technique : analysis.techniques()) {
      html.text("li", technique.id + ": " + technique.sentence);
    }
    html.closeLine();
    new Charts(html).ratios(analysis);
    scroll("Measured medians by workload and technique");
    html.open("table")
        .text(
            "caption",
            "Medians with their intervals, and how many times as slow as "
                + analysis.referenceName()
                + " with the interval of the ratio; coloured where that excludes 1");
    html.open("thead").open("tr");
    html.text("th", "workload", "scope", "col", "class", "left")
        .text("th", "unit", "scope", "col", "class", "left");
    for (Technique technique : analysis.techniques()) {
      html.text("th", technique.id, "scope", "col");
    }
    html.close().closeLine().open("tbody");
    String group = "";
    for (Row row : analysis.rows()) {
      if (!row.info().group().equals(group)) {
        group = row.info().group();
        html.open("tr")
            .text("th", group, "scope", "rowgroup", "colspan", 2 + analysis.techniques().size())
            .closeLine();
      }
      html.open("tr")
          .open("th", "scope", "row")
          .text(row.info().title())
          .text("small", row.info().id())
          .close()
          .text("td", unit(row), "class", "left");
      for (Technique technique : analysis.techniques()) {
        cell(row.entries().get(technique));
      }
      html.closeLine();
    }
    html.close().close().close().closeLine();
  }

  private static String unit(Row row) {
    return row.info().unit() + (row.info().higherIsBetter() ? " (more is better)" : "");
  }

  private void cell(@Nullable Entry entry) {
    html.open("td");
    Summary value = entry == null ? null : entry.value();
    if (entry == null || value == null) {
      html.text("-");
      if (entry != null && entry.failure() != null) {
        html.open("small", "title", entry.failure()).text("see below").close();
      }
      html.closeLine();
      return;
    }
    html.text(Figures.number(value.median()));
    html.text("small", Figures.number(value.low()) + " to " + Figures.number(value.high()));
    Ratio slower = entry.slower();
    if (slower != null) {
      String kind = !slower.isSignificant() ? "" : slower.estimate() > 1 ? "worse" : "better";
      html.open("div", "class", "ratio");
      html.open("span", "class", kind).text("x" + Figures.number(slower.estimate())).close();
      html.text(
          "small",
          " (" + Figures.number(slower.low()) + " to " + Figures.number(slower.high()) + ")");
      html.close();
    }
    html.closeLine();
  }

  // --- changes ---

  private void changes(Changes changes) {
    html.open("section", "id", "changes");
    html.text("h2", "What changed since " + changes.baseline().startedAt());
    if (!changes.conditions().isEmpty()) {
      html.text("p", "Not the same in both, so that differences may be theirs:");
      html.open("ul");
      changes.conditions().forEach(condition -> html.text("li", condition));
      html.closeLine();
    }
    scroll("Changes by workload and technique");
    html.open("table").open("thead").open("tr");
    for (String head : List.of("workload", "technique", "then", "now", "unit", "times as slow")) {
      boolean left = head.equals("workload") || head.equals("technique");
      html.text("th", head, "scope", "col", "class", left ? "left" : "");
    }
    html.text("th", "counts of an operation", "scope", "col", "class", "left");
    html.close().closeLine().open("tbody");
    for (Changes.Change change : changes.changes()) {
      Ratio slower = change.slower();
      html.open("tr").text("th", change.info().id(), "scope", "row");
      html.text("td", change.technique().id, "class", "left");
      html.text("td", Figures.number(change.before().median()));
      html.text("td", Figures.number(change.after().median()));
      html.text("td", change.info().unit()).open("td");
      if (slower != null) {
        String kind =
            switch (change.verdict()) {
              case "slower" -> "worse";
              case "faster" -> "better";
              default -> "";
            };
        html.text(
            "span",
            "x" + Figures.number(slower.estimate()) + " " + change.verdict(),
            "class",
            kind);
        html.text("small", Figures.number(slower.low()) + " to " + Figures.number(slower.high()));
      }
      html.closeLine();
      html.text("td", String.join("; ", change.counts()), "class", "left").closeLine();
    }
    html.close().close().closeLine();
    if (!changes.missing().isEmpty()) {
      html.open("ul", "class", "quiet");
      changes.missing().forEach(missing -> html.text("li", missing));
      html.closeLine();
    }
    html.closeLine();
  }

  // --- each workload ---

  private void details() {
    html.open("section", "id", "workloads").text("h2", "Workload by workload");
    for (Row row : analysis.rows()) {
      html.open("details").open("summary").text(row.info().title() + " ");
      html.text("span", row.info().id());
      html.closeLine();
      words(row);
      for (Entry entry : row.entries().values()) {
        if (entry.failure() != null) {
          html.text("p", entry.missing());
        }
      }
      if (row.entries().values().stream().anyMatch(entry -> entry.counts() != null)) {
        if (row.isTimed()) {
          new Charts(html).causes(row);
        }
        counts(row);
      }
      html.closeLine();
    }
    html.closeLine();
  }

  private void words(Row row) {
    for (Finding finding : row.findings()) {
      if (!finding.isModelled()) {
        html.open("p").text(finding.text() + " ");
        html.text("span", "measured", "class", "tag measure").closeLine();
      }
    }
    List<Finding> modelled = row.findings().stream().filter(Finding::isModelled).toList();
    if (!modelled.isEmpty()) {
      html.open("ul", "class", "model");
      modelled.forEach(finding -> html.text("li", finding.text()));
      html.closeLine();
    }
  }

  private record Column(Technique technique, PerOperation counts) {}

  private void counts(Row row) {
    List<Column> columns = new ArrayList<>();
    for (Entry entry : row.entries().values()) {
      if (entry.counts() != null) {
        columns.add(new Column(entry.technique(), entry.counts()));
      }
    }
    scroll("Counts of " + row.info().id());
    html.open("table").text("caption", "Of one operation: how often, and the host's time of that");
    html.open("thead").open("tr").text("th", "what", "scope", "col", "class", "left");
    columns.forEach(column -> html.text("th", column.technique.id, "scope", "col"));
    html.close().closeLine().open("tbody");
    line("host time", columns, counts -> Figures.time(counts.wallNanos()));
    line("host's processor time", columns, counts -> Figures.time(counts.hostCpuNanos()));
    line("guest's time", columns, counts -> Figures.time(counts.guestNanos()));
    line("instructions", columns, counts -> Figures.number(counts.instructions()));
    List<String> kinds = kinds(columns);
    kinds.stream()
        .limit(MOST_KINDS)
        .forEach(kind -> line(kind, columns, counts -> rate(counts.byDevice().get(kind))));
    if (kinds.size() > MOST_KINDS) {
      line("... and " + (kinds.size() - MOST_KINDS) + " kinds more", columns, counts -> "");
    }
    line("page-table updates", columns, counts -> Figures.number(counts.pageTableUpdates()));
    line("TLB flushes", columns, counts -> Figures.number(counts.tlbFlushes()));
    line("interrupts", columns, counts -> Figures.number(counts.interrupts()));
    line("bytes copied", columns, counts -> Figures.bytes(counts.bytesCopied()));
    line(
        "memory beyond the guest's",
        columns,
        counts -> Figures.bytes((double) counts.overheadBytes()));
    html.close().close().closeLine();
    hypercalls(columns);
  }

  /** The heaviest under any technique first, then the most frequent. */
  private static List<String> kinds(List<Column> columns) {
    Map<String, PerOperation.Rate> most = new TreeMap<>();
    for (Column column : columns) {
      column
          .counts
          .byDevice()
          .forEach(
              (kind, rate) ->
                  most.merge(
                      kind,
                      rate,
                      (a, b) ->
                          new PerOperation.Rate(
                              Math.max(a.times(), b.times()), Math.max(a.nanos(), b.nanos()))));
    }
    return most.entrySet().stream()
        .sorted(
            Comparator.comparingDouble(
                    (Map.Entry<String, PerOperation.Rate> kind) -> -kind.getValue().nanos())
                .thenComparingDouble(kind -> -kind.getValue().times()))
        .map(Map.Entry::getKey)
        .toList();
  }

  private void hypercalls(List<Column> columns) {
    for (Column column : columns) {
      Map<String, Double> calls = column.counts.hypercalls();
      if (calls.isEmpty()) {
        continue;
      }
      List<String> texts = new ArrayList<>();
      calls.entrySet().stream()
          .sorted((a, b) -> Double.compare(b.getValue(), a.getValue()))
          .limit(MOST_KINDS)
          .forEach(call -> texts.add(call.getKey() + " " + Figures.number(call.getValue())));
      html.text(
          "p",
          "Hypercalls of an operation under "
              + column.technique.id
              + ", those in multicalls too: "
              + String.join(", ", texts)
              + ".",
          "class",
          "quiet");
    }
  }

  private static String rate(PerOperation.@Nullable Rate rate) {
    if (rate == null) {
      return "-";
    }
    return Figures.number(rate.times())
        + (rate.nanos() == 0 ? "" : " (" + Figures.time(rate.nanos()) + ")");
  }

  private void line(
      String name, List<Column> columns, java.util.function.Function<PerOperation, String> value) {
    html.open("tr").text("th", name, "scope", "row");
    columns.forEach(column -> html.text("td", value.apply(column.counts)));
    html.closeLine();
  }

  private void method() {
    html.open("section", "id", "method").text("h2", "How to read this");
    html.text(
        "p",
        "A median's interval is made of order statistics; with fewer than six repetitions even the"
            + " widest holds with less than 95 %. A ratio is the median of all ratios of one value"
            + " to another, with the interval that the Mann-Whitney test leaves; techniques differ"
            + " where it excludes 1 and holds with at least 90 %. Causes are named by the host's"
            + " time that the monitor spent on each, so they weigh what they cost here; what they"
            + " would cost on hardware is under \"On named hardware\".");
    html.closeLine();
  }

  private void scroll(String label) {
    html.open("div", "class", "scroll", "tabindex", "0", "role", "region", "aria-label", label);
  }
}
