package parhelion.lab.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import parhelion.lab.cost.Modelled;
import parhelion.lab.report.Analysis.Entry;
import parhelion.lab.result.PerOperation;
import parhelion.lab.result.Technique;
import parhelion.lab.result.WorkloadInfo;
import parhelion.lab.statistics.Ratio;

/**
 * Where one technique's time goes against the reference's, and the same in words.
 *
 * @param technique against the reference
 * @param isModelled whether it is a model's hardware that is spoken of, and the bare machine is the
 *     reference
 * @param text sentences
 * @param weights what the difference is made of, the heaviest first; empty where there is none
 */
public record Finding(Technique technique, boolean isModelled, String text, List<Weight> weights) {
  /** Causes below this share are in no sentence. */
  private static final double LEAST_SHARE = 0.05;

  private static final int MOST_NAMED = 4;

  /**
   * A cause's part of a difference.
   *
   * @param nanos of an operation that it adds, negative where the reference has more of it
   * @param share of the whole difference
   * @param times by operation
   * @param remaining how many times as slow the technique would be if this had cost nothing
   */
  public record Weight(String cause, double nanos, double share, double times, double remaining) {}

  static List<Finding> of(
      WorkloadInfo info, @Nullable Technique reference, Map<Technique, Entry> entries) {
    List<Finding> findings = new ArrayList<>();
    Entry base = reference == null ? null : entries.get(reference);
    for (Entry entry : entries.values()) {
      if (base != null
          && entry.technique() != reference
          && entry.slower() != null
          && entry.counts() != null) {
        findings.add(measured(info, entry, base, entry.slower(), entry.counts()));
      }
    }
    for (Entry entry : entries.values()) {
      for (Modelled modelled : entry.modelled()) {
        findings.add(modelled(modelled));
      }
    }
    return List.copyOf(findings);
  }

  // --- measured ---

  private static Finding measured(
      WorkloadInfo info, Entry entry, Entry base, Ratio slower, PerOperation own) {
    PerOperation other = base.counts();
    StringBuilder text = new StringBuilder(compare(entry, base, slower));
    List<Weight> weights = List.of();
    if (other != null
        && slower.isSignificant()
        && (!info.unit().endsWith("/s") || info.higherIsBetter())) {
      double more = own.wallNanos() - other.wallNanos();
      if (more > 0 == slower.estimate() > 1 && more != 0) {
        weights = weights(own, other, more);
        text.append(words(own, other, more, weights));
      }
    }
    return new Finding(entry.technique(), false, text.toString(), weights);
  }

  private static String compare(Entry entry, Entry base, Ratio slower) {
    String interval =
        "(%s interval %s to %s)"
            .formatted(
                Figures.confidence(slower.confidence()),
                Figures.number(slower.low()),
                Figures.number(slower.high()));
    String names = entry.technique().id + " and " + base.technique().id;
    if (slower.confidence() < Ratio.LEAST_CONFIDENCE) {
      boolean faster = slower.estimate() < 1;
      return "%s was %s times as %s as %s, in too few repetitions to say that it is so."
          .formatted(
              entry.technique().id,
              Figures.number(faster ? 1 / slower.estimate() : slower.estimate()),
              faster ? "fast" : "slow",
              base.technique().id);
    }
    if (!slower.isSignificant()) {
      return "No difference between %s that the repetitions would show %s."
          .formatted(names, interval);
    }
    return slower.estimate() >= 1
        ? "%s is %s times as slow as %s %s."
            .formatted(
                entry.technique().id,
                Figures.number(slower.estimate()),
                base.technique().id,
                interval)
        : "%s is %s times as fast as %s (%s interval %s to %s)."
            .formatted(
                entry.technique().id,
                Figures.number(1 / slower.estimate()),
                base.technique().id,
                Figures.confidence(slower.confidence()),
                Figures.number(1 / slower.high()),
                Figures.number(1 / slower.low()));
  }

  private static List<Weight> weights(PerOperation own, PerOperation other, double more) {
    Map<String, PerOperation.Rate> mine = own.byDevice();
    Map<String, PerOperation.Rate> its = other.byDevice();
    Map<String, Weight> weights = new TreeMap<>();
    PerOperation.Rate none = new PerOperation.Rate(0, 0);
    for (String cause : union(mine, its)) {
      double nanos = mine.getOrDefault(cause, none).nanos() - its.getOrDefault(cause, none).nanos();
      if (nanos != 0) {
        double times = (nanos > 0 ? mine : its).getOrDefault(cause, none).times();
        weights.put(
            cause,
            new Weight(
                cause,
                nanos,
                nanos / more,
                times,
                (own.wallNanos() - mine.getOrDefault(cause, none).nanos()) / other.wallNanos()));
      }
    }
    List<Weight> sorted = new ArrayList<>(weights.values());
    sorted.sort((a, b) -> Double.compare(b.share, a.share));
    return List.copyOf(sorted);
  }

