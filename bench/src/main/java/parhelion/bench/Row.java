package parhelion.bench;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * A row of the table: something that every side does, or those of them that can.
 *
 * @param group what --rows may call it together with others
 * @param unit of all its values
 */
record Row(String group, String name, String unit, Target target) {
  static final Row BOOT_USERLAND = new Row("boot", "userland", "s", Target.ofQemu(1.0));
  static final Row BOOT_END = new Row("boot", "end", "s", Target.ofQemu(1.0));
  static final Row FIRST_GUEST = new Row("guests", "first", "s", Target.NONE);
  static final Row SECOND_GUEST = new Row("guests", "second", "s", Target.ofQemu(0.4));
  static final Row BOOT_MEMORY = new Row("memory", "boot", "MiB", Target.ofQemu(1.5));
  static final Row SUITE_MEMORY = new Row("memory", "suite", "MiB", Target.ofQemu(1.5));

  static final List<Row> FIXED =
      List.of(BOOT_USERLAND, BOOT_END, FIRST_GUEST, SECOND_GUEST, BOOT_MEMORY, SUITE_MEMORY);

  /** The most that Parhelion's value may be, as a part of another; NaN where nothing is asked. */
  record Target(double qemu, double host) {
    static final Target NONE = new Target(Double.NaN, Double.NaN);

    static Target ofQemu(double most) {
      return new Target(most, Double.NaN);
    }
  }

  /** The row of a program of the suite, as a line of {@code suite --list}: name, group, rounds. */
  static Row ofProgram(String line) {
    String[] words = line.split(" ");
    String group = words[1];
    Target target =
        switch (group) {
          case "integer" -> new Target(1 / 2.5, 3.0);
          case "float" -> new Target(1 / 8.0, 2.0);
          case "kernel" -> Target.ofQemu(1.0);
          default -> throw new IllegalStateException("a group without a target: " + group);
        };
    return new Row(group, words[0], "s", target);
  }

  /** How a user names it where its name alone would not tell. */
  String fullName() {
    return group + "-" + name;
  }

  private boolean isCalled(String word) {
    return word.equals(group)
        || word.equals(fullName())
        || (word.equals(name) && !FIXED.contains(this));
  }

  /**
   * Those that the words name, in the order of {@code all}.
   *
   * @param words separated by commas; empty for all
   * @throws IllegalArgumentException with the word that names none
   */
  static List<Row> chosen(List<Row> all, String words) {
    if (words.isEmpty()) {
      return all;
    }
    Set<Row> chosen = new LinkedHashSet<>();
    for (String word : words.split(",")) {
      List<Row> called = all.stream().filter(row -> row.isCalled(word)).toList();
      if (called.isEmpty()) {
        throw new IllegalArgumentException(word);
      }
      chosen.addAll(called);
    }
    List<Row> ordered = new ArrayList<>(all);
    ordered.retainAll(chosen);
    return ordered;
  }
}
