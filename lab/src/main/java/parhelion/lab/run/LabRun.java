package parhelion.lab.run;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import parhelion.lab.result.Cell;
import parhelion.lab.result.Comparison;
import parhelion.lab.result.Kernel;
import parhelion.lab.result.Sample;
import parhelion.lab.result.Technique;
import parhelion.lab.workload.Need;
import parhelion.lab.workload.Workload;
import parhelion.media.net.nat.config.NatException;
import parhelion.toolstack.UserError;
import parhelion.toolstack.debian.PackageCache;
import parhelion.toolstack.image.ImageException;
import parhelion.toolstack.image.ModuleSet;
import parhelion.toolstack.image.Progress;

/**
 * A comparison from beginning to end. In each round every technique runs once, one after the other,
 * so that what changes on the host meanwhile hits all of them; the first rounds only warm up.
 * {@link #run} on the calling thread, {@link #stop} from any other.
 */
public final class LabRun {
  /** The techniques that can be run, in their order within a round. */
  public static final List<Technique> TECHNIQUES =
      Stream.concat(Machine.all().stream().map(Machine::technique), Stream.of(Technique.PARTIAL))
          .toList();

  private final LabConfig config;
  private final LabProgress progress;
  private final Map<Technique, Map<String, List<Sample>>> samples = new EnumMap<>(Technique.class);
  private final Map<Technique, Map<String, String>> failures = new EnumMap<>(Technique.class);
  private @Nullable Runnable stopRunning;
  private boolean stopped;

  /** What a program without a kernel has as its shell, if it needs one and there is one. */
  private @Nullable Path busybox;

  private boolean failed;

  /** What executed guests, as they said it; until then what was asked for. */
  private String engine;

  public LabRun(LabConfig config, LabProgress progress) {
    this.config = config;
    this.progress = progress;
    engine = config.cpu().engine().label;
  }

  /**
   * Compares.
   *
   * @param fetching told of downloads
   * @return what was measured, all of it or until {@link #stop}
   * @throws UserError or ImageException for what the user can put right before anything has run
   */
  public Comparison run(Progress fetching) throws IOException {
    String startedAt = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    Kernel kernel;
    try (Scratch scratch = Scratch.make();
        Boot boot = boot(scratch, fetching);
        NetService service =
            GuestRound.needs(config.workloads(), Need.NETWORK) ? NetService.open() : null) {
      busybox = shellOfPrograms(fetching);
      kernel = boot == null ? LabKernel.none() : boot.kernel.record();
      int rounds = config.warmUps() + config.repetitions();
      for (int round = 0; round < rounds && !isStopped(); round++) {
        for (int i = 0; i < config.techniques().size() && !isStopped(); i++) {
          Technique technique = config.techniques().get(i);
          String which =
              round < config.warmUps()
                  ? "warm-up"
                  : "round " + (round - config.warmUps() + 1) + " of " + config.repetitions();
          progress.begins(
              round * config.techniques().size() + i + 1,
              rounds * config.techniques().size(),
              technique.id + ", " + which);
          Round done = once(technique, boot, scratch, service);
          if (done != null) {
            keep(technique, done, round >= config.warmUps());
          }
        }
      }
    } catch (NatException e) {
      throw new UserError(String.valueOf(e.getMessage()), e);
    }
    return new Comparison(
        HostFacts.version(),
        HostFacts.commit(),
        startedAt,
        config.words(),
        config.seed(),
        config.virtualClock() ? "virtual" : "real",
        HostFacts.host(),
        kernel,
        config.memoryMib(),
        config.vcpus(),
        engine,
        config.repetitions(),
        config.warmUps(),
        config.workloads().stream().map(Workload::info).toList(),
        cells());
  }

  /** What guests boot. */
  private record Boot(LabKernel kernel, Userland userland) implements AutoCloseable {
    @Override
    public void close() {
      userland.close();
    }
  }

  /** The kernel and what goes with it, if somebody is to run it. */
  private @Nullable Boot boot(Scratch scratch, Progress fetching) throws IOException {
    if (config.techniques().equals(List.of(Technique.PARTIAL))) {
      return null;
    }
    boolean withDevices =
        !config.virtualClock()
            && (GuestRound.needs(config.workloads(), Need.DISK)
                || GuestRound.needs(config.workloads(), Need.NETWORK));
    boolean forHardware = withDevices && config.techniques().contains(Technique.FULL);
    PackageCache packages = PackageCache.ofUser(fetching);
    return new Boot(
        LabKernel.open(config, packages, withDevices, forHardware, fetching),
        Userland.open(config, packages, scratch));
  }

