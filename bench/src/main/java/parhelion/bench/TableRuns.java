package parhelion.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import parhelion.toolstack.image.GuestCommand;

/**
 * The runs behind a table. In each, every side boots, then every side runs the suite, then two
 * guests boot in one JVM; what no chosen row needs is left out. A failure costs its rows, not the
 * table.
 */
final class TableRuns {
  private static final long BOOT_LIMIT_SECONDS = 300;
  private static final long SUITE_LIMIT_SECONDS = 1800;
  private static final int LAST_LINES = 3;
  private static final Pattern RESULT = Pattern.compile("(\\S+) (\\d+\\.\\d+) [0-9a-f]{16}");
  private static final Pattern GUEST = Pattern.compile("guest (\\d) (\\S+) (\\S+)");

  /** As bin/launch.sh has them. */
  private static final List<String> JVM_OPTIONS =
      List.of(
          "-Xlog:disable",
          "-XX:-UsePerfData",
          "-XX:+UseSerialGC",
          "-Xms128m",
          "-Xmx2g",
          "-Xss2m",
          "--sun-misc-unsafe-memory-access=allow");

  private final TableOptions options;
  private final List<Row> rows;
  private final List<Row> programs;
  private final Path kernel;
  private final Path initrd;
  private final BootCommands commands;
  private final Samples samples = new Samples();

  /**
   * Prepares them.
   *
   * @param rows those that are wanted
   * @param all those that there are
   */
  TableRuns(TableOptions options, List<Row> rows, List<Row> all, Path kernel, Path initrd) {
    this.options = options;
    this.rows = rows;
    this.kernel = kernel;
    this.initrd = initrd;
    List<Row> suite = all.stream().filter(row -> !Row.FIXED.contains(row)).toList();
    programs =
        rows.contains(Row.SUITE_MEMORY) ? suite : rows.stream().filter(suite::contains).toList();
    List<String> how = new ArrayList<>();
    if (!options.engine().isEmpty()) {
      how.addAll(List.of("--engine", options.engine()));
    }
    if (!options.mode().isEmpty()) {
      how.addAll(List.of("--mode", options.mode()));
    }
    commands = new BootCommands(options.launcher(), how, kernel, initrd);
  }

  /** Runs everything. */
  Samples measure() throws IOException, InterruptedException {
    boolean boots =
        Stream.of(Row.BOOT_USERLAND, Row.BOOT_END, Row.BOOT_MEMORY, Row.SECOND_GUEST)
            .anyMatch(rows::contains);
    boolean guests =
        Stream.of(Row.FIRST_GUEST, Row.SECOND_GUEST).anyMatch(rows::contains)
            && !options.peersOnly();
    List<Side> hypervisors =
        options.peersOnly() ? List.of(Side.QEMU) : List.of(Side.PARHELION, Side.QEMU);
    if (boots) {
      for (Side side : hypervisors) {
        run("boot, not counted", side, command(side, bootWords()), BOOT_LIMIT_SECONDS);
      }
    }
    if (guests) {
      String making = "two guests, to make an AOT cache";
      List<String> command = guestsCommand("-XX:AOTCacheOutput=" + cache());
      TimedProcess process = run(making, Side.PARHELION, command, BOOT_LIMIT_SECONDS);
      if (process.status() != 0) {
        tell(making, Side.PARHELION, "there is none", process);
      }
    }
    for (int i = 1; i <= options.runs(); i++) {
      String of = " " + i + " of " + options.runs();
      if (boots) {
        for (Side side : hypervisors) {
          boot(side, "boot" + of);
        }
      }
      if (!programs.isEmpty()) {
        for (Side side : hypervisors) {
          suite(side, "suite" + of, command(side, suiteWords()));
        }
        suite(Side.NATIVE, "suite" + of, suiteCommand(options.suite().toString()));
      }
      if (guests) {
        guests("two guests" + of);
      }
    }
    return samples;
  }

  private List<String> command(Side side, String words) {
    return side == Side.QEMU ? commands.qemu(words) : commands.parhelion(words);
  }

  /** A command in the guest, whose end is the guest's. */
  private static String words(String shellText) {
    return "quiet " + TimedProcess.WORD + " " + GuestCommand.of(shellText).kernelArguments();
  }

  private static String bootWords() {
    return words("true");
  }

  private String suiteWords() {
    return words(String.join(" ", suiteCommand("suite")));
  }

