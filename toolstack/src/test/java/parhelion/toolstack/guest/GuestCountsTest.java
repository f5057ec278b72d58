package parhelion.toolstack.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import parhelion.pc.intercept.Intercepts;
import parhelion.pc.time.CountedClock;
import parhelion.toolstack.CpuChoice;
import parhelion.toolstack.device.OptionRoms;
import parhelion.xen.TrapStats;
import parhelion.xen.VirtualClock;

/** What the lab is told of a guest is what its monitor has counted: nothing twice, nothing lost. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
final class GuestCountsTest {
  private static long times(Map<String, GuestCounts.Tally> interceptions, boolean hypercalls) {
    return interceptions.entrySet().stream()
        .filter(entry -> entry.getKey().startsWith("hypercall:") == hypercalls)
        .mapToLong(entry -> entry.getValue().times())
        .sum();
  }

  private static long nanos(Map<String, GuestCounts.Tally> interceptions, boolean hypercalls) {
    return interceptions.entrySet().stream()
        .filter(entry -> entry.getKey().startsWith("hypercall:") == hypercalls)
        .mapToLong(entry -> entry.getValue().hostNanos())
        .sum();
  }

  @Test
  void aParavirtualGuestsSumsAreTheHypervisors() throws Exception {
    GuestConfig config = new GuestConfig("test", Tour.kernel(), () -> null, null, "batch", 32, 1);
    try (PvGuest guest = new PvGuest(config, new VirtualClock(0), new ConsoleTail())) {
      assertEquals(Outcome.Kind.POWEROFF, guest.run().kind());
      GuestCounts counts = guest.counts();
      GuestStats stats = guest.stats();
      assertEquals(stats.instructions(), counts.instructions());
      // The tour makes no multicalls, so that each call is an entry: see MiscHypercallsTest.
      for (GuestStats.Row row : stats.rows()) {
        if (!row.isSubOp()) {
          String name = row.name().replace("__HYPERVISOR_", "");
          assertEquals(row.count(), counts.hypercalls().get(name), name);
          assertEquals(
              new GuestCounts.Tally(row.count(), row.hostNanos()),
              counts.interceptions().get("hypercall:" + name));
        }
      }
      assertEquals(
          stats.rows().stream()
              .filter(row -> !row.isSubOp())
              .mapToLong(GuestStats.Row::count)
              .sum(),
          times(counts.interceptions(), true));
      assertEquals(
          stats.traps().values().stream().mapToLong(TrapStats.Count::count).sum(),
          times(counts.interceptions(), false));
      assertEquals(
          stats.traps().values().stream().mapToLong(TrapStats.Count::hostNanos).sum(),
          nanos(counts.interceptions(), false));
      assertTrue(counts.pageTableUpdates() > 0 && counts.tlbFlushes() > 0, counts::toString);
      assertEquals(counts.interceptions().get("interrupt").times(), counts.interrupts());
      assertTrue(counts.overheadBytes() > 0);
    }
  }

  @Test
  void aPcsSumsAreItsMachines() {
    // mov al, 'x'; out 0xe9, al; in al, 0x61; cpuid; mov dx, 604h; mov ax, 3400h; out dx, ax
    byte[] program = HexFormat.of().parseHex("b078e6e9e4610fa2ba0406b80034ef");
    byte[] image = new byte[64 << 10];
    System.arraycopy(program, 0, image, 0x8000, program.length);
    int distance = 0x8000 - 0xfff3;
    image[0xfff0] = (byte) 0xe9;
    image[0xfff1] = (byte) distance;
    image[0xfff2] = (byte) (distance >> 8);
    PcSetup setup =
        new PcSetup(
            4, 1, CpuChoice.preferred(), List.of(), new PcSetup.Firmware(image, OptionRoms.NONE));
    try (PcGuest guest = new PcGuest(setup, new CountedClock(Instant.EPOCH), new ConsoleTail())) {
      assertEquals(Outcome.Kind.POWEROFF, guest.run().kind());
      GuestCounts counts = guest.counts();
      List<Intercepts.Row> rows = guest.stats().rows();
      assertEquals(
          rows.stream().mapToLong(Intercepts.Row::count).sum(),
          times(counts.interceptions(), false));
      assertEquals(
          rows.stream().mapToLong(Intercepts.Row::hostNanos).sum(),
          nanos(counts.interceptions(), false));
      assertEquals(rows.size(), counts.interceptions().size());
      assertEquals(1, counts.interceptions().get("CPUID:cpu").times());
      assertEquals(Map.of(), counts.hypercalls());
    }
  }
}
