package parhelion.lab.cost;

/**
 * The price of one kind of event.
 *
 * @param nanos of one event under the model's hypervisor
 * @param nativeNanos of the same event on the bare machine, part of {@code nanos}
 * @param source where the numbers are from; begins with "estimate" where nobody published them
 */
public record Price(CostKey key, double nanos, double nativeNanos, String source) {
  /** What it is for, as written. */
  public String event() {
    return key.text();
  }

  /** Whether nobody has measured it. */
  public boolean isEstimate() {
    return source.startsWith("estimate");
  }
}
