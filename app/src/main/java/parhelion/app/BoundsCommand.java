package parhelion.app;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import parhelion.lab.bounds.BoundsMachine;
import parhelion.lab.bounds.BoundsMachine.Rules;
import parhelion.lab.bounds.BoundsMachine.Turn;
import parhelion.lab.bounds.Job;
import parhelion.toolstack.UserError;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code parhelion bounds}: the historical form of partial virtualisation, to look at. */
@Command(
    name = "bounds",
    mixinStandardHelpOptions = true,
    description = {
      "Runs several jobs in one memory, each behind a base and a bound register, and shows every"
          + " turn: how time-sharing began (docs/base-and-bound.md).",
      "A job is one of the built-in intruder, squares and primes, or a file of 32-bit x86 code for"
          + " address 0 (guests/bounds shows how to make one)."
    },
    sortOptions = false,
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "0:no job is ready any more: the list tells how each came to its end",
      "1:a file cannot be read, or a job does not fit; one line says so"
    },
    footerHeading = "%nExample:%n",
    footer = "  parhelion bounds --no-bound intruder squares")
final class BoundsCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "JOB",
      arity = "0..*",
      description = "Jobs, in the order in which they lie in memory (default: intruder squares).")
  List<String> jobs = List.of("intruder", "squares");

  @Option(
      names = "--memory",
      paramLabel = "KIB",
      defaultValue = "16",
      description = "Memory of the machine in KiB, 8 to 16384 (default: ${DEFAULT-VALUE}).")
  int memoryKib;

  @Option(
      names = "--job-size",
      paramLabel = "BYTES",
      defaultValue = "1024",
      description = "Memory of each job: its bound (default: ${DEFAULT-VALUE}).")
  int jobBytes;

  @Option(
      names = "--slice",
      paramLabel = "N",
      defaultValue = "200",
      description = "Instructions of a turn (default: ${DEFAULT-VALUE}).")
  int slice;

  @Option(
      names = "--move",
      paramLabel = "N",
      defaultValue = "0",
      description = "Move each job to another place after every N turns; it cannot tell.")
  int move;

  @Option(
      names = "--no-bound",
      description = "Do not compare addresses with the bound: see what becomes of the neighbours.")
  boolean noBound;

  @Option(
      names = "--limit",
      paramLabel = "N",
      defaultValue = "1000000",
      description =
          "Instructions of all jobs together, after which they are stopped (default:"
              + " ${DEFAULT-VALUE}).")
  long limit;

  @Option(names = "--json", description = "Print one JSON object: jobs and turns.")
  boolean json;

  @Spec
  @SuppressWarnings("NullAway.Init")
  CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    Rules rules = rules();
    PrintWriter out = spec.commandLine().getOut();
    try (BoundsMachine machine = new BoundsMachine(rules)) {
      for (String job : jobs) {
        add(machine, job);
      }
      if (json) {
        List<Map<String, Object>> turns = new ArrayList<>();
        machine.run(turn -> turns.add(turn(turn)));
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("jobs", machine.jobs().stream().map(BoundsCommand::job).toList());
        all.put("turns", turns);
        out.println(new ObjectMapper().writeValueAsString(all));
      } else {
        tell(machine, out);
      }
      out.flush();
    }
    return ExitStatus.OK;
  }

  private Rules rules() {
    inRange("--memory", memoryKib, 8, BoundsMachine.MAX_BYTES / 1024);
    inRange("--job-size", jobBytes, 1, memoryKib * 1024L);
    inRange("--slice", slice, 1, Integer.MAX_VALUE);
    inRange("--move", move, 0, Integer.MAX_VALUE);
    inRange("--limit", limit, 1, 1_000_000_000);
    return new Rules((memoryKib + 3) / 4 * 4096, !noBound, slice, move, limit);
  }

  private void inRange(String option, long value, long low, long high) {
    if (value < low || value > high) {
      throw new ParameterException(
          spec.commandLine(), option + " takes " + low + " to " + high + ", not " + value);
    }
  }

  private void add(BoundsMachine machine, String job) throws IOException {
    byte[] image;
    String name = job;
    if (Job.NAMES.contains(job)) {
      image = Job.image(job);
    } else {
      Path file = Path.of(job);
      if (Files.size(file) > jobBytes) {
        throw new UserError(
            job + ": " + Files.size(file) + " bytes are too many, see --job-size and --memory");
      }
      image = Files.readAllBytes(file);
      name = String.valueOf(file.getFileName());
    }
    try {
      machine.add(name, image, jobBytes);
    } catch (IllegalArgumentException e) {
      throw new UserError(e.getMessage() + ": see --job-size and --memory");
    }
  }

  // --- as text ---

  private void tell(BoundsMachine machine, PrintWriter out) {
    out.printf(
        "memory 0 to %x, in hexadecimal as all addresses; the supervisor has 0 to %x%n",
        memoryKib * 1024 - 1, BoundsMachine.SUPERVISOR_BYTES - 1);
    for (Job job : machine.jobs()) {
      out.printf("%s: base %x, bound %x%n", job.name(), job.base(), job.bytes());
    }
    out.printf("%n%4s  %-10s %6s %12s  %s%n", "turn", "job", "base", "instructions", "printed");
    int[] turns = {0};
    machine.run(
        turn ->
            out.printf(
                "%4d  %-10s %6x %12d  %s%n",
                ++turns[0],
                turn.job().name(),
                turn.base(),
                turn.instructions(),
                readable(turn.printed())));
    out.println();
    for (Job job : machine.jobs()) {
      out.printf(
          "%s: %s after %d instructions%s%n",
          job.name(),
          job.state().name().toLowerCase(Locale.ROOT),
          job.instructions(),
          job.offence() == null ? "" : ": it " + job.offence());
    }
  }

  /** Nothing that a terminal would take for a command. */
  private static String readable(String text) {
    return text.replaceAll("[^ -~]", ".").stripTrailing();
  }

  // --- as JSON ---

  private static Map<String, Object> job(Job job) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("name", job.name());
    map.put("base", job.base());
    map.put("bound", job.bytes());
    map.put("state", job.state().name().toLowerCase(Locale.ROOT));
    map.put("instructions", job.instructions());
    map.put("offence", job.offence());
    return map;
  }

  private static Map<String, Object> turn(Turn turn) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("job", turn.job().name());
    map.put("base", turn.base());
    map.put("instructions", turn.instructions());
    map.put("printed", turn.printed());
    return map;
  }
}
