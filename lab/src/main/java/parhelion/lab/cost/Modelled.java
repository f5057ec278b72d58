package parhelion.lab.cost;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import parhelion.lab.result.PerOperation;
import parhelion.lab.result.Technique;
import parhelion.pc.intercept.Cause;
import parhelion.pc.intercept.Intercepts;
import parhelion.pc.intercept.TrapModel;

/**
 * What an operation would take on a model's hardware: the guest's instructions at the model's rate,
 * and each interception at its price. What the hardware would not take as an exit, it does at its
 * native price. Waiting for devices is in neither.
 *
 * @param workNanos the guest's instructions
 * @param nativeNanos what the events take on the bare machine
 * @param parts what virtualisation adds, by kind of event, the greatest first
 * @param unpriced events by operation that the hardware takes and the model has no price for
 * @param borrowedUpdates whether the number of page-table updates is the paravirtual guest's, as
 *     nobody sees a PC's
 */
public record Modelled(
    CostModel model,
    Technique technique,
    double workNanos,
    double nativeNanos,
    List<Part> parts,
    Map<String, Double> unpriced,
    boolean borrowedUpdates) {
  /**
   * One kind of event.
   *
   * @param event the price's key
   * @param times by operation
   * @param nanos by operation, beyond what the bare machine takes
   */
  public record Part(String event, double times, double nanos) {}

  /** An operation's time with the hypervisor. */
  public double totalNanos() {
    return bareNanos() + parts.stream().mapToDouble(Part::nanos).sum();
  }

  /** An operation's time on the bare machine. */
  public double bareNanos() {
    return workNanos + nativeNanos;
  }

  /** How many times as long as on the bare machine. */
  public double timesBare() {
    return bareNanos() == 0 ? 1 : totalNanos() / bareNanos();
  }

  /**
   * Prices an operation.
   *
   * @param updates page-table updates by operation of the paravirtual guest at the same work, for
   *     PCs, or null where that has not been run
   */
  public static Modelled of(
      CostModel model, Technique technique, PerOperation counts, @Nullable Double updates) {
    Map<String, Double> events = new TreeMap<>();
    counts.interceptions().forEach((key, rate) -> events.put(key, rate.times()));
    TrapModel exits =
        technique == Technique.PARA || technique == Technique.PARTIAL ? null : model.exits();
    boolean borrowed = false;
    if (exits == null) {
      events.put(CostModel.PAGE_TABLE_UPDATE, counts.pageTableUpdates());
    } else if (exits.followsPageTables) {
      borrowed = counts.pageTableUpdates() == 0 && updates != null;
      events.put(
          CostModel.PAGE_TABLE_UPDATE,
          borrowed && updates != null ? updates : counts.pageTableUpdates());
    }
    events.put(CostModel.BYTE_COPIED, counts.bytesCopied());
    return price(model, technique, exits, counts.instructions(), events, borrowed);
  }

  private static Modelled price(
      CostModel model,
      Technique technique,
      @Nullable TrapModel exits,
      double instructions,
      Map<String, Double> events,
      boolean borrowed) {
    double bare = 0;
    Map<String, Part> parts = new TreeMap<>();
    Map<String, Double> unpriced = new TreeMap<>();
    for (Map.Entry<String, Double> event : events.entrySet()) {
      double times = event.getValue();
      if (times == 0) {
        continue;
      }
      boolean taken = exits == null || isExit(exits, event.getKey());
      Price price = model.price(event.getKey());
      if (price == null) {
        if (taken) {
          unpriced.put(event.getKey(), times);
        }
        continue;
      }
      bare += times * price.nativeNanos();
      if (taken) {
        Part part = new Part(price.event(), times, times * (price.nanos() - price.nativeNanos()));
        parts.merge(
            price.event(), part, (a, b) -> new Part(a.event, a.times + b.times, a.nanos + b.nanos));
      }
    }
    List<Part> sorted = new ArrayList<>(parts.values());
    sorted.sort((a, b) -> Double.compare(b.nanos, a.nanos));
    return new Modelled(
        model,
        technique,
        instructions * model.nanosPerInstruction(),
        bare,
        List.copyOf(sorted),
        unpriced,
        borrowed);
  }

  /** Whether an event is one for the hypervisor; of what a PC does not have, all are. */
  private static boolean isExit(TrapModel exits, String event) {
    String[] parts = event.split(":", 3);
    Cause cause = Cause.of(parts[0]);
    return cause == null
        || exits.exits(
            new Intercepts.Row(
                cause, parts.length > 1 ? parts[1] : "", parts.length > 2 ? parts[2] : "", 1, 0));
  }
}
