package parhelion.lab.report;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import parhelion.lab.cost.CostModel;
import parhelion.lab.cost.Modelled;
import parhelion.lab.report.Analysis.Entry;
import parhelion.lab.report.Analysis.Row;
import parhelion.lab.result.PerOperation;
import parhelion.lab.result.Technique;
import parhelion.lab.statistics.Ratio;

/**
 * The pictures of the page, as SVG within it. Each has a text that says what it shows, and a table
 * with its numbers stands near it; techniques differ by shape as well as by colour.
 */
final class Charts {
  private static final int WIDTH = 940;
  private static final int LABELS = 210;
  private static final int RIGHT = 30;
  private static final int STEP = 24;
  private static final int MOST_CAUSES = 5;
  private static final double[] TICKS = {
    0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000
  };

  private final Html html;

  Charts(Html html) {
    this.html = html;
  }

  /** A logarithmic axis that has 1 on it. */
  private record Axis(double least, double most) {
    static Axis of(List<Double> values) {
      double least = 0.8;
      double most = 1.25;
      for (double value : values) {
        if (value > 0 && Double.isFinite(value)) {
          least = Math.min(least, value / 1.1);
          most = Math.max(most, value * 1.1);
        }
      }
      return new Axis(least, most);
    }

    double x(double value) {
      double share = Math.log(Math.clamp(value, least, most) / least) / Math.log(most / least);
      return LABELS + share * (WIDTH - LABELS - RIGHT);
    }
  }

  // --- measured against para ---

  /** Every workload's factor by technique, with its interval. Nothing if there are none. */
  void ratios(Analysis analysis) {
    List<Row> rows =
        analysis.rows().stream()
            .filter(row -> row.entries().values().stream().anyMatch(e -> e.slower() != null))
            .toList();
    if (rows.isEmpty()) {
      return;
    }
    List<Double> values = new ArrayList<>();
    Set<Technique> shown = new LinkedHashSet<>();
    Set<String> groups = new LinkedHashSet<>();
    for (Row row : rows) {
      groups.add(row.info().group());
      for (Entry entry : row.entries().values()) {
        Ratio slower = entry.slower();
        if (slower != null) {
          shown.add(entry.technique());
          values.addAll(List.of(slower.low(), slower.high()));
        }
      }
    }
    Axis axis = Axis.of(values);
    int height = 58 + STEP * (rows.size() + groups.size());
    html.open("figure");
    html.text(
        "figcaption",
        ("How many times as slow as %s: right of the broken line is slower than it, left of it"
                + " faster. Points are estimates, lines their intervals.")
            .formatted(analysis.referenceName()));
    begin(
        height,
        "How many times as slow as " + analysis.referenceName(),
        "A point for each workload and technique with the interval of its ratio, on a logarithmic"
            + " axis; the table below has the numbers.");
    legend(shown);
    ticks(axis, 40, height - 8);
    int y = 58;
    String group = "";
    for (Row row : rows) {
      if (!row.info().group().equals(group)) {
        group = row.info().group();
        label(0, y + 4, group, "group");
        y += STEP;
      }
      label(14, y + 4, row.info().title(), "");
      html.empty(
          "line", "class", "axis", "x1", LABELS, "x2", WIDTH - RIGHT, "y1", y + 12, "y2", y + 12);
      for (Entry entry : row.entries().values()) {
        if (entry.slower() != null) {
          int place = List.copyOf(shown).indexOf(entry.technique());
          double apart = (place - (shown.size() - 1) / 2.0) * 4;
          point(axis, entry.technique(), entry.slower(), y + apart);
        }
      }
      y += STEP;
    }
    html.closeLine();
    html.closeLine();
  }

  private void point(Axis axis, Technique technique, Ratio slower, double at) {
    int place = technique.ordinal();
    html.open("g", "class", "t" + place);
    html.text(
        "title",
        "%s: %s times as slow, %s to %s"
            .formatted(
                technique.title,
                Figures.number(slower.estimate()),
                Figures.number(slower.low()),
                Figures.number(slower.high())));
    html.empty(
        "line",
        "x1",
        coordinate(axis.x(slower.low())),
        "x2",
        coordinate(axis.x(slower.high())),
        "y1",
        coordinate(at),
        "y2",
        coordinate(at),
        "stroke-width",
        2);
    shape(place, axis.x(slower.estimate()), at);
    html.closeLine();
  }

