package parhelion.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static parhelion.cpu.CpuState.*;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Supervisor-mode access prevention, instruction by instruction (SDM volume 3, 4.6). */
class SmapTest {
  private static final long SMAP = 1 << 21;
  private static final int VA = 0x5000;

  /** At CPL 0 under SMAP; all pages but that of VA, the tables and the stack are the user's. */
  private static Machine kernel(String code) {
    Machine m = Machine.long64(0).code(code);
    for (int page : new int[] {Machine.GDT, Machine.IDT, Machine.TSS, 0x2_0000, 0x1_f000}) {
      long pte = Machine.PT + (page >>> 12) * 8L;
      m.memory.putLong(pte, m.memory.getLong(pte) & ~4L);
    }
    m.set(CR4, m.get(CR4) | SMAP).set(RBX, VA);
    m.cpu.stateChanged();
    return m;
  }

  private static void user(Machine m, int page) {
    long pte = Machine.PT + (page >>> 12) * 8L;
    m.memory.putLong(pte, m.memory.getLong(pte) | 4);
  }

  @Test
  void userPagesAreClosedToAKernelUntilItOpensThem() {
    try (Machine m = kernel("8b03")) {
      m.run(1);
      assertEquals(List.of("PF(1)@5000"), m.recorder.events);
    }
    try (Machine m = kernel("8903")) {
      m.run(1);
      assertEquals(List.of("PF(3)@5000"), m.recorder.events);
    }
    try (Machine m = kernel("0f01cb 8b03 8903 0f01ca 8b03")) {
      m.run(5);
      assertEquals(List.of("PF(1)@5000"), m.recorder.events);
      assertEquals(Machine.CODE + 10, m.get(RIP));
    }
  }

  @Test
  void stacAndClacAreUndefinedOutsideOfTheKernel() {
    for (String code : new String[] {"0f01cb", "0f01ca"}) {
      try (Machine m = Machine.long64(3).code(code)) {
        m.run(1);
        assertEquals(List.of("UD"), m.recorder.events);
      }
    }
  }

  @Test
  void accessesByImplicationDoNotGoByTheFlag() {
    // mov ds, ax looks into the descriptor table.
    try (Machine m = kernel("0f01cb 8ed8")) {
      m.set(RAX, Machine.DATA).run(2);
      assertEquals(List.of(), m.recorder.events);
    }
    try (Machine m = kernel("0f01cb 8b0425" + "10100000" + "8ed8")) {
      user(m, Machine.GDT);
      m.run(2); // read like anything else, so that it is in the TLB
      assertEquals(List.of(), m.recorder.events);
      m.set(RAX, Machine.DATA).run(1);
      assertEquals(List.of("PF(1)@1010"), m.recorder.events);
    }
  }

  @Test
  void usersAreNotHindered() {
    try (Machine m = Machine.long64(3).code("8b03 8903")) {
      m.set(CR4, m.get(CR4) | SMAP).set(RBX, VA).run(2);
      assertEquals(List.of(), m.recorder.events);
    }
  }
}
