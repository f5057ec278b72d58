package parhelion.app;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jline.utils.Signals;
import org.jspecify.annotations.Nullable;
import parhelion.lab.result.Comparison;
import parhelion.lab.result.ResultFile;
import parhelion.lab.result.Technique;
import parhelion.lab.run.LabConfig;
import parhelion.lab.run.LabRun;
import parhelion.lab.workload.Roster;
import parhelion.lab.workload.Workload;
import parhelion.toolstack.UserError;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code parhelion compare}: the same kernel and workloads under each technique. */
@Command(
    name = "compare",
    mixinStandardHelpOptions = true,
    description = {
      "Runs the same kernel and workloads under each technique of virtualisation, and says what"
          + " each costs and why.",
      "",
      "Without options: Debian's kernel, all workloads, all techniques; some minutes. Ctrl-C ends"
          + " it early and keeps what was measured until then. Where no file is named for the"
          + " results, the report goes to parhelion-comparison.html."
    },
    sortOptions = false,
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "0:all was measured that the techniques can do",
      "1:it could not be started, or the results not be written; one line says why",
      "2:the command line is wrong",
      "6:some of it failed: the results say what and why",
      "130:interrupted; what was measured until then is in the results"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  parhelion compare",
      "  parhelion compare --list",
      "  parhelion compare --workload boot,fork,page-fault --repetitions 10 --json now.json",
      "  parhelion compare --technique para,full --workload network,disk",
      "  parhelion compare -- 'find / -xdev | wc -l'",
      "  parhelion compare --rootfs debian.tar --memory 1G -- 'make -C /src'"
    })
final class CompareCommand implements Callable<Integer> {
  /** Where the report goes if no file was named. */
  private static final Path PAGE = Path.of("parhelion-comparison.html");

  @Mixin KernelOptions boot = new KernelOptions();

  @Option(
      names = "--rootfs",
      paramLabel = "DIR|TAR|IMAGE",
      description =
          "Measure in a directory, a tar ball or a container image archive as the root, unpacked"
              + " into the memory of every guest. More in docs/lab.md.")
  @Nullable Path rootfs;

  @Option(
      names = "--workload",
      paramLabel = "NAME,...",
      split = ",",
      description =
          "What to measure: names, groups, or beginnings with a star, as in --list (default: all).")
  List<String> workloads = List.of();

  @Option(
      names = "--technique",
      paramLabel = "NAME,...",
      split = ",",
      converter = TechniqueWord.class,
      description = "How to run it, as in --list (default: all).")
  List<Technique> techniques = LabRun.TECHNIQUES;

  @Option(
      names = "--repetitions",
      paramLabel = "N",
      converter = Repetitions.class,
      defaultValue = "5",
      description = "Measured rounds (default: ${DEFAULT-VALUE}).")
  int repetitions;

  @Option(
      names = "--warm-up",
      paramLabel = "N",
      converter = WarmUps.class,
      defaultValue = "1",
      description = "Rounds before those, whose samples are dropped (default: ${DEFAULT-VALUE}).")
  int warmUps;

  @Option(
      names = "--row-time",
      paramLabel = "MILLISECONDS",
      converter = RowTime.class,
      defaultValue = "100",
      description = "How long each workload is measured in a round (default: ${DEFAULT-VALUE}).")
  int rowMillis;

  @Mixin MachineOptions machine = new MachineOptions();

  @Option(
      names = "--virtual-clock",
      description =
          "Let guests' time be their instructions, a nanosecond each, and waiting take none: counts"
              + " are then the same in every run with a seed. Not for disks and networks.")
  boolean virtualClock;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Of guests' random numbers under the virtual clock (default: ${DEFAULT-VALUE}).")
  long seed;

  @Option(
      names = "--json",
      paramLabel = "FILE",
      description =
          "Write the results to a file, as JSON: report shows them again, --baseline compares with"
              + " them.")
  @Nullable Path json;

  @Mixin ReportArguments report = new ReportArguments();

  @Option(names = "--list", description = "Name workloads and techniques, and do nothing.")
  boolean list;

  @Parameters(
      paramLabel = "COMMAND",
      description =
          "Also measure this, run once a round by a shell of the guest's. With it and no"
              + " --workload, only it and the boot.")
  List<String> command = List.of();

