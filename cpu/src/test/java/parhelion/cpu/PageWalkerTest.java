package parhelion.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static parhelion.cpu.Access.*;
import static parhelion.cpu.CpuState.*;

import org.junit.jupiter.api.Test;

class PageWalkerTest {
  private static final int ALL = MAY_READ | MAY_WRITE | MAY_EXECUTE;
  private static final int VA = 0x5000;
  private static final int LEAF = Machine.PT + 5 * 8;

  private static String walk(Machine m, long va, int access) {
    long cr3 = m.cpu.get64(CR3);
    boolean user = m.cpu.cpl() == 3 && (access & IMPLICIT) == 0;
    return Machine.fault(() -> PageWalker.walk(m.cpu, cr3, va, access, user));
  }

  private static void cr0(Machine m, long value) {
    m.set(CR0, value);
  }

  @Test
  void withoutPagingAddressesAreThemselves() {
    try (Machine m = Machine.protected32(0)) {
      assertEquals(0x5000 | ALL, PageWalker.translate(m.cpu, 0x5123, WRITE));
      assertEquals(0xf000_0000L | ALL | HOOKED, PageWalker.translate(m.cpu, 0xf000_0123L, READ));
    }
  }

  @Test
  void readsSetAccessedAtEveryLevelAndWritesSetDirtyAtTheLast() {
    try (Machine m = Machine.long64(0)) {
      assertEquals(VA | MAY_READ | MAY_EXECUTE, PageWalker.translate(m.cpu, VA + 0x123, READ));
      assertEquals(Machine.PDPT | 0x27, m.memory.getLong(Machine.PML4));
      assertEquals(Machine.PD | 0x27, m.memory.getLong(Machine.PDPT));
      assertEquals(Machine.PT | 0x27, m.memory.getLong(Machine.PD));
      assertEquals(VA | 0x27, m.memory.getLong(LEAF));
      assertEquals(VA | ALL, PageWalker.translate(m.cpu, VA, WRITE));
      assertEquals(VA | 0x67, m.memory.getLong(LEAF));
      assertEquals(Machine.PT | 0x27, m.memory.getLong(Machine.PD));
      assertEquals(VA | ALL, PageWalker.translate(m.cpu, VA, READ));
    }
  }

  @Test
  void anAbsentEntryAtEachLevelIsANotPresentFault() {
    for (int entry : new int[] {Machine.PML4, Machine.PDPT, Machine.PD, LEAF}) {
      try (Machine m = Machine.long64(0)) {
        m.memory.putLong(entry, m.memory.getLong(entry) & ~1L);
        assertEquals("PF(0)@5008", walk(m, 0x5008, READ));
        assertEquals("PF(2)@5008", walk(m, 0x5008, WRITE));
        assertEquals("PF(10)@5008", walk(m, 0x5008, EXECUTE));
        m.set(CPL, 3);
        assertEquals("PF(4)@5008", walk(m, 0x5008, READ));
        assertEquals("PF(0)@5008", walk(m, 0x5008, READ | IMPLICIT));
      }
    }
  }

  @Test
  void fetchesAreToldApartOnlyWithNxOrSmep() {
    try (Machine m = Machine.long64(0)) {
      m.memory.putLong(LEAF, 0);
      m.set(EFER, 0x501);
      assertEquals("PF(0)@5000", walk(m, VA, EXECUTE));
      m.set(CR4, 0x620 | 1 << 20);
      assertEquals("PF(10)@5000", walk(m, VA, EXECUTE));
    }
  }

  @Test
  void writeProtectionAtEachLevelBindsUsersAlwaysAndSupervisorsUnderWp() {
    for (int entry : new int[] {Machine.PML4, Machine.PDPT, Machine.PD, LEAF}) {
      try (Machine m = Machine.long64(0)) {
        m.memory.putLong(entry, m.memory.getLong(entry) & ~2L);
        assertEquals("PF(3)@5000", walk(m, VA, WRITE));
        assertEquals("none", walk(m, VA, READ));
        cr0(m, 0x8000_0031L);
        assertEquals(VA | ALL, PageWalker.translate(m.cpu, VA, WRITE));
        m.set(CPL, 3);
        assertEquals("PF(7)@5000", walk(m, VA, WRITE));
      }
    }
  }

  @Test
  void supervisorPagesAreClosedToUsers() {
    for (int entry : new int[] {Machine.PML4, Machine.PDPT, Machine.PD, LEAF}) {
      try (Machine m = Machine.long64(3)) {
        m.memory.putLong(entry, m.memory.getLong(entry) & ~4L);
        assertEquals("PF(5)@5000", walk(m, VA, READ));
        assertEquals("PF(7)@5000", walk(m, VA, WRITE));
        assertEquals("PF(15)@5000", walk(m, VA, EXECUTE));
        assertEquals("none", walk(m, VA, READ | IMPLICIT));
        m.set(CPL, 1);
        assertEquals("none", walk(m, VA, READ));
      }
    }
  }

