package parhelion.lab.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import parhelion.lab.report.Analysis.Entry;
import parhelion.lab.report.Analysis.Row;
import parhelion.lab.result.Technique;
import parhelion.lab.statistics.Ratio;

/** What all workloads together say, in a few sentences. */
final class Overview {
  private record Measured(Row row, double slower) {}

  private Overview() {}

  /** One sentence or two for each technique, then one for the causes. */
  static List<String> sentences(Analysis analysis) {
    List<String> sentences = new ArrayList<>();
    for (Technique technique : analysis.techniques()) {
      List<Measured> all = new ArrayList<>();
      int slower = 0;
      int faster = 0;
      int tooFew = 0;
      for (Row row : analysis.rows()) {
        Entry entry = row.entries().get(technique);
        if (entry == null || entry.slower() == null) {
          continue;
        }
        all.add(new Measured(row, entry.slower().estimate()));
        tooFew += entry.slower().confidence() < Ratio.LEAST_CONFIDENCE ? 1 : 0;
        if (entry.slower().isSignificant()) {
          slower += entry.slower().estimate() > 1 ? 1 : 0;
          faster += entry.slower().estimate() < 1 ? 1 : 0;
        }
      }
      if (!all.isEmpty()) {
        sentences.add(
            sentence(technique, all, verdict(analysis, all.size(), slower, faster, tooFew)));
      }
    }
    causes(analysis, sentences);
    long failed =
        analysis.rows().stream()
            .flatMap(row -> row.entries().values().stream())
            .filter(entry -> entry.value() == null)
            .count();
    if (failed > 0) {
      sentences.add(
          failed == 1
              ? "One cell has no samples; its workload says why."
              : failed + " cells have no samples; their workloads say why.");
    }
    return sentences;
  }

  private static String verdict(Analysis analysis, int all, int slower, int faster, int tooFew) {
    if (tooFew == all) {
      return "too few repetitions to tell differences from chance";
    }
    if (all == 1) {
      return slower == 1 || faster == 1
          ? (slower == 1 ? "slower than " : "faster than ") + analysis.referenceName()
          : "no difference to " + analysis.referenceName() + " shown";
    }
    String text =
        "slower than %s in %d of %d workloads, faster in %d, no difference shown in %d"
            .formatted(
                analysis.referenceName(), slower, all, faster, all - slower - faster - tooFew);
    return tooFew == 0 ? text : text + ", too few repetitions in " + tooFew;
  }

  private static String sentence(Technique technique, List<Measured> all, String verdict) {
    double mean =
        Math.exp(all.stream().mapToDouble(one -> Math.log(one.slower)).average().orElse(0));
    Comparator<Measured> order = Comparator.comparingDouble(Measured::slower);
    Measured most = all.stream().max(order).orElseThrow();
    Measured least = all.stream().min(order).orElseThrow();
    String text = "%s: %s; %s".formatted(technique.id, verdict, factor(mean));
    return all.size() == 1
        ? text + "."
        : text
            + " in the geometric mean (from %s in %s to %s in %s)."
                .formatted(
                    factor(least.slower),
                    least.row.info().id(),
                    factor(most.slower),
                    most.row.info().id());
  }

  private static String factor(double slower) {
    return slower < 1
        ? Figures.number(1 / slower) + " times as fast"
        : Figures.number(slower) + " times as slow";
  }

  /** Which cause is most often the heaviest of those that were measured. */
  private static void causes(Analysis analysis, List<String> sentences) {
    Map<String, Integer> heaviest = new TreeMap<>();
    int counted = 0;
    for (Row row : analysis.rows()) {
      for (Finding finding : row.findings()) {
        if (finding.isModelled()
            || finding.weights().isEmpty()
            || finding.technique() != Technique.FULL
            || finding.weights().getFirst().share() < 0.05) {
          continue;
        }
        counted++;
        heaviest.merge(finding.weights().getFirst().cause(), 1, Integer::sum);
      }
    }
    if (counted > 0) {
      List<String> named =
          heaviest.entrySet().stream()
              .sorted((a, b) -> b.getValue() - a.getValue())
              .limit(3)
              .map(entry -> entry.getKey() + " in " + entry.getValue())
              .toList();
      sentences.add(
          "Of full's interceptions the heaviest is "
              + String.join(", ", named)
              + " of "
              + counted
              + (counted == 1 ? " workload" : " workloads")
              + " where they weigh at all.");
    }
  }
}
