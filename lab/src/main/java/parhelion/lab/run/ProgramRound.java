package parhelion.lab.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import parhelion.lab.workload.Workload;
import parhelion.toolstack.UserError;
import parhelion.toolstack.exec.ProgramRun;

/**
 * All rows done once by the program alone, under partial virtualisation: as {@code parhelion exec}
 * runs it, in a root that has nothing else.
 */
final class ProgramRound {
  private static final int SIGKILL = 9;
  private static final int ROW_FACTOR = 50;
  private static final int ROW_SECONDS = 5;

  private final LabConfig config;
  private final Scratch scratch;
  private final @Nullable Path busybox;
  private volatile @Nullable ProgramRun running;
  private volatile boolean stopped;

  /**
   * A run to come.
   *
   * @param busybox a static busybox to be the program's shell, or null
   */
  ProgramRound(LabConfig config, Scratch scratch, @Nullable Path busybox) {
    this.config = config;
    this.scratch = scratch;
    this.busybox = busybox;
  }

  /** Why a workload cannot be done without a kernel; null if it can. */
  static @Nullable String refusal(Workload workload, boolean hasShell) {
    return switch (workload.need()) {
      case NOTHING -> null;
      case KERNEL -> "it takes a kernel of the guest's own";
      case SHELL -> hasShell ? null : "there is no shell beside the program";
      case COMMAND -> "a command of yours may want a system: parhelion exec runs single programs";
      case DISK, NETWORK -> "a program without a kernel has no devices";
    };
  }

  /** Does the workloads' rows, all of which can be done. */
  @Nullable Round run(List<Workload> workloads, LabProgress progress) throws IOException {
    Path root = scratch.directory("root");
    Path program = root.resolve(LabProgram.PATH.substring(1));
    Files.write(program, LabProgram.bytes());
    if (!program.toFile().setExecutable(true)) {
      throw new UserError(program + ": cannot be made executable: give another TMPDIR");
    }
    Files.createDirectory(root.resolve("tmp"));
    Path memory = scratch.directoryInMemory("tmp");
    List<String> binds = memory == null ? List.of() : List.of(memory + ":/tmp:rw");
    Path tools = busybox;
    if (tools != null) {
      Path bin = Files.createDirectory(root.resolve("bin"));
      Files.copy(tools, bin.resolve("busybox"));
      Files.createSymbolicLink(bin.resolve("sh"), Path.of("busybox"));
    }
    Files.writeString(
        root.resolve(LabProgram.ROWS.substring(1)),
        LabProgram.list(workloads.stream().map(Workload::row).toList()));
    long patienceSeconds =
        workloads.size() * (ROW_SECONDS + (long) ROW_FACTOR * config.rowMillis() / 1000);
    ProgramRun run =
        new ProgramRun(
            new ProgramRun.Config(
                LabProgram.PATH,
                List.of(LabProgram.ROWS, Integer.toString(config.rowMillis())),
                List.of("PATH=/bin"),
                root,
                true,
                binds,
                (long) config.memoryMib() << 20,
                TimeUnit.SECONDS.toNanos(patienceSeconds),
                config.cpu(),
                false,
                false,
                progress::note));
    MarkRecorder recorder = new MarkRecorder(workloads, run::counts, () -> {}, progress::measuring);
    run.onMark(recorder);
    running = run;
    try {
      if (stopped) {
        return null;
      }
      ProgramRun.Outcome outcome = run.run();
      return Round.of(
          outcome.engine(),
          workloads,
          recorder,
          stopped
              ? "interrupted"
              : outcome.timedOut()
                  ? "the program took too long"
                  : "the program ended with status " + outcome.status());
    } finally {
      running = null;
    }
  }

  /** Ends the program soon. Any thread. */
  void stop() {
    stopped = true;
    ProgramRun run = running;
    if (run != null) {
      run.interrupt(SIGKILL);
    }
  }
}