  @Test
  void noExecuteAtAnyLevelStopsFetchesOnly() {
    for (int entry : new int[] {Machine.PML4, Machine.PDPT, Machine.PD, LEAF}) {
      try (Machine m = Machine.long64(0)) {
        m.memory.putLong(entry, m.memory.getLong(entry) | PageWalker.NO_EXECUTE);
        assertEquals("PF(11)@5000", walk(m, VA, EXECUTE));
        assertEquals(VA | MAY_READ | MAY_WRITE, PageWalker.translate(m.cpu, VA, WRITE));
        m.set(EFER, 0x501);
        assertEquals("PF(9)@5000", walk(m, VA, READ));
      }
    }
  }

  @Test
  void reservedBitsAreFaultsAtEachLevel() {
    for (int entry : new int[] {Machine.PML4, Machine.PDPT, Machine.PD, LEAF}) {
      try (Machine m = Machine.long64(3)) {
        m.memory.putLong(entry, m.memory.getLong(entry) | 1L << 46);
        assertEquals("PF(f)@5000", walk(m, VA, WRITE));
        m.memory.putLong(entry, m.memory.getLong(entry) & ~(1L << 46) | 1L << 52);
        assertEquals("none", walk(m, VA, WRITE));
      }
    }
    try (Machine m = Machine.long64(0)) {
      m.memory.putLong(Machine.PML4, Machine.PDPT | 0x87);
      assertEquals("PF(9)@5000", walk(m, VA, READ));
    }
  }

  @Test
  void largePagesGiveTheirFourKibParts() {
    try (Machine m = Machine.long64(0)) {
      m.memory.putLong(Machine.PD + 8, 0x40_0000 | 0x87);
      assertEquals(0x40_5000 | ALL, PageWalker.translate(m.cpu, 0x20_5123, WRITE));
      assertEquals(0x40_0000 | 0xe7, m.memory.getLong(Machine.PD + 8));
      m.memory.putLong(Machine.PD + 8, 0x40_2000 | 0x87);
      assertEquals("PF(b)@205123", walk(m, 0x20_5123, WRITE));
      m.memory.putLong(Machine.PDPT + 8, 0x83);
      assertEquals(0x12_3000 | ALL, PageWalker.translate(m.cpu, 0x4012_3456L, WRITE));
      m.memory.putLong(Machine.PDPT + 8, 0x2083);
      assertEquals("PF(b)@40123456", walk(m, 0x4012_3456L, WRITE));
      m.memory.putLong(Machine.PDPT + 8, 0x1083);
      assertEquals("none", walk(m, 0x4012_3456L, WRITE));
    }
  }

  @Test
  void invalidationOfOneAddressDropsTheWholeLargePage() {
    try (Machine m = Machine.long64(0)) {
      m.memory.putLong(Machine.PD + 8, 0x40_0000 | 0xe7);
      m.memory.putLong(0x40_5000, 11);
      m.memory.putLong(0x60_5000, 22);
      assertEquals(11, m.cpu.load64(0x20_5000));
      m.memory.putLong(Machine.PD + 8, 0x60_0000 | 0xe7);
      assertEquals(11, m.cpu.load64(0x20_5000));
      m.cpu.flushPage(0x3f_f000);
      assertEquals(22, m.cpu.load64(0x20_5000));
    }
  }

  @Test
  void supervisorExecutionAndAccessPreventionGuardUserPages() {
    try (Machine m = Machine.long64(0)) {
      m.set(CR4, 0x620 | 1 << 20);
      assertEquals("PF(11)@5000", walk(m, VA, EXECUTE));
      m.set(CR4, 0x620 | 1 << 21);
      assertEquals("PF(1)@5000", walk(m, VA, READ));
      assertEquals("PF(3)@5000", walk(m, VA, WRITE));
      assertEquals("none", walk(m, VA, EXECUTE));
      m.cpu.rflags(m.cpu.rflags() | Rflags.AC);
      assertEquals("none", walk(m, VA, WRITE));
      assertEquals("PF(1)@5000", walk(m, VA, READ | IMPLICIT));
      m.cpu.load8(VA);
      m.cpu.rflags(m.cpu.rflags() & ~(long) Rflags.AC);
      assertEquals("PF(1)@5000", Machine.fault(() -> m.cpu.load8(VA)));
      m.set(CPL, 3);
      assertEquals("none", walk(m, VA, READ));
    }
  }

  @Test
  void tablesAndPagesBeyondMemoryReadAsOnesOrAreHooked() {
    try (Machine m = Machine.long64(0)) {
      m.memory.putLong(LEAF, 0x4000_0000L | 7);
      assertEquals(0x4000_0000L | ALL | HOOKED, PageWalker.translate(m.cpu, VA, WRITE));
      m.memory.putLong(Machine.PD, 0x4000_0000L | 7);
      assertEquals("PF(9)@5000", walk(m, VA, READ));
    }
  }

