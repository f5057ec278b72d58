package parhelion.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static parhelion.cpu.CpuState.*;

import org.junit.jupiter.api.Test;
import parhelion.cpu.decode.Feature;

class CpuModelTest {
  private static final String ANDN_EAX_ECX_EDX = "c4e270f2c2";
  private static final String LZCNT_EAX_ECX = "f30fbdc1";
  private static final String VZEROUPPER = "c5f877";
  private static final String XGETBV = "0f01d0";
  private static final String XSETBV = "0f01d1";
  private static final long OSXSAVE = 1 << 18;

  /** What a processor of the third level has (psABI for x86-64), beyond the second. */
  private static final Feature[] V3 = {
    Feature.AVX,
    Feature.AVX2,
    Feature.BMI1,
    Feature.BMI2,
    Feature.F16C,
    Feature.FMA,
    Feature.ABM,
    Feature.MOVBE
  };

  private static Machine machine(CpuModel model) {
    Machine m = Machine.long64(0, model);
    m.set(CR4, m.get(CR4) | OSXSAVE);
    m.cpu.updateMode();
    return m;
  }

  private static String outcome(Machine m, String hex) {
    try (m) {
      return m.code(hex).step().recorder.last();
    }
  }

  @Test
  void eachHasWhatTheOnesBeforeHave() {
    for (int i = 1; i < CpuModel.values().length; i++) {
      CpuModel model = CpuModel.values()[i];
      assertTrue(model.features().containsAll(CpuModel.values()[i - 1].features()));
    }
    for (Feature feature : V3) {
      assertFalse(CpuModel.V2.has(feature), feature::name);
      assertTrue(CpuModel.V3.has(feature), feature::name);
    }
    assertFalse(CpuModel.V3.has(Feature.AES));
    assertTrue(CpuModel.MAX.has(Feature.AES) && CpuModel.MAX.has(Feature.SHA));
    assertFalse(CpuModel.MAX.has(Feature.XSAVES));
  }

  @Test
  void theirNamesAreThoseOfTheCommandLine() {
    for (CpuModel model : CpuModel.values()) {
      assertEquals(model, CpuModel.of(model.label));
    }
    assertNull(CpuModel.of("v4"));
    assertEquals(CpuModel.V2, CpuModel.DEFAULT);
  }

  @Test
  void cpuidSaysWhatTheModelHas() {
    int[][] bits = {
      {1, 2, 1 << 12 | 1 << 22 | 1 << 28 | 1 << 29}, {7, 1, 1 << 3 | 1 << 5 | 1 << 8}
    };
    int[][] more = {{1, 2, 1 << 1 | 1 << 25}, {7, 1, 1 << 19 | 1 << 29}};
    for (CpuModel model : CpuModel.values()) {
      try (Machine m = machine(model)) {
        for (int[] b : bits) {
          int value = Cpuid.query(m.cpu, b[0], 0)[b[1]];
          assertEquals(model == CpuModel.V2 ? 0 : b[2], value & b[2], model.label);
        }
        for (int[] b : more) {
          int value = Cpuid.query(m.cpu, b[0], 0)[b[1]];
          assertEquals(model == CpuModel.MAX ? b[2] : 0, value & b[2], model.label);
        }
        int lzcnt = Cpuid.query(m.cpu, 0x8000_0001, 0)[2] & 1 << 5;
        assertEquals(model == CpuModel.V2 ? 0 : 1 << 5, lzcnt);
      }
    }
  }

