package parhelion.lab.result;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Comparisons that tests make up. Every number says what it is for by its place, none is measured.
 */
public final class Comparisons {
  /** A throughput, a latency and a boot. */
  public static final List<WorkloadInfo> WORKLOADS =
      List.of(
          new WorkloadInfo("boot", "boot", "Boot to a shell", "s", false, null),
          new WorkloadInfo("fork", "processes", "fork, exit and wait", "us", false, "fork"),
          new WorkloadInfo(
              "tcp-send", "network", "TCP out of the guest, MTU 1500", "MB/s", true, "TCP send"));

  private Comparisons() {}

  /** A sample of {@code operations} with one kind of interception. */
  public static Sample sample(
      long operations, double value, long instructions, Map<String, Count> interceptions) {
    return new Sample(
        operations,
        0,
        value,
        instructions,
        instructions + 1000,
        instructions + 2000,
        instructions,
        counts(interceptions, Map.of()));
  }

  public static Counts counts(Map<String, Count> interceptions, Map<String, Long> hypercalls) {
    return new Counts(interceptions, hypercalls, 0, 0, 0, 0, 0);
  }

  /** Those cells with the workloads that they name. */
  public static Comparison of(List<Cell> cells) {
    List<WorkloadInfo> used = new ArrayList<>(WORKLOADS);
    used.removeIf(info -> cells.stream().noneMatch(cell -> cell.workload().equals(info.id())));
    return new Comparison(
        "0.1.0",
        "0123abc",
        "2026-11-28T01:00:00Z",
        List.of("compare", "--seed", "7"),
        7,
        "virtual",
        new Host("A test's processor", 2, 8L << 30, "Linux 6.1 amd64", "Test 25"),
        new Kernel("vmlinuz", "6.1.0-test", "0".repeat(64)),
        256,
        1,
        "interpreter",
        5,
        1,
        used,
        cells);
  }

  /** A small one with every kind of field in it. */
  public static Comparison small() {
    Counts full =
        new Counts(
            Map.of(
                "port write:ide0:command", new Count(12, 3400),
                "control register:cpu:CR3", new Count(7, 0)),
            Map.of(),
            3,
            9,
            2,
            4096,
            1 << 20);
    Counts para =
        new Counts(
            Map.of("emulated page-table writes", new Count(5, 800)),
            Map.of("mmu_update", 40L, "sched_op", 2L),
            44,
            8,
            2,
            4096,
            1 << 19);
    return of(
        List.of(
            new Cell(
                Technique.FULL,
                "fork",
                List.of(
                    new Sample(100, 0, 12.5, 1_250_000, 1_300_000, 1_400_000, 900_000, full),
                    new Sample(100, 0, 12.75, 1_275_000, 1_310_000, 1_410_000, 900_100, full)),
                null),
            new Cell(
                Technique.PARA,
                "fork",
                List.of(new Sample(100, 0, 9, 900_000, 910_000, 920_000, 800_000, para)),
                "one of two repetitions ended early"),
            new Cell(Technique.PARTIAL, "boot", List.of(), "a program alone has nothing to boot")));
  }
}
