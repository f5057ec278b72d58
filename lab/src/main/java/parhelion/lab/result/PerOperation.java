package parhelion.lab.result;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What all samples of a cell come to, by operation: sums divided by the sum of operations, so that
 * they agree with the monitor's counters.
 *
 * @param operations of all samples together
 * @param wallNanos host time of one operation
 * @param hostCpuNanos processor time of the whole process for one operation
 * @param interceptions by the keys of {@link Counts#interceptions}
 * @param hypercalls by name
 * @param overheadBytes the largest of any sample; this alone is not by operation
 */
public record PerOperation(
    double operations,
    double bytes,
    double guestNanos,
    double wallNanos,
    double hostCpuNanos,
    double instructions,
    Map<String, Rate> interceptions,
    Map<String, Double> hypercalls,
    double pageTableUpdates,
    double tlbFlushes,
    double interrupts,
    double bytesCopied,
    long overheadBytes) {
  /**
   * How often an operation had something happen and the host time of that.
   *
   * @param nanos 0 where nobody measured
   */
  public record Rate(double times, double nanos) {
    public Rate plus(Rate other) {
      return new Rate(times + other.times, nanos + other.nanos);
    }
  }

  /** Of at least one sample. {@link IllegalArgumentException} for none. */
  public static PerOperation of(List<Sample> samples) {
    if (samples.isEmpty()) {
      throw new IllegalArgumentException("there are no samples");
    }
    double n = sum(samples, Sample::operations);
    Map<String, Rate> interceptions = new TreeMap<>();
    Map<String, Double> hypercalls = new TreeMap<>();
    long overhead = 0;
    for (Sample sample : samples) {
      Counts counts = sample.counts();
      counts
          .interceptions()
          .forEach(
              (key, count) ->
                  interceptions.merge(
                      key, new Rate(count.times() / n, count.nanos() / n), Rate::plus));
      counts.hypercalls().forEach((name, times) -> hypercalls.merge(name, times / n, Double::sum));
      overhead = Math.max(overhead, counts.overheadBytes());
    }
    return new PerOperation(
        n,
        sum(samples, Sample::bytes) / n,
        sum(samples, Sample::guestNanos) / n,
        sum(samples, Sample::wallNanos) / n,
        sum(samples, Sample::hostCpuNanos) / n,
        sum(samples, Sample::instructions) / n,
        interceptions,
        hypercalls,
        sum(samples, s -> s.counts().pageTableUpdates()) / n,
        sum(samples, s -> s.counts().tlbFlushes()) / n,
        sum(samples, s -> s.counts().interrupts()) / n,
        sum(samples, s -> s.counts().bytesCopied()) / n,
        overhead);
  }

  private static double sum(
      List<Sample> samples, java.util.function.ToDoubleFunction<Sample> field) {
    return samples.stream().mapToDouble(field).sum();
  }

  /**
   * Interceptions by cause and device, or by cause and register for those of the processor itself:
   * what a reader can take in. The most frequent first.
   */
  public Map<String, Rate> byDevice() {
    Map<String, Rate> sums = new TreeMap<>();
    interceptions.forEach((key, rate) -> sums.merge(group(key), rate, Rate::plus));
    Map<String, Rate> sorted = new LinkedHashMap<>();
    sums.entrySet().stream()
        .sorted((a, b) -> Double.compare(b.getValue().times, a.getValue().times))
        .forEach(entry -> sorted.put(entry.getKey(), entry.getValue()));
    return sorted;
  }

  /** The name of a key's group: "port write of com1", "control register CR3", "RDMSR". */
  public static String group(String key) {
    String[] parts = key.split(":", 3);
    if (parts.length == 1) {
      return key;
    }
    if (parts[1].equals("cpu")) {
      // There are dozens of model-specific registers, and all of them cost the same.
      return parts.length == 2 || parts[0].endsWith("MSR") ? parts[0] : parts[0] + " " + parts[2];
    }
    // A sub-key without a register is a kind of the cause itself: hypercall mmu_update.
    return parts.length == 2 ? parts[0] + " " + parts[1] : parts[0] + " of " + parts[1];
  }
}
