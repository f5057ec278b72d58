package parhelion.lab.cost;

import java.util.Arrays;
import java.util.List;

/**
 * What a price is for: a cause, or a cause and a device, or those and a register, as in {@code port
 * write:ide0:0x1f7}. Its parts are an event's first parts; one that ends in {@code *} need only be
 * what the event's part begins with. Of several that match, the one with more parts counts, then
 * the longer one.
 *
 * @param text as written
 * @param parts one to three
 */
record CostKey(String text, List<String> parts) {
  /** {@link IllegalArgumentException} for what is no key. */
  static CostKey of(String text) {
    List<String> parts = Arrays.asList(text.split(":", -1));
    if (parts.size() > 3 || parts.stream().anyMatch(String::isBlank)) {
      throw new IllegalArgumentException(
          "'" + text + "' is not a cause, cause:device or cause:device:register");
    }
    return new CostKey(text, List.copyOf(parts));
  }

  /** Whether an event's key is one of those meant. */
  boolean matches(String event) {
    String[] its = event.split(":", 3);
    if (its.length < parts.size()) {
      return false;
    }
    for (int i = 0; i < parts.size(); i++) {
      String part = parts.get(i);
      boolean matches =
          part.endsWith("*")
              ? its[i].startsWith(part.substring(0, part.length() - 1))
              : its[i].equals(part);
      if (!matches) {
        return false;
      }
    }
    return true;
  }

  /** Whether it counts before another that matches the same event. */
  boolean isBefore(CostKey other) {
    return parts.size() != other.parts.size()
        ? parts.size() > other.parts.size()
        : text.length() > other.text.length();
  }
}
