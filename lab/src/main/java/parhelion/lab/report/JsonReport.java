package parhelion.lab.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.lab.cost.CostModel;
import parhelion.lab.cost.Modelled;
import parhelion.lab.report.Analysis.Entry;
import parhelion.lab.report.Analysis.Row;
import parhelion.lab.result.PerOperation;
import parhelion.lab.statistics.Ratio;
import parhelion.lab.statistics.Summary;

/**
 * What the report computes, for programs: the result's own file has what was measured. Measured and
 * modelled numbers are under names of their own.
 */
public final class JsonReport {
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private JsonReport() {}

  /** The text, ending in a line feed. */
  public static String of(Analysis analysis) {
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("format", "parhelion-report");
    root.put("formatVersion", 1);
    root.put("startedAt", analysis.comparison().startedAt());
    root.put("commit", analysis.comparison().commit());
    root.put("reference", analysis.reference() == null ? null : analysis.reference().id);
    root.put("overview", Overview.sentences(analysis));
    List<Map<String, Object>> rows = new ArrayList<>();
    analysis.rows().forEach(row -> rows.add(row(row)));
    root.put("workloads", rows);
    List<Map<String, Object>> models = new ArrayList<>();
    analysis.models().forEach(model -> models.add(model(model)));
    root.put("models", models);
    if (analysis.changes() != null) {
      root.put("changes", changes(analysis.changes()));
    }
    try {
      return JSON.writeValueAsString(root) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a report cannot be written as JSON", e);
    }
  }

  private static Map<String, Object> row(Row row) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("workload", row.info().id());
    map.put("unit", row.info().unit());
    map.put("higherIsBetter", row.info().higherIsBetter());
    List<Map<String, Object>> entries = new ArrayList<>();
    row.entries().values().forEach(entry -> entries.add(entry(entry)));
    map.put("techniques", entries);
    List<Map<String, Object>> findings = new ArrayList<>();
    for (Finding finding : row.findings()) {
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("technique", finding.technique().id);
      one.put("kind", finding.isModelled() ? "modelled" : "measured");
      one.put("text", finding.text());
      one.put("weights", finding.weights());
      findings.add(one);
    }
    map.put("findings", findings);
    return map;
  }

  private static Map<String, Object> entry(Entry entry) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("technique", entry.technique().id);
    if (entry.failure() != null) {
      map.put("failure", entry.failure());
    }
    Map<String, Object> measured = new LinkedHashMap<>();
    Summary value = entry.value();
    PerOperation counts = entry.counts();
    if (value != null && counts != null) {
      measured.put("value", value);
      measured.put("timesAsSlow", ratio(entry.slower()));
      measured.put("perOperation", counts);
      map.put("measured", measured);
    }
    List<Map<String, Object>> modelled = new ArrayList<>();
    entry.modelled().forEach(one -> modelled.add(modelled(one)));
    map.put("modelled", modelled);
    return map;
  }

  private static @Nullable Map<String, Object> ratio(@Nullable Ratio ratio) {
    if (ratio == null) {
      return null;
    }
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("estimate", ratio.estimate());
    map.put("low", ratio.low());
    map.put("high", ratio.high());
    map.put("confidence", ratio.confidence());
    map.put("significant", ratio.isSignificant());
    return map;
  }

  private static Map<String, Object> modelled(Modelled modelled) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("model", modelled.model().id());
    map.put("bareNanos", modelled.bareNanos());
    map.put("totalNanos", modelled.totalNanos());
    map.put("timesBare", modelled.timesBare());
    map.put("parts", modelled.parts());
    map.put("unpriced", modelled.unpriced());
    map.put("pageTableUpdatesOfPara", modelled.borrowedUpdates());
    return map;
  }

  private static Map<String, Object> model(CostModel model) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("id", model.id());
    map.put("title", model.title());
    map.put("year", model.year());
    map.put("hardware", model.hardware());
    map.put("about", model.about());
    map.put("nanosPerInstruction", model.nanosPerInstruction());
    map.put("instructionSource", model.instructionSource());
    List<Map<String, Object>> prices = new ArrayList<>();
    model
        .prices()
        .forEach(
            price -> {
              Map<String, Object> one = new LinkedHashMap<>();
              one.put("event", price.event());
              one.put("nanos", price.nanos());
              one.put("nativeNanos", price.nativeNanos());
              one.put("source", price.source());
              prices.add(one);
            });
    map.put("prices", prices);
    return map;
  }

  private static Map<String, Object> changes(Changes changes) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("baseline", changes.baseline().startedAt());
    map.put("conditions", changes.conditions());
    List<Map<String, Object>> list = new ArrayList<>();
    for (Changes.Change change : changes.changes()) {
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("workload", change.info().id());
      one.put("technique", change.technique().id);
      one.put("before", change.before());
      one.put("after", change.after());
      one.put("timesAsSlow", ratio(change.slower()));
      one.put("verdict", change.verdict());
      one.put("counts", change.counts());
      list.add(one);
    }
    map.put("cells", list);
    map.put("missing", changes.missing());
    return map;
  }
}
