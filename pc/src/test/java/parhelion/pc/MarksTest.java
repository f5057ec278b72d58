package parhelion.pc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import parhelion.cpu.CpuModel;
import parhelion.cpu.Engine;
import parhelion.cpu.Mark;
import parhelion.pc.intercept.Cause;
import parhelion.pc.time.CountedClock;

/** Measurement marks of software on a PC. */
final class MarksTest {
  /** In real mode: mov ebx, 9; mov ecx, 1; mov edx, 2; mov esi, 3; mov edi, 4; the leaf; cpuid. */
  private static final String MARK =
      "66 bb 09 00 00 00 66 b9 01 00 00 00 66 ba 02 00 00 00 66 be 03 00 00 00 66 bf 04 00 00 00 "
          + "66 b8 68 72 61 50 0f a2 ";

  private static final String ORDINARY = "66 b8 00 00 00 00 0f a2 ";

  private static PcMachine machine(Engine engine) {
    byte[] rom = PcMachineTest.firmware(MARK + ORDINARY + PcMachineTest.OFF, 0x8000);
    return new PcMachine(
        new PcConfig(4 << 20, 1, CpuModel.DEFAULT, engine, rom), new CountedClock(Instant.EPOCH));
  }

  @ParameterizedTest
  @EnumSource(names = {"AUTO", "INTERPRETER"})
  void aMarkIsHeardAndCountsAsNoInterception(Engine engine) {
    try (PcMachine machine = machine(engine)) {
      List<Mark> marks = new ArrayList<>();
      machine.setMarkListener(marks::add);
      assertEquals(PcMachine.End.OFF, machine.run());
      assertEquals(List.of(new Mark(1, 9, 2, 3, 4)), marks);
      assertEquals(1, machine.intercepts().count(Cause.CPUID, null), "the ordinary one");
    }
  }

  @Test
  void withoutAListenerAMarkIsAnOrdinaryLeaf() {
    try (PcMachine machine = machine(Engine.AUTO)) {
      assertEquals(PcMachine.End.OFF, machine.run());
      assertEquals(2, machine.intercepts().count(Cause.CPUID, null));
    }
  }
}