  private List<String> suiteCommand(String program) {
    List<String> command = new ArrayList<>(List.of(program, "--scale", options.scale()));
    programs.forEach(row -> command.add(row.name()));
    return command;
  }

  private void boot(Side side, String what) throws IOException, InterruptedException {
    TimedProcess process = run(what, side, command(side, bootWords()), BOOT_LIMIT_SECONDS);
    boolean well = process.status() == 0 && !Double.isNaN(process.userlandSeconds());
    if (!well) {
      tell(what, side, "it did not boot", process);
    }
    add(Row.BOOT_USERLAND, side, well ? process.userlandSeconds() : Double.NaN);
    add(Row.BOOT_END, side, well ? process.endSeconds() : Double.NaN);
    add(Row.BOOT_MEMORY, side, well ? process.peakMib() : Double.NaN);
    if (side == Side.QEMU) {
      // Which guest it is makes no difference to it.
      add(Row.SECOND_GUEST, side, well ? process.userlandSeconds() : Double.NaN);
    }
  }

  private void suite(Side side, String what, List<String> command)
      throws IOException, InterruptedException {
    TimedProcess process = run(what, side, command, SUITE_LIMIT_SECONDS);
    Map<String, Double> seconds = new HashMap<>();
    for (String line : process.lines()) {
      Matcher result = RESULT.matcher(line.strip());
      if (result.matches()) {
        seconds.put(result.group(1), Double.valueOf(result.group(2)));
      }
    }
    List<String> missing = new ArrayList<>();
    for (Row row : programs) {
      Double taken = seconds.get(row.name());
      if (taken == null) {
        missing.add(row.name());
      }
      add(row, side, taken == null ? Double.NaN : taken);
    }
    if (!missing.isEmpty()) {
      tell(what, side, "no time from " + String.join(", ", missing), process);
    }
    if (side != Side.NATIVE) {
      add(Row.SUITE_MEMORY, side, missing.isEmpty() ? process.peakMib() : Double.NaN);
    }
  }

  private void guests(String what) throws IOException, InterruptedException {
    List<String> command =
        guestsCommand("-XX:AOTCache=" + cache(), kernel.toString(), initrd.toString(), bootWords());
    TimedProcess process = run(what, Side.PARHELION, command, 2 * BOOT_LIMIT_SECONDS);
    Map<String, Double> seconds = new HashMap<>();
    for (String line : process.lines()) {
      Matcher guest = GUEST.matcher(line);
      if (guest.matches()) {
        seconds.put(guest.group(1), Double.valueOf(guest.group(2)));
      }
    }
    if (seconds.size() < 2) {
      tell(what, Side.PARHELION, "not both guests booted", process);
    }
    samples.add(Row.FIRST_GUEST, Side.PARHELION, seconds.getOrDefault("1", Double.NaN));
    samples.add(Row.SECOND_GUEST, Side.PARHELION, seconds.getOrDefault("2", Double.NaN));
  }

  /** The JVM is as a launch has it, with an AOT cache of its own. */
  private List<String> guestsCommand(String cacheOption, String... guest) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add(
        options.engine().equals("interpreter")
            ? "-XX:+TieredCompilation"
            : "-XX:TieredStopAtLevel=1");
    command.addAll(JVM_OPTIONS);
    command.addAll(List.of(cacheOption, "-jar", options.jar().toString(), options.engine()));
    command.addAll(List.of(guest));
    return command;
  }

  private Path cache() {
    return options.jar().resolveSibling("second-guest.aot");
  }

  private void add(Row row, Side side, double value) {
    if (rows.contains(row)) {
      samples.add(row, side, value);
    }
  }

  private static TimedProcess run(String what, Side side, List<String> command, long limitSeconds)
      throws IOException, InterruptedException {
    System.err.println(what + ": " + side.title);
    return TimedProcess.run(command, limitSeconds);
  }

  /** One line on a failure, with the last that the process wrote, and all of that in a file. */
  private void tell(String what, Side side, String problem, TimedProcess process)
      throws IOException {
    Path log =
        options
            .work()
            .resolve((side + "-" + what).toLowerCase(Locale.ROOT).replace(' ', '-') + ".log");
    Files.createDirectories(options.work());
    Files.write(log, process.lines());
    List<String> lines =
        process.lines().stream().map(String::strip).filter(line -> !line.isEmpty()).toList();
    List<String> last = lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size());
    System.err.println(
        "bench/table: "
            + what
            + ", "
            + side.title
            + ": "
            + problem
            + " (log: "
            + log
            + "): "
            + String.join(" | ", last));
  }
}
