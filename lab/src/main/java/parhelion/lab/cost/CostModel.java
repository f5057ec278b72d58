package parhelion.lab.cost;

import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.lab.result.Technique;
import parhelion.pc.intercept.TrapModel;

/**
 * What a hypervisor of a certain time asks for each kind of interception, on named hardware.
 *
 * @param id its name on the command line
 * @param year of the numbers
 * @param hardware that they were measured on
 * @param about what it models and what it leaves out
 * @param techniques whose counts it can price
 * @param exits which interceptions of a PC this hardware takes at all; null if it prices no PC
 * @param nanosPerInstruction what the guest's own work takes
 * @param instructionSource where that is from
 * @param prices one for each kind of event, no key twice
 */
public record CostModel(
    String id,
    String title,
    int year,
    String hardware,
    String about,
    List<Technique> techniques,
    @Nullable TrapModel exits,
    double nanosPerInstruction,
    String instructionSource,
    List<Price> prices) {
  /** The event of a changed page-table entry. */
  public static final String PAGE_TABLE_UPDATE = "page-table update";

  /** The event of a byte that a device or backend copied. */
  public static final String BYTE_COPIED = "byte copied";

  /** The price of an event, or null if it has none. */
  public @Nullable Price price(String event) {
    Price best = null;
    for (Price price : prices) {
      if (price.key().matches(event) && (best == null || price.key().isBefore(best.key()))) {
        best = price;
      }
    }
    return best;
  }
}
