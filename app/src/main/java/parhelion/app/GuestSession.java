package parhelion.app;

import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Timer;
import java.util.TimerTask;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.toolstack.device.PcInterface;
import parhelion.toolstack.guest.Guest;
import parhelion.toolstack.guest.GuestConfig;
import parhelion.toolstack.guest.GuestOutput;
import parhelion.toolstack.guest.Outcome;
import parhelion.toolstack.guest.PcGuest;
import parhelion.toolstack.guest.PcSetup;
import parhelion.toolstack.guest.PvGuest;
import parhelion.toolstack.image.ElfImage;
import parhelion.toolstack.image.ExitStatusFilter;

/** One guest on the user's terminal or pipe, from boot to exit status. */
final class GuestSession {
  private static final int PROFILE_ROWS = 30;
  private static final Duration DRAIN = Duration.ofSeconds(5);

  /**
   * A guest that crashes so soon, so often, will do so again. Its own time counts, of which a busy
   * host makes no more: some two seconds of running, as many of waiting.
   */
  private static final long QUICK_INSTRUCTIONS = 400_000_000;

  private static final double QUICK_BLOCKED_SECONDS = 2;

  private static final int MAX_QUICK_CRASHES = 3;

  private final GuestOptions options;
  private final GuestMode mode;
  private final PcInterface offered;
  private final List<DeviceConfig> devices;
  private final @Nullable SessionControl control;

  /** The user knows which engine it is. */
  private boolean noted;

  /**
   * A guest with devices, which are the caller's to close.
   *
   * @param control by which others reach the guest, or null
   */
  GuestSession(
      GuestOptions options,
      GuestMode mode,
      PcInterface offered,
      List<DeviceConfig> devices,
      @Nullable SessionControl control) {
    this.options = options;
    this.mode = mode;
    this.offered = offered;
    this.devices = devices;
    this.control = control;
  }

  /** Boots the guest, again after a crash if the user wants that; returns the exit status. */
  int run(KernelChoice choice) throws IOException, InterruptedException {
    try (UserConsole user = UserConsole.open(options.json);
        OutputStream log = options.log == null ? null : ConsoleOutput.openLog(options.log)) {
      long start = System.nanoTime();
      int quickCrashes = 0;
      while (true) {
        Result result = runOnce(choice, user, log, System.nanoTime() - start);
        if (result.outcome.kind() == Outcome.Kind.REBOOT && rebootsInPlace(choice)) {
          tell(user, "parhelion: the PC was reset");
          continue;
        }
        if (result.outcome.kind() != Outcome.Kind.CRASH
            || options.onCrash != GuestOptions.OnCrash.RESTART) {
          user.close();
          return report(choice, result);
        }
        tell(user, result.outcome.detail());
        quickCrashes = result.isQuick() ? quickCrashes + 1 : 0;
        if (quickCrashes == MAX_QUICK_CRASHES) {
          tell(user, "parhelion: the guest crashes whenever it boots: not booted again");
          return ExitStatus.GUEST_CRASHED;
        }
        tell(user, "parhelion: the guest crashed; booting it again");
      }
    }
  }

  /** A PC starts again when software resets it; a command that had not ended has failed. */
  private boolean rebootsInPlace(KernelChoice choice) {
    return mode == GuestMode.FULL && !options.noReboot && choice.command() == null;
  }

  /** On a terminal in raw mode, lines need their carriage returns. */
  private static void tell(UserConsole user, String lines) {
    String text = lines + "\n";
    System.err.print(user.isTerminal() ? text.replace("\n", "\r\n") : text);
  }

  private record Result(
      Outcome outcome,
      OptionalInt commandStatus,
      double seconds,
      Guest.Stats stats,
      ConsoleOutput output,
      @Nullable IOException traceFailure) {
    boolean isQuick() {
      return stats.instructions() < QUICK_INSTRUCTIONS
          && stats.blockedSeconds() < QUICK_BLOCKED_SECONDS;
    }
  }

  private Result runOnce(
      KernelChoice choice, UserConsole user, @Nullable OutputStream log, long spentNanos)
      throws IOException, InterruptedException {
    long start = System.nanoTime();
    AtomicReference<@Nullable Guest> running = new AtomicReference<>();
    ConsoleOutput output =
        new ConsoleOutput(user.output(), log, () -> stop(running.get(), Outcome.Kind.LEFT));
    OutputStream out = output;
    ExitStatusFilter filter = null;
    if (choice.command() != null) {
      filter = new ExitStatusFilter(out, choice.command().token(), !user.isTerminal());
      out = filter;
    }
    String size = user.isTerminal() ? user.sizeWord() : "";
    GuestOutput console = new GuestOutput(out);
    Timer timer = new Timer("timeout", true);
    SessionControl control = this.control;
    try (Guest guest = build(choice, size, console)) {
      running.set(guest);
      String note = guest.engineNote();
      if (note != null && !noted) {
        tell(user, note);
        noted = true;
      }
      if (options.machine.cpu.perfMap) {
        guest.mapForPerf();
      }
      if (options.trace != null) {
        guest.traceTo(options.trace);
      }
      if (options.profile) {
        guest.profile();
      }
      if (!options.stats) {
        guest.withoutTimes();
      }
      if (options.timeout != null) {
        long left = Math.max(0, options.timeout.toMillis() - spentNanos / 1_000_000);
        timer.schedule(stopTask(guest), left);
      }
      user.connect(guest);
      if (control != null) {
        control.began(guest, choice.name());
      }
      Outcome outcome;
      try {
        outcome = guest.run();
      } finally {
        if (control != null) {
          control.ended();
        }
      }
      user.disconnect();
      console.drain(DRAIN);
      OptionalInt status = filter == null ? OptionalInt.empty() : filter.status();
      if (filter != null) {
        filter.finish();
      }
      if (options.profile) {
        System.err.print(guest.profileTable(PROFILE_ROWS));
      }
      String mapProblem = guest.finishPerfMap();
      if (mapProblem != null) {
        tell(user, mapProblem);
      }
      Guest.Stats stats = guest.stats();
      double seconds = (System.nanoTime() - start) / 1e9;
      return new Result(outcome, status, seconds, stats, output, guest.finishTrace());
    } finally {
      timer.cancel();
      user.disconnect();
      console.close();
    }
  }

