package parhelion.lab.cost;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import parhelion.lab.result.Technique;
import parhelion.pc.intercept.TrapModel;
import parhelion.toolstack.UserError;

/**
 * Reads a cost model from YAML. The file is plain data, walked by what is expected at each place:
 * nothing that it says can make more than a list of prices, and whatever is wrong is one line.
 */
final class CostFile {
  private static final int MAX_CHARACTERS = 1 << 20;
  private static final int MAX_ALIASES = 16;
  private static final int MAX_PRICES = 1000;
  private static final int MAX_TEXT = 4000;
  private static final double MAX_NANOS = 1e9;
  private static final Pattern QUANTITY =
      Pattern.compile("([0-9]{1,12}(?:\\.[0-9]{1,9})?) (ns|us|ms|cycles?)");
  private static final Pattern ID = Pattern.compile("[a-z0-9][a-z0-9.-]{0,39}");

  private final String file;
  private double nanosPerCycle;

  private CostFile(String file) {
    this.file = file;
  }

  /** The model of a text. {@link UserError} that names {@code file} for one that is none. */
  static CostModel parse(String file, String text) {
    return new CostFile(file).model(text);
  }

  private CostModel model(String text) {
    if (text.length() > MAX_CHARACTERS) {
      throw wrong("it is larger than a cost model can be");
    }
    LoadSettings settings =
        LoadSettings.builder()
            .setLabel(file)
            .setAllowDuplicateKeys(false)
            .setAllowRecursiveKeys(false)
            .setMaxAliasesForCollections(MAX_ALIASES)
            .setCodePointLimit(MAX_CHARACTERS)
            .build();
    Object root;
    try {
      root = new Load(settings).loadFromString(text);
    } catch (MarkedYamlEngineException e) {
      String line =
          e.getProblemMark().map(mark -> "line " + (mark.getLine() + 1) + ": ").orElse("");
      throw wrong(line + e.getProblem());
    } catch (YamlEngineException | StackOverflowError | NumberFormatException e) {
      throw wrong(String.valueOf(e.getMessage()));
    }
    Map<?, ?> fields =
        fields(
            "",
            root,
            Set.of(
                "id",
                "title",
                "year",
                "hardware",
                "about",
                "techniques",
                "exits",
                "clock",
                "guest",
                "costs"));
    nanosPerCycle = cycle(fields.get("clock"));
    Map<?, ?> guest = fields("guest", fields.get("guest"), Set.of("instruction", "source"));
    List<Technique> techniques = techniques(fields.get("techniques"));
    TrapModel exits = exits(fields.get("exits"));
    if (exits == null && techniques.stream().anyMatch(CostFile::isPc)) {
      throw wrong("exits is missing: which interceptions of a PC are exits is to be said");
    }
    String id = text("id", fields.get("id"));
    if (!ID.matcher(id).matches()) {
      throw wrong("id is not of small letters, digits, dots and hyphens");
    }
    return new CostModel(
        id,
        text("title", fields.get("title")),
        year(fields.get("year")),
        text("hardware", fields.get("hardware")),
        text("about", fields.get("about")),
        techniques,
        exits,
        quantity("guest.instruction", guest.get("instruction")),
        text("guest.source", guest.get("source")),
        prices(fields.get("costs")));
  }

  private static boolean isPc(Technique technique) {
    return technique != Technique.PARA && technique != Technique.PARTIAL;
  }

