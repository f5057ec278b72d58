package parhelion.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static parhelion.cpu.CpuState.*;

import org.junit.jupiter.api.Test;

class ExceptionsTest {
  private static final int INTERRUPT64 = 0x8e;
  private static final int TRAP64 = 0x8f;
  private static final int USER_TRAP64 = 0xef;

  private static void frame64(Machine m, long... words) {
    for (int i = 0; i < words.length; i++) {
      assertEquals(words[i], m.memory.getLong(m.get(RSP) + i * 8), "frame word " + i);
    }
  }

  private static void frame32(Machine m, long... words) {
    for (int i = 0; i < words.length; i++) {
      long got = m.memory.getInt(m.get(RSP) + i * 4) & 0xffff_ffffL;
      assertEquals(words[i], got, "frame word " + i);
    }
  }

  private static String software(Machine m, int vector) {
    return Machine.fault(() -> Exceptions.softwareInterrupt(m.cpu, vector, 2));
  }

  @Test
  void realModeUsesTheVectorTable() {
    try (Machine m = Machine.real()) {
      m.memory.putInt(13 * 4, 0x1234_0056);
      m.cpu.rflags(0x46302);
      Exceptions.deliver(m.cpu, GuestFault.GP, 0, 0);
      assertEquals(0x1234, m.selector(CS));
      assertEquals(0x56, m.get(RIP));
      assertEquals(0x7000 - 6, m.get(RSP), "no error code");
      assertEquals(Machine.CODE, m.memory.getShort(0x6ffa) & 0xffff);
      assertEquals(0x6302, m.memory.getShort(0x6ffe));
      assertEquals(0x6002, m.cpu.rflags(), "IF, TF and AC are clear");
      m.set(IDTR + 8, 0x20);
      assertEquals("GP(0)", software(m, 0x40));
    }
  }

  @Test
  void longModeFromTheSameLevelAlignsTheStackAndPushesFiveOrSixWords() {
    try (Machine m = Machine.long64(0)) {
      m.idt64(GuestFault.GP, Machine.CODE64, Machine.HANDLER, INTERRUPT64, 0);
      m.idt64(0x80, Machine.CODE64, Machine.HANDLER, TRAP64, 0);
      m.set(RSP, Machine.STACK + 12);
      m.cpu.rflags(0x4302);
      Exceptions.deliver(m.cpu, GuestFault.GP, 0x18, 0);
      assertEquals(Machine.STACK - 48, m.get(RSP));
      frame64(m, 0x18, Machine.CODE, Machine.CODE64, 0x14302, Machine.STACK + 12, Machine.DATA);
      assertEquals(2, m.cpu.rflags(), "IF, TF, NT, RF are clear");
      assertEquals(Machine.HANDLER, m.get(RIP));
      m.cpu.rflags(0x202);
      m.set(RSP, Machine.STACK);
      Exceptions.interrupt(m.cpu, 0x80);
      assertEquals(Machine.STACK - 40, m.get(RSP));
      frame64(m, Machine.HANDLER, Machine.CODE64, 0x202, Machine.STACK, Machine.DATA);
      assertEquals(0x202, m.cpu.rflags(), "a trap gate leaves IF");
    }
  }

  @Test
  void longModeFromUserModeTakesTheStackOfTheTssOrTheIst() {
    try (Machine m = Machine.long64(3)) {
      m.idt64(GuestFault.PF, Machine.CODE64, Machine.HANDLER, INTERRUPT64, 0);
      m.idt64(2, Machine.CODE64, Machine.HANDLER, INTERRUPT64, 3);
      m.memory.putLong(Machine.TSS + 0x24 + 16, 0x3_8008);
      Exceptions.deliver(m.cpu, GuestFault.PF, 6, 0xdead_0000L);
      assertEquals(0, m.cpu.cpl());
      assertEquals(0, m.selector(SS));
      assertEquals(0xdead_0000L, m.get(CR2));
      assertEquals(Machine.INNER_STACK - 48, m.get(RSP));
      frame64(m, 6, Machine.CODE, Machine.USER_CODE64, 0x10002, Machine.STACK, Machine.USER_DATA);
      Exceptions.deliver(m.cpu, GuestFault.NMI, 0, 0);
      assertEquals(0x3_8000 - 40, m.get(RSP), "the IST also without a change of level");
      frame64(m, Machine.HANDLER, Machine.CODE64, 2, Machine.INNER_STACK - 48, 0);
    }
  }

