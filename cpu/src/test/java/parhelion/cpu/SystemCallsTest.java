package parhelion.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static parhelion.cpu.CpuState.*;

import org.junit.jupiter.api.Test;

class SystemCallsTest {
  private static Machine at(int cpl) {
    Machine m = Machine.long64(cpl);
    m.set(STAR, 0x0018_0008_0000_0000L | 0x3_0000_0000_0000L);
    m.set(LSTAR, 0x9000).set(FMASK, 0x47700);
    return m;
  }

  @Test
  void syscallSavesRipAndFlagsAndLoadsFlatSegments() {
    try (Machine m = at(3).code("0f05")) {
      m.cpu.rflags(0x40346 & ~0x100);
      m.step();
      assertEquals(0x9000, m.get(RIP));
      assertEquals(Machine.CODE + 2, m.get(RCX));
      assertEquals(0x40246, m.get(R11));
      assertEquals(0x46, m.cpu.rflags());
      assertEquals(0, m.cpu.cpl());
      assertEquals(8, m.selector(CS));
      assertEquals(16, m.selector(SS));
      assertEquals(64, m.cpu.codeBits);
      assertEquals(Machine.STACK, m.get(RSP));
    }
  }

  @Test
  void syscallIsUndefinedWithoutSceAndInCompatibilityMode() {
    try (Machine m = at(3).code("0f05").set(EFER, 0xd00)) {
      assertEquals("UD", m.step().recorder.last());
    }
    try (Machine m = at(0).code("0f05")) {
      FarTransfers.jump(m.cpu, Machine.CODE32, Machine.CODE, 4);
      assertEquals("UD", m.step().recorder.last());
    }
  }

  @Test
  void sysretReturnsToSixtyFourOrThirtyTwoBits() {
    try (Machine m = at(0).code("480f07")) {
      m.set(RCX, 0x1234).set(R11, 0x3ffffff);
      m.step();
      assertEquals(3, m.cpu.cpl());
      assertEquals(0x2b, m.selector(CS));
      assertEquals(0x23, m.selector(SS));
      assertEquals(64, m.cpu.codeBits);
      assertEquals(0x1234, m.get(RIP));
      assertEquals(0x3c7fd7, m.cpu.rflags());
    }
    try (Machine m = at(0).code("0f07")) {
      m.set(RCX, 0x5_0000_1234L).set(R11, 2);
      m.step();
      assertEquals(32, m.cpu.codeBits);
      assertEquals(0x1b, m.selector(CS));
      assertEquals(0x1234, m.get(RIP));
    }
    try (Machine m = at(0).code("480f07").set(RCX, 1L << 47)) {
      assertEquals("GP(0)", m.step().recorder.last());
      assertEquals(0, m.cpu.cpl());
    }
    try (Machine m = at(3).code("480f07")) {
      assertEquals("GP(0)", m.step().recorder.last());
    }
  }

  @Test
  void sysenterAndSysexitUseTheirMsrs() {
    try (Machine m = at(3).code("0f34")) {
      assertEquals("GP(0)", m.step().recorder.last(), "no SYSENTER_CS");
    }
    try (Machine m = at(3).code("0f34")) {
      m.set(SYSENTER_CS, 9).set(SYSENTER_ESP, 0x7_0000_1000L).set(SYSENTER_EIP, 0x9000);
      m.cpu.rflags(0x202);
      m.step();
      assertEquals(0, m.cpu.cpl());
      assertEquals(8, m.selector(CS));
      assertEquals(0x10, m.selector(SS));
      assertEquals(0x7_0000_1000L, m.get(RSP));
      assertEquals(2, m.cpu.rflags());
      m.bytes(0x9000, "480f35").set(RCX, 0x5000).set(RDX, 0x6000);
      m.step();
      assertEquals(3, m.cpu.cpl());
      assertEquals(0x2b, m.selector(CS));
      assertEquals(0x33, m.selector(SS));
      assertEquals(0x6000, m.get(RIP));
      assertEquals(0x5000, m.get(RSP));
    }
    try (Machine m = at(0).code("480f35")) {
      m.set(SYSENTER_CS, 8).set(RDX, 1L << 47);
      assertEquals("GP(0)", m.step().recorder.last());
    }
  }
}
