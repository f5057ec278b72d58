package parhelion.lab.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import parhelion.lab.result.Cell;
import parhelion.lab.result.Comparison;
import parhelion.lab.result.PerOperation;
import parhelion.lab.result.Technique;
import parhelion.lab.result.WorkloadInfo;
import parhelion.lab.statistics.Ratio;
import parhelion.lab.statistics.Summary;

/**
 * What is different between two comparisons.
 *
 * @param baseline the earlier one
 * @param conditions what the two were run with that is not the same, as sentences: a difference of
 *     numbers may be theirs
 * @param changes of cells that both have samples of
 * @param missing cells that only one of the two has samples of, as phrases
 */
public record Changes(
    Comparison baseline, List<String> conditions, List<Change> changes, List<String> missing) {
  /** Counts by operation are the same if they differ by less. */
  private static final double SAME = 0.05;

  /** Rarer things come and go. */
  private static final double RARE = 0.1;

  private static final int MOST_COUNTS = 4;

  /**
   * A cell then and now.
   *
   * @param slower how many times as slow as then; null where a value is 0
   * @param counts what happens more or less often by operation, as phrases
   */
  public record Change(
      WorkloadInfo info,
      Technique technique,
      Summary before,
      Summary after,
      @Nullable Ratio slower,
      List<String> counts) {
    /** Whether the values differ, as far as the intervals say. */
    public boolean isSignificant() {
      return slower != null && slower.isSignificant();
    }

    /** "slower", "faster" or "same". */
    public String verdict() {
      if (slower == null || !slower.isSignificant()) {
        return slower != null && slower.confidence() < Ratio.LEAST_CONFIDENCE ? "too few" : "same";
      }
      return slower.estimate() > 1 ? "slower" : "faster";
    }
  }

  static Changes of(Comparison before, Comparison after) {
    List<Change> changes = new ArrayList<>();
    List<String> missing = new ArrayList<>();
    for (Cell now : after.cells()) {
      Cell then = before.cell(now.technique(), now.workload());
      boolean had = then != null && !then.samples().isEmpty();
      boolean has = !now.samples().isEmpty();
      WorkloadInfo info = info(after, now.workload());
      WorkloadInfo old = had ? info(before, now.workload()) : info;
      if (had && has && !old.unit().equals(info.unit())) {
        missing.add(place(now) + " was measured in " + old.unit() + " then");
      } else if (had && has && then != null) {
        changes.add(
            new Change(
                info,
                now.technique(),
                Summary.of(Analysis.values(then)),
                Summary.of(Analysis.values(now)),
                Analysis.slower(info, now, then),
                counts(PerOperation.of(then.samples()), PerOperation.of(now.samples()))));
      } else if (had) {
        missing.add(place(now) + " has no samples now");
      } else if (has) {
        missing.add(place(now) + " had no samples then");
      }
    }
    for (Cell then : before.cells()) {
      if (!then.samples().isEmpty() && after.cell(then.technique(), then.workload()) == null) {
        missing.add(place(then) + " was not run now");
      }
    }
    return new Changes(before, conditions(before, after), List.copyOf(changes), missing);
  }

  private static String place(Cell cell) {
    return cell.workload() + " under " + cell.technique().id;
  }

  private static WorkloadInfo info(Comparison comparison, String id) {
    return comparison.workloads().stream()
        .filter(info -> info.id().equals(id))
        .findFirst()
        .orElseThrow();
  }

  private static List<String> conditions(Comparison before, Comparison after) {
    List<String> all = new ArrayList<>();
    differ(all, "the host's processor", before.host().cpu(), after.host().cpu());
    differ(all, "processors", before.host().processors(), after.host().processors());
    differ(all, "the JDK", before.host().jdk(), after.host().jdk());
    differ(all, "the kernel", before.kernel().version(), after.kernel().version());
    if (before.kernel().version().equals(after.kernel().version())) {
      differ(
          all,
          "the kernel's file",
          before.kernel().sha256().substring(0, 12),
          after.kernel().sha256().substring(0, 12));
    }
    differ(all, "guests' memory in MiB", before.memoryMib(), after.memoryMib());
    differ(all, "guests' processors", before.vcpus(), after.vcpus());
    differ(all, "the engine", before.engine(), after.engine());
    differ(all, "the clock", before.clock(), after.clock());
    differ(all, "the seed", before.seed(), after.seed());
    differ(all, "Parhelion's commit", before.commit(), after.commit());
    return all;
  }

  private static void differ(List<String> all, String what, Object before, Object after) {
    if (!Objects.equals(before, after)) {
      all.add(what + ": " + before + " then, " + after + " now");
    }
  }

  /** The counts that changed most, each as a phrase. */
  private static List<String> counts(PerOperation before, PerOperation after) {
    Map<String, double[]> all = new TreeMap<>();
    before.byDevice().forEach((key, rate) -> put(all, key, 0, rate.times()));
    after.byDevice().forEach((key, rate) -> put(all, key, 1, rate.times()));
    put(all, "instructions", 0, before.instructions());
    put(all, "instructions", 1, after.instructions());
    put(all, "page-table updates", 0, before.pageTableUpdates());
    put(all, "page-table updates", 1, after.pageTableUpdates());
    return all.entrySet().stream()
        .filter(entry -> Math.abs(factor(entry.getValue())) > Math.log(1 + SAME))
        .filter(entry -> Math.max(entry.getValue()[0], entry.getValue()[1]) >= RARE)
        .sorted(
            (a, b) ->
                Double.compare(Math.abs(factor(b.getValue())), Math.abs(factor(a.getValue()))))
        .limit(MOST_COUNTS)
        .map(
            entry ->
                entry.getKey()
                    + " "
                    + Figures.number(entry.getValue()[0])
                    + " to "
                    + Figures.number(entry.getValue()[1]))
        .toList();
  }

  private static void put(Map<String, double[]> all, String key, int place, double times) {
    all.computeIfAbsent(key, k -> new double[2])[place] = times;
  }

  private static double factor(double[] pair) {
    return pair[0] == pair[1] ? 0 : Math.log((pair[1] + 1e-9) / (pair[0] + 1e-9));
  }
}
