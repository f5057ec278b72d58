package parhelion.app;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jline.utils.Signals;
import org.jspecify.annotations.Nullable;
import parhelion.toolstack.UserError;
import parhelion.toolstack.control.ControlClient;
import parhelion.toolstack.control.GuestNames;
import parhelion.toolstack.steward.CommandSpec;
import parhelion.toolstack.steward.RunningCommand;
import parhelion.toolstack.steward.RunningCommand.Exit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code parhelion exec-in}: a command in a running guest, as if it ran here. */
@Command(
    name = "exec-in",
    mixinStandardHelpOptions = true,
    description = {
      "Runs a command in a running guest: its standard input, output and error are this command's,"
          + " signals are passed on, and it ends when this command does."
    },
    sortOptions = false,
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "1:the guest cannot run it; one line says why",
      "2:the command line is wrong",
      "126, 127:the guest could not start it, or does not have it",
      "other:the command's own status, 128+N when signal N ended it"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  parhelion exec-in web -- uname -a",
      "  parhelion exec-in -t web -- sh",
      "  tar c src | parhelion exec-in --directory /srv web -- tar x"
    })
final class ExecInCommand implements Callable<Integer> {
  private static final Map<String, Integer> SIGNALS =
      Map.of("HUP", 1, "INT", 2, "QUIT", 3, "TERM", 15);

  @Option(
      names = {"-t", "--tty"},
      description = "Give it a terminal, of the size of this one.")
  boolean tty;

  @Option(
      names = {"-e", "--env"},
      paramLabel = "KEY=VALUE",
      description = "Set a variable; may be repeated.")
  List<String> env = new ArrayList<>();

  @Option(
      names = {"-w", "--directory"},
      paramLabel = "DIR",
      description = "Run it there (default: the user's home).")
  String directory = "";

  @Option(
      names = {"-u", "--user"},
      paramLabel = "USER[:GROUP]",
      description = "Run it as that user, a name or a number; GROUP is a number (default: root).")
  String user = "";

  @Parameters(index = "0", paramLabel = "NAME", description = "The guest: see parhelion list.")
  String name = "";

  @Parameters(
      index = "1..*",
      arity = "1..*",
      paramLabel = "COMMAND",
      description = "The command and its arguments; it is looked up in the guest.")
  List<String> words = new ArrayList<>();

  @Override
  public Integer call() throws IOException, InterruptedException {
    List<String> arguments = words.getFirst().equals("--") ? words.subList(1, words.size()) : words;
    TerminalMode mode =
        tty && System.console() != null && System.console().isTerminal()
            ? TerminalMode.save()
            : null;
    CommandSpec spec =
        new CommandSpec(arguments, variables(), directory, user, tty ? size(mode) : null);
    Thread restoring = mode == null ? null : new Thread(mode::restore, "terminal");
    try (ControlClient client = ControlClient.connect(GuestNames.ofUser(), name);
        RunningCommand command = client.start(spec, CommandSpec.What.RUN)) {
      SIGNALS.forEach((signal, number) -> Signals.register(signal, () -> command.signal(number)));
      if (mode != null) {
        Runtime.getRuntime().addShutdownHook(restoring);
        mode.raw();
        Signals.register("WINCH", () -> command.resize(size(mode)));
      }
      return carry(command);
    } finally {
      if (mode != null) {
        mode.restore();
      }
    }
  }

  private int carry(RunningCommand command) throws IOException, InterruptedException {
    Thread.ofPlatform().daemon().name("input").start(() -> feed(command));
    Thread errors =
        Thread.ofPlatform()
            .daemon()
            .name("errors")
            .start(() -> pump(command.stderr(), new FileOutputStream(FileDescriptor.err)));
    boolean heard = pump(command.stdout(), new FileOutputStream(FileDescriptor.out));
    if (!heard) {
      command.close(); // whoever read our output has gone
    }
    Exit exit = command.await();
    errors.join();
    if (exit.failure() != null) {
      System.err.println("parhelion: " + name + ": " + exit.failure());
    }
    return exit.status();
  }

  private static void feed(RunningCommand command) {
    try (OutputStream stdin = command.stdin()) {
      boolean unused = pump(new FileInputStream(FileDescriptor.in), stdin);
    } catch (IOException e) {
      // The command takes no more.
    }
  }

  /** Carries bytes until one side ends; whether that was the source. */
  private static boolean pump(InputStream from, OutputStream to) {
    byte[] chunk = new byte[1 << 16];
    try {
      for (int n = from.read(chunk); n >= 0; n = from.read(chunk)) {
        try {
          to.write(chunk, 0, n);
        } catch (IOException e) {
          return false;
        }
      }
    } catch (IOException e) {
      // Its end is told elsewhere.
    }
    return true;
  }

  private static CommandSpec.Size size(@Nullable TerminalMode mode) {
    int[] size = mode == null ? new int[2] : mode.size();
    return size[0] > 0 && size[1] > 0
        ? new CommandSpec.Size(size[1], size[0])
        : new CommandSpec.Size(24, 80);
  }

  private Map<String, String> variables() {
    Map<String, String> variables = new LinkedHashMap<>();
    String term = System.getenv("TERM");
    if (tty && term != null) {
      variables.put("TERM", term);
    }
    for (String each : env) {
      int equals = each.indexOf('=');
      if (equals <= 0) {
        throw new UserError("--env " + each + ": is not KEY=VALUE");
      }
      variables.put(each.substring(0, equals), each.substring(equals + 1));
    }
    return variables;
  }
}
