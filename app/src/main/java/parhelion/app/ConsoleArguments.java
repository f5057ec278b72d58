package parhelion.app;

import java.util.ArrayList;
import java.util.List;
import parhelion.toolstack.UserError;
import parhelion.toolstack.console.ConsoleEnds;
import parhelion.toolstack.device.ConsoleConfig;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.toolstack.steward.Steward;
import picocli.CommandLine.Option;

/** Options for consoles beside the main one. */
final class ConsoleArguments {
  @Option(
      names = "--console",
      paramLabel = "unix:PATH|file:PATH|pty[:LINK]",
      description =
          "Give the guest another console, hvc2 and so on, on a PC hvc0 and so on by virtio: behind"
              + " a Unix socket, for one client at a time, written to a file, or at a"
              + " pseudo-terminal, whose name is printed, or to which LINK leads. May be repeated.")
  List<String> consoles = List.of();

  /** Opens them. */
  List<DeviceConfig> open() {
    List<DeviceConfig> opened = new ArrayList<>();
    List<String> names = new ArrayList<>();
    boolean done = false;
    try {
      for (String text : consoles) {
        DeviceConfig console = attach(text, names);
        opened.add(console);
        names.add(console.name());
        if (!console.whereabouts().isEmpty()) {
          System.err.printf("parhelion: %s is at %s%n", console.name(), console.whereabouts());
        }
      }
      done = true;
      return opened;
    } finally {
      if (!done) {
        opened.forEach(DeviceConfig::close);
      }
    }
  }

  /** How many there are from the start. */
  int count() {
    return consoles.size();
  }

  /** Opens one for a guest that has devices of these names already. */
  static DeviceConfig attach(String text, List<String> taken) {
    for (int number = Steward.CONSOLE + 1; number <= ConsoleConfig.LAST; number++) {
      if (!taken.contains(ConsoleConfig.name(number))) {
        return new ConsoleConfig(number, ConsoleEnds.open(text));
      }
    }
    throw new UserError(
        "--console "
            + text
            + ": a guest has "
            + ConsoleConfig.LAST
            + " consoles at most beside hvc0");
  }
}
