package parhelion.toolstack;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which guest code a JVM was in when it died: its crash report (hs_err_pidN.log) says where the
 * host's processor was, and the map that {@code --perf-map} wrote ({@link PerfMap}) says whose code
 * that is.
 */
public final class CrashSite {
  /**
   * A place in generated code.
   *
   * @param what {@code pc}, or the name of the register that points there
   * @param host the host address
   * @param code what the map calls the code: function and offset, or address, of its first guest
   *     instruction
   * @param offset bytes of host code from its start
   * @param bytes of host code in it
   */
  public record Place(String what, long host, String code, long offset, long bytes) {}

  private record Code(long bytes, String name) {}

  private static final Pattern HEAD =
      Pattern.compile("# +SIG.* at pc=0x(\\p{XDigit}+)(?: \\([^)]*\\))?, pid=(\\d+),");
  private static final Pattern REGISTER = Pattern.compile("\\b(R\\w\\w)=0x(\\p{XDigit}{1,16})\\b");

  /** Reports and maps that are longer are not what they claim to be. */
  private static final long MOST_BYTES = 1L << 30;

  private CrashSite() {}

  /** The process that a report is of. */
  public static long pid(Path report) {
    return Long.parseLong(head(report, text(report)).group(2));
  }

  /** Where a JVM's map is if nothing else is said. */
  public static Path mapOf(long pid) {
    return Path.of("/tmp/perf-" + pid + ".map");
  }

  /**
   * The places in generated code that a crash report names: the instruction at which it crashed
   * first, if that is one, then registers that point into such code.
   */
  public static List<Place> find(Path report, Path map) {
    String text = text(report);
    TreeMap<Long, Code> codes = codes(map);
    List<Place> places = new ArrayList<>();
    add(places, codes, "pc", head(report, text).group(1));
    Matcher register = REGISTER.matcher(text);
    while (register.find()) {
      String name = register.group(1);
      if (!name.equals("RIP") && places.stream().noneMatch(p -> p.what.equals(name))) {
        add(places, codes, name, register.group(2));
      }
    }
    return places;
  }

  private static Matcher head(Path report, String text) {
    Matcher head = HEAD.matcher(text);
    if (!head.find()) {
      throw new UserError(report + " is no crash report of a JVM: give a file hs_err_pidN.log");
    }
    return head;
  }

  private static void add(
      List<Place> places, TreeMap<Long, Code> codes, String what, String hexadecimal) {
    long host = Long.parseUnsignedLong(hexadecimal, 16);
    Map.Entry<Long, Code> code = codes.floorEntry(host);
    if (code != null && host - code.getKey() < code.getValue().bytes) {
      Code at = code.getValue();
      places.add(new Place(what, host, at.name, host - code.getKey(), at.bytes));
    }
  }

  /** Later lines win: code is dropped, and other code comes where it was. */
  private static TreeMap<Long, Code> codes(Path map) {
    TreeMap<Long, Code> codes = new TreeMap<>();
    for (String line : text(map).split("\n")) {
      String[] words = line.split(" ", 3);
      try {
        if (words.length == 3) {
          Code code = new Code(Long.parseUnsignedLong(words[1], 16), words[2]);
          codes.put(Long.parseUnsignedLong(words[0], 16), code);
        }
      } catch (NumberFormatException e) {
        // The process died in the middle of a line, or this is not ours.
      }
    }
    return codes;
  }

  private static String text(Path file) {
    try {
      if (Files.size(file) > MOST_BYTES) {
        throw new UserError(file + " is too long");
      }
      return Files.readString(file, StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      throw new UserError(
          "cannot read " + file + ": a guest that runs with --perf-map writes one for its JVM", e);
    }
  }
}
