package parhelion.app;

import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The run from which the build of a launch makes its AOT cache: it walks through the command line
 * as users do, so that the cache holds the classes that launches need. Prints nothing and reads
 * nothing. Never part of a launch itself.
 */
final class Training {
  /** Asks for this run, by the launcher's build alone: of no use to anybody else. */
  static final String ARGUMENT = "--train";

  /** The guest of our own, which boots in under a second: the classes of a running domain. */
  private static final String DEMO = "demo";

  private static final Duration LIMIT = Duration.ofSeconds(10);

  private Training() {}

  /** Trains, for a limited time, and ends the process. */
  static void run() {
    System.setIn(InputStream.nullInputStream());
    PrintStream nowhere =
        new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
    System.setOut(nowhere);
    System.setErr(nowhere);
    Thread walk = new Thread(() -> commandLines().forEach(Main::run), "training");
    walk.setDaemon(true);
    walk.start();
    try {
      walk.join(LIMIT);
    } catch (InterruptedException e) {
      System.exit(ExitStatus.INTERNAL);
    }
    System.exit(ExitStatus.OK);
  }

  private static List<String[]> commandLines() {
    List<String[]> lines = new ArrayList<>();
    lines.add(new String[] {"--version"});
    lines.add(new String[] {"--help"});
    lines.add(new String[] {"--no-such-option"});
    var commands = Main.commandLine().getSubcommands().keySet();
    for (String command : commands) {
      lines.add(new String[] {command, "--help"});
    }
    if (commands.contains(DEMO)) {
      lines.add(new String[] {DEMO});
    }
    return lines;
  }
}
