package parhelion.abi;

import java.util.Arrays;

/** Turns a roster into a table that is indexed by number; gaps are null. */
final class ByNumber {
  private ByNumber() {}

  /**
   * The rows, each at the index of its number.
   *
   * @throws IllegalStateException if two rows share a number
   */
  static <R extends Numbered> R[] table(R[] rows) {
    int length = Arrays.stream(rows).mapToInt(Numbered::nr).max().orElse(-1) + 1;
    R[] table = Arrays.copyOf(rows, length);
    Arrays.fill(table, null);
    for (R row : rows) {
      if (table[row.nr()] != null) {
        throw new IllegalStateException(row.cName() + " and " + table[row.nr()].cName());
      }
      table[row.nr()] = row;
    }
    return table;
  }
}