  @Spec @Nullable CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    if (list) {
      list(Objects.requireNonNull(spec).commandLine().getOut());
      return ExitStatus.OK;
    }
    boot.check();
    if (boot.initrd != null && rootfs != null) {
      throw new UserError("--initrd and --rootfs exclude each other: give one of them");
    }
    if (machine.cpu.perfMap) {
      throw new UserError("--perf-map is about one guest: use it with run");
    }
    ReportArguments.checkDirectory(json);
    ReportArguments.Opened opened = report.open();
    CompareProgress progress = new CompareProgress();
    LabRun run = new LabRun(config(), progress);
    Object before = Signals.register("INT", run::stop);
    Comparison comparison;
    try {
      comparison = run.run(ProgressLine.forUser());
    } finally {
      progress.end();
      Signals.unregister("INT", before);
    }
    if (json != null) {
      ResultFile.write(comparison, json);
    }
    report.show(
        comparison,
        opened,
        json == null && report.hasNoFile() ? PAGE : null,
        new PrintWriter(System.out, false),
        new PrintWriter(System.err, false));
    if (run.isStopped()) {
      return ExitStatus.INTERRUPTED;
    }
    return run.hasFailed() ? ExitStatus.INCOMPLETE : ExitStatus.OK;
  }

  private LabConfig config() {
    String text = String.join(" ", command);
    List<String> names = workloads.isEmpty() && !text.isBlank() ? List.of(Roster.BOOT) : workloads;
    List<Workload> all =
        new ArrayList<>(names.isEmpty() ? Roster.workloads() : Roster.named(names));
    if (!text.isBlank()) {
      all.add(Roster.command(text));
    }
    return new LabConfig(
        boot.kernel,
        boot.packageName,
        boot.initrd,
        rootfs,
        boot.append,
        all,
        text,
        LabRun.TECHNIQUES.stream().filter(techniques::contains).toList(),
        repetitions,
        warmUps,
        rowMillis,
        machine.memoryMib,
        machine.vcpus,
        machine.cpu.choice(),
        virtualClock,
        seed,
        words());
  }

  /** The command line as typed, for the record. */
  private List<String> words() {
    CommandSpec own = spec;
    return own == null ? List.of() : own.root().commandLine().getParseResult().originalArgs();
  }

  private static void list(PrintWriter out) {
    out.printf("%-20s %-10s %s%n", "workload", "group", "what, in");
    for (Workload workload : Roster.workloads()) {
      out.printf(
          "%-20s %-10s %s, %s%n",
          workload.id(), workload.info().group(), workload.info().title(), workload.info().unit());
    }
    out.printf("%n%-20s%n", "technique");
    for (Technique technique : LabRun.TECHNIQUES) {
      out.printf("%-20s %s%n", technique.id, technique.sentence);
    }
    out.flush();
  }

  /** A technique that can be run. */
  static final class TechniqueWord implements ITypeConverter<Technique> {
    @Override
    public Technique convert(String text) {
      Technique technique = Technique.of(text);
      if (technique == null || !LabRun.TECHNIQUES.contains(technique)) {
        throw new TypeConversionException(
            "'%s' is none of %s"
                .formatted(
                    text, String.join(", ", LabRun.TECHNIQUES.stream().map(t -> t.id).toList())));
      }
      return technique;
    }
  }

  /** A number within bounds. */
  abstract static class Bounded implements ITypeConverter<Integer> {
    private final int least;
    private final int most;

    Bounded(int least, int most) {
      this.least = least;
      this.most = most;
    }

    @Override
    public Integer convert(String text) {
      try {
        int value = Integer.parseInt(text);
        if (value >= least && value <= most) {
          return value;
        }
      } catch (NumberFormatException e) {
        // Said below.
      }
      throw new TypeConversionException(
          "'%s' is not a number from %d to %d".formatted(text, least, most));
    }
  }

  static final class Repetitions extends Bounded {
    Repetitions() {
      super(1, LabConfig.MAX_REPETITIONS);
    }
  }

  static final class WarmUps extends Bounded {
    WarmUps() {
      super(0, LabConfig.MAX_REPETITIONS);
    }
  }

  static final class RowTime extends Bounded {
    RowTime() {
      super(1, 60_000);
    }
  }
}
