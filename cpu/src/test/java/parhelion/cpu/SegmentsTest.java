package parhelion.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static parhelion.cpu.CpuState.*;

import org.junit.jupiter.api.Test;

class SegmentsTest {
  private static String load(Machine m, int segment, int selector) {
    return Machine.fault(() -> Segments.load(m.cpu, segment, selector));
  }

  private static String linear(Machine m, int segment, long offset, int size, boolean write) {
    return Machine.fault(() -> Segments.linear(m.cpu, segment, offset, size, write));
  }

  @Test
  void realModeLoadsKeepTheLimit() {
    try (Machine m = Machine.real()) {
      Segments.load(m.cpu, ES, 0x1234);
      assertEquals(0x1_2340, m.get(SEG_BASE));
      assertEquals(0xffff, m.get(SEG_LIMIT));
      assertEquals(0x1_2340 + 0xfffe, Segments.linear(m.cpu, ES, 0xfffe, 2, true));
      assertEquals("GP(0)", linear(m, ES, 0xffff, 2, true));
      assertEquals("SS(0)", linear(m, SS, 0xffff, 2, true));
    }
  }

  @Test
  void aLoadTakesBaseLimitAndRightsAndMarksTheDescriptorAccessed() {
    try (Machine m = Machine.protected32(0)) {
      m.descriptor(Machine.DATA, 0x1234_5678, 0x9abcd, 0x4092);
      assertEquals("none", load(m, FS, Machine.DATA));
      assertEquals(0x1234_5678, m.get(FS_BASE));
      assertEquals(0x9abcd, m.get(SEG_LIMIT + FS * 8));
      assertEquals(0x4093, m.get(SEG_ATTR + FS * 8));
      assertEquals(0x93, m.memory.getByte(Machine.GDT + Machine.DATA + 5) & 0xff);
      m.descriptor(Machine.DATA, 0, 0x9abcd, 0xc092);
      Segments.load(m.cpu, FS, Machine.DATA);
      assertEquals(0x9_abcd_fffL, m.get(SEG_LIMIT + FS * 8));
    }
  }

  @Test
  void dataSegmentsAreCheckedForTypePrivilegeAndPresence() {
    try (Machine m = Machine.protected32(3)) {
      assertEquals("none", load(m, DS, Machine.USER_DATA));
      assertEquals("none", load(m, DS, Machine.READ_ONLY));
      assertEquals("none", load(m, DS, Machine.USER_CODE32));
      assertEquals("none", load(m, DS, Machine.CONFORMING64 | 3), "conforming: no privilege check");
      assertEquals("GP(10)", load(m, DS, Machine.DATA | 3), "DPL 0 at CPL 3");
      assertEquals("GP(70)", load(m, DS, Machine.EXECUTE_ONLY), "not readable");
      assertEquals("GP(38)", load(m, DS, Machine.TASK), "system descriptor");
      assertEquals("GP(100)", load(m, DS, 0x100), "beyond the table");
      assertEquals("GP(24)", load(m, DS, 0x27), "no LDT");
      m.set(CPL, 0);
      assertEquals("GP(10)", load(m, DS, Machine.DATA | 3), "RPL 3");
      assertEquals("NP(60)", load(m, DS, Machine.ABSENT_DATA));
      assertEquals("GP(0)", load(m, SS, 3), "null stack");
    }
  }

  @Test
  void stackSegmentsMustMatchThePrivilegeLevelExactly() {
    try (Machine m = Machine.protected32(0)) {
      assertEquals("none", load(m, SS, Machine.DATA));
      assertEquals("GP(10)", load(m, SS, Machine.DATA | 1));
      assertEquals("GP(20)", load(m, SS, Machine.USER_DATA));
      assertEquals("GP(30)", load(m, SS, Machine.CODE32));
      assertEquals("GP(68)", load(m, SS, Machine.READ_ONLY));
      assertEquals("SS(60)", load(m, SS, Machine.ABSENT_DATA));
    }
  }

