package parhelion.lab.result;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * All that one {@code parhelion compare} measured, and with what. {@link ResultFile} writes and
 * reads it.
 *
 * @param version Parhelion's
 * @param commit of the sources, or "unknown"
 * @param startedAt an instant of ISO 8601
 * @param command the command's words as typed, without "parhelion"
 * @param seed of the virtual clock and of whatever is random
 * @param clock what guests' time follows: "real" or "virtual"
 * @param host the machine underneath
 * @param kernel what all guests with a kernel ran
 * @param memoryMib of each guest
 * @param vcpus of each guest
 * @param engine "rewriter" or "interpreter"
 * @param repetitions asked for, without warm-ups
 * @param warmUps repetitions before those, not kept
 * @param workloads in the order in which they are shown
 * @param cells at most one of each technique and workload, in no order that means anything
 */
public record Comparison(
    String version,
    String commit,
    String startedAt,
    List<String> command,
    long seed,
    String clock,
    Host host,
    Kernel kernel,
    int memoryMib,
    int vcpus,
    String engine,
    int repetitions,
    int warmUps,
    List<WorkloadInfo> workloads,
    List<Cell> cells) {
  public Comparison {
    Check.text("version", version);
    Check.text("commit", commit);
    Check.text("startedAt", startedAt);
    try {
      Instant.parse(startedAt);
    } catch (DateTimeException e) {
      throw new IllegalArgumentException("startedAt is no instant such as 2026-01-31T12:00:00Z", e);
    }
    command = Check.list("command", command, 10_000);
    Check.text("clock", clock);
    if (!clock.equals("real") && !clock.equals("virtual")) {
      throw new IllegalArgumentException("clock is neither real nor virtual");
    }
    Check.present("host", host);
    Check.present("kernel", kernel);
    Check.range("memoryMib", memoryMib, 1, 1 << 24);
    Check.range("vcpus", vcpus, 1, 4096);
    Check.text("engine", engine);
    Check.range("repetitions", repetitions, 1, 10_000);
    Check.range("warmUps", warmUps, 0, 10_000);
    workloads = Check.list("workloads", workloads, 1000);
    cells = Check.list("cells", cells, 10_000);
    Set<String> ids = new HashSet<>();
    for (WorkloadInfo workload : workloads) {
      if (!ids.add(workload.id())) {
        throw new IllegalArgumentException("two workloads are called " + workload.id());
      }
    }
    Set<List<Object>> places = new HashSet<>();
    for (Cell cell : cells) {
      if (!ids.contains(cell.workload())) {
        throw new IllegalArgumentException("no workload is called " + cell.workload());
      }
      if (!places.add(List.of(cell.technique(), cell.workload()))) {
        throw new IllegalArgumentException(
            "two cells are " + cell.technique().id + "/" + cell.workload());
      }
    }
  }

  /** The cell of a technique and a workload's id, or null where it was not run. */
  public @Nullable Cell cell(Technique technique, String workload) {
    for (Cell cell : cells) {
      if (cell.technique() == technique && cell.workload().equals(workload)) {
        return cell;
      }
    }
    return null;
  }
}