  private static Iterable<String> union(Map<String, ?> a, Map<String, ?> b) {
    Map<String, Boolean> keys = new TreeMap<>();
    a.keySet().forEach(key -> keys.put(key, true));
    b.keySet().forEach(key -> keys.put(key, true));
    return keys.keySet();
  }

  private static String words(
      PerOperation own, PerOperation other, double more, List<Weight> weights) {
    StringBuilder text =
        new StringBuilder(
            " An operation takes %s %s of the host's time:"
                .formatted(Figures.time(Math.abs(more)), more > 0 ? "more" : "less"));
    List<String> parts = new ArrayList<>();
    double named = 0;
    for (Weight weight : weights) {
      if (weight.share < LEAST_SHARE || parts.size() == MOST_NAMED) {
        break;
      }
      named += weight.share;
      parts.add(
          "%s for %s (%s, %s times)"
              .formatted(
                  Figures.percent(weight.share),
                  weight.cause,
                  Figures.time(Math.abs(weight.nanos)),
                  Figures.number(weight.times)));
    }
    double intercepted = weights.stream().mapToDouble(Weight::share).sum();
    double rest = 1 - intercepted;
    if (Math.abs(intercepted - named) >= LEAST_SHARE) {
      parts.add(
          part(
              intercepted - named,
              parts.isEmpty() ? "for interceptions" : "for other interceptions together"));
    }
    parts.add(
        part(rest, "outside of interceptions")
            + ", in %s times the instructions"
                .formatted(
                    Figures.number(
                        other.instructions() == 0
                            ? 1
                            : own.instructions() / other.instructions())));
    text.append(' ').append(String.join(", ", parts)).append('.');
    double left = outside(own) / outside(other);
    if (outside(own) > 0 && outside(other) > 0) {
      text.append(
          " If interceptions cost nothing on either side, %s times the time would remain."
              .formatted(Figures.number(left)));
    }
    return text.toString();
  }

  /** A share, or what is to be taken off where the reference has more of it. */
  private static String part(double share, String what) {
    return (share < 0 ? "less " : "") + Figures.percent(Math.abs(share)) + " " + what;
  }

  private static double outside(PerOperation counts) {
    return counts.wallNanos()
        - counts.interceptions().values().stream().mapToDouble(PerOperation.Rate::nanos).sum();
  }

  // --- modelled ---

  private static Finding modelled(Modelled modelled) {
    double bare = modelled.bareNanos();
    double added = modelled.totalNanos() - bare;
    List<Weight> weights = new ArrayList<>();
    for (Modelled.Part part : modelled.parts()) {
      weights.add(
          new Weight(
              part.event(),
              part.nanos(),
              added == 0 ? 0 : part.nanos() / added,
              part.times(),
              bare == 0 ? 1 : (modelled.totalNanos() - part.nanos()) / bare));
    }
    StringBuilder text =
        new StringBuilder(
            "Modelled, %s (%d): %s takes %s, %s times the bare machine's %s."
                .formatted(
                    modelled.model().title(),
                    modelled.model().year(),
                    modelled.technique().id,
                    Figures.time(modelled.totalNanos()),
                    Figures.number(modelled.timesBare()),
                    Figures.time(bare)));
    if (added > 0) {
      List<String> parts = new ArrayList<>();
      for (Weight weight : weights) {
        if (weight.share < LEAST_SHARE || parts.size() == MOST_NAMED) {
          break;
        }
        parts.add(
            "%s is %s (%s times)"
                .formatted(
                    Figures.percent(weight.share), weight.cause, Figures.number(weight.times)));
      }
      if (!parts.isEmpty()) {
        text.append(" Of what is added, ").append(String.join(", ", parts)).append('.');
        text.append(
            " Without %s, %s times would remain."
                .formatted(weights.getFirst().cause, Figures.number(weights.getFirst().remaining)));
      }
    }
    if (!modelled.unpriced().isEmpty()) {
      text.append(" Not priced: ")
          .append(String.join(", ", modelled.unpriced().keySet().stream().limit(5).toList()))
          .append(modelled.unpriced().size() > 5 ? " and others." : ".");
    }
    return new Finding(modelled.technique(), true, text.toString(), List.copyOf(weights));
  }
}
