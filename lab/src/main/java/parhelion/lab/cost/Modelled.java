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
 * @param bareNanos an operation on the bare machine, where the kernel is an unmodified one: the
 *     instructions of a PC's guest and its events at native prices, or this guest's own where no PC
 *     was run
 * @param parts what virtualisation adds, by kind of event, the greatest first
 * @param unpriced events by operation that the hardware takes and the model has no price for
 * @param borrowedUpdates whether the number of page-table updates is the paravirtual guest's, as
 *     nobody saw the PC's
 */
public record Modelled(
    CostModel model,
    Technique technique,
    double bareNanos,
    List<Part> parts,
    Map<String, Double> unpriced,
    boolean borrowedUpdates) {
  /** The part of a guest that executes more instructions than the bare machine would. */
  public static final String INSTRUCTIONS = "instructions";

  /**
   * One kind of event, or the instructions that there are more of.
   *
   * @param event the price's key
   * @param times by operation
   * @param nanos by operation, beyond what the bare machine takes
   */
  public record Part(String event, double times, double nanos) {}

  /** An operation's time with the hypervisor. */
  public double totalNanos() {
    return Math.max(0, bareNanos + parts.stream().mapToDouble(Part::nanos).sum());
  }

  /** How many times as long as on the bare machine. */
  public double timesBare() {
    return bareNanos == 0 ? 1 : totalNanos() / bareNanos;
  }

  /**
   * Prices an operation.
   *
   * @param updates page-table updates by operation of the paravirtual guest at the same work, for
   *     PCs, or null where that has not been run
   * @param unmodified the same operation of a PC's guest, whose kernel does what it would do on the
   *     bare machine; null to take {@code counts} for that
   */
  public static Modelled of(
      CostModel model,
      Technique technique,
      PerOperation counts,
      @Nullable Double updates,
      @Nullable PerOperation unmodified) {
    TrapModel exits =
        technique == Technique.PARA || technique == Technique.PARTIAL ? null : model.exits();
    Map<String, Double> events = events(counts);
    boolean borrowed = false;
    if (exits == null) {
      events.put(CostModel.PAGE_TABLE_UPDATE, counts.pageTableUpdates());
    } else if (exits.followsPageTables && updates != null && !seesUpdates(events)) {
      borrowed = counts.pageTableUpdates() == 0;
      events.put(CostModel.PAGE_TABLE_UPDATE, borrowed ? updates : counts.pageTableUpdates());
    }
    double own = counts.instructions() * model.nanosPerInstruction() + bare(model, events);
    double bare =
        unmodified == null
            ? own
            : unmodified.instructions() * model.nanosPerInstruction()
                + bare(model, events(unmodified));
    Map<String, Double> unpriced = new TreeMap<>();
    List<Part> parts = parts(model, exits, events, unpriced);
    if (unmodified != null) {
      parts.add(
          new Part(INSTRUCTIONS, counts.instructions() - unmodified.instructions(), own - bare));
    }
    parts.sort((a, b) -> Double.compare(b.nanos, a.nanos));
    return new Modelled(model, technique, bare, List.copyOf(parts), unpriced, borrowed);
  }

  /** Whether somebody kept account of shadow page tables: then no update is also none. */
  private static boolean seesUpdates(Map<String, Double> events) {
    return events.keySet().stream()
        .anyMatch(
            key ->
                key.startsWith(Cause.PAGE_TABLE_UPDATE.title)
                    || key.startsWith(Cause.HIDDEN_FAULT.title)
                    || key.startsWith(Cause.INTERRUPT_FLAG.title));
  }

  private static Map<String, Double> events(PerOperation counts) {
    Map<String, Double> events = new TreeMap<>();
    counts.interceptions().forEach((key, rate) -> events.put(key, rate.times()));
    events.put(CostModel.BYTE_COPIED, counts.bytesCopied());
    return events;
  }

  /** What events take on the bare machine. */
  private static double bare(CostModel model, Map<String, Double> events) {
    double nanos = 0;
    for (Map.Entry<String, Double> event : events.entrySet()) {
      Price price = model.price(event.getKey());
      nanos += price == null ? 0 : event.getValue() * price.nativeNanos();
    }
    return nanos;
  }

  /** What the hypervisor adds, by price. */
  private static List<Part> parts(
      CostModel model,
      @Nullable TrapModel exits,
      Map<String, Double> events,
      Map<String, Double> unpriced) {
    Map<String, Part> parts = new TreeMap<>();
    events.forEach(
        (event, times) -> {
          if (times == 0 || exits != null && !isExit(exits, event)) {
            return;
          }
          Price price = model.price(event);
          if (price == null) {
            unpriced.put(event, times);
            return;
          }
          parts.merge(
              price.event(),
              new Part(price.event(), times, times * (price.nanos() - price.nativeNanos())),
              (a, b) -> new Part(a.event, a.times + b.times, a.nanos + b.nanos));
        });
    return new ArrayList<>(parts.values());
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
