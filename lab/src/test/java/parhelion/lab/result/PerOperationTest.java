package parhelion.lab.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class PerOperationTest {
  @Test
  void whatAReportSaysOfAnOperationAddsUpToWhatWasCounted() {
    Random random = new Random(Long.getLong("parhelion.seed", 1));
    List<Sample> samples = new ArrayList<>();
    long operations = 0;
    long times = 0;
    long nanos = 0;
    long calls = 0;
    for (int i = 0; i < 20; i++) {
      Map<String, Count> interceptions = new TreeMap<>();
      for (int k = random.nextInt(8); k >= 0; k--) {
        Count count = new Count(random.nextInt(1000), random.nextInt(100_000));
        interceptions.put("port write:ide" + k % 2 + ":0x1f" + k, count);
        times += count.times();
        nanos += count.nanos();
      }
      long some = random.nextInt(50);
      calls += some;
      Sample sample =
          new Sample(
              1 + random.nextInt(100),
              3,
              1,
              10,
              20,
              30,
              40,
              new Counts(interceptions, Map.of("mmu_update", some), 5, 6, 7, 8, i));
      operations += sample.operations();
      samples.add(sample);
    }
    PerOperation each = PerOperation.of(samples);
    assertEquals(operations, each.operations());
    for (Map<String, PerOperation.Rate> rates : List.of(each.interceptions(), each.byDevice())) {
      assertEquals(
          times, operations * sum(rates, PerOperation.Rate::times), 1e-6 * Math.max(1, times));
      assertEquals(nanos, operations * sum(rates, PerOperation.Rate::nanos), 1e-6 * nanos);
    }
    assertEquals(2, each.byDevice().size());
    assertEquals(calls, operations * each.hypercalls().get("mmu_update"), 1e-6 * calls);
    assertEquals(20 * 40, operations * each.instructions(), 1e-6);
    assertEquals(20 * 20, operations * each.wallNanos(), 1e-6);
    assertEquals(20 * 30, operations * each.hostCpuNanos(), 1e-6);
    assertEquals(20 * 10, operations * each.guestNanos(), 1e-6);
    assertEquals(20 * 5, operations * each.pageTableUpdates(), 1e-6);
    assertEquals(20 * 6, operations * each.tlbFlushes(), 1e-6);
    assertEquals(20 * 7, operations * each.interrupts(), 1e-6);
    assertEquals(20 * 8, operations * each.bytesCopied(), 1e-6);
    assertEquals(19, each.overheadBytes(), "the largest, not a sum");
  }

  private static double sum(
      Map<String, PerOperation.Rate> rates,
      java.util.function.ToDoubleFunction<PerOperation.Rate> field) {
    return rates.values().stream().mapToDouble(field).sum();
  }

  @ParameterizedTest
  @CsvSource({
    "port write:com1:0x3f8, port write of com1",
    "control register:cpu:CR3, control register CR3",
    "RDMSR:cpu:0x1b, RDMSR",
    "RDMSR:lapic:0x80b, RDMSR of lapic",
    "HLT:cpu, HLT",
    "hypercall:mmu_update, hypercall mmu_update",
    "exception:#PF, exception #PF",
    "interrupt, interrupt"
  })
  void kindsHaveNamesThatCanBeRead(String key, String name) {
    assertEquals(name, PerOperation.group(key));
  }

  @Test
  void ofNothingThereIsNoOperation() {
    assertThrows(IllegalArgumentException.class, () -> PerOperation.of(List.of()));
  }
}
