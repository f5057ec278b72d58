package parhelion.app;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import parhelion.toolstack.guest.PcGuest;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Options that every command that runs a guest has. */
final class GuestOptions {
  @Mixin MachineOptions machine = new MachineOptions();

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      converter = Seconds.class,
      description = "End the guest after so long, with status 124.")
  @Nullable Duration timeout;

  @Option(
      names = "--on-crash",
      paramLabel = "report|quiet|restart",
      converter = OnCrashWord.class,
      defaultValue = "report",
      description =
          "When the guest crashes: report registers and backtrace, exit quietly, or report and boot"
              + " again (default: ${DEFAULT-VALUE}).")
  OnCrash onCrash = OnCrash.REPORT;

  @Option(
      names = "--no-reboot",
      description =
          "With --mode full: end when the guest resets the PC, instead of starting again.")
  boolean noReboot;

  @Option(
      names = "--log",
      paramLabel = "FILE",
      description = "Also write everything that the guest's console prints to a file.")
  @Nullable Path log;

  @Option(
      names = "--stats",
      description =
          "Afterwards, print what the guest asked of the hypervisor, what it cost, and what the"
              + " engine did.")
  boolean stats;

  @Option(
      names = "--trap-model",
      paramLabel = "MODEL",
      converter = Model.class,
      description =
          "With --stats of a PC: also how many of its interceptions hardware would take as exits: a"
              + " processor without assistance (classic), with VT-x (vmx), with nested paging too"
              + " (ept); or calls of translated code (translation), or entries of PVM's switcher"
              + " (pvm). The guest is slower: what traps only there is counted, too.")
  @Nullable String trapModel;

  @Option(
      names = "--profile",
      description = "Afterwards, print the kernel functions in which the guest spent its time.")
  boolean profile;

  @Option(
      names = "--trace",
      paramLabel = "FILE",
      description =
          "Write a line for every hypercall, trap and emulated instruction to a file; of a PC, for"
              + " every interception, or with --interface xen for every hypercall.")
  @Nullable Path trace;

  @Option(
      names = "--json",
      description =
          "Print the outcome as JSON on standard output; the guest's console goes to standard"
              + " error.")
  boolean json;

  /** What to do about a crash. */
  enum OnCrash {
    REPORT,
    QUIET,
    RESTART
  }

  /** Hardware to compare with. */
  static final class Model implements ITypeConverter<String> {
    @Override
    public String convert(String text) {
      String label = text.toLowerCase(Locale.ROOT);
      if (!PcGuest.isTrapModel(label)) {
        throw new TypeConversionException("'" + text + "' is none of " + PcGuest.trapModels());
      }
      return label;
    }
  }

  /** One of the words that the help text shows. */
  static final class OnCrashWord implements ITypeConverter<OnCrash> {
    @Override
    public OnCrash convert(String text) {
      return switch (text.toLowerCase(Locale.ROOT)) {
        case "report" -> OnCrash.REPORT;
        case "quiet" -> OnCrash.QUIET;
        case "restart" -> OnCrash.RESTART;
        default ->
            throw new TypeConversionException("'" + text + "' is not report, quiet or restart");
      };
    }
  }

  /** A positive number of seconds, fractions allowed. */
  static final class Seconds implements ITypeConverter<Duration> {
    @Override
    public Duration convert(String text) {
      try {
        double seconds = Double.parseDouble(text);
        if (seconds > 0 && seconds <= 1e9) {
          return Duration.ofNanos((long) (seconds * 1e9));
        }
      } catch (NumberFormatException e) {
        // Said below.
      }
      throw new TypeConversionException("'" + text + "' is not a number of seconds");
    }
  }
}
