package parhelion.lab.report;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Writes HTML and SVG: every text and attribute is escaped here and nowhere else, and every element
 * that was opened must be closed.
 */
final class Html {
  private final StringBuilder out = new StringBuilder();
  private final Deque<String> open = new ArrayDeque<>();

  /** What goes in as it is: a document type or a style sheet of ours. */
  Html raw(String ours) {
    out.append(ours);
    return this;
  }

  /**
   * Opens an element.
   *
   * @param attributes names and values by turns; an empty class is left out
   */
  Html open(String element, Object... attributes) {
    tag(element, attributes);
    out.append('>');
    open.push(element);
    return this;
  }

  /** An element without content. */
  Html empty(String element, Object... attributes) {
    tag(element, attributes);
    out.append("/>");
    return this;
  }

  private void tag(String element, Object... attributes) {
    out.append('<').append(element);
    for (int i = 0; i < attributes.length; i += 2) {
      if (attributes[i].equals("class") && attributes[i + 1].equals("")) {
        continue;
      }
      out.append(' ').append(attributes[i]).append("=\"");
      escape(String.valueOf(attributes[i + 1]));
      out.append('"');
    }
  }

  /** Closes the element that was opened last. */
  Html close() {
    out.append("</").append(open.pop()).append('>');
    return this;
  }

  /** Closes it and begins a line. */
  Html closeLine() {
    close();
    out.append('\n');
    return this;
  }

  /** An element with a text. */
  Html text(String element, String text, Object... attributes) {
    open(element, attributes);
    escape(text);
    return closeLine();
  }

  /** A text. */
  Html text(String text) {
    escape(text);
    return this;
  }

  private void escape(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '&' -> out.append("&amp;");
        case '<' -> out.append("&lt;");
        case '>' -> out.append("&gt;");
        case '"' -> out.append("&quot;");
        case '\'' -> out.append("&#39;");
        default -> {
          boolean half =
              Character.isSurrogate(c)
                  && !(Character.isHighSurrogate(c)
                      && i + 1 < text.length()
                      && Character.isLowSurrogate(text.charAt(i + 1)))
                  && !(Character.isLowSurrogate(c)
                      && i > 0
                      && Character.isHighSurrogate(text.charAt(i - 1)));
          boolean steers =
              Character.isISOControl(c) && c != '\n' && c != '\t'
                  || Character.getType(c) == Character.FORMAT
                  || c >= '\ufffe';
          out.append(half || steers ? '\ufffd' : c);
        }
      }
    }
  }

  /** All of it. {@link IllegalStateException} when something was left open. */
  String done() {
    if (!open.isEmpty()) {
      throw new IllegalStateException("not closed: " + open);
    }
    return out.toString();
  }
}