  @Test
  void walksWithAnotherBaseAndLooksUpWithoutTouching() {
    try (Machine m = Machine.long64(0)) {
      int other = 0x20_0000;
      m.memory.putLong(other, Machine.PDPT | 7);
      m.memory.putLong(Machine.PML4, 0);
      assertEquals("PF(0)@5000", walk(m, VA, READ));
      assertEquals(0x5abc, PageWalker.lookup(m.cpu, other, 0x5abc));
      assertEquals(-1, PageWalker.lookup(m.cpu, Machine.PML4, 0x5abc));
      assertEquals(VA | 7, m.memory.getLong(LEAF));
      assertEquals(VA | MAY_READ | MAY_EXECUTE, PageWalker.walk(m.cpu, other, VA, READ, true));
      m.memory.putLong(Machine.PD + 8, 0x40_0000 | 0x87);
      assertEquals(0x41_2345, PageWalker.lookup(m.cpu, other, 0x21_2345));
    }
  }

  private static Machine paging32(int cpl, long cr4) {
    Machine m = Machine.protected32(cpl);
    m.memory.putInt(Machine.PD, Machine.PT | 7);
    for (int i = 0; i < 1024; i++) {
      m.memory.putInt(Machine.PT + i * 4, i << 12 | 7);
    }
    m.set(CR3, Machine.PD).set(CR4, cr4).set(CR0, 0x8001_0031L);
    m.cpu.stateChanged();
    return m;
  }

  @Test
  void thirtyTwoBitTablesObeyTheSameRules() {
    try (Machine m = paging32(3, 0)) {
      int leaf = Machine.PT + 5 * 4;
      assertEquals(VA | ALL, PageWalker.translate(m.cpu, VA, WRITE));
      assertEquals(VA | 0x67, m.memory.getInt(leaf));
      assertEquals(Machine.PT | 0x27, m.memory.getInt(Machine.PD));
      assertEquals(0x5abc, PageWalker.lookup(m.cpu, Machine.PD, 0x5abc));
      m.memory.putInt(leaf, VA | 5);
      assertEquals("PF(7)@5000", walk(m, VA, WRITE));
      m.memory.putInt(leaf, VA | 3);
      assertEquals("PF(5)@5000", walk(m, VA, EXECUTE));
      m.memory.putInt(leaf, VA | 6);
      assertEquals("PF(4)@5000", walk(m, VA, READ));
      m.memory.putInt(Machine.PD + 4, 0x40_0087);
      assertEquals("PF(6)@403000", walk(m, 0x40_3000, WRITE), "a table without PSE");
    }
  }

  @Test
  void fourMebibytePagesReachBeyondFourGibibytes() {
    try (Machine m = paging32(0, 0x10)) {
      m.memory.putInt(Machine.PD + 4, 0x40_0083);
      assertEquals(0x41_2000 | ALL, PageWalker.translate(m.cpu, 0x41_2345, WRITE));
      assertEquals(0x41_2345, PageWalker.lookup(m.cpu, Machine.PD, 0x41_2345));
      m.memory.putInt(Machine.PD + 4, 0x40_2083);
      assertEquals(0x1_0041_2000L | ALL | HOOKED, PageWalker.translate(m.cpu, 0x41_2345, WRITE));
      m.memory.putInt(Machine.PD + 4, 0x60_0083);
      assertEquals("PF(b)@412345", walk(m, 0x41_2345, WRITE));
    }
  }

  @Test
  void paeHasThreeLevelsAndMoreReservedBits() {
    try (Machine m = Machine.protected32(3)) {
      m.memory.putLong(Machine.PDPT, Machine.PD | 1);
      m.memory.putLong(Machine.PD, Machine.PT | 7);
      m.memory.putLong(LEAF, VA | 7);
      m.set(CR3, Machine.PDPT).set(CR4, 0x20).set(EFER, 0x800).set(CR0, 0x8001_0031L);
      m.cpu.stateChanged();
      assertEquals(VA | ALL, PageWalker.translate(m.cpu, VA, WRITE));
      assertEquals(Machine.PDPT + 0L, m.get(CR3));
      assertEquals(Machine.PD | 1, m.memory.getLong(Machine.PDPT), "no accessed bit there");
      assertEquals(0x5abc, PageWalker.lookup(m.cpu, Machine.PDPT, 0x5abc));
      m.memory.putLong(LEAF, VA | 7 | 1L << 52);
      assertEquals("PF(f)@5000", walk(m, VA, WRITE));
      assertEquals("PF(6)@40000000", walk(m, 0x4000_0000L, WRITE));
      m.memory.putLong(Machine.PDPT + 8, Machine.PD | 3);
      assertEquals("PF(f)@40000000", walk(m, 0x4000_0000L, WRITE));
    }
  }
}
