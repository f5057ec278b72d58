package parhelion.media.disk.qcow2;

import java.util.ArrayList;
import java.util.List;

/** What a check finds, as it finds it: counts of all, words for the first. */
final class Findings {
  private static final int MOST_LINES = 200;

  final List<String> lines = new ArrayList<>();
  long corruptions;
  long leaks;
  long repairedCorruptions;
  long repairedLeaks;

  /** A table cannot be followed: what it refers to is not known, so nothing can be freed. */
  boolean incomplete;

  long allocated;
  long compressed;

  void corruption(String what) {
    corruptions++;
    say("corrupt: " + what);
  }

  /** A damaged table, whose own references nobody knows. */
  void damagedTable(String what) {
    incomplete = true;
    corruption(what);
  }

  void repairedCorruption(String what) {
    repairedCorruptions++;
    say("repaired: " + what);
  }

  void leak(String what) {
    leaks++;
    say("leaked: " + what);
  }

  void repairedLeak(String what) {
    repairedLeaks++;
    say("freed: " + what);
  }

  private void say(String line) {
    if (lines.size() < MOST_LINES) {
      lines.add(line);
    }
  }
}
