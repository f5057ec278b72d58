package parhelion.app;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The {@code parhelion} command. */
@Command(name = "parhelion", mixinStandardHelpOptions = true, version = "parhelion 0.1.0")
public final class Main implements Runnable {
  private Main() {}

  /** Runs the command and ends the process with its exit status. */
  public static void main(String[] args) {
    System.exit(new CommandLine(new Main()).execute(args));
  }

  @Override
  public void run() {
    CommandLine.usage(this, System.out);
  }
}