  /** The shell that the guests have, too; null where they have another, or nobody asks. */
  private @Nullable Path shellOfPrograms(Progress fetching) {
    if (!config.techniques().contains(Technique.PARTIAL)
        || config.virtualClock()
        || config.initrd() != null
        || config.rootfs() != null
        || !GuestRound.needs(config.workloads(), Need.SHELL)) {
      return null;
    }
    try {
      return PackageCache.ofUser(fetching).busybox();
    } catch (ImageException e) {
      return null;
    }
  }

  /** One run of a technique; null if there is nothing that it can do. */
  private @Nullable Round once(
      Technique technique, @Nullable Boot boot, Scratch scratch, @Nullable NetService service)
      throws IOException {
    List<Workload> possible = new ArrayList<>();
    for (Workload workload : config.workloads()) {
      String refusal = refusal(technique, workload, boot);
      if (refusal == null) {
        possible.add(workload);
      } else {
        failures(technique).put(workload.id(), refusal);
      }
    }
    if (possible.isEmpty()) {
      return null;
    }
    if (boot == null || technique == Technique.PARTIAL) {
      ProgramRound round = new ProgramRound(config, scratch, busybox);
      return during(round::stop) ? round.run(possible, progress) : null;
    }
    GuestRound round =
        new GuestRound(config, boot.kernel, boot.userland, Machine.of(technique), scratch, service);
    return during(round::stop) ? round.run(possible, progress) : null;
  }

  private @Nullable String refusal(Technique technique, Workload workload, @Nullable Boot boot) {
    if (boot == null || technique == Technique.PARTIAL) {
      return config.virtualClock()
          ? "a program without a kernel has the host's clock only"
          : ProgramRound.refusal(workload, busybox != null);
    }
    boolean device = workload.need() == Need.DISK || workload.need() == Need.NETWORK;
    if (device && config.virtualClock()) {
      return "the host's disks and networks do not follow a virtual clock";
    }
    if (workload.need() == Need.NETWORK && !boot.userland.bringsDevicesUp()) {
      return "nobody brings the network up in an initramfs of yours";
    }
    boolean shell = workload.need() == Need.SHELL || workload.need() == Need.COMMAND;
    if (shell && !boot.userland.hasShell()) {
      return "the root has no /bin/sh";
    }
    return device
        ? boot.kernel.lacks(
            new ModuleSet.Request(Machine.of(technique).drivers(workload.need()), List.of()))
        : null;
  }

  private void keep(Technique technique, Round round, boolean measured) {
    engine = round.engine();
    if (isStopped()) {
      round.failures().keySet().forEach(id -> failures(technique).putIfAbsent(id, "interrupted"));
    } else {
      failed |= !round.failures().isEmpty();
      round.failures().forEach((id, why) -> failures(technique).putIfAbsent(id, why));
    }
    if (measured) {
      round
          .samples()
          .forEach(
              (id, sample) ->
                  samples
                      .computeIfAbsent(technique, t -> new HashMap<>())
                      .computeIfAbsent(id, i -> new ArrayList<>())
                      .add(sample));
    }
  }

  private Map<String, String> failures(Technique technique) {
    return failures.computeIfAbsent(technique, t -> new HashMap<>());
  }

  private List<Cell> cells() {
    List<Cell> cells = new ArrayList<>();
    for (Technique technique : config.techniques()) {
      for (Workload workload : config.workloads()) {
        List<Sample> of =
            samples.getOrDefault(technique, Map.of()).getOrDefault(workload.id(), List.of());
        String why = failures(technique).get(workload.id());
        if (of.isEmpty() && why == null) {
          why = "not reached";
        }
        cells.add(new Cell(technique, workload.id(), of, why));
      }
    }
    return cells;
  }

  // --- ending early ---

  /** Ends soon; what was measured until then is the result. Any thread. */
  public void stop() {
    Runnable running;
    synchronized (this) {
      stopped = true;
      running = stopRunning;
    }
    if (running != null) {
      running.run();
    }
  }

  /** Whether {@link #stop} was called. */
  public synchronized boolean isStopped() {
    return stopped;
  }

  /** Whether something that a technique can do was not done, or not always. After {@link #run}. */
  public boolean hasFailed() {
    return failed;
  }

  private synchronized boolean during(Runnable stop) {
    stopRunning = stop;
    return !stopped;
  }
}
