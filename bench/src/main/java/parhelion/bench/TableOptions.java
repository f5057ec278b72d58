package parhelion.bench;

import java.nio.file.Path;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What {@code bench/table} passes on; it has checked the numbers.
 *
 * @param scale how much work each program of the suite does
 * @param engine for {@code parhelion run --engine}, or empty
 * @param mode for {@code parhelion run --mode}, or empty
 * @param rows names of rows, separated by commas, or empty for all
 * @param peersOnly whether Parhelion is left out
 * @param launcher Parhelion's
 * @param jar the benchmarks, beside their libraries
 * @param suite the program
 * @param work a directory for what failed runs wrote
 * @param head what the table is to say of itself
 */
record TableOptions(
    int runs,
    String scale,
    String engine,
    String mode,
    String rows,
    boolean json,
    boolean peersOnly,
    Path launcher,
    Path jar,
    Path suite,
    Path work,
    Map<String, String> head) {
  /** From pairs of words, {@code --runs 5 --head commit=abc}; --head may come again. */
  static TableOptions of(String[] args) {
    Map<String, String> values = new LinkedHashMap<>();
    Map<String, String> head = new LinkedHashMap<>();
    Iterator<String> words = List.of(args).iterator();
    while (words.hasNext()) {
      String name = words.next();
      String value = words.next();
      if (name.equals("--head")) {
        int equals = value.indexOf('=');
        head.put(value.substring(0, equals), value.substring(equals + 1));
      } else {
        values.put(name, value);
      }
    }
    return new TableOptions(
        Integer.parseInt(values.getOrDefault("--runs", "5")),
        values.getOrDefault("--scale", "1"),
        values.getOrDefault("--engine", ""),
        values.getOrDefault("--mode", ""),
        values.getOrDefault("--rows", ""),
        values.containsKey("--json"),
        values.containsKey("--peers-only"),
        Path.of(values.getOrDefault("--launcher", "")),
        Path.of(values.getOrDefault("--jar", "")),
        Path.of(values.getOrDefault("--suite", "")),
        Path.of(values.getOrDefault("--work", "")),
        head);
  }
}