  @Test
  void faultsPushRfAndTrapsDoNot() {
    try (Machine m = Machine.long64(0)) {
      m.idt64(GuestFault.UD, Machine.CODE64, Machine.HANDLER, INTERRUPT64, 0);
      m.idt64(GuestFault.DB, Machine.CODE64, Machine.HANDLER, INTERRUPT64, 0);
      Exceptions.deliver(m.cpu, GuestFault.UD, 0, 0);
      assertEquals(0x10002, m.memory.getLong(m.get(RSP) + 16));
      Exceptions.deliver(m.cpu, GuestFault.DB, 0, 0);
      assertEquals(2, m.memory.getLong(m.get(RSP) + 16));
    }
  }

  @Test
  void gatesOfLongModeAreChecked() {
    try (Machine m = Machine.long64(3)) {
      m.idt64(0x20, Machine.CODE64, Machine.HANDLER, INTERRUPT64, 0);
      assertEquals("GP(102)", software(m, 0x20), "DPL of the gate");
      m.idt64(0x20, Machine.CODE64, Machine.HANDLER, 0xee & ~0x80, 0);
      assertEquals("NP(102)", software(m, 0x20));
      m.idt64(0x20, Machine.CODE64, Machine.HANDLER, 0xe5, 0);
      assertEquals("GP(102)", software(m, 0x20), "a task gate");
      m.idt64(0x20, 0, Machine.HANDLER, USER_TRAP64, 0);
      assertEquals("GP(0)", software(m, 0x20), "null code segment");
      m.idt64(0x20, Machine.DATA, Machine.HANDLER, USER_TRAP64, 0);
      assertEquals("GP(10)", software(m, 0x20));
      m.idt64(0x20, Machine.CODE32, Machine.HANDLER, USER_TRAP64, 0);
      assertEquals("GP(30)", software(m, 0x20), "not 64-bit");
      m.idt64(0x20, Machine.ABSENT_CODE, Machine.HANDLER, USER_TRAP64, 0);
      assertEquals("NP(98)", software(m, 0x20));
      m.idt64(0x20, Machine.CODE64, 1L << 47, USER_TRAP64, 0);
      assertEquals("GP(0)", software(m, 0x20), "not canonical");
      m.idt64(0x20, Machine.CODE64, Machine.HANDLER, USER_TRAP64, 0);
      m.memory.putLong(Machine.TSS + 4, 1L << 50);
      assertEquals("SS(0)", software(m, 0x20));
      m.set(TR + 16, 10);
      assertEquals("TS(38)", software(m, 0x20));
      m.set(IDTR + 8, 0x20e);
      assertEquals("GP(102)", software(m, 0x20), "beyond the table");
      assertEquals(3, m.cpu.cpl());
      assertEquals(Machine.STACK, m.get(RSP));
    }
  }

  @Test
  void conformingHandlersStayAtTheLevelOfTheInterrupted() {
    try (Machine m = Machine.long64(3)) {
      m.idt64(0x20, Machine.CONFORMING64, Machine.HANDLER, USER_TRAP64, 0);
      assertEquals("none", software(m, 0x20));
      assertEquals(3, m.cpu.cpl());
      assertEquals(Machine.CONFORMING64 | 3, m.selector(CS));
      assertEquals(Machine.STACK - 40, m.get(RSP));
    }
  }

  @Test
  void protectedModePushesThreeToSixWords() {
    try (Machine m = Machine.protected32(0)) {
      m.idt32(GuestFault.GP, Machine.CODE32, Machine.HANDLER, 0x8e);
      m.idt32(0x20, Machine.CODE32, Machine.HANDLER, 0x8f);
      m.idt32(0x21, Machine.CODE32, Machine.HANDLER, 0x86);
      Exceptions.deliver(m.cpu, GuestFault.GP, 0x18, 0);
      assertEquals(Machine.STACK - 16, m.get(RSP));
      frame32(m, 0x18, Machine.CODE, Machine.CODE32, 0x10002);
      Exceptions.interrupt(m.cpu, 0x20);
      assertEquals(Machine.STACK - 28, m.get(RSP));
      frame32(m, Machine.HANDLER, Machine.CODE32, 2);
      Exceptions.interrupt(m.cpu, 0x21);
      assertEquals(Machine.STACK - 34, m.get(RSP), "a 16-bit gate pushes words");
    }
    try (Machine m = Machine.protected32(3)) {
      m.idt32(GuestFault.GP, Machine.CODE32, Machine.HANDLER, 0x8e);
      Exceptions.deliver(m.cpu, GuestFault.GP, 0x18, 0);
      assertEquals(Machine.INNER_STACK - 24, m.get(RSP));
      frame32(
          m, 0x18, Machine.CODE, Machine.USER_CODE32, 0x10002, Machine.STACK, Machine.USER_DATA);
      assertEquals(Machine.DATA, m.selector(SS));
      assertEquals(0, m.cpu.cpl());
    }
  }

