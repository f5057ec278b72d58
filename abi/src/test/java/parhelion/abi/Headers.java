package parhelion.abi;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What gcc makes of Xen's public headers: the rows of {@code layout.tsv} and {@code constants.tsv}
 * that the module declares. The first line of each file names Xen's commit and the compiler, and
 * describes the columns.
 */
final class Headers {
  /** A constant: its header and its value. */
  record Constant(String header, long value) {}

  /** A structure: its header and size, and its members by path in C. */
  record Layout(String header, int size, Map<String, Member> members) {}

  /** A member: where it is, and its C type. */
  record Member(int offset, int size, String type) {
    private static final Pattern ARRAY = Pattern.compile("(.*)\\[(\\d*)]");

    /** Elements of an array, 0 for a flexible one; 1 for anything else. */
    int count() {
      Matcher array = ARRAY.matcher(type);
      if (!array.matches()) {
        return 1;
      }
      return array.group(2).isEmpty() ? 0 : Integer.parseInt(array.group(2));
    }

    boolean isSigned() {
      return type.equals("int") || type.matches("int(8|16|32)_t");
    }

    boolean isScalar() {
      return !ARRAY.matcher(type).matches() && !type.matches("(struct|union) [^*]*") && size <= 8;
    }
  }

  private static final Pattern ELEMENT = Pattern.compile("(.*)\\[(\\d+)]");

  final Map<String, Constant> constants = new LinkedHashMap<>();
  final Map<String, Layout> layouts = new LinkedHashMap<>();

  static final Headers XEN = new Headers();

  private Headers() {
    for (String[] row : rows("constants.tsv")) {
      Constant constant = new Constant(row[2], Long.parseUnsignedLong(row[5].replace("-", "")));
      if (row[5].startsWith("-")) {
        constant = new Constant(row[2], -constant.value());
      }
      if (constants.put(row[1], constant) != null) {
        throw new IllegalStateException("two rows for " + row[1]);
      }
    }
    for (String[] row : rows("layout.tsv")) {
      if (row[0].equals("struct")) {
        layouts.put(row[1], new Layout(row[2], Integer.parseInt(row[3]), new LinkedHashMap<>()));
      } else {
        Member member = new Member(Integer.parseInt(row[3]), Integer.parseInt(row[4]), row[5]);
        layouts.get(row[1]).members().put(row[2], member);
      }
    }
  }

  /**
   * The member at a path; {@code args[3]} is found as an element of {@code args}. Null if there is
   * none.
   */
  Member member(Struct struct, String path) {
    Layout layout = layouts.get(struct.cName());
    if (layout == null) {
      return null;
    }
    Matcher element = ELEMENT.matcher(path);
    if (!element.matches()) {
      return layout.members().get(path);
    }
    Member array = layout.members().get(element.group(1));
    int index = Integer.parseInt(element.group(2));
    if (array == null || index >= array.count()) {
      return null;
    }
    int size = array.size() / array.count();
    return new Member(array.offset() + index * size, size, array.type().replaceAll("\\[.*", ""));
  }

  private static List<String[]> rows(String resource) {
    List<String[]> rows = new ArrayList<>();
    try (BufferedReader in =
        new BufferedReader(
            new InputStreamReader(
                Headers.class.getResourceAsStream(resource), StandardCharsets.UTF_8))) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        if (!line.startsWith("#")) {
          rows.add(line.split("\t"));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return rows;
  }
}