  private List<Price> prices(@Nullable Object value) {
    List<?> list = list("costs", value, MAX_PRICES);
    List<Price> prices = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < list.size(); i++) {
      String at = "costs[" + i + "]";
      Map<?, ?> row = fields(at, list.get(i), Set.of("for", "cost", "native", "source"));
      String event = text(at + ".for", row.get("for"));
      if (!seen.add(event)) {
        throw wrong("two costs are for '" + event + "'");
      }
      CostKey key;
      try {
        key = CostKey.of(event);
      } catch (IllegalArgumentException e) {
        throw wrong(at + ".for: " + e.getMessage());
      }
      double cost = quantity(at + ".cost", row.get("cost"));
      Object bare = row.get("native");
      double nativeNanos = bare == null ? 0 : quantity(at + ".native", bare);
      prices.add(new Price(key, cost, nativeNanos, text(at + ".source", row.get("source"))));
    }
    return List.copyOf(prices);
  }

  private double cycle(@Nullable Object value) {
    String text = text("clock", value);
    Matcher matcher = Pattern.compile("([0-9]{1,2}(?:\\.[0-9]{1,6})?) GHz").matcher(text);
    if (!matcher.matches() || Double.parseDouble(matcher.group(1)) == 0) {
      throw wrong("clock is not a frequency such as 2.5 GHz");
    }
    return 1 / Double.parseDouble(matcher.group(1));
  }

  /** Nanoseconds. */
  private double quantity(String at, @Nullable Object value) {
    Matcher matcher = QUANTITY.matcher(text(at, value));
    if (!matcher.matches()) {
      throw wrong(at + " is not a time such as 0.46 us, 120 ns or 391 cycles");
    }
    double number = Double.parseDouble(matcher.group(1));
    double nanos =
        switch (matcher.group(2)) {
          case "ns" -> number;
          case "us" -> number * 1e3;
          case "ms" -> number * 1e6;
          default -> number * nanosPerCycle;
        };
    if (nanos > MAX_NANOS) {
      throw wrong(at + " is more than a second");
    }
    return nanos;
  }

  private int year(@Nullable Object value) {
    if (!(value instanceof Integer year) || year < 1960 || year > 2100) {
      throw wrong("year is not a year from 1960 to 2100");
    }
    return year;
  }

  private List<Technique> techniques(@Nullable Object value) {
    List<Technique> techniques = new ArrayList<>();
    for (Object each : list("techniques", value, Technique.values().length)) {
      Technique technique = each instanceof String id ? Technique.of(id) : null;
      if (technique == null || techniques.contains(technique)) {
        throw wrong("techniques holds something that is none, or one twice: see compare --list");
      }
      techniques.add(technique);
    }
    return List.copyOf(techniques);
  }

  private @Nullable TrapModel exits(@Nullable Object value) {
    if (value == null) {
      return null;
    }
    TrapModel model = TrapModel.of(text("exits", value));
    if (model == null) {
      throw wrong("exits is none of the models of --trap-model");
    }
    return model;
  }

  private String text(String at, @Nullable Object value) {
    if (value == null) {
      throw wrong(at + " is missing");
    }
    if (!(value instanceof String text) || text.isBlank()) {
      throw wrong(at + " is not a text");
    }
    if (text.length() > MAX_TEXT) {
      throw wrong(at + " is longer than " + MAX_TEXT + " characters");
    }
    return text.strip().replaceAll("\\s+", " ");
  }

  private List<?> list(String at, @Nullable Object value, int most) {
    if (!(value instanceof List<?> list) || list.isEmpty()) {
      throw wrong(at + " is not a list with something in it");
    }
    if (list.size() > most) {
      throw wrong(at + " has more than " + most + " entries");
    }
    return list;
  }

  private Map<?, ?> fields(String at, @Nullable Object value, Set<String> known) {
    if (!(value instanceof Map<?, ?> map)) {
      throw wrong((at.isEmpty() ? "it" : at) + " is not a list of fields with values");
    }
    for (Object name : map.keySet()) {
      if (!(name instanceof String field) || !known.contains(field)) {
        // Of a name nothing is shown but text: a collection could hold itself.
        String shown = name instanceof String || name instanceof Number ? " " + name : "";
        throw wrong((at.isEmpty() ? "" : at + ": ") + "unknown field" + shown);
      }
    }
    return map;
  }

  private UserError wrong(String what) {
    String line = what.lines().findFirst().orElse("").replaceAll("\\p{Cntrl}", "?");
    return new UserError(
        file + " is no cost model: " + (line.length() > 200 ? line.substring(0, 200) : line));
  }
}
