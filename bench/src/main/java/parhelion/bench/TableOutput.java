package parhelion.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A table as text and as JSON. */
final class TableOutput {
  private static final String NOTHING = "-";

  private TableOutput() {}

  /** For people. */
  static String text(Map<String, String> head, List<Row> rows, Samples samples) {
    StringBuilder out = new StringBuilder();
    head.forEach((name, value) -> out.append(String.format("%-9s%s%n", name, value)));
    out.append(String.format("%n%-22s", "median"));
    for (Side side : Side.values()) {
      out.append(String.format("%11s", side.title));
    }
    out.append(String.format("%9s%9s  %-36s%s%n", "/QEMU", "/native", "target", "met"));
    for (Row row : rows) {
      out.append(String.format("%-22s", row.group() + ": " + row.name() + ", " + row.unit()));
      for (Side side : Side.values()) {
        out.append(String.format("%11s", value(row, side, samples)));
      }
      out.append(String.format("%9s", ratio(samples.ratio(row, Side.QEMU))));
      out.append(String.format("%9s", ratio(samples.ratio(row, Side.NATIVE))));
      out.append(String.format("  %-36s%s%n", target(row, samples), met(row, samples)));
    }
    means(rows, samples)
        .forEach(
            (group, mean) ->
                out.append(
                    String.format(
                        "%-55s%9s%9s%n",
                        group + ": geometric mean", ratio(mean[0]), ratio(mean[1]))));
    return out.toString();
  }

  /** For programs: the same, and every single value. */
  static String json(
      Map<String, String> head, TableOptions options, List<Row> rows, Samples samples) {
    Map<String, Object> json = new LinkedHashMap<>(head);
    json.put("runs", options.runs());
    json.put("scale", Double.valueOf(options.scale()));
    List<Map<String, Object>> lines = new ArrayList<>();
    for (Row row : rows) {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("group", row.group());
      line.put("name", row.name());
      line.put("unit", row.unit());
      for (Side side : Side.values()) {
        Map<String, Object> cell = new LinkedHashMap<>();
        cell.put("median", orNull(samples.median(row, side)));
        cell.put("samples", samples.of(row, side));
        cell.put("failed", samples.hasFailed(row, side));
        line.put(side.name().toLowerCase(Locale.ROOT), cell);
      }
      line.put("ratioToQemu", orNull(samples.ratio(row, Side.QEMU)));
      line.put("ratioToNative", orNull(samples.ratio(row, Side.NATIVE)));
      line.put("ratioToFirst", orNull(samples.ratioToFirst(row)));
      line.put("mostOfQemu", orNull(row.target().qemu()));
      line.put("mostOfNative", orNull(row.target().host()));
      line.put("met", metOrNull(row, samples));
      lines.add(line);
    }
    json.put("rows", lines);
    List<Map<String, Object>> meanLines = new ArrayList<>();
    means(rows, samples)
        .forEach(
            (group, mean) -> {
              Map<String, Object> line = new LinkedHashMap<>();
              line.put("group", group);
              line.put("ratioToQemu", orNull(mean[0]));
              line.put("ratioToNative", orNull(mean[1]));
              meanLines.add(line);
            });
    json.put("geometricMeans", meanLines);
    try {
      return new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Of the programs' groups that have Parhelion's values: the ratios to QEMU and to the host. */
  private static Map<String, double[]> means(List<Row> rows, Samples samples) {
    Map<String, List<Row>> groups = new LinkedHashMap<>();
    for (Row row : rows) {
      if (!Row.FIXED.contains(row) && !Double.isNaN(samples.median(row, Side.PARHELION))) {
        groups.computeIfAbsent(row.group(), group -> new ArrayList<>()).add(row);
      }
    }
    Map<String, double[]> means = new LinkedHashMap<>();
    groups.forEach(
        (group, members) ->
            means.put(
                group,
                new double[] {
                  mean(members, samples, Side.QEMU), mean(members, samples, Side.NATIVE)
                }));
    return means;
  }

  private static double mean(List<Row> rows, Samples samples, Side other) {
    double logs = 0;
    for (Row row : rows) {
      logs += Math.log(samples.ratio(row, other));
    }
    return Math.exp(logs / rows.size());
  }

  private static String value(Row row, Side side, Samples samples) {
    if (samples.hasFailed(row, side)) {
      return "failed";
    }
    double median = samples.median(row, side);
    if (Double.isNaN(median)) {
      return NOTHING;
    }
    return String.format(row.unit().equals("s") ? "%.3f" : "%.0f", median);
  }

  private static String ratio(double ratio) {
    return Double.isNaN(ratio) ? NOTHING : String.format("%.2f", ratio);
  }

  private static String target(Row row, Samples samples) {
    List<String> parts = new ArrayList<>();
    Row.Target target = row.target();
    if (!Double.isNaN(target.qemu())) {
      parts.add(String.format("<= %.3g QEMU", target.qemu()));
    }
    if (!Double.isNaN(target.host())) {
      parts.add(String.format("<= %.3g native", target.host()));
    }
    if (!Double.isNaN(samples.ratioToFirst(row))) {
      parts.add(String.format("is %.2f of first", samples.ratioToFirst(row)));
    }
    return String.join(", ", parts);
  }

  private static String met(Row row, Samples samples) {
    Boolean met = metOrNull(row, samples);
    return met == null ? NOTHING : met ? "yes" : "no";
  }

  /** Null where there is no target, or no value to compare with it. */
  private static @Nullable Boolean metOrNull(Row row, Samples samples) {
    double[][] pairs = {
      {row.target().qemu(), samples.ratio(row, Side.QEMU)},
      {row.target().host(), samples.ratio(row, Side.NATIVE)}
    };
    Boolean met = null;
    for (double[] pair : pairs) {
      if (Double.isNaN(pair[0])) {
        continue;
      }
      if (Double.isNaN(pair[1])) {
        return null;
      }
      met = (met == null || met) && pair[1] <= pair[0];
    }
    return met;
  }

  private static @Nullable Double orNull(double value) {
    return Double.isNaN(value) ? null : value;
  }
}
