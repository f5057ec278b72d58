package parhelion.lab.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import parhelion.cpu.Mark;
import parhelion.lab.result.Count;
import parhelion.lab.result.Counts;
import parhelion.lab.result.Sample;
import parhelion.lab.workload.Roster;
import parhelion.lab.workload.Workload;
import parhelion.toolstack.guest.GuestCounts;

/** Samples are cut out where the marks are, and a guest that lies spoils its own. */
final class MarkRecorderTest {
  private static final long SEED = Long.getLong("parhelion.seed", 1);
  private static final List<Workload> WORKLOADS = Roster.named(List.of("null", "fork", "pipe"));

  private final Map<String, GuestCounts.Tally> interceptions = new HashMap<>();
  private final Map<String, Long> hypercalls = new HashMap<>();
  private long instructions;
  private int looks;
  private int done;
  private final MarkRecorder recorder =
      new MarkRecorder(WORKLOADS, this::counts, () -> done++, title -> {});

  private GuestCounts counts() {
    looks++;
    return new GuestCounts(
        instructions,
        Map.copyOf(interceptions),
        Map.copyOf(hypercalls),
        2 * instructions,
        3 * instructions,
        4 * instructions,
        5 * instructions,
        6 * instructions);
  }

  private void happens(String cause, long times, long nanos) {
    interceptions.merge(
        cause,
        new GuestCounts.Tally(times, nanos),
        (a, b) -> new GuestCounts.Tally(a.times() + b.times(), a.hostNanos() + b.hostNanos()));
    instructions += 10;
  }

  private void mark(int what, long number, long operations, long bytes, long nanos) {
    recorder.marked(new Mark(what, number, operations, bytes, nanos));
  }

  @Test
  void aSampleIsWhatWasCountedBetweenItsMarks() {
    happens("hypercall:iret", 5, 50);
    mark(MarkRecorder.OPEN, 1, 0, 0, 0);
    happens("hypercall:iret", 7, 70);
    happens("exception:#PF", 1, 9);
    hypercalls.put("iret", 7L);
    mark(MarkRecorder.CLOSE, 1, 100, 64, 50_000);
    happens("interrupt", 1, 1);
    Sample sample = recorder.sample(WORKLOADS.get(0));
    assertNotNull(sample);
    assertEquals(100, sample.operations());
    assertEquals(64, sample.bytes());
    assertEquals(0.5, sample.value(), "us each");
    assertEquals(20, sample.instructions());
    assertEquals(
        new Counts(
            Map.of("hypercall:iret", new Count(7, 70), "exception:#PF", new Count(1, 9)),
            Map.of("iret", 7L),
            40,
            60,
            80,
            100,
            6 * 30),
        sample.counts());
  }

  @Test
  void samplesAndWhatLiesBetweenThemSumUpToTheCounters() {
    Random random = new Random(SEED);
    GuestCounts first = counts();
    GuestCounts before = first;
    Map<String, Long> sums = new HashMap<>();
    Map<String, Long> nanos = new HashMap<>();
    for (int i = 0; i < 50; i++) {
      for (int n = random.nextInt(5); n > 0; n--) {
        happens("cause " + random.nextInt(8), 1 + random.nextInt(9), random.nextInt(100));
      }
      GuestCounts now = counts();
      MarkRecorder.between(before, now)
          .interceptions()
          .forEach(
              (key, count) -> {
                sums.merge(key, count.times(), Long::sum);
                nanos.merge(key, count.nanos(), Long::sum);
              });
      before = now;
    }
    before
        .interceptions()
        .forEach(
            (key, tally) -> {
              assertEquals(tally.times(), sums.get(key), key);
              assertEquals(tally.hostNanos(), nanos.get(key), key);
            });
    assertEquals(before.interceptions().keySet(), sums.keySet());
  }

  @Test
  void aRowThatBeginsWithinAnotherSpoilsThatOne() {
    mark(MarkRecorder.OPEN, 1, 0, 0, 0);
    mark(MarkRecorder.OPEN, 2, 0, 0, 0);
    mark(MarkRecorder.CLOSE, 2, 1, 0, 1000);
    mark(MarkRecorder.CLOSE, 1, 1, 0, 1000);
    assertNull(recorder.sample(WORKLOADS.get(0)));
    assertNotNull(recorder.failure(WORKLOADS.get(0)));
    assertNotNull(recorder.sample(WORKLOADS.get(1)));
  }

  @Test
  void aClosingMarkWithoutAnOpeningOneIsNothing() {
    mark(MarkRecorder.CLOSE, 1, 1, 0, 1000);
    mark(MarkRecorder.OPEN, 2, 0, 0, 0);
    mark(MarkRecorder.CLOSE, 1, 1, 0, 1000);
    assertNull(recorder.sample(WORKLOADS.get(0)));
    assertNull(recorder.failure(WORKLOADS.get(0)));
  }

  @Test
  void figuresThatMakeNoSenseSpoilTheSample() {
    long[][] wrong = {
      {0, 0, 1}, {-1, 0, 1}, {1, -1, 1}, {1, 0, 0}, {1, 0, -5}, {Long.MAX_VALUE, 0, 1}
    };
    for (long[] figures : wrong) {
      MarkRecorder each = new MarkRecorder(WORKLOADS, this::counts, () -> {}, title -> {});
      each.marked(new Mark(MarkRecorder.OPEN, 1, 0, 0, 0));
      each.marked(new Mark(MarkRecorder.CLOSE, 1, figures[0], figures[1], figures[2]));
      assertNull(each.sample(WORKLOADS.get(0)));
      assertNotNull(each.failure(WORKLOADS.get(0)));
    }
  }

  @Test
  void millionsOfWildMarksCostALookAtTheCountersForFew() {
    Random random = new Random(SEED);
    recorder.powerOn();
    long[] numbers = {0, 1, 2, 3, 4, -1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 32 | 1};
    for (int i = 0; i < 2_000_000; i++) {
      int what = random.nextInt(8) == 0 ? random.nextInt() : random.nextInt(5);
      mark(
          what,
          numbers[random.nextInt(numbers.length)],
          random.nextLong(),
          random.nextLong(),
          random.nextLong());
    }
    assertTrue(looks < 50, () -> looks + " looks");
    for (Workload workload : WORKLOADS) {
      Sample sample = recorder.sample(workload);
      assertTrue(sample == null || sample.operations() > 0 && sample.guestNanos() > 0);
    }
    assertEquals(0, done);
    mark(MarkRecorder.DONE, 0, 0, 0, 0);
    mark(MarkRecorder.DONE, 0, 0, 0, 0);
    assertEquals(1, done, "heard once");
  }

  @Test
  void theBootEndsWithTheFirstProgramOnly() {
    Workload boot = Roster.named(List.of(Roster.BOOT)).getFirst();
    mark(MarkRecorder.USERLAND, 0, 0, 0, 5);
    assertNull(recorder.sample(boot), "nothing has been switched on");
    recorder.powerOn();
    instructions += 1000;
    mark(MarkRecorder.USERLAND, 0, 0, 0, 5);
    instructions += 1000;
    mark(MarkRecorder.USERLAND, 0, 0, 0, 5);
    Sample sample = recorder.sample(boot);
    assertNotNull(sample);
    assertEquals(1000, sample.instructions());
    assertEquals(5, sample.guestNanos());
  }
}
