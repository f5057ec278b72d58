package parhelion.lab.result;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Rules of fields, the same for what is measured and for what is read from a file. */
final class Check {
  private static final int MAX_TEXT = 1 << 16;

  private Check() {}

  static void present(String name, @Nullable Object value) {
    if (value == null) {
      throw new IllegalArgumentException(name + " is missing");
    }
  }

  static void text(String name, @Nullable String value) {
    present(name, value);
    if (value == null || value.isBlank()) {
      throw new IllegalArgumentException(name + " is empty");
    }
    if (value.length() > MAX_TEXT) {
      throw new IllegalArgumentException(name + " is longer than " + MAX_TEXT + " characters");
    }
  }

  /** A number that only counts up. */
  static void count(String name, long value) {
    if (value < 0) {
      throw new IllegalArgumentException(name + " is negative: " + value);
    }
  }

  static void range(String name, long value, long least, long most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          name + " is " + value + ", not between " + least + " and " + most);
    }
  }

  /** A copy that nobody changes. */
  static <T> List<T> list(String name, @Nullable List<T> values, int most) {
    if (values == null) {
      throw new IllegalArgumentException(name + " is missing");
    }
    if (values.size() > most) {
      throw new IllegalArgumentException(name + " has more than " + most + " entries");
    }
    for (T value : values) {
      present("an entry of " + name, value);
    }
    return List.copyOf(values);
  }

  /** A copy that nobody changes, sorted, so that equal runs make equal files. */
  static <T> Map<String, T> sorted(String name, @Nullable Map<String, T> values, int most) {
    if (values == null) {
      throw new IllegalArgumentException(name + " is missing");
    }
    if (values.size() > most) {
      throw new IllegalArgumentException(name + " has more than " + most + " entries");
    }
    values.forEach(
        (key, value) -> {
          text("a key of " + name, key);
          present(name + "." + key, value);
        });
    return Collections.unmodifiableMap(new TreeMap<>(values));
  }
}
