package parhelion.pc.input;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import parhelion.pc.Timers;

/**
 * Types text on a keyboard, as fast as software takes it: a key goes down or up every few
 * milliseconds of the machine's time, while the keyboard has room. On the machine's thread.
 */
public final class Typist {
  private static final long STROKE_NANOS = 5_000_000;
  private static final int MAX_STROKES = 10_000;

  private record Stroke(Key key, boolean down) {}

  private final Ps2Controller keyboard;
  private final Timers timers;
  private final Timers.Timer timer;
  private final ArrayDeque<Stroke> strokes = new ArrayDeque<>();

  public Typist(Ps2Controller keyboard, Timers timers) {
    this.keyboard = keyboard;
    this.timers = timers;
    timer = timers.timer(this::stroke);
  }

  /**
   * What {@link #type} takes, as keys.
   *
   * @param text characters of a US keyboard; a key's name in angle brackets, such as {@code <up>}
   *     or {@code <control-c>}; and {@code <lt>} for an angle bracket
   * @throws IllegalArgumentException naming what no key is for
   */
  public static List<List<Key>> keys(String text) {
    List<List<Key>> chords = new ArrayList<>();
    for (int at = 0; at < text.length(); at++) {
      char c = text.charAt(at);
      int end = c == '<' ? text.indexOf('>', at) : -1;
      if (end > at) {
        chords.add(named(text.substring(at + 1, end)));
        at = end;
      } else {
        chords.add(typing(c));
      }
    }
    return chords;
  }

  private static List<Key> typing(char c) {
    Key key = Key.typing(c);
    if (key == null) {
      throw new IllegalArgumentException("no key types '" + c + "'");
    }
    return Key.isShifted(c) ? List.of(Key.LEFT_SHIFT, key) : List.of(key);
  }

  private static List<Key> named(String name) {
    List<Key> chord = new ArrayList<>();
    String rest = name.toLowerCase(Locale.ROOT);
    for (int dash = rest.indexOf('-'); dash > 0; dash = rest.indexOf('-')) {
      switch (rest.substring(0, dash)) {
        case "control" -> chord.add(Key.LEFT_CONTROL);
        case "alt" -> chord.add(Key.LEFT_ALT);
        case "shift" -> chord.add(Key.LEFT_SHIFT);
        default -> throw new IllegalArgumentException("no key is called <" + name + ">");
      }
      rest = rest.substring(dash + 1);
    }
    if (rest.equals("lt")) {
      chord.addAll(typing('<'));
    } else if (rest.length() == 1) {
      chord.addAll(typing(rest.charAt(0)));
    } else {
      try {
        chord.add(Key.valueOf(rest.toUpperCase(Locale.ROOT)));
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException("no key is called <" + name + ">", e);
      }
    }
    return chord;
  }

  /**
   * Begins to type.
   *
   * @return false if too much waits to be typed already
   */
  public boolean type(List<List<Key>> chords) {
    int more = chords.stream().mapToInt(chord -> 2 * chord.size()).sum();
    if (strokes.size() + more > MAX_STROKES) {
      return false;
    }
    for (List<Key> chord : chords) {
      chord.forEach(key -> strokes.add(new Stroke(key, true)));
      chord.reversed().forEach(key -> strokes.add(new Stroke(key, false)));
    }
    timer.set(timers.nanos());
    return true;
  }

  private void stroke() {
    Stroke next = strokes.peek();
    if (next != null) {
      if (keyboard.key(next.key, next.down)) {
        strokes.remove();
      }
      timer.set(timers.nanos() + STROKE_NANOS);
    }
  }
}
