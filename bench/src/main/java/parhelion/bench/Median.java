package parhelion.bench;

import java.util.Collection;

/** The value in the middle, by which one run that was disturbed does not count. */
final class Median {
  private Median() {}

  /** Of at least one value. */
  static double of(Collection<Double> values) {
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
  }
}
