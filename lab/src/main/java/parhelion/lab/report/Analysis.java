package parhelion.lab.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.lab.cost.CostModel;
import parhelion.lab.cost.Modelled;
import parhelion.lab.result.Cell;
import parhelion.lab.result.Comparison;
import parhelion.lab.result.PerOperation;
import parhelion.lab.result.Sample;
import parhelion.lab.result.Technique;
import parhelion.lab.result.WorkloadInfo;
import parhelion.lab.statistics.Ratio;
import parhelion.lab.statistics.Summary;

/**
 * All that is computed from a comparison.
 *
 * @param reference the technique that others are compared with: paravirtualisation if it was
 *     measured at all; null if nothing was
 * @param techniques that were run, in the order of {@link Technique}
 * @param rows one for each workload
 * @param models what was priced
 * @param changes against an earlier comparison, or null
 */
public record Analysis(
    Comparison comparison,
    @Nullable Technique reference,
    List<Technique> techniques,
    List<Row> rows,
    List<CostModel> models,
    @Nullable Changes changes) {
  /**
   * One workload.
   *
   * @param entries of the techniques that were run
   * @param findings in words
   */
  public record Row(WorkloadInfo info, Map<Technique, Entry> entries, List<Finding> findings) {
    /** Whether its value is the time of an operation, or what moves in a time. */
    boolean isTimed() {
      return !info.unit().endsWith("/s") || info.higherIsBetter();
    }
  }

  /**
   * One workload under one technique.
   *
   * @param value in the workload's unit; null without samples
   * @param counts null without samples
   * @param slower how many times as slow as the reference: above 1 is worse whatever the unit; null
   *     for the reference and where there is nothing to divide
   * @param modelled by those models that price this technique
   * @param failure why samples are missing, or null
   */
  public record Entry(
      Technique technique,
      @Nullable Summary value,
      @Nullable PerOperation counts,
      @Nullable Ratio slower,
      List<Modelled> modelled,
      @Nullable String failure) {
    /** What is to be said where samples are missing. */
    String missing() {
      return technique.id
          + (value == null ? " was not measured: " : " has too few samples: ")
          + failure;
    }
  }

  /** What the reference is called. */
  String referenceName() {
    return reference == null ? "the reference" : reference.id;
  }

  /**
   * Computes.
   *
   * @param baseline an earlier comparison, or null
   */
  public static Analysis of(
      Comparison comparison, List<CostModel> models, @Nullable Comparison baseline) {
    List<Technique> techniques =
        Arrays.stream(Technique.values())
            .filter(t -> comparison.cells().stream().anyMatch(cell -> cell.technique() == t))
            .toList();
    Technique reference = reference(comparison);
    List<Row> rows = new ArrayList<>();
    for (WorkloadInfo info : byGroup(comparison.workloads())) {
      rows.add(row(comparison, models, info, reference));
    }
    return new Analysis(
        comparison,
        reference,
        techniques,
        List.copyOf(rows),
        models,
        baseline == null ? null : Changes.of(baseline, comparison));
  }

  /** Those of a group together, groups in the order in which they first come. */
  private static List<WorkloadInfo> byGroup(List<WorkloadInfo> workloads) {
    Map<String, List<WorkloadInfo>> groups = new LinkedHashMap<>();
    workloads.forEach(
        info -> groups.computeIfAbsent(info.group(), g -> new ArrayList<>()).add(info));
    return groups.values().stream().flatMap(List::stream).toList();
  }

  private static Row row(
      Comparison comparison,
      List<CostModel> models,
      WorkloadInfo info,
      @Nullable Technique reference) {
    Cell base = reference == null ? null : comparison.cell(reference, info.id());
    if (base != null && base.samples().isEmpty()) {
      base = null;
    }
    Cell para = comparison.cell(Technique.PARA, info.id());
    Double updates =
        para == null || para.samples().isEmpty()
            ? null
            : PerOperation.of(para.samples()).pageTableUpdates();
    Map<Technique, Entry> entries = new EnumMap<>(Technique.class);
    for (Technique technique : Technique.values()) {
      Cell cell = comparison.cell(technique, info.id());
      if (cell == null) {
        continue;
      }
      if (cell.samples().isEmpty()) {
        entries.put(technique, new Entry(technique, null, null, null, List.of(), cell.failure()));
        continue;
      }
      PerOperation counts = PerOperation.of(cell.samples());
      List<Modelled> modelled = new ArrayList<>();
      for (CostModel model : models) {
        if (model.techniques().contains(technique)) {
          modelled.add(
              Modelled.of(
                  model, technique, counts, updates, unmodified(comparison, info, technique)));
        }
      }
      entries.put(
          technique,
          new Entry(
              technique,
              Summary.of(values(cell)),
              counts,
              base == null || technique == reference ? null : slower(info, cell, base),
              List.copyOf(modelled),
              cell.failure()));
    }
    return new Row(info, entries, Finding.of(info, reference, entries));
  }

  /**
   * What an unmodified kernel does, for techniques whose kernel is another or none: a PC's guest at
   * the same work, the one with the lighter drivers if it was run.
   */
  private static @Nullable PerOperation unmodified(
      Comparison comparison, WorkloadInfo info, Technique technique) {
    if (technique != Technique.PARA && technique != Technique.PARTIAL) {
      return null;
    }
    for (Technique pc : List.of(Technique.FULL_VIRTIO, Technique.FULL)) {
      Cell cell = comparison.cell(pc, info.id());
      if (cell != null && !cell.samples().isEmpty()) {
        return PerOperation.of(cell.samples());
      }
    }
    return null;
  }

  /** Paravirtualisation is what others are compared with; else the first that was measured. */
  private static @Nullable Technique reference(Comparison comparison) {
    List<Technique> order = new ArrayList<>(List.of(Technique.PARA));
    order.addAll(List.of(Technique.values()));
    for (Technique technique : order) {
      if (comparison.cells().stream()
          .anyMatch(cell -> cell.technique() == technique && !cell.samples().isEmpty())) {
        return technique;
      }
    }
    return null;
  }

  static double[] values(Cell cell) {
    return cell.samples().stream().mapToDouble(Sample::value).toArray();
  }

  /** Quotients of values between these are numbers. */
  private static final double LEAST = 1e-100;

  private static final double MOST = 1e100;

  /** How many times as slow a cell is as another; null where a value is 0 or beyond all measure. */
  static @Nullable Ratio slower(WorkloadInfo info, Cell cell, Cell base) {
    double[] own = values(cell);
    double[] other = values(base);
    for (double[] values : List.of(own, other)) {
      for (double value : values) {
        if (!(value >= LEAST && value <= MOST)) {
          return null;
        }
      }
    }
    return info.higherIsBetter() ? Ratio.of(other, own) : Ratio.of(own, other);
  }
}
