package parhelion.lab.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.lab.cost.CostModel;
import parhelion.lab.cost.Modelled;
import parhelion.lab.report.Analysis.Entry;
import parhelion.lab.report.Analysis.Row;
import parhelion.lab.result.Comparison;
import parhelion.lab.result.Technique;
import parhelion.lab.statistics.Ratio;
import parhelion.lab.statistics.Summary;

/**
 * The report for a terminal: tables of measured medians and of modelled factors, then the words.
 * Lines are as long as asked for; colours only say what a sign says as well.
 */
public final class TerminalReport {
  private static final int LEAST_WIDTH = 80;
  private static final int MOST_WIDTH = 130;
  private static final int NAME = 22;
  private static final int UNIT = 5;
  private static final int CELL = 14;

  private final Analysis analysis;
  private final int width;
  private final boolean colours;
  private final StringBuilder out = new StringBuilder();

  private TerminalReport(Analysis analysis, int width, boolean colours) {
    this.analysis = analysis;
    this.width = Math.clamp(width, LEAST_WIDTH, MOST_WIDTH);
    this.colours = colours;
  }

  /**
   * The text, ending in a line feed.
   *
   * @param width columns to fill, taken as 80 to 130
   */
  public static String of(Analysis analysis, int width, boolean colours) {
    return new TerminalReport(analysis, width, colours).text();
  }

  private String text() {
    Comparison c = analysis.comparison();
    wrap("", "Kernel " + c.kernel().version() + " on " + c.host().cpu() + ", " + c.startedAt());
    wrap(
        "",
        c.engine()
            + ", "
            + c.memoryMib()
            + " MiB, "
            + c.vcpus()
            + (c.vcpus() == 1 ? " processor, " : " processors, ")
            + c.repetitions()
            + (c.repetitions() == 1 ? " repetition after " : " repetitions after ")
            + c.warmUps()
            + " to warm up, "
            + c.clock()
            + " clock");
    measured();
    modelled();
    words();
    if (analysis.changes() != null) {
      changes(analysis.changes());
    }
    return out.toString();
  }

  // --- tables ---

  private void measured() {
    heading("Measured: medians, and how many times as slow as " + analysis.referenceName());
    List<Technique> all = analysis.techniques();
    int perTable = (width - NAME - UNIT - 1) / (CELL + 1);
    // Tables of about the same width: six techniques are three and three, not five and one.
    int tables = Math.max(1, (all.size() + perTable - 1) / perTable);
    int columns = Math.max(1, (all.size() + tables - 1) / tables);
    for (int from = 0; from < all.size(); from += columns) {
      measured(all.subList(from, Math.min(all.size(), from + columns)));
      line("");
    }
    wrap("", "* slower or + faster, as far as the intervals of the ratios say; - has no samples.");
  }

  private void measured(List<Technique> techniques) {
    StringBuilder head = new StringBuilder(pad("", NAME)).append(' ').append(pad("", UNIT));
    for (Technique technique : techniques) {
      head.append(' ').append(left(technique.id, CELL));
    }
    line(head.toString());
    String group = "";
    for (Row row : analysis.rows()) {
      if (!row.info().group().equals(group)) {
        group = row.info().group();
        line(Figures.printable(group));
      }
      StringBuilder text =
          new StringBuilder(pad("  " + row.info().id(), NAME))
              .append(' ')
              .append(pad(row.info().unit(), UNIT));
      for (Technique technique : techniques) {
        text.append(' ').append(cell(row.entries().get(technique)));
      }
      line(text.toString());
    }
  }

  private String cell(@Nullable Entry entry) {
    Summary value = entry == null ? null : entry.value();
    if (entry == null || value == null) {
      return left("-", CELL);
    }
    String text = Figures.number(value.median());
    Ratio slower = entry.slower();
    if (slower == null) {
      return left(text + "       ", CELL);
    }
    String sign = !slower.isSignificant() ? " " : slower.estimate() > 1 ? "*" : "+";
    String ratio = " x" + Figures.number(slower.estimate()) + sign;
    String padded = left(text + pad(ratio, Math.max(7, ratio.length())), CELL);
    if (!colours || sign.equals(" ")) {
      return padded;
    }
    return (sign.equals("*") ? "\u001b[31m" : "\u001b[32m") + padded + "\u001b[0m";
  }

  private record Column(CostModel model, Technique technique) {}