  private Guest build(KernelChoice choice, String words, GuestOutput console) throws IOException {
    ElfImage kernel = choice.kernel();
    PcSetup.Start start = choice.start();
    if (start != null) {
      return compared(
          new PcGuest(
              new PcSetup(
                  options.machine.memoryMib,
                  options.machine.vcpus,
                  options.machine.cpu.choice(),
                  devices,
                  start,
                  offered),
              console));
    }
    if (kernel == null) {
      throw new IllegalStateException("neither a kernel nor firmware");
    }
    GuestConfig config =
        new GuestConfig(
            choice.name(),
            kernel,
            choice.symbols(),
            choice.initrd(),
            choice.commandLine() + words,
            options.machine.memoryMib,
            options.machine.vcpus,
            options.machine.cpu.choice(),
            devices);
    return switch (mode) {
      case PARA -> new PvGuest(config, console);
      case PVH -> compared(new PcGuest(PcSetup.pvh(config), console));
      case FULL ->
          compared(new PcGuest(PcSetup.of(config, offered, KernelChoice.videoRoms()), console));
    };
  }

  private PcGuest compared(PcGuest guest) {
    if (options.trapModel != null) {
      guest.compareWith(options.trapModel);
    }
    return guest;
  }

  private static void stop(@Nullable Guest guest, Outcome.Kind why) {
    if (guest != null) {
      guest.stop(why);
    }
  }

  private static TimerTask stopTask(Guest guest) {
    return new TimerTask() {
      @Override
      public void run() {
        guest.stop(Outcome.Kind.TIMEOUT);
      }
    };
  }

  private int report(KernelChoice choice, Result result) throws IOException {
    if (options.onCrash != GuestOptions.OnCrash.QUIET && !result.outcome.detail().isEmpty()) {
      System.err.println(result.outcome.detail());
    }
    String end = ending(choice, result);
    if (!end.isEmpty()) {
      boolean withinLine =
          result.outcome.kind() == Outcome.Kind.LEFT && result.output.userFailure() == null;
      System.err.println((withinLine ? "\n" : "") + "parhelion: " + end);
    }
    int status = status(choice, result);
    IOException logFailure = result.output.logFailure();
    if (logFailure != null) {
      System.err.println(
          "parhelion: --log: " + options.log + " is not whole: " + logFailure.getMessage());
    }
    if (result.traceFailure != null) {
      System.err.println(
          "parhelion: --trace: "
              + options.trace
              + " is not whole: "
              + result.traceFailure.getMessage());
    }
    if (status == ExitStatus.OK && (logFailure != null || result.traceFailure != null)) {
      status = ExitStatus.FAILED;
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
      if (options.stats) {
        json.put("stats", result.stats.asMap());
      }
      System.out.println(
          new com.fasterxml.jackson.databind.ObjectMapper()
              .writerWithDefaultPrettyPrinter()
              .writeValueAsString(json));
      if (System.out.checkError()) {
        System.err.println("parhelion: standard output takes no more: the JSON is not whole");
        return ExitStatus.FAILED;
      }
    } else if (options.stats) {
      System.err.print(result.stats.asTable());
    }
    return status;
  }

  /** What the user is told of an end that is not the usual one; empty for that. */
  private static String ending(KernelChoice choice, Result result) {
    IOException gone = result.output.userFailure();
    if (gone != null) {
      return "standard output takes no more (" + gone.getMessage() + "): the guest was ended";
    }
    return switch (result.outcome.kind()) {
      case TIMEOUT -> "the guest was ended as --timeout ran out";
      case LEFT -> "you left, so the guest has ended";
      case WATCHDOG -> "the guest stopped feeding its watchdog, which ended it";
      default -> {
        if (choice.command() != null && result.commandStatus.isEmpty()) {
          yield "the guest ended ("
              + word(result.outcome)
              + ") before the command did: look at its console with --log";
        }
        yield switch (result.outcome.kind()) {
          case REBOOT -> "the guest asked for a reboot, which ends it here: start it again";
          case SUSPEND -> "the guest suspended itself, which ends it here: nothing is saved";
          default -> "";
        };
      }
    };
  }

  private static String word(Outcome outcome) {
    return outcome.kind().name().toLowerCase(java.util.Locale.ROOT);
  }

  private static int status(KernelChoice choice, Result result) {
    return switch (result.outcome.kind()) {
      case CRASH, WATCHDOG -> ExitStatus.GUEST_CRASHED;
      case TIMEOUT -> ExitStatus.TIMED_OUT;
      default -> {
        if (result.output.userFailure() != null) {
          yield ExitStatus.FAILED;
        }
        yield choice.command() == null
            ? ExitStatus.OK
            : result.commandStatus.orElse(ExitStatus.FAILED);
      }
    };
  }
}
