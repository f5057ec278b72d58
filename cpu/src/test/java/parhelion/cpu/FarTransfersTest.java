package parhelion.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static parhelion.cpu.CpuState.*;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class FarTransfersTest {
  private static String jump(Machine m, int selector, long offset) {
    return Machine.fault(() -> FarTransfers.jump(m.cpu, selector, offset, 4));
  }

  private static String call(Machine m, int selector, long offset, int size) {
    return Machine.fault(() -> FarTransfers.call(m.cpu, selector, offset, size));
  }

  private static String ret(Machine m, int size, int bytes) {
    return Machine.fault(() -> FarTransfers.ret(m.cpu, size, bytes));
  }

  private static String iret(Machine m, int size) {
    return Machine.fault(() -> FarTransfers.iret(m.cpu, size));
  }

  /** Lays 64-bit words on the stack, the first one on top. */
  private static void stack64(Machine m, long... words) {
    m.set(RSP, Machine.STACK);
    for (int i = 0; i < words.length; i++) {
      m.memory.putLong(Machine.STACK + i * 8, words[i]);
    }
  }

  private static void stack32(Machine m, int... words) {
    m.set(RSP, Machine.STACK);
    for (int i = 0; i < words.length; i++) {
      m.memory.putInt(Machine.STACK + i * 4, words[i]);
    }
  }

  @Test
  void theSameOffsetIsOtherCodeInAnotherSegment() {
    try (Machine m = Machine.real()) {
      // At 0800:0000 and at 0900:0000, each with its own number for AX; the first jumps to the
      // other.
      m.set(RIP, 0).set(SEG_SELECTOR + CS * 8, 0x800).set(SEG_BASE + CS * 8, 0x8000);
      m.code("b81111 ea00000009");
      m.memory.write(Machine.HANDLER, HexFormat.of().parseHex("bb2222f4"), 0, 4);
      m.cpu.run(4);
      assertEquals(0x1111, m.get(RAX));
      assertEquals(0x2222, m.get(RBX));
    }
  }

  @Test
  void realModeTransfersAreShiftsOfTheSelector() {
    try (Machine m = Machine.real()) {
      assertEquals("none", call(m, 0x1234, 0x56, 2));
      assertEquals(0x1_2340, m.get(SEG_BASE + CS * 8));
      assertEquals(0x56, m.get(RIP));
      assertEquals(0x6ffc, m.get(RSP));
      assertEquals(Machine.CODE, m.memory.getInt(0x6ffc));
      assertEquals("GP(0)", jump(m, 0, 0x1_0000));
      assertEquals("none", ret(m, 2, 4));
      assertEquals(Machine.CODE, m.get(RIP));
      assertEquals(0x7004, m.get(RSP));
      m.memory.putShort(0x7004, (short) 0x9000);
      m.memory.putShort(0x7006, (short) 0);
      m.memory.putShort(0x7008, (short) 0x7ed7);
      assertEquals("none", iret(m, 2));
      assertEquals(0x9000, m.get(RIP));
      assertEquals(0x7ed7, m.cpu.rflags());
    }
  }

  @Test
  void theSameOffsetInAnotherSegmentIsOtherCode() {
    try (Machine m = Machine.real()) {
      byte[] first = {0x40, (byte) 0xea, 0, 1, 0, 0x30}; // inc ax; jmp 3000:0100
      byte[] second = {
        0x43, (byte) 0xea, 0, 1, 0x40, 0x20
      }; // inc bx; jmp 2040:0100, in the same page
      byte[] third = {0x41, (byte) 0xea, 0, 1, 0, 0x20}; // inc cx; jmp 2000:0100
      m.memory.write(0x2_0100, first, 0, first.length);
      m.memory.write(0x3_0100, second, 0, second.length);
      m.memory.write(0x2_0500, third, 0, third.length);
      m.set(RAX, 0);
      m.set(RBX, 0);
      m.set(RCX, 0);
      assertEquals("none", jump(m, 0x2000, 0x100));
      m.cpu.run(6 * 50);
      assertEquals(50, m.get(RAX));
      assertEquals(50, m.get(RBX));
      assertEquals(50, m.get(RCX));
    }
  }

  @Test
  void directJumpsCheckTheCodeSegment() {
    try (Machine m = Machine.long64(0)) {
      assertEquals("GP(0)", jump(m, 3, 0));
      assertEquals("GP(100)", jump(m, 0x100, 0));
      assertEquals("GP(10)", jump(m, Machine.DATA, 0));
      assertEquals("GP(28)", jump(m, Machine.USER_CODE64, 0));
      assertEquals("GP(8)", jump(m, Machine.CODE64 | 3, 0));
      assertEquals("NP(98)", jump(m, Machine.ABSENT_CODE, 0));
      assertEquals("GP(0)", jump(m, Machine.CODE64, 1L << 47));
      assertEquals("none", jump(m, Machine.CONFORMING64 | 3, 0x1234));
      assertEquals(Machine.CONFORMING64, m.selector(CS), "RPL is the CPL");
      m.descriptor(Machine.CODE32, 0, 0xfffff, 0xe09b);
      assertEquals("GP(30)", jump(m, Machine.CODE32, 0), "L and D");
    }
  }

  @Test
  void aJumpSwitchesBetweenSixtyFourBitAndCompatibilityMode() {
    try (Machine m = Machine.long64(0)) {
      assertEquals("none", jump(m, Machine.CODE32, 0x1234));
      assertEquals(32, m.cpu.codeBits);
      assertEquals("none", jump(m, Machine.CODE16, 0x1234));
      assertEquals(16, m.cpu.codeBits);
      assertEquals("GP(0)", jump(m, Machine.CODE16, 0x1_0000), "limit");
      assertEquals("none", jump(m, Machine.CODE64, 0x1234));
      assertEquals(64, m.cpu.codeBits);
    }
  }

  @Test
  void aFarCallPushesTheOldAddressInTheOperandSize() {
    try (Machine m = Machine.long64(0)) {
      assertEquals("none", call(m, Machine.CODE32, 0x1234, 8));
      assertEquals(Machine.STACK - 16, m.get(RSP));
      assertEquals(Machine.CODE, m.memory.getLong(Machine.STACK - 16));
      assertEquals(Machine.CODE64, m.memory.getLong(Machine.STACK - 8));
      assertEquals("none", call(m, Machine.CODE32, 0x1234, 4));
      assertEquals(Machine.STACK - 24, m.get(RSP));
      assertEquals(Machine.CODE32, m.memory.getInt(Machine.STACK - 20));
      m.set(RSP, 0);
      m.set(SEG_LIMIT + SS * 8, 0xffff);
      assertEquals("SS(0)", call(m, Machine.CODE32, 0, 4));
      assertEquals(0, m.get(RSP));
    }
  }

  @Test
  void sixtyFourBitGatesSwitchToTheInnerStack() {
    try (Machine m = Machine.long64(3)) {
      m.memory.putLong(Machine.GDT + Machine.GATE, Machine.gate(Machine.CODE64, 0x1234, 0xec));
      assertEquals("none", call(m, Machine.GATE | 3, 0xdead, 4));
      assertEquals(0, m.cpu.cpl());
      assertEquals(Machine.CODE64, m.selector(CS));
      assertEquals(0, m.selector(SS));
      assertEquals(0x1234, m.get(RIP));
      assertEquals(Machine.INNER_STACK - 32, m.get(RSP));
      assertEquals(Machine.CODE, m.memory.getLong(Machine.INNER_STACK - 32));
      assertEquals(Machine.USER_CODE64, m.memory.getLong(Machine.INNER_STACK - 24));
      assertEquals(Machine.STACK, m.memory.getLong(Machine.INNER_STACK - 16));
      assertEquals(Machine.USER_DATA, m.memory.getLong(Machine.INNER_STACK - 8));
      assertEquals("none", ret(m, 8, 0));
      assertEquals(3, m.cpu.cpl());
      assertEquals(Machine.STACK, m.get(RSP));
      assertEquals(Machine.USER_DATA, m.selector(SS));
    }
  }

  @Test
  void gatesAreCheckedBeforeTheirTarget() {
    try (Machine m = Machine.long64(3)) {
      int gate = Machine.GATE | 3;
      m.memory.putLong(Machine.GDT + Machine.GATE, Machine.gate(Machine.CODE64, 0x1234, 0x8c));
      assertEquals("GP(88)", call(m, gate, 0, 4), "DPL of the gate");
      m.memory.putLong(Machine.GDT + Machine.GATE, Machine.gate(Machine.CODE64, 0x1234, 0x6c));
      assertEquals("NP(88)", call(m, gate, 0, 4));
      m.memory.putLong(Machine.GDT + Machine.GATE, Machine.gate(Machine.CODE64, 0x1234, 0xe4));
      assertEquals("GP(88)", call(m, gate, 0, 4), "16-bit gate in long mode");
      m.memory.putLong(Machine.GDT + Machine.GATE, Machine.gate(Machine.CODE32, 0x1234, 0xec));
      assertEquals("GP(30)", call(m, gate, 0, 4), "not 64-bit code");
      m.memory.putLong(Machine.GDT + Machine.GATE, Machine.gate(Machine.ABSENT_CODE, 0x1234, 0xec));
      assertEquals("NP(98)", call(m, gate, 0, 4));
      m.memory.putLong(Machine.GDT + Machine.GATE, Machine.gate(0, 0x1234, 0xec));
      assertEquals("GP(0)", call(m, gate, 0, 4));
      m.memory.putLong(Machine.GDT + Machine.GATE, Machine.gate(Machine.CODE64, 0x1234, 0xec));
      m.memory.putLong(Machine.GDT + Machine.GATE + 8, 1L << 40);
      assertEquals("GP(88)", call(m, gate, 0, 4), "type in the upper half");
      m.memory.putLong(Machine.GDT + Machine.GATE + 8, 0x8000);
      assertEquals("GP(0)", call(m, gate, 0, 4), "not canonical");
      m.memory.putLong(Machine.GDT + Machine.GATE + 8, 0);
      assertEquals("GP(8)", jump(m, gate, 0), "a jump does not change privilege");
      m.set(TR + 16, 8);
      assertEquals("TS(38)", call(m, gate, 0, 4));
      assertEquals(3, m.cpu.cpl());
      assertEquals(Machine.STACK, m.get(RSP));
    }
  }

  @Test
  void legacyGatesCopyParameters() {
    try (Machine m = Machine.protected32(3)) {
      m.memory.putLong(
          Machine.GDT + Machine.GATE, Machine.gate(Machine.CODE32, 0x1234, 0xec) | 2L << 32);
      stack32(m, 0x11, 0x22);
      assertEquals("none", call(m, Machine.GATE | 3, 0, 4));
      assertEquals(0, m.cpu.cpl());
      assertEquals(Machine.INNER_STACK - 24, m.get(RSP));
      assertEquals(Machine.DATA, m.selector(SS));
      int[] frame = {
        Machine.CODE, Machine.USER_CODE32, 0x11, 0x22, Machine.STACK, Machine.USER_DATA
      };
      for (int i = 0; i < 6; i++) {
        assertEquals(frame[i], m.memory.getInt(Machine.INNER_STACK - 24 + i * 4), "word " + i);
      }
      assertEquals("none", ret(m, 4, 8));
      assertEquals(3, m.cpu.cpl());
      assertEquals(Machine.STACK + 8, m.get(RSP), "parameters released on both stacks");
      m.memory.putInt(Machine.TSS + 8, Machine.USER_DATA);
      assertEquals("TS(20)", call(m, Machine.GATE | 3, 0, 4));
      m.memory.putInt(Machine.TSS + 8, Machine.ABSENT_DATA);
      assertEquals("SS(60)", call(m, Machine.GATE | 3, 0, 4));
      m.memory.putInt(Machine.TSS + 8, 0);
      assertEquals("TS(0)", call(m, Machine.GATE | 3, 0, 4));
    }
  }

  @Test
  void returnsToOuterLevelsNeedMatchingSegmentsAndDropInnerData() {
    try (Machine m = Machine.long64(0)) {
      stack64(m, 0x1234, Machine.USER_CODE64, Machine.STACK + 64, Machine.DATA);
      assertEquals("GP(10)", ret(m, 8, 0));
      stack64(m, 0x1234, Machine.USER_CODE64, Machine.STACK + 64, 0);
      assertEquals("GP(0)", ret(m, 8, 0), "null stack at CPL 3");
      stack64(m, 1L << 47, Machine.USER_CODE64, Machine.STACK + 64, Machine.USER_DATA);
      assertEquals("GP(0)", ret(m, 8, 0));
      stack64(m, 0x1234, Machine.USER_CODE64 & ~3, Machine.STACK + 64, Machine.USER_DATA);
      assertEquals("GP(28)", ret(m, 8, 0), "RPL 0, DPL 3");
      stack64(m, 0x1234, Machine.USER_CODE64, Machine.STACK + 64, Machine.USER_DATA);
      Segments.load(m.cpu, ES, Machine.USER_DATA);
      m.set(GS_BASE, 0x7777).set(SEG_SELECTOR + GS * 8, 0).set(SEG_ATTR + GS * 8, 0);
      assertEquals("none", ret(m, 8, 0));
      assertEquals(0, m.selector(DS), "kernel data is dropped");
      assertEquals(Machine.USER_DATA, m.selector(ES));
      assertEquals(0x7777, m.get(GS_BASE), "a base under a null selector stays");
      assertEquals("GP(8)", jump(m, Machine.CODE64, 0));
      stack64(m, 0x1234, Machine.CODE64);
      assertEquals("GP(8)", ret(m, 8, 0), "not inward");
    }
  }

  @Test
  void iretqAlwaysTakesTheStackFromItsFrame() {
    try (Machine m = Machine.long64(0)) {
      stack64(m, 0x1234, Machine.CODE64, 0x10246, Machine.STACK + 0x1008, Machine.DATA);
      assertEquals("none", iret(m, 8));
      assertEquals(Machine.STACK + 0x1008, m.get(RSP));
      assertEquals(0x246, m.cpu.rflags(), "RF is void without breakpoints");
      stack64(m, 0x1234, Machine.CODE64, 2, Machine.STACK, 0);
      assertEquals("none", iret(m, 8), "null stack at CPL 0");
      stack64(m, 0x1234, Machine.CODE64, 2, Machine.STACK, 3);
      assertEquals("GP(0)", iret(m, 8));
      stack64(m, 0x1234, Machine.USER_CODE64, 0x3202, Machine.STACK, Machine.USER_DATA);
      assertEquals("none", iret(m, 8));
      assertEquals(3, m.cpu.cpl());
      assertEquals(0x3202, m.cpu.rflags());
    }
  }

  @Test
  void iretGivesUsersOnlyTheirFlags() {
    try (Machine m = Machine.long64(3)) {
      m.cpu.rflags(0x202);
      stack64(m, 0x1234, Machine.USER_CODE64, 0x3fffffL, Machine.STACK, Machine.USER_DATA);
      assertEquals("none", iret(m, 8));
      assertEquals(0x244fd7 | 0x202, m.cpu.rflags(), "not IOPL, VM, VIF, VIP or RF");
      m.cpu.rflags(0x4202);
      assertEquals("GP(0)", iret(m, 8), "NT in long mode");
    }
    try (Machine m = Machine.long64(3)) {
      m.cpu.rflags(0x3002);
      stack64(m, 0x1234, Machine.USER_CODE64, 0x202, Machine.STACK, Machine.USER_DATA);
      assertEquals("none", iret(m, 8));
      assertEquals(0x3202, m.cpu.rflags(), "IF within IOPL");
    }
  }

  @Test
  void iretdReturnsToTheSameAndToAnOuterLevel() {
    try (Machine m = Machine.protected32(0)) {
      stack32(m, 0x1234, Machine.CODE32, 0x246);
      assertEquals("none", iret(m, 4));
      assertEquals(Machine.STACK + 12, m.get(RSP));
      assertEquals(0x1234, m.get(RIP));
      stack32(m, 0x5678, Machine.USER_CODE32, 0x202, 0x7000, Machine.USER_DATA);
      assertEquals("none", iret(m, 4));
      assertEquals(3, m.cpu.cpl());
      assertEquals(0x7000, m.get(RSP));
      assertEquals(Machine.USER_DATA, m.selector(SS));
    }
  }

  @Test
  void tasksSwitchByJumpAndReturnByIret() {
    try (Machine m = Machine.protected32(0)) {
      int other = 0x6000;
      m.descriptor(Machine.OTHER_TASK, other, 0x67, 0x89);
      m.memory.putInt(other + 0x20, 0x4444);
      m.memory.putInt(other + 0x24, 0x2);
      m.memory.putInt(other + 0x28, 0x5555);
      m.memory.putInt(other + 0x38, 0x7000);
      int[] segments = {
        Machine.DATA, Machine.CODE32, Machine.DATA, Machine.DATA, 0, Machine.USER_DATA
      };
      for (int i = 0; i < 6; i++) {
        m.memory.putInt(other + 0x48 + i * 4, segments[i]);
      }
      m.descriptor(Machine.TASK, Machine.TSS, 0x1fff, 0x8b);
      m.set(RAX, 0x99);
      assertEquals("none", call(m, Machine.OTHER_TASK, 0, 4));
      assertEquals(0x4444, m.get(RIP));
      assertEquals(0x5555, m.get(RAX));
      assertEquals(0x7000, m.get(RSP));
      assertEquals(Machine.OTHER_TASK, m.get(TR));
      assertEquals(Machine.USER_DATA, m.selector(GS));
      assertEquals(Rflags.NT | 2, m.cpu.rflags());
      assertEquals(Machine.TASK, m.memory.getShort(other));
      assertEquals(0x8b, m.memory.getByte(Machine.GDT + Machine.OTHER_TASK + 5) & 0xff);
      assertEquals(8, m.get(CR0) & 8);
      assertEquals("none", iret(m, 4));
      assertEquals(Machine.CODE, m.get(RIP));
      assertEquals(0x99, m.get(RAX));
      assertEquals(Machine.TASK, m.get(TR));
      assertEquals(0x89, m.memory.getByte(Machine.GDT + Machine.OTHER_TASK + 5) & 0xff);
      m.memory.putInt(other + 0x4c, Machine.USER_CODE32 & ~3);
      assertEquals("none", jump(m, Machine.OTHER_TASK, 0));
      assertEquals("TS(18)", m.recorder.last(), "the new task's own fault");
      assertEquals(0x4444, m.get(RIP));
      assertEquals("GP(b0)", jump(m, Machine.OTHER_TASK, 0), "busy");
    }
  }
}
