package parhelion.xen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Guests that pass anything to every hypercall: no host exception, and no count that is wrong.
 *
 * <p>{@code -Dparhelion.fuzz.calls=1000000} makes more calls, {@code -Dparhelion.seed=N} others,
 * and {@code -Dparhelion.fuzz.counts=true} prints how often each call was made and succeeded.
 */
final class HypercallFuzzTest {
  private static final int CALLS = Integer.getInteger("parhelion.fuzz.calls", 100_000);
  private static final int PER_MACHINE = 25_000;

  @Test
  void anythingMayBePassedToEveryHypercall() {
    long seed = Long.getLong("parhelion.seed", 1L) * 1000;
    int calls = Boolean.getBoolean("parhelion.fast") ? Math.min(CALLS, 20_000) : CALLS;
    Map<String, int[]> counts = new java.util.TreeMap<>();
    for (int done = 0; done < calls; done += PER_MACHINE, seed++) {
      try (HypercallFuzzer fuzzer = new HypercallFuzzer(seed, false)) {
        fuzzer.run(Math.min(PER_MACHINE, calls - done));
        fuzzer
            .counts()
            .forEach(
                (name, n) -> {
                  int[] sum = counts.computeIfAbsent(name, key -> new int[2]);
                  sum[0] += n[0];
                  sum[1] += n[1];
                });
      }
    }
    if (Boolean.getBoolean("parhelion.fuzz.counts")) {
      counts.forEach((name, n) -> System.out.println(n[0] + "\t" + n[1] + "\t" + name));
    }
    assertReachesMuch(counts);
  }

  @Test
  void theStatusOfEveryGrantIsRightWhereGuestsLeaveItAlone() {
    long seed = Long.getLong("parhelion.seed", 1L) * 1000;
    try (HypercallFuzzer fuzzer = new HypercallFuzzer(seed, true)) {
      fuzzer.run(CALLS / 5);
      int[] maps = fuzzer.counts().get("status of grant op 0: 0");
      assertTrue(maps != null && maps[0] > CALLS / 100, "too few mappings");
    }
  }

  /** A fuzzer whose calls all fail at the first check finds nothing. */
  private static void assertReachesMuch(Map<String, int[]> counts) {
    List<String> must =
        List.of(
            "__HYPERVISOR_mmu_update",
            "__HYPERVISOR_mmuext_op",
            "__HYPERVISOR_update_va_mapping",
            "__HYPERVISOR_set_gdt",
            "__HYPERVISOR_multicall",
            "__HYPERVISOR_memory_op 1",
            "__HYPERVISOR_memory_op 6",
            "__HYPERVISOR_memory_op 11",
            "__HYPERVISOR_grant_table_op 0",
            "__HYPERVISOR_grant_table_op 1",
            "__HYPERVISOR_grant_table_op 5",
            "__HYPERVISOR_grant_table_op 8",
            "__HYPERVISOR_event_channel_op 0",
            "__HYPERVISOR_event_channel_op 3",
            "__HYPERVISOR_event_channel_op 11");
    for (String name : must) {
      int[] n = counts.get(name);
      assertTrue(n != null && n[1] > 0, name + " never succeeded");
    }
    assertEquals(null, counts.get(""), "a call without a name");
  }
}
