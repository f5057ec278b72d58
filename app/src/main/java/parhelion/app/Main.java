package parhelion.app;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import parhelion.app.image.ImageCommand;
import parhelion.toolstack.UserError;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The {@code parhelion} command: where a launch begins. Sub-commands are named in the annotation
 * below; what they throw becomes one line for the user and an {@link ExitStatus}, here and nowhere
 * else.
 */
@Command(
    name = "parhelion",
    subcommands = {
      RunCommand.class,
      ExecCommand.class,
      DemoCommand.class,
      CompareCommand.class,
      ReportCommand.class,
      ImageCommand.class,
      ListCommand.class,
      ExecInCommand.class,
      CopyCommand.class,
      RunningGuestCommands.Info.class,
      RunningGuestCommands.Stop.class,
      RunningGuestCommands.Attach.class,
      RunningGuestCommands.Detach.class,
      RunningGuestCommands.Resize.class,
      RunningGuestCommands.Memory.class,
      ScreenCommands.Screen.class,
      ScreenCommands.Keys.class,
      CrashSiteCommand.class,
      BoundsCommand.class
    },
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    description =
        "Boots unmodified Linux kernels as Xen paravirtual guests, in one JVM process and without"
            + " root.",
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "0:done; the guest has powered off",
      "1:it could not be done; one line says why",
      "2:the command line is wrong",
      "3:the guest crashed",
      "124:the time that was allowed ran out",
      "70:a fault of Parhelion itself",
      "69:no JDK 25 or no Maven",
      "other:the status of the guest's program, 128+N when signal N ended it"
    },
    footerHeading = "%nExample:%n",
    footer = "  parhelion run --cmd 'uname -a'")
public final class Main implements Runnable {
  @Spec private @Nullable CommandSpec spec;

  /** For picocli and tests. */
  Main() {}

  /** Runs the command and ends the process with its exit status. */
  public static void main(String[] args) {
    if (args.length == 1 && args[0].equals(Training.ARGUMENT)) {
      Training.run();
    }
    PrintWriter err = new PrintWriter(System.err, true);
    Thread.setDefaultUncaughtExceptionHandler(
        (thread, failure) -> System.exit(ourFault(failure, err)));
    System.exit(run(args));
  }

  /** Runs the command and returns its exit status; see {@link ExitStatus}. */
  static int run(String... args) {
    CommandLine command = commandLine();
    try {
      return command.execute(args);
    } catch (OutOfMemoryError e) {
      command
          .getErr()
          .println("parhelion: out of memory: give the JVM more, as in PARHELION_JAVA_OPTS=-Xmx4g");
      return ExitStatus.FAILED;
    } catch (Error e) {
      return ourFault(e, command.getErr());
    }
  }

  /** The command line as configured for all sub-commands. */
  static CommandLine commandLine() {
    CommandLine command =
        new CommandLine(new Main())
            .setCaseInsensitiveEnumValuesAllowed(true)
            .setParameterExceptionHandler(Main::wrongUsage)
            .setExecutionExceptionHandler((failure, at, parsed) -> failed(failure, at));
    // What follows exec's program are the program's own options.
    Objects.requireNonNull(command.getSubcommands().get("exec")).setStopAtPositional(true);
    Objects.requireNonNull(command.getSubcommands().get("exec-in")).setStopAtPositional(true);
    return command;
  }

  @Override
  public void run() {
    throw new ParameterException(
        Objects.requireNonNull(spec).commandLine(), "a command is missing");
  }

  private static int wrongUsage(ParameterException failure, String[] args) {
    CommandLine command = failure.getCommandLine();
    String help = command.getCommandSpec().qualifiedName() + " --help";
    command.getErr().println("parhelion: " + oneLine(failure.getMessage()) + ": see " + help);
    return ExitStatus.USAGE;
  }

  private static int failed(Exception thrown, CommandLine command) {
    PrintWriter err = command.getErr();
    Exception failure =
        thrown instanceof UncheckedIOException && thrown.getCause() instanceof IOException io
            ? io
            : thrown;
    if (failure instanceof UserError || failure instanceof IOException) {
      err.println("parhelion: " + oneLine(describe(failure)));
      return ExitStatus.FAILED;
    }
    return ourFault(failure, err);
  }

  /** The file exceptions of the JDK have only the file's name for a message. */
  private static String describe(Exception failure) {
    String message = failure.getMessage();
    return switch (failure) {
      case NoSuchFileException _ -> message + ": no such file or directory";
      case AccessDeniedException _ -> message + ": permission denied";
      case FileAlreadyExistsException _ -> message + ": exists already";
      default -> message == null ? failure.toString() : message;
    };
  }

  /** One line; the stack trace goes to a file that the line names. */
  private static int ourFault(Throwable failure, PrintWriter err) {
    String details = "";
    try {
      StringWriter trace = new StringWriter();
      failure.printStackTrace(new PrintWriter(trace));
      Path file = Files.createTempFile("parhelion-fault-", ".txt");
      Files.writeString(file, trace.toString());
      details = " with " + file;
    } catch (IOException e) {
      details = " (no details: " + e.getMessage() + ")";
    }
    err.println(
        "parhelion: internal error: "
            + oneLine(failure.toString())
            + ": please report it"
            + details);
    return ExitStatus.INTERNAL;
  }

  private static String oneLine(@Nullable String text) {
    return text == null ? "" : text.strip().replaceAll("\\s*\\R\\s*", " ");
  }

  /** {@code --version}: ours, from the jar's manifest, and the JVM's. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String ours = Main.class.getPackage().getImplementationVersion();
      return new String[] {
        "parhelion %s (JDK %s, %s %s)"
            .formatted(
                ours == null ? "of a work tree" : ours,
                Runtime.version().feature(),
                System.getProperty("os.name"),
                System.getProperty("os.arch"))
      };
    }
  }
}