  private void modelled() {
    Map<String, Column> columns = new LinkedHashMap<>();
    for (CostModel model : analysis.models()) {
      for (Technique technique : model.techniques()) {
        boolean has = analysis.rows().stream().anyMatch(row -> find(row, model, technique) != null);
        if (has) {
          columns.put(model.id() + " " + technique.id, new Column(model, technique));
        }
      }
    }
    if (columns.isEmpty()) {
      return;
    }
    heading("Modelled, not measured: how many times the bare machine's time");
    List<Column> list = new ArrayList<>(columns.values());
    int perTable = Math.max(1, (width - NAME) / 12);
    for (int from = 0; from < list.size(); from += perTable) {
      List<Column> some = list.subList(from, Math.min(list.size(), from + perTable));
      StringBuilder names = new StringBuilder(pad("", NAME));
      StringBuilder techniques = new StringBuilder(pad("", NAME));
      some.forEach(
          column -> {
            names.append(' ').append(left(shorten(column.model.id()), 11));
            techniques.append(' ').append(left(column.technique.id, 11));
          });
      line(names.toString());
      line(techniques.toString());
      for (Row row : analysis.rows()) {
        StringBuilder text = new StringBuilder(pad("  " + row.info().id(), NAME));
        for (Column column : some) {
          Modelled modelled = find(row, column.model, column.technique);
          text.append(' ')
              .append(left(modelled == null ? "-" : Figures.number(modelled.timesBare()), 11));
        }
        line(text.toString());
      }
      line("");
    }
  }

  private static String shorten(String id) {
    return id.length() <= 11 ? id : id.replace("translation", "transl");
  }

  private static @Nullable Modelled find(Row row, CostModel model, Technique technique) {
    Entry entry = row.entries().get(technique);
    if (entry == null) {
      return null;
    }
    for (Modelled modelled : entry.modelled()) {
      if (modelled.model().id().equals(model.id())) {
        return modelled;
      }
    }
    return null;
  }

  // --- words ---

  private void words() {
    heading("In words");
    Overview.sentences(analysis).forEach(sentence -> wrap("", sentence));
    for (Row row : analysis.rows()) {
      List<Finding> measured = row.findings().stream().filter(f -> !f.isModelled()).toList();
      List<Entry> without =
          row.entries().values().stream().filter(entry -> entry.failure() != null).toList();
      if (measured.isEmpty() && without.isEmpty()) {
        continue;
      }
      line("");
      line(Figures.printable(row.info().id() + ": " + row.info().title()));
      measured.forEach(finding -> wrap("  ", finding.text()));
      without.forEach(entry -> wrap("  ", entry.missing()));
    }
  }

  private void changes(Changes changes) {
    heading("Changed since " + changes.baseline().startedAt());
    changes.conditions().forEach(condition -> wrap("", "Not the same: " + condition));
    for (Changes.Change change : changes.changes()) {
      Ratio slower = change.slower();
      String text =
          pad("  " + change.info().id(), NAME)
              + " "
              + pad(change.technique().id, 11)
              + " "
              + left(Figures.number(change.before().median()), 9)
              + " -> "
              + left(Figures.number(change.after().median()), 9)
              + " "
              + pad(change.info().unit(), UNIT)
              + " "
              + pad(change.verdict(), 7)
              + (slower == null ? "" : " x" + Figures.number(slower.estimate()));
      line(text);
      List<String> more = new ArrayList<>();
      if (slower != null) {
        more.add(
            "interval %s to %s"
                .formatted(Figures.number(slower.low()), Figures.number(slower.high())));
      }
      more.addAll(change.counts());
      wrap("      ", String.join("; ", more));
    }
    changes.missing().forEach(missing -> wrap("  ", missing));
  }

  // --- lines ---

  private void heading(String text) {
    line("");
    line(colours ? "\u001b[1m" + text + "\u001b[0m" : text);
  }

  private void line(String text) {
    out.append(text.stripTrailing()).append('\n');
  }

  private void wrap(String indent, String text) {
    StringBuilder line = new StringBuilder(indent);
    boolean empty = true;
    for (String word : Figures.printable(text).split(" ", -1)) {
      if (!empty && line.length() + 1 + word.length() > width) {
        line(line.toString());
        line.setLength(0);
        line.append(indent).append("  ");
        empty = true;
      }
      if (!empty) {
        line.append(' ');
      }
      line.append(word);
      empty = false;
    }
    line(line.toString());
  }

  /** Cut or filled on the right. */
  private static String pad(String text, int width) {
    String clean = Figures.printable(text);
    return clean.length() > width
        ? clean.substring(0, width - 1) + "~"
        : clean + " ".repeat(width - clean.length());
  }

  /** Filled on the left. */
  private static String left(String text, int width) {
    String clean = Figures.printable(text);
    return clean.length() > width
        ? clean.substring(0, width - 1) + "~"
        : " ".repeat(width - clean.length()) + clean;
  }
}
