package parhelion.lab.run;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.Mark;
import parhelion.lab.result.Count;
import parhelion.lab.result.Counts;
import parhelion.lab.result.Sample;
import parhelion.lab.workload.Figure;
import parhelion.lab.workload.Roster;
import parhelion.lab.workload.Workload;
import parhelion.toolstack.guest.GuestCounts;
import parhelion.toolstack.guest.HostCpuTime;

/**
 * Cuts samples out of a guest's run: between an opening and a closing mark of one number lies one.
 * Marks are the guest's word, so all of it is checked: what makes no sense spoils the sample that
 * it is about, and of no guest more is kept than a sample for each row. A mark costs a look at all
 * counters, which is why no row can be opened without end. On the thread that runs the guest; read
 * by others after it.
 */
final class MarkRecorder implements Mark.Listener {
  // ECX, as in guests/lab/lab.h.
  static final int OPEN = 1;
  static final int CLOSE = 2;
  static final int FAILED = 3;
  static final int USERLAND = 4;
  static final int DONE = 5;

  private static final int MAX_OPENED = 3;
  private static final long MOST = 1L << 56;

  /** The numbers of errors that rows fail with, as the guest's Linux has them. */
  private static final Map<Long, String> ERRORS =
      Map.ofEntries(
          Map.entry(1L, "not permitted"),
          Map.entry(2L, "no such file"),
          Map.entry(5L, "a program that it ran has failed"),
          Map.entry(12L, "out of memory"),
          Map.entry(13L, "permission denied"),
          Map.entry(19L, "there is no such device: the kernel has no driver for it"),
          Map.entry(22L, "the kernel does not take the argument"),
          Map.entry(28L, "no space left"),
          Map.entry(38L, "the kernel has no such call"),
          Map.entry(97L, "there are no sockets of that kind"),
          Map.entry(101L, "the network cannot be reached"),
          Map.entry(110L, "nobody answered"),
          Map.entry(111L, "the connection was refused"));

  private record Moment(GuestCounts counts, long wallNanos, long hostCpuNanos) {}

  private final List<Workload> workloads;
  private final Supplier<GuestCounts> counts;
  private final Runnable whenDone;
  private final Consumer<String> whenMeasuring;
  private final Map<String, Sample> samples = new HashMap<>();
  private final Map<String, String> failures = new HashMap<>();
  private final int[] opened;
  private @Nullable Moment powerOn;
  private @Nullable Moment open;
  private int openNumber;
  private boolean done;

  /**
   * For one guest.
   *
   * @param workloads the rows by number, from 1; {@link Roster#BOOT} is not among them
   * @param counts what the guest has cost so far
   * @param whenDone called when the guest says that it has done all rows
   * @param whenMeasuring called with a row's title when it begins
   */
  MarkRecorder(
      List<Workload> workloads,
      Supplier<GuestCounts> counts,
      Runnable whenDone,
      Consumer<String> whenMeasuring) {
    this.workloads = workloads;
    this.counts = counts;
    this.whenDone = whenDone;
    this.whenMeasuring = whenMeasuring;
    opened = new int[workloads.size() + 1];
  }

  /** The guest is about to run: what it does until its first program is its boot. */
  void powerOn() {
    HeapRoom.make();
    powerOn = before();
  }

  /** The counters first, as to read them takes time that is not the guest's. */
  private Moment before() {
    GuestCounts all = counts.get();
    long cpu = HostCpuTime.nanos();
    return new Moment(all, System.nanoTime(), cpu);
  }

  private Moment after() {
    long wall = System.nanoTime();
    long cpu = HostCpuTime.nanos();
    return new Moment(counts.get(), wall, cpu);
  }

  @Override
  public void marked(Mark mark) {
    if (done) {
      return;
    }
    switch (mark.what()) {
      case OPEN -> opened(mark);
      case CLOSE -> closed(mark);
      case FAILED -> failed(mark);
      case USERLAND -> userland(mark);
      case DONE -> {
        done = true;
        whenDone.run();
      }
      default -> {}
    }
  }

  private @Nullable Workload of(long number) {
    return number >= 1 && number <= workloads.size() ? workloads.get((int) number - 1) : null;
  }