  /** A circle, square, triangle, diamond ... */
  private void shape(int place, double x, double y) {
    switch (place) {
      case 0 -> html.empty("circle", "cx", coordinate(x), "cy", coordinate(y), "r", 5);
      case 1 -> polygon(x, y, -5, 4, 5, 4, 0, -5);
      case 2 ->
          html.empty(
              "rect", "x", coordinate(x - 4.5), "y", coordinate(y - 4.5), "width", 9, "height", 9);
      case 3 -> polygon(x, y, 0, -6, 6, 0, 0, 6, -6, 0);
      case 4 -> polygon(x, y, -5, -4, 5, -4, 0, 5);
      default ->
          html.empty(
              "rect", "x", coordinate(x - 2), "y", coordinate(y - 6), "width", 4, "height", 12);
    }
  }

  private void polygon(double x, double y, int... corners) {
    StringBuilder points = new StringBuilder();
    for (int i = 0; i < corners.length; i += 2) {
      points
          .append(coordinate(x + corners[i]))
          .append(',')
          .append(coordinate(y + corners[i + 1]))
          .append(' ');
    }
    html.empty("polygon", "points", points.toString().strip());
  }

  private void legend(Set<Technique> techniques) {
    double x = LABELS;
    for (Technique technique : techniques) {
      html.open("g", "class", "t" + technique.ordinal());
      shape(technique.ordinal(), x + 6, 14);
      html.close();
      label(x + 18, 18, technique.id, "");
      x += 44 + 7.4 * technique.id.length();
    }
  }

  private void ticks(Axis axis, int top, int bottom) {
    for (double tick : TICKS) {
      if (tick < axis.least || tick > axis.most) {
        continue;
      }
      double x = axis.x(tick);
      html.empty(
          "line",
          "class",
          tick == 1 ? "one" : "axis",
          "x1",
          coordinate(x),
          "x2",
          coordinate(x),
          "y1",
          top,
          "y2",
          bottom);
      html.text(
          "text",
          (tick >= 1 ? String.format(Locale.ROOT, "%.0f", tick) : String.valueOf(tick)) + "x",
          "x",
          coordinate(x),
          "y",
          top - 2,
          "text-anchor",
          "middle",
          "class",
          "quiet");
    }
  }

  // --- where an operation's host time goes ---

  /** A bar for each technique, split by causes. */
  void causes(Row row) {
    List<String> causes = heaviest(row);
    List<Entry> entries =
        row.entries().values().stream().filter(entry -> entry.counts() != null).toList();
    double most =
        entries.stream()
            .map(Entry::counts)
            .mapToDouble(counts -> counts == null ? 0 : counts.wallNanos())
            .max()
            .orElse(0);
    if (most <= 0 || causes.isEmpty()) {
      return;
    }
    int height = 8 + 26 * entries.size() + 20 * ((causes.size() + 3) / 2);
    html.open("figure");
    begin(
        height,
        "Host time of an operation of " + row.info().id() + " by cause",
        "A bar for each technique; the table beside it has the numbers.");
    int y = 4;
    for (Entry entry : entries) {
      PerOperation counts = entry.counts();
      if (counts != null) {
        bar(entry.technique(), counts, causes, most, y);
        y += 26;
      }
    }
    y += 14;
    key(0, y, 0, "outside of interceptions");
    for (int i = 0; i < causes.size(); i++) {
      key((i + 1) % 2 * 450, y + (i + 1) / 2 * 20, i + 1, causes.get(i));
    }
    key(
        (causes.size() + 1) % 2 * 450,
        y + (causes.size() + 1) / 2 * 20,
        MOST_CAUSES + 1,
        "other interceptions");
    html.closeLine();
    html.closeLine();
  }

  private void key(int x, int y, int colour, String text) {
    html.empty("rect", "class", "c" + colour, "x", x, "y", y - 10, "width", 12, "height", 12);
    label(x + 18, y, text, "quiet");
  }