  @Test
  void aNullSelectorMakesASegmentUnusableAndClearsItsBase() {
    try (Machine m = Machine.protected32(0)) {
      m.set(FS_BASE, 0x1000);
      assertEquals("none", load(m, FS, 2));
      assertEquals(0, m.get(FS_BASE));
      assertEquals("GP(0)", linear(m, FS, 0, 1, false));
    }
    try (Machine m = Machine.long64(0)) {
      assertEquals("none", load(m, SS, 0));
      assertEquals("GP(0)", load(m, SS, 1));
      m.set(CPL, 3);
      assertEquals("GP(0)", load(m, SS, 3));
    }
  }

  @Test
  void theLdtHoldsDescriptorsToo() {
    try (Machine m = Machine.long64(0)) {
      Segments.loadLdt(m.cpu, Machine.LDT_SELECTOR);
      m.memory.putLong(Machine.LDT + 8, Machine.encode(0x777, 0xfff, 0x4093));
      assertEquals("none", load(m, GS, 0xc));
      assertEquals(0x777, m.get(GS_BASE));
      assertEquals("GP(104)", load(m, GS, 0x104));
      assertEquals("GP(8)", Machine.fault(() -> Segments.loadLdt(m.cpu, Machine.CODE64)));
      assertEquals("GP(4)", Machine.fault(() -> Segments.loadLdt(m.cpu, 4)));
      m.descriptor(Machine.LDT_SELECTOR, Machine.LDT, 0xff, 0x02);
      assertEquals("NP(78)", Machine.fault(() -> Segments.loadLdt(m.cpu, Machine.LDT_SELECTOR)));
      Segments.loadLdt(m.cpu, 0);
      assertEquals("GP(c)", load(m, GS, 0xc));
    }
  }

  @Test
  void theTaskRegisterTakesSixteenBytesInLongModeAndSetsBusy() {
    try (Machine m = Machine.long64(0)) {
      m.memory.putLong(Machine.GDT + Machine.TASK + 8, 0xffff_8000L);
      Segments.loadTask(m.cpu, Machine.TASK);
      assertEquals(0xffff_8000_0000_3000L, m.get(TR + 8));
      assertEquals(0x8b, m.memory.getByte(Machine.GDT + Machine.TASK + 5) & 0xff);
      assertEquals("GP(38)", Machine.fault(() -> Segments.loadTask(m.cpu, Machine.TASK)), "busy");
      assertEquals("GP(0)", Machine.fault(() -> Segments.loadTask(m.cpu, 3)));
      m.descriptor(Machine.TASK, Machine.TSS, 0x67, 0x89);
      m.memory.putLong(Machine.GDT + Machine.TASK + 8, 0x8000);
      assertEquals("GP(38)", Machine.fault(() -> Segments.loadTask(m.cpu, Machine.TASK)), "base");
    }
  }

  @Test
  void userModeReadsDescriptorsWithTheProcessorsOwnRights() {
    try (Machine m = Machine.long64(3)) {
      m.memory.putLong(Machine.PT + 8, Machine.GDT | 3);
      assertEquals("PF(5)@1000", Machine.fault(() -> m.cpu.load8(Machine.GDT)));
      assertEquals("none", load(m, DS, Machine.USER_DATA));
      m.memory.putLong(Machine.PT + 8, 0);
      m.cpu.flushTlbs();
      assertEquals("PF(0)@1020", load(m, DS, Machine.USER_DATA));
    }
  }

