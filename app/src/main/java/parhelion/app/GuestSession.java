package parhelion.app;

import java.io.FileOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Timer;
import java.util.TimerTask;
import org.jspecify.annotations.Nullable;
import parhelion.toolstack.guest.GuestConfig;
import parhelion.toolstack.guest.GuestOutput;
import parhelion.toolstack.guest.GuestStats;
import parhelion.toolstack.guest.Outcome;
import parhelion.toolstack.guest.PvGuest;
import parhelion.toolstack.image.ExitStatusFilter;

/** One guest on the user's terminal or pipe, from boot to exit status. */
final class GuestSession {
  private static final int PROFILE_ROWS = 30;
  private static final Duration DRAIN = Duration.ofSeconds(5);

  private final GuestOptions options;

  GuestSession(GuestOptions options) {
    this.options = options;
  }

  /** Boots the guest, again after a crash if the user wants that; returns the exit status. */
  int run(KernelChoice choice) throws IOException, InterruptedException {
    while (true) {
      Result result = runOnce(choice);
      if (result.outcome.kind() != Outcome.Kind.CRASH
          || options.onCrash != GuestOptions.OnCrash.RESTART) {
        return report(choice, result);
      }
      System.err.println(result.outcome.detail());
      System.err.println("parhelion: the guest crashed; booting it again");
    }
  }

  private record Result(
      Outcome outcome, OptionalInt commandStatus, double seconds, @Nullable GuestStats stats) {}

  private Result runOnce(KernelChoice choice) throws IOException, InterruptedException {
    long start = System.nanoTime();
    try (UserConsole user = UserConsole.open(options.json);
        OutputStream log =
            options.log == null ? null : new FileOutputStream(options.log.toFile())) {
      OutputStream out = log == null ? user.output() : new Tee(user.output(), log);
      ExitStatusFilter filter = null;
      if (choice.command() != null) {
        filter = new ExitStatusFilter(out, choice.command().token(), !user.isTerminal());
        out = filter;
      }
      String size = user.isTerminal() ? user.sizeWord() : "";
      GuestConfig config =
          new GuestConfig(
              choice.name(),
              choice.kernel(),
              choice.symbols(),
              choice.initrd(),
              choice.commandLine() + size,
              options.memoryMib,
              options.vcpus);
      GuestOutput console = new GuestOutput(out);
      Timer timer = new Timer("timeout", true);
      try (PvGuest guest = new PvGuest(config, console)) {
        if (options.trace != null) {
          guest.traceTo(options.trace);
        }
        if (options.profile) {
          guest.profile();
        }
        if (options.timeout != null) {
          timer.schedule(stopTask(guest), options.timeout.toMillis());
        }
        user.connect(guest);
        Outcome outcome = guest.run();
        console.drain(DRAIN);
        OptionalInt status = filter == null ? OptionalInt.empty() : filter.status();
        if (filter != null) {
          filter.finish();
        }
        if (options.profile) {
          System.err.print(guest.profileTable(PROFILE_ROWS));
        }
        GuestStats stats = options.stats ? guest.stats() : null;
        return new Result(outcome, status, (System.nanoTime() - start) / 1e9, stats);
      } finally {
        timer.cancel();
        console.close();
      }
    }
  }

  private static TimerTask stopTask(PvGuest guest) {
    return new TimerTask() {
      @Override
      public void run() {
        guest.stop(Outcome.Kind.TIMEOUT);
      }
    };
  }

  private int report(KernelChoice choice, Result result) throws IOException {
    int status = status(choice, result);
    if (options.onCrash != GuestOptions.OnCrash.QUIET && !result.outcome.detail().isEmpty()) {
      System.err.println(result.outcome.detail());
    }
    if (result.outcome.kind() == Outcome.Kind.TIMEOUT) {
      System.err.println("parhelion: the guest was ended as --timeout ran out");
    } else if (choice.command() != null && result.commandStatus.isEmpty()) {
      System.err.println(
          "parhelion: the guest ended ("
              + word(result.outcome)
              + ") before the command: look at its console with --log");
    }
    if (options.json) {
      Map<String, Object> json = new LinkedHashMap<>();
      json.put("guest", choice.name());
      json.put("outcome", word(result.outcome));
      json.put("exitStatus", status);
      json.put("seconds", result.seconds);
      if (!result.outcome.detail().isEmpty()) {
        json.put("report", result.outcome.detail());
      }
      if (result.stats != null) {
        json.put("stats", result.stats.asMap());
      }
      System.out.println(
          new com.fasterxml.jackson.databind.ObjectMapper()
              .writerWithDefaultPrettyPrinter()
              .writeValueAsString(json));
    } else if (result.stats != null) {
      System.err.print(result.stats.asTable());
    }
    return status;
  }

  private static String word(Outcome outcome) {
    return outcome.kind().name().toLowerCase(java.util.Locale.ROOT);
  }

  private static int status(KernelChoice choice, Result result) {
    return switch (result.outcome.kind()) {
      case CRASH, WATCHDOG -> ExitStatus.GUEST_CRASHED;
      case TIMEOUT -> ExitStatus.TIMED_OUT;
      default ->
          choice.command() == null ? ExitStatus.OK : result.commandStatus.orElse(ExitStatus.FAILED);
    };
  }

  /** Writes to both. */
  private static final class Tee extends FilterOutputStream {
    private final OutputStream second;

    Tee(OutputStream first, OutputStream second) {
      super(first);
      this.second = second;
    }

    @Override
    public void write(int b) throws IOException {
      out.write(b);
      second.write(b);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      out.write(bytes, offset, length);
      second.write(bytes, offset, length);
    }
  }
}
