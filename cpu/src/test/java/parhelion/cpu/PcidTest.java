package parhelion.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static parhelion.cpu.CpuState.*;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Process-context identifiers (SDM volume 3, 4.10.1) and INVPCID. */
class PcidTest {
  private static final long PCIDE = 1 << 17;
  private static final int VA = 0x5000;
  private static final int DESCRIPTOR = 0x6000;
  private static final int LEAF = Machine.PT + 5 * 8;

  private static Machine machine(String code) {
    return Machine.long64(0, CpuModel.V3).code(code);
  }

  /** In context 5, with INVPCID of a type and a descriptor. */
  private static Machine invalidating(long type, long context, long address) {
    Machine m = machine("660f388203");
    m.set(CR4, m.get(CR4) | PCIDE).set(CR3, Machine.PML4 | 5);
    m.set(RAX, type).set(RBX, DESCRIPTOR);
    m.memory.putLong(DESCRIPTOR, context);
    m.memory.putLong(DESCRIPTOR + 8, address);
    m.memory.putLong(0x7000, 0x1234);
    m.cpu.stateChanged();
    return m;
  }

  @Test
  void theFlagNeedsAModelThatHasItAndAnEmptyContext() {
    // mov cr4, rax
    try (Machine m = Machine.long64(0).code("0f22e0")) {
      m.set(RAX, m.get(CR4) | PCIDE).run(1);
      assertEquals(List.of("GP(0)"), m.recorder.events);
    }
    try (Machine m = machine("0f22e0")) {
      m.set(CR3, Machine.PML4 | 8).set(RAX, m.get(CR4) | PCIDE).run(1);
      assertEquals(List.of("GP(0)"), m.recorder.events);
    }
    try (Machine m = machine("0f22e0")) {
      m.set(RAX, m.get(CR4) | PCIDE).run(1);
      assertEquals(List.of(), m.recorder.events);
      assertEquals(PCIDE, m.get(CR4) & PCIDE);
    }
  }

  @Test
  void theHighestBitOfCr3IsForContextsOnlyAndNotKept() {
    long root = 1L << 63 | Machine.PML4 | 7;
    try (Machine m = machine("0f22d8 0f20d9")) { // mov cr3, rax; mov rcx, cr3
      m.set(RAX, root).run(1);
      assertEquals(List.of("GP(0)"), m.recorder.events);
    }
    try (Machine m = machine("0f22d8 0f20d9")) {
      m.set(CR4, m.get(CR4) | PCIDE).set(RAX, root).run(2);
      assertEquals(List.of(), m.recorder.events);
      assertEquals(Machine.PML4 | 7, m.get(RCX));
    }
  }

  @Test
  void everyTypeForgetsWhatItSays() {
    for (long type = 0; type <= 3; type++) {
      try (Machine m = invalidating(type, 5, VA + 8)) {
        m.memory.putLong(VA, 1);
        assertEquals(1, m.cpu.load64(VA));
        m.memory.putLong(LEAF, 0x7027);
        m.run(1);
        assertEquals(List.of(), m.recorder.events);
        assertEquals(0x1234, m.cpu.load64(VA), "type " + type);
      }
    }
  }

  @Test
  void nonsenseFaults() {
    long[][] wrong = {
      {4, 5, VA}, {-1, 5, VA}, {0, 0x1005, VA}, {3, 1L << 63, VA}, {0, 5, 1L << 47}
    };
    for (long[] w : wrong) {
      try (Machine m = invalidating(w[0], w[1], w[2])) {
        m.run(1);
        assertEquals(List.of("GP(0)"), m.recorder.events, w[0] + " " + w[1] + " " + w[2]);
      }
    }
    for (int type = 0; type <= 3; type++) {
      try (Machine m = invalidating(type, 5, VA)) { // there are no contexts
        m.set(CR4, m.get(CR4) & ~PCIDE).run(1);
        assertEquals(type < 2 ? List.of("GP(0)") : List.of(), m.recorder.events);
      }
    }
    try (Machine m = Machine.long64(0).code("660f388203")) {
      m.run(1);
      assertEquals(List.of("UD"), m.recorder.events, "the model does not have it");
    }
    try (Machine m = Machine.long64(3, CpuModel.V3).code("660f388203")) {
      m.run(1);
      assertEquals(List.of("INVPCID at 8000", "GP(0)"), m.recorder.events);
    }
  }
}