  @Test
  void aFaultInTheCourseOfDeliveryReplacesItOrDoublesIt() {
    try (Machine m = Machine.long64(3)) {
      m.idt64(GuestFault.GP, Machine.CODE64, Machine.HANDLER, INTERRUPT64, 0);
      m.idt64(GuestFault.NP, Machine.CODE64, Machine.HANDLER, INTERRUPT64, 0);
      m.idt64(GuestFault.DF, Machine.CODE64, Machine.HANDLER + 0x100, INTERRUPT64, 0);
      m.idt64(GuestFault.UD, Machine.CODE64, Machine.HANDLER, 0x0e, 0);
      Exceptions.deliver(m.cpu, GuestFault.UD, 0, 0);
      assertEquals(6 * 8 + 3, m.memory.getLong(m.get(RSP)), "#NP(IDT, EXT) after a benign #UD");
      m.idt64(GuestFault.SS, Machine.CODE64, Machine.HANDLER, 0x0e, 0);
      Exceptions.deliver(m.cpu, GuestFault.SS, 0, 0);
      assertEquals(Machine.HANDLER + 0x100, m.get(RIP), "#NP after #SS is a double fault");
      assertEquals(0, m.memory.getLong(m.get(RSP)));
    }
  }

  @Test
  void aFaultInADoubleFaultIsAShutdown() {
    try (Machine m = Machine.long64(0)) {
      Exceptions.deliver(m.cpu, GuestFault.GP, 0, 0);
      assertEquals("shutdown", m.recorder.last());
      assertEquals(Machine.STACK, m.get(RSP));
      assertEquals(Machine.CODE, m.get(RIP));
    }
  }

  @Test
  void onlyContributoryPairsDouble() {
    assertTrue(Exceptions.isDoubleFault(GuestFault.GP, GuestFault.NP));
    assertTrue(Exceptions.isDoubleFault(GuestFault.DE, GuestFault.GP));
    assertTrue(Exceptions.isDoubleFault(GuestFault.PF, GuestFault.PF));
    assertTrue(Exceptions.isDoubleFault(GuestFault.PF, GuestFault.GP));
    assertFalse(Exceptions.isDoubleFault(GuestFault.GP, GuestFault.PF));
    assertFalse(Exceptions.isDoubleFault(GuestFault.UD, GuestFault.GP));
    assertFalse(Exceptions.isDoubleFault(GuestFault.PF, GuestFault.UD));
  }

  @Test
  void aFaultOfAnExternalInterruptsDeliveryIsTheGuests() {
    try (Machine m = Machine.long64(0)) {
      Exceptions.interrupt(m.cpu, 0x20);
      assertEquals("GP(103)", m.recorder.last());
    }
  }

  @Test
  void aTaskGateSwitchesTasksAndPushesTheErrorCodeThere() {
    try (Machine m = Machine.protected32(0)) {
      int other = 0x6000;
      m.descriptor(Machine.OTHER_TASK, other, 0x67, 0x89);
      m.memory.putInt(other + 0x20, 0x4444);
      m.memory.putInt(other + 0x38, 0x7000);
      int[] segments = {Machine.DATA, Machine.CODE32, Machine.DATA, Machine.DATA, 0, 0};
      for (int i = 0; i < 6; i++) {
        m.memory.putInt(other + 0x48 + i * 4, segments[i]);
      }
      m.idt32(GuestFault.DF, Machine.OTHER_TASK, 0, 0x85);
      Exceptions.deliver(m.cpu, GuestFault.GP, 0, 0);
      assertEquals(0x4444, m.get(RIP), "no #GP gate: a double fault, in its own task");
      assertEquals(0x7000 - 4, m.get(RSP));
      assertEquals(0, m.memory.getInt(0x7000 - 4));
      assertEquals(Machine.CODE, m.memory.getInt(Machine.TSS + 0x20));
    }
  }
}
