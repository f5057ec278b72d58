package parhelion.toolstack;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.EngineStats;
import parhelion.cpu.EngineUnavailableException;
import parhelion.cpu.interp.CodeCache;

/** What people are told of the engine. */
public final class EngineNotes {
  private EngineNotes() {}

  /** The one line for who gets the interpreter without having asked for it; null if nobody does. */
  public static @Nullable String ofFallback(CodeCache code) {
    String obstacle = code.obstacle();
    return obstacle == null
        ? null
        : "parhelion: no rewriter here, so this is slow: "
            + obstacle
            + " (--engine interpreter leaves this line out)";
  }

  /** The rewriter was asked for and cannot be had. */
  public static UserError unavailable(EngineUnavailableException e) {
    return new UserError(
        "--engine rewriter: " + e.getMessage() + ": use --engine auto or interpreter", e);
  }

  /** What the rewriter did, as lines of a table. */
  public static String table(EngineStats stats) {
    StringBuilder text = new StringBuilder();
    text.append("%-44s %12s %12s%n".formatted("rewriter", "count", "host us"));
    text.append(
        "%-44s %12d %12d%n"
            .formatted("regions written", stats.regions(), stats.writingNanos() / 1000));
    List<EngineStats.Count> rows = new ArrayList<>();
    rows.add(new EngineStats.Count("  guest instructions", stats.instructions()));
    rows.add(new EngineStats.Count("  bytes of host code", stats.hostBytes()));
    rows.add(new EngineStats.Count("regions copied from an earlier guest's", stats.copies()));
    rows.add(new EngineStats.Count("bytes of host code held", stats.heldBytes()));
    rows.add(new EngineStats.Count("regions dropped", stats.drops()));
    rows.add(new EngineStats.Count("times that all were dropped", stats.resets()));
    rows.add(new EngineStats.Count("page walks in generated code", stats.pageWalks()));
    for (EngineStats.Count exit : stats.exits()) {
      rows.add(new EngineStats.Count("exit: " + exit.name(), exit.count()));
    }
    for (EngineStats.Count each : stats.interpreted()) {
      rows.add(new EngineStats.Count("interpreted: " + each.name(), each.count()));
    }
    for (EngineStats.Count row : rows) {
      text.append("%-44s %12d%n".formatted(row.name(), row.count()));
    }
    return text.toString();
  }
}