  @Test
  void limitsHoldForExpandUpAndExpandDown() {
    try (Machine m = Machine.protected32(0)) {
      m.descriptor(Machine.DATA, 0x100, 0xfff, 0x4093);
      Segments.load(m.cpu, DS, Machine.DATA);
      assertEquals(0x100 + 0xffc, Segments.linear(m.cpu, DS, 0xffc, 4, true));
      assertEquals("GP(0)", linear(m, DS, 0xffd, 4, false));
      assertEquals("GP(0)", linear(m, DS, 0xffff_fffeL, 4, false));
      Segments.load(m.cpu, ES, Machine.EXPAND_DOWN);
      assertEquals("GP(0)", linear(m, ES, 0xffff, 1, true));
      assertEquals(0x1_0000, Segments.linear(m.cpu, ES, 0x1_0000, 1, true));
      assertEquals("none", linear(m, ES, 0xffff_fffcL, 4, true));
      assertEquals("GP(0)", linear(m, ES, 0xffff_fffdL, 4, true));
      Segments.load(m.cpu, SS, Machine.EXPAND_DOWN);
      assertEquals("SS(0)", linear(m, SS, 0x10, 4, true));
    }
  }

  @Test
  void accessTypesAreChecked() {
    try (Machine m = Machine.protected32(0)) {
      assertEquals("GP(0)", linear(m, CS, 0, 1, true));
      assertEquals("none", linear(m, CS, 0, 1, false));
      Segments.load(m.cpu, DS, Machine.READ_ONLY);
      assertEquals("GP(0)", linear(m, DS, 0, 1, true));
      assertEquals("none", linear(m, DS, 0, 1, false));
      m.set(SEG_ATTR + CS * 8, 0xc099);
      assertEquals("GP(0)", linear(m, CS, 0, 1, false));
    }
  }

  @Test
  void larLslVerrAndVerwSeeWhatPrivilegeAllows() {
    try (Machine m = Machine.long64(3)) {
      assertEquals(0xcff300, Segments.accessRights(m.cpu, Machine.USER_DATA));
      assertEquals(0xffff_ffffL, Segments.segmentLimit(m.cpu, Machine.USER_DATA));
      assertEquals(-1, Segments.accessRights(m.cpu, Machine.DATA));
      assertEquals(-1, Segments.segmentLimit(m.cpu, 0));
      assertEquals(-1, Segments.segmentLimit(m.cpu, 0x100));
      assertEquals(0xaf9f00, Segments.accessRights(m.cpu, Machine.CONFORMING64));
      assertTrue(Segments.verify(m.cpu, Machine.USER_DATA, true));
      assertFalse(Segments.verify(m.cpu, Machine.READ_ONLY | 3, true));
      assertTrue(Segments.verify(m.cpu, Machine.READ_ONLY | 3, false));
      assertFalse(Segments.verify(m.cpu, Machine.EXECUTE_ONLY | 3, false));
      assertFalse(Segments.verify(m.cpu, Machine.DATA, false));
      m.set(CPL, 0);
      assertEquals(0x008900, Segments.accessRights(m.cpu, Machine.TASK));
      m.memory.putLong(Machine.GDT + Machine.GATE, Machine.gate(8, 0, 0x8c));
      assertEquals(0x008c00, Segments.accessRights(m.cpu, Machine.GATE));
      assertEquals(-1, Segments.segmentLimit(m.cpu, Machine.GATE), "gates have no limit");
      assertFalse(Segments.verify(m.cpu, Machine.TASK, false));
    }
  }

  @Test
  void theIoBitmapAllowsSinglePorts() {
    try (Machine m = Machine.long64(3)) {
      assertFalse(Segments.portAllowed(m.cpu, 0x60, 1));
      m.memory.putByte(Machine.TSS + 0x68 + 0xc, (byte) 0xfe);
      assertTrue(Segments.portAllowed(m.cpu, 0x60, 1));
      assertFalse(Segments.portAllowed(m.cpu, 0x60, 2));
      m.memory.putByte(Machine.TSS + 0x68 + 0xc, (byte) 0x7f);
      m.memory.putByte(Machine.TSS + 0x68 + 0xd, (byte) 0xfe);
      assertTrue(Segments.portAllowed(m.cpu, 0x67, 2), "across a byte");
      m.set(TR + 16, 0x68 + 0xd);
      assertTrue(Segments.portAllowed(m.cpu, 0x67, 2));
      m.set(TR + 16, 0x68 + 0xc);
      assertFalse(Segments.portAllowed(m.cpu, 0x67, 2), "beyond the limit");
    }
  }
}