  private void bar(
      Technique technique, PerOperation counts, List<String> causes, double most, int y) {
    label(0, y + 14, technique.title, "");
    double scale = (WIDTH - LABELS - 100) / most;
    Map<String, PerOperation.Rate> rates = counts.byDevice();
    double intercepted = rates.values().stream().mapToDouble(PerOperation.Rate::nanos).sum();
    // Interceptions of several processors together can be longer than the wall's time.
    double fit = intercepted > counts.wallNanos() ? counts.wallNanos() / intercepted : 1;
    double x = LABELS;
    x = segment(x, y, Math.max(0, counts.wallNanos() - intercepted) * scale, 0);
    double named = 0;
    for (int i = 0; i < causes.size(); i++) {
      PerOperation.Rate rate = rates.get(causes.get(i));
      if (rate != null) {
        named += rate.nanos();
        x = segment(x, y, rate.nanos() * fit * scale, i + 1);
      }
    }
    x = segment(x, y, Math.max(0, intercepted - named) * fit * scale, MOST_CAUSES + 1);
    label(x + 6, y + 14, Figures.time(counts.wallNanos()), "quiet");
  }

  private double segment(double x, int y, double width, int colour) {
    if (width > 0.05) {
      html.empty(
          "rect",
          "class",
          "c" + colour,
          "x",
          coordinate(x),
          "y",
          y,
          "width",
          coordinate(width),
          "height",
          20);
    }
    return x + width;
  }

  /** The causes with most host time under any technique. */
  static List<String> heaviest(Row row) {
    Map<String, Double> nanos = new java.util.TreeMap<>();
    for (Entry entry : row.entries().values()) {
      if (entry.counts() != null) {
        entry
            .counts()
            .byDevice()
            .forEach((cause, rate) -> nanos.merge(cause, rate.nanos(), Math::max));
      }
    }
    return nanos.entrySet().stream()
        .filter(entry -> entry.getValue() > 0)
        .sorted((a, b) -> Double.compare(b.getValue(), a.getValue()))
        .limit(MOST_CAUSES)
        .map(Map.Entry::getKey)
        .toList();
  }

  // --- modelled ---

  /** The geometric mean of all workloads for each model and technique. */
  void models(Analysis analysis) {
    record Bar(CostModel model, Technique technique, double mean) {}
    List<Bar> bars = new ArrayList<>();
    for (CostModel model : analysis.models()) {
      for (Technique technique : model.techniques()) {
        List<Modelled> all = HtmlModels.of(analysis, model, technique);
        if (!all.isEmpty()) {
          double log =
              all.stream().mapToDouble(one -> Math.log(one.timesBare())).average().orElse(0);
          bars.add(new Bar(model, technique, Math.exp(log)));
        }
      }
    }
    if (bars.isEmpty()) {
      return;
    }
    Axis axis = Axis.of(bars.stream().map(bar -> 1.2 * bar.mean).toList());
    int height = 34 + STEP * bars.size();
    html.open("figure");
    begin(
        height,
        "Modelled: times the bare machine's time, geometric mean of all workloads",
        "A bar for each cost model and technique on a logarithmic axis; the table below has each"
            + " workload's number.");
    ticks(axis, 16, height - 8);
    int y = 20;
    for (Bar bar : bars) {
      label(0, y + 13, bar.model.id() + ", " + bar.technique.id, "");
      double from = axis.x(Math.min(1, bar.mean));
      double to = axis.x(Math.max(1, bar.mean));
      html.empty(
          "rect",
          "class",
          "m",
          "x",
          coordinate(from),
          "y",
          y,
          "width",
          coordinate(Math.max(1, to - from)),
          "height",
          16);
      html.text(
          "text", Figures.number(bar.mean), "x", coordinate(to + 6), "y", y + 13, "class", "quiet");
      y += STEP;
    }
    html.closeLine();
    html.closeLine();
  }

  // --- parts ---

  private void begin(int height, String title, String description) {
    html.open(
        "svg",
        "viewBox",
        "0 0 " + WIDTH + " " + height,
        "role",
        "img",
        "aria-label",
        title + ". " + description);
    html.text("title", title);
    html.text("desc", description);
  }

  private void label(double x, double y, String text, String kind) {
    String shown = text.length() <= 60 ? text : text.substring(0, 57) + "...";
    if (kind.isEmpty() && x < LABELS) {
      shown = text.length() <= 31 ? text : text.substring(0, 29) + "...";
    }
    html.text("text", shown, "x", coordinate(x), "y", coordinate(y), "class", kind);
  }

  private static String coordinate(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }
}
