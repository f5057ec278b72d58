package parhelion.pc.intercept;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Which hardware exits for what. */
final class TrapModelTest {
  private final Intercepts intercepts = new Intercepts();

  private void add(Cause cause, String register, int count) {
    for (int i = 0; i < count; i++) {
      intercepts.counter(cause, "device", register).add(5);
    }
  }

  @Test
  void eachKindOfHardwareExitsForItsOwnCauses() {
    add(Cause.PORT_READ, "0x60", 1);
    add(Cause.CONTROL_WRITE, "CR3", 2);
    add(Cause.CONTROL_WRITE, "CR0", 4);
    add(Cause.CONTROL_WRITE, "CR8", 8);
    add(Cause.INVALIDATION, "", 16);
    add(Cause.EXCEPTION, "vector 14", 32);
    add(Cause.EXCEPTION, "vector 13", 64);
    add(Cause.SYSTEM_CALL, "", 128);
    add(Cause.CPUID, "", 256);
    add(Cause.INTERRUPT_FLAG, "CLI", 512);
    add(Cause.RETURN, "IRET", 1024);
    add(Cause.PRIVILEGED, "SWAPGS", 2048);
    add(Cause.PAGE_TABLE_UPDATE, "", 4096);
    add(Cause.HIDDEN_FAULT, "", 8192);
    List<Intercepts.Row> rows = intercepts.rows();
    assertEquals(
        Map.of(
            Cause.PORT_READ, 1L,
            Cause.CONTROL_WRITE, 14L,
            Cause.INVALIDATION, 16L,
            Cause.EXCEPTION, 96L,
            Cause.SYSTEM_CALL, 128L,
            Cause.INTERRUPT_FLAG, 512L,
            Cause.RETURN, 1024L,
            Cause.PRIVILEGED, 2048L,
            Cause.PAGE_TABLE_UPDATE, 4096L,
            Cause.HIDDEN_FAULT, 8192L),
        TrapModel.CLASSIC.count(rows));
    assertEquals(
        Map.of(
            Cause.PORT_READ, 1L,
            Cause.CONTROL_WRITE, 6L,
            Cause.INVALIDATION, 16L,
            Cause.EXCEPTION, 32L,
            Cause.CPUID, 256L,
            Cause.PAGE_TABLE_UPDATE, 4096L,
            Cause.HIDDEN_FAULT, 8192L),
        TrapModel.VMX.count(rows));
    assertEquals(
        Map.of(Cause.PORT_READ, 1L, Cause.CONTROL_WRITE, 4L, Cause.CPUID, 256L),
        TrapModel.EPT.count(rows));
    for (TrapModel software : List.of(TrapModel.TRANSLATION, TrapModel.PVM)) {
      Map<Cause, Long> expected = new EnumMap<>(TrapModel.CLASSIC.count(rows));
      expected.put(Cause.CPUID, 256L);
      if (software == TrapModel.PVM) {
        expected.remove(Cause.INTERRUPT_FLAG);
      }
      assertEquals(expected, software.count(rows));
    }
  }

  @Test
  void aCauseIsFoundByWhatReportsCallIt() {
    for (Cause cause : Cause.values()) {
      assertEquals(cause, Cause.of(cause.title));
    }
    assertNull(Cause.of("port"));
  }

  @Test
  void theAccountAddsUpAndIsBounded() {
    add(Cause.CPUID, "a", 3);
    Intercepts.Row row = intercepts.rows().getFirst();
    assertEquals(3, row.count());
    assertEquals(15, row.hostNanos());
    for (int i = 0; i < 10_000; i++) {
      add(Cause.MEMORY_READ, "register " + i, 1);
    }
    List<Intercepts.Row> rows = intercepts.rows();
    assertEquals(4097, rows.size());
    assertEquals(10_003, rows.stream().mapToLong(Intercepts.Row::count).sum());
  }
}