  private void opened(Mark mark) {
    Workload workload = of(mark.number());
    if (workload == null || ++opened[(int) mark.number()] > MAX_OPENED) {
      return;
    }
    Workload within = open == null ? null : of(openNumber);
    if (within != null) {
      spoil(within, "another row began in it");
    }
    whenMeasuring.accept(workload.info().title());
    openNumber = (int) mark.number();
    open = before();
  }

  private void closed(Mark mark) {
    Moment from = open;
    Workload workload = of(mark.number());
    if (from == null || workload == null || mark.number() != openNumber) {
      return; // of a row that was never opened, or not as the last
    }
    Moment to = after();
    open = null;
    if (mark.operations() < 1
        || mark.operations() > MOST
        || mark.bytes() < 0
        || mark.bytes() > MOST
        || mark.nanos() < 1
        || mark.nanos() > MOST) {
      spoil(workload, "the guest's own figures make no sense");
    } else if (!samples.containsKey(workload.id())) {
      samples.put(
          workload.id(),
          sample(workload.figure(), from, to, mark.operations(), mark.bytes(), mark.nanos()));
      HeapRoom.make(); // between rows: the next one warms up before it is measured
    }
  }

  private void failed(Mark mark) {
    Workload workload = of(mark.number());
    if (workload != null) {
      String why = ERRORS.get(mark.operations());
      spoil(
          workload,
          why != null ? why : "the guest's error " + Math.clamp(mark.operations(), 0, 999));
      if (openNumber == mark.number()) {
        open = null;
      }
    }
  }

  /** The first program of the first process: the end of the boot. */
  private void userland(Mark mark) {
    Moment from = powerOn;
    if (from == null || samples.containsKey(Roster.BOOT)) {
      return;
    }
    Moment to = after();
    long nanos = Math.max(1, to.wallNanos - from.wallNanos);
    long guestNanos = mark.nanos() < 1 || mark.nanos() > MOST ? nanos : mark.nanos();
    Sample sample = sample(Figure.SECONDS, from, to, 1, 0, nanos);
    samples.put(
        Roster.BOOT,
        new Sample(
            1,
            0,
            sample.value(),
            guestNanos,
            sample.wallNanos(),
            sample.hostCpuNanos(),
            sample.instructions(),
            sample.counts()));
    HeapRoom.make();
  }

  private void spoil(Workload workload, String why) {
    samples.remove(workload.id());
    failures.putIfAbsent(workload.id(), why);
  }

  private static Sample sample(
      Figure figure, Moment from, Moment to, long operations, long bytes, long nanos) {
    long cpu = Math.max(0, to.hostCpuNanos - from.hostCpuNanos);
    return new Sample(
        operations,
        bytes,
        figure.of(operations, bytes, nanos, cpu),
        nanos,
        Math.max(0, to.wallNanos - from.wallNanos),
        cpu,
        to.counts.instructions() - from.counts.instructions(),
        between(from.counts, to.counts));
  }

  /** What was counted from one moment to another. */
  static Counts between(GuestCounts from, GuestCounts to) {
    Map<String, Count> interceptions = new TreeMap<>();
    to.interceptions()
        .forEach(
            (key, tally) -> {
              GuestCounts.Tally had =
                  from.interceptions().getOrDefault(key, new GuestCounts.Tally(0, 0));
              if (tally.times() > had.times()) {
                interceptions.put(
                    key,
                    new Count(
                        tally.times() - had.times(),
                        Math.max(0, tally.hostNanos() - had.hostNanos())));
              }
            });
    Map<String, Long> hypercalls = new TreeMap<>();
    to.hypercalls()
        .forEach(
            (name, times) -> {
              long more = times - from.hypercalls().getOrDefault(name, 0L);
              if (more > 0) {
                hypercalls.put(name, more);
              }
            });
    return new Counts(
        interceptions,
        hypercalls,
        to.pageTableUpdates() - from.pageTableUpdates(),
        to.tlbFlushes() - from.tlbFlushes(),
        to.interrupts() - from.interrupts(),
        to.bytesMoved() - from.bytesMoved(),
        to.overheadBytes());
  }

  // --- after the run ---

  /** The sample of a workload, or null. */
  @Nullable Sample sample(Workload workload) {
    return failures.containsKey(workload.id()) ? null : samples.get(workload.id());
  }

  /** Why a workload has none, as far as the guest has said so; else null. */
  @Nullable String failure(Workload workload) {
    return failures.get(workload.id());
  }

  /** Whether the guest has done all rows. */
  boolean isDone() {
    return done;
  }
}
