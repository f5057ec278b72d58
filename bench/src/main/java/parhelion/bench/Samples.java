package parhelion.bench;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The values of all runs. A row that failed once on a side has no value there. */
final class Samples {
  private record Cell(Row row, Side side) {}

  private final Map<Cell, List<Double>> values = new HashMap<>();
  private final Set<Cell> failed = new HashSet<>();

  void add(Row row, Side side, double value) {
    if (Double.isNaN(value)) {
      fail(row, side);
    } else {
      values.computeIfAbsent(new Cell(row, side), cell -> new ArrayList<>()).add(value);
    }
  }

  void fail(Row row, Side side) {
    failed.add(new Cell(row, side));
  }

  boolean anyFailed() {
    return !failed.isEmpty();
  }

  boolean hasFailed(Row row, Side side) {
    return failed.contains(new Cell(row, side));
  }

  List<Double> of(Row row, Side side) {
    return List.copyOf(values.getOrDefault(new Cell(row, side), List.of()));
  }

  /** The median; NaN without a value or after a failure. */
  double median(Row row, Side side) {
    List<Double> all = of(row, side);
    return all.isEmpty() || hasFailed(row, side) ? Double.NaN : Median.of(all);
  }

  /** Parhelion's median as a part of another side's; NaN if either is missing. */
  double ratio(Row row, Side other) {
    return median(row, Side.PARHELION) / median(row, other);
  }

  /** The second guest's median as a part of the first one's; NaN for every other row. */
  double ratioToFirst(Row row) {
    return row.equals(Row.SECOND_GUEST)
        ? median(row, Side.PARHELION) / median(Row.FIRST_GUEST, Side.PARHELION)
        : Double.NaN;
  }
}