  @Test
  void theXsaveLeafFollowsModelAndXcr0() {
    try (Machine m = machine(CpuModel.V2)) {
      assertArrayEquals(new int[] {1, 0, 0, 0}, Cpuid.query(m.cpu, 0xd, 1));
      assertArrayEquals(new int[4], Cpuid.query(m.cpu, 0xd, 2));
    }
    try (Machine m = machine(CpuModel.V3)) {
      assertArrayEquals(new int[] {7, 576, 832, 0}, Cpuid.query(m.cpu, 0xd, 0));
      m.set(XCR0, 7);
      assertArrayEquals(new int[] {7, 832, 832, 0}, Cpuid.query(m.cpu, 0xd, 0));
      assertArrayEquals(new int[] {7, 832, 0, 0}, Cpuid.query(m.cpu, 0xd, 1));
      assertArrayEquals(new int[] {256, 576, 0, 0}, Cpuid.query(m.cpu, 0xd, 2));
      assertArrayEquals(new int[4], Cpuid.query(m.cpu, 0xd, 3));
    }
  }

  @Test
  void instructionsOfALaterModelAreUndefined() {
    assertEquals("UD", outcome(machine(CpuModel.V2), ANDN_EAX_ECX_EDX));
    assertEquals("none", outcome(machine(CpuModel.V3), ANDN_EAX_ECX_EDX));
    assertEquals("UD", outcome(machine(CpuModel.V3), "660f38dcc1")); // aesenc
    assertEquals("none", outcome(machine(CpuModel.MAX), "660f38dcc1"));
    for (CpuModel model : CpuModel.values()) {
      try (Machine m = machine(model)) {
        m.set(RCX, 0x100).code(LZCNT_EAX_ECX).step();
        assertEquals(model == CpuModel.V2 ? 8 : 23, m.get(RAX), "BSR or LZCNT");
      }
    }
  }

  @Test
  void realModeHasNoVexPrefix() {
    assertEquals("UD", outcome(Machine.real(CpuModel.V3), ANDN_EAX_ECX_EDX));
  }

  @Test
  void generalRegisterInstructionsDoNotNeedXcr0() {
    try (Machine m = Machine.long64(3, CpuModel.V3)) {
      m.set(RCX, 0xf0).set(RDX, 0xff).code(ANDN_EAX_ECX_EDX).step();
      assertEquals(0x0f, m.get(RAX));
    }
  }

  private static String setXcr0(Machine m, long value) {
    m.set(RIP, Machine.CODE).set(RCX, 0).set(RDX, value >>> 32).set(RAX, value);
    return m.code(XSETBV).step().recorder.last();
  }

  @Test
  void avxIsEnabledWithSseOnly() {
    for (long value : new long[] {0, 2, 4, 5, 6, 8, 0xf, 1L << 32 | 7}) {
      try (Machine m = machine(CpuModel.V3)) {
        assertEquals("GP(0)", setXcr0(m, value), "XCR0 " + value);
      }
    }
    try (Machine m = machine(CpuModel.V2)) {
      assertEquals("GP(0)", setXcr0(m, 7));
    }
  }

  @Test
  void writingXcr0EnablesWhatIsDecodedAlready() {
    try (Machine m = machine(CpuModel.V3)) {
      m.bytes(Machine.CODE + 3, VZEROUPPER);
      assertEquals("none", setXcr0(m, 7));
      m.set(YMM_HIGH, 5).step();
      assertEquals("none", m.recorder.last());
      assertEquals(0, m.get(YMM_HIGH));
      assertEquals("none", setXcr0(m, 3));
      assertEquals("UD", m.step().recorder.last());
    }
  }

  @Test
  void xgetbvOfOneSaysWhatIsInUse() {
    try (Machine m = machine(CpuModel.V3)) {
      m.set(XCR0, 7).set(XMM, 1);
      m.cpu.updateMode();
      m.code(XGETBV + XGETBV).set(RCX, 1).step();
      assertEquals(2, m.get(RAX));
      m.set(YMM_HIGH + XMM_STRIDE, 1).step();
      assertEquals(6, m.get(RAX));
    }
    try (Machine m = machine(CpuModel.V2)) {
      assertEquals("GP(0)", m.code(XGETBV).set(RCX, 1).step().recorder.last());
    }
  }
}
