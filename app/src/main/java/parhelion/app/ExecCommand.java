package parhelion.app;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jline.utils.Signals;
import org.jspecify.annotations.Nullable;
import parhelion.toolstack.UserError;
import parhelion.toolstack.exec.ProgramRun;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/** {@code parhelion exec}: runs a static Linux program in an address space of its own. */
@Command(
    name = "exec",
    mixinStandardHelpOptions = true,
    description = {
      "Runs a static x86-64 Linux program, and what it starts, in address spaces of their own: its"
          + " instructions by Parhelion's processor, its system calls by Parhelion.",
      "",
      "It sees no file of this machine but what lies below --root and --bind, and changes none"
          + " without --writable. Standard input, output and error are this command's."
    },
    sortOptions = false,
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "1:it could not be started; one line says why",
      "2:the command line is wrong",
      "124:--timeout ran out",
      "other:the program's own status, 128+N when signal N ended it"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  parhelion exec /bin/busybox sh -c 'echo hello | sha256sum'",
      "  parhelion exec --root ./rootfs --writable --env LANG=C /bin/sh",
      "  parhelion exec --strace --stats ./a.out"
    })
final class ExecCommand implements Callable<Integer> {
  private static final int SIGHUP = 1;
  private static final int SIGINT = 2;
  private static final int SIGTERM = 15;
  private static final int SIGWINCH = 28;

  @Option(
      names = "--root",
      paramLabel = "DIR",
      description = "Directory that the program sees as / (default: an empty one).")
  @Nullable Path root;

  @Option(names = "--writable", description = "Let the program change what is below --root.")
  boolean writable;

  @Option(
      names = "--bind",
      paramLabel = "HOST:GUEST[:rw]",
      description = "Let a file or directory appear at a path; may be given several times.")
  List<String> binds = new ArrayList<>();

  @Option(
      names = "--env",
      paramLabel = "KEY=VALUE",
      description = "Set a variable; PATH and HOME have values already, others do not exist.")
  List<String> env = new ArrayList<>();

  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      converter = Bytes.class,
      defaultValue = "1G",
      description = "Memory of all processes together, as 64M or 2G (default: ${DEFAULT-VALUE}).")
  long memoryBytes;

  @Mixin CpuOptions cpu = new CpuOptions();

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      converter = GuestOptions.Seconds.class,
      description = "End the program after so long, with status 124.")
  @Nullable Duration timeout;

  @Option(names = "--strace", description = "Print system calls on standard error.")
  boolean strace;

  @Option(
      names = "--stats",
      description =
          "Afterwards, print instructions, speed, system calls and what the engine did on standard"
              + " error.")
  boolean stats;

  @Option(names = "--json", description = "Print --stats as one line of JSON.")
  boolean json;

  @Parameters(
      index = "0",
      paramLabel = "PROGRAM",
      description = "A path below --root, or else a file of this machine.")
  String program = "";

  @Parameters(index = "1..*", paramLabel = "ARGS", description = "Its arguments.")
  List<String> arguments = new ArrayList<>();

  @Override
  public Integer call() {
    PrintStream err = System.err;
    ProgramRun run =
        new ProgramRun(
            new ProgramRun.Config(
                program,
                arguments,
                environment(),
                root,
                writable,
                binds,
                memoryBytes,
                timeout == null ? 0 : timeout.toNanos(),
                cpu.choice(),
                cpu.perfMap,
                strace,
                err::println));
    forward(run);
    ProgramRun.Outcome outcome = run.run();
    if (json) {
      err.println(asJson(outcome));
    } else if (stats) {
      print(outcome, err);
    }
    if (outcome.timedOut()) {
      err.println("parhelion: " + program + ": ended after --timeout");
      return ExitStatus.TIMED_OUT;
    }
    return outcome.status();
  }

  private List<String> environment() {
    List<String> all = new ArrayList<>();
    all.add("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    all.add("HOME=/");
    String term = System.getenv("TERM");
    if (term != null) {
      all.add("TERM=" + term);
    }
    for (String each : env) {
      int equals = each.indexOf('=');
      if (equals <= 0) {
        throw new UserError("--env " + each + ": is not KEY=VALUE");
      }
      all.removeIf(known -> known.startsWith(each.substring(0, equals + 1)));
      all.add(each);
    }
    return all;
  }

  /** Signals to this process are meant for the program. */
  private static void forward(ProgramRun run) {
    Map<String, Integer> forwarded =
        Map.of("HUP", SIGHUP, "INT", SIGINT, "TERM", SIGTERM, "WINCH", SIGWINCH);
    forwarded.forEach((name, number) -> Signals.register(name, () -> run.interrupt(number)));
  }

  private static String asJson(ProgramRun.Outcome outcome) {
    try {
      return new ObjectMapper().writeValueAsString(outcome);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void print(ProgramRun.Outcome o, PrintStream err) {
    err.printf(
        "%,d instructions in %.3f s (%.1f MIPS); %.3f s in all; %d processes, %d threads%n",
        o.instructions(),
        o.guestNanos() / 1e9,
        o.mips(),
        o.elapsedNanos() / 1e9,
        o.processes(),
        o.threads());
    err.printf("%-18s %10s %8s %12s%n", "system call", "count", "errors", "us");
    for (ProgramRun.Calls c : o.calls()) {
      err.printf("%-18s %10d %8d %12d%n", c.name(), c.count(), c.errors(), c.nanos() / 1000);
    }
    err.print(o.engineTable());
  }

  /** Sizes such as 64M. */
  static final class Bytes implements ITypeConverter<Long> {
    private static final String UNITS = "KMGT";

    @Override
    public Long convert(String text) {
      int length = text.length();
      int unit = length == 0 ? -1 : UNITS.indexOf(Character.toUpperCase(text.charAt(length - 1)));
      try {
        long value = Long.parseLong(unit < 0 ? text : text.substring(0, length - 1));
        long bytes = Math.multiplyExact(value, 1L << (10 * (unit + 1)));
        if (value > 0 && bytes <= 1L << 42) {
          return bytes;
        }
      } catch (NumberFormatException | ArithmeticException e) {
        // Said below.
      }
      throw new TypeConversionException("'" + text + "' is not a size such as 64M or 2G");
    }
  }
}
