package parhelion.cpu.fpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import parhelion.cpu.CpuModel;
import parhelion.cpu.CpuState;
import parhelion.cpu.GuestFault;

/**
 * What the comparison with the host's processor cannot see of AVX: its faults, what they leave, and
 * the YMM state in XSAVE areas.
 */
class AvxTest {
  private static final String VADDPS_YMM0_YMM1_YMM2 = "c5f458c2";
  private static final String VLDMXCSR_RDI = "c5f8ae17";
  private static final String VPGATHERDD_XMM0_RDI_XMM1_XMM2 = "c4e26990048f";
  private static final String VMASKMOVPS_LOAD = "c4e2712c07"; // xmm0, xmm1, [rdi]
  private static final String VMASKMOVPS_STORE = "c4e2712e07"; // [rdi], xmm1, xmm0
  private static final String XSAVE_RDI = "0fae27";
  private static final String XSAVEOPT_RDI = "0fae37";
  private static final String XSAVEC_RDI = "0fc727";
  private static final String XRSTOR_RDI = "0fae2f";
  private static final int END = 2 * 4096;
  private static final int HEADER = 512;
  private static final int YMM_AT = 576;

  private final FpuFixture f = new FpuFixture(CpuModel.V3);

  @AfterEach
  void close() {
    f.close();
  }

  private void rdi(long value) {
    f.cpu.put64(CpuState.RDI, value);
  }

  private void components(long mask) {
    f.cpu.put64(CpuState.RAX, mask);
    f.cpu.put64(CpuState.RDX, 0);
  }

  @Test
  void vexNeedsOsxsaveAndTheAvxBitsOfXcr0() {
    assertEquals(-1, f.run(VADDPS_YMM0_YMM1_YMM2));
    f.control(FpuFixture.CR0_NE, FpuFixture.CR4_OSFXSR);
    assertEquals(GuestFault.UD, f.run(VADDPS_YMM0_YMM1_YMM2));
    assertEquals(GuestFault.UD, f.run(VLDMXCSR_RDI));
    for (int xcr0 : new int[] {1, 3}) {
      f.cpu.put64(CpuState.XCR0, xcr0);
      f.control(FpuFixture.CR0_NE, FpuFixture.CR4_OSFXSR | FpuFixture.CR4_OSXSAVE);
      assertEquals(GuestFault.UD, f.run(VADDPS_YMM0_YMM1_YMM2), "XCR0 " + xcr0);
    }
    assertEquals(-1, f.run("0f58c1"), "addps needs none of it");
  }

  @Test
  void emulationAndOsfxsrAreForLegacyEncodingsOnly() {
    f.control(FpuFixture.CR0_EM, FpuFixture.CR4_OSXSAVE);
    assertEquals(-1, f.run(VADDPS_YMM0_YMM1_YMM2));
    assertEquals(GuestFault.UD, f.run("0f58c1"));
  }

  @Test
  void taskSwitchedMakesItNotAvailable() {
    f.control(FpuFixture.CR0_TS, FpuFixture.CR4_OSFXSR | FpuFixture.CR4_OSXSAVE);
    assertEquals(GuestFault.NM, f.run(VADDPS_YMM0_YMM1_YMM2));
    assertEquals(GuestFault.NM, f.run("c5f877")); // vzeroupper
  }

  @Test
  void onlyAlignedMovesAskForAlignmentAndForThatOfTheirSize() {
    rdi(16);
    assertEquals(GuestFault.GP, f.run("c5fc2807")); // vmovaps ymm0,[rdi]
    assertEquals(GuestFault.GP, f.run("c5fc2907")); // vmovaps [rdi],ymm0
    assertEquals(-1, f.run("c5f82807")); // vmovaps xmm0,[rdi]
    rdi(4);
    assertEquals(-1, f.run("c5f45807")); // vaddps ymm0,ymm1,[rdi]
    assertEquals(-1, f.run("c5fc1007")); // vmovups ymm0,[rdi]
    assertEquals(GuestFault.GP, f.run("c5f82807"));
  }

  @Test
  void exceptionsOfAllLanesAreRaisedTogetherAndBeforeAnythingIsWritten() {
    f.mxcsr(0x1f80 & ~0x80); // IE unmasked
    f.xmm(1, 0x7f80000000000000L, 0); // infinity
    f.xmm(2, 0xff80000000000000L, 0); // minus infinity
    f.ymmHigh(1, 1, 0); // a denormal
    f.ymmHigh(0, 77, 78);
    f.xmm(0, 79, 80);
    assertEquals(GuestFault.XM, f.run(VADDPS_YMM0_YMM1_YMM2));
    assertEquals(0x1f03, f.mxcsr(), "invalid in one lane, denormal in another");
    assertEquals(79, f.ymm(0, 0));
    assertEquals(77, f.ymm(0, 2));
  }

  @Test
  void gatherThatFaultsHasDoneWhatItsMaskSays() {
    rdi(0);
    f.memory.putInt(0, 11);
    f.memory.putInt(12, 44);
    f.memory.putInt(16, 55);
    f.xmm(0, 0x2222222211111111L, 0x4444444433333333L);
    f.ymmHigh(0, 5, 6);
    f.xmm(1, 0x0000000700000000L, 0x0000000400100000L); // 0, 7, 0x100000, 4
    f.xmm(2, 0x7fffffff80000000L, 0xffffffff80000001L); // first, third and fourth
    f.ymmHigh(2, 7, 8);
    assertEquals(GuestFault.PF, f.run(VPGATHERDD_XMM0_RDI_XMM1_XMM2));
    assertEquals(0x222222220000000bL, f.xmmLow(0));
    assertEquals(0x4444444433333333L, f.xmmHigh(0));
    assertEquals(0, f.xmmLow(2), "the first is done, the second was not asked for");
    assertEquals(-1, f.xmmHigh(2), "the others are still to do");
    f.xmm(1, -1, 0x0000000400000003L);
    assertEquals(-1, f.run(VPGATHERDD_XMM0_RDI_XMM1_XMM2));
    assertEquals(0x222222220000000bL, f.xmmLow(0));
    assertEquals(0x000000370000002cL, f.xmmHigh(0));
    for (int lane = 0; lane < 4; lane++) {
      assertEquals(0, f.ymm(2, lane), "the mask is used up");
    }
    assertEquals(0, f.ymm(0, 2) | f.ymm(0, 3), "VEX.128 clears the upper half");
  }

  @Test
  void maskedMovesDoNotTouchWhatTheirMaskLeavesOut() {
    rdi(END - 8);
    f.memory.putLong(END - 8, 0x0000000900000008L);
    f.xmm(1, 0x8000000080000000L, 0);
    assertEquals(-1, f.run(VMASKMOVPS_LOAD));
    assertEquals(0x0000000900000008L, f.xmmLow(0));
    assertEquals(0, f.xmmHigh(0));
    f.xmm(0, 0x0000000200000001L, 3);
    assertEquals(-1, f.run(VMASKMOVPS_STORE));
    assertEquals(0x0000000200000001L, f.memory.getLong(END - 8));
    f.xmm(1, 0x8000000080000000L, 0x80000000L);
    f.memory.putLong(END - 8, 0);
    assertEquals(GuestFault.PF, f.run(VMASKMOVPS_STORE));
    assertEquals(0, f.memory.getLong(END - 8), "nothing stored when a later element faults");
    assertEquals(GuestFault.PF, f.run(VMASKMOVPS_LOAD));
    assertEquals(0x0000000200000001L, f.xmmLow(0));
  }

  @Test
  void xsaveHoldsTheUpperHalvesBehindTheHeader() {
    rdi(0);
    f.ymmHigh(3, 0x33, 0x34);
    f.ymmHigh(15, 0xff, 0xfe);
    f.mxcsr(0x1f81);
    components(4);
    f.memory.fill(0, 1024, (byte) 0x55);
    f.memory.putLong(HEADER, 3);
    assertEquals(-1, f.run(XSAVE_RDI));
    assertEquals(7, f.memory.getLong(HEADER), "what was not asked for stays");
    assertEquals(0x33, f.memory.getLong(YMM_AT + 3 * 16));
    assertEquals(0xfe, f.memory.getLong(YMM_AT + 15 * 16 + 8));
    assertEquals(0x5555555555555555L, f.memory.getLong(832), "nothing behind it");
    assertEquals(0x1f81, f.memory.getInt(24), "MXCSR goes with SSE or AVX");
    assertEquals(0x5555555555555555L, f.memory.getLong(160));
    f.ymmHigh(3, 0, 0);
    f.xmm(3, 1, 2);
    f.mxcsr(0x1f80);
    f.memory.fill(HEADER + 8, 56, (byte) 0);
    assertEquals(-1, f.run(XRSTOR_RDI));
    assertEquals(0x33, f.ymm(3, 2));
    assertEquals(1, f.xmmLow(3), "SSE was not asked for");
    assertEquals(0x1f81, f.mxcsr());
  }

  @Test
  void componentsInTheirInitialStateAreLeftOutAndComeBackSo() {
    rdi(0);
    f.xmm(3, 1, 2);
    components(6);
    f.memory.fill(0, 1024, (byte) 0x55);
    f.memory.putLong(HEADER, 7);
    assertEquals(-1, f.run(XSAVEOPT_RDI));
    assertEquals(3, f.memory.getLong(HEADER));
    assertEquals(1, f.memory.getLong(160 + 3 * 16));
    assertEquals(0x5555555555555555L, f.memory.getLong(YMM_AT), "initial, so not written");
    f.memory.fill(HEADER + 8, 56, (byte) 0);
    f.ymmHigh(3, 3, 4);
    f.xmm(3, 0, 0);
    assertEquals(-1, f.run(XRSTOR_RDI));
    assertEquals(1, f.xmmLow(3));
    assertEquals(0, f.ymm(3, 2) | f.ymm(3, 3));
  }

  @Test
  void compactedAreasSayWhatTheyHold() {
    rdi(0);
    f.ymmHigh(1, 0x11, 0x12);
    components(4);
    f.memory.fill(0, 1024, (byte) 0x55);
    assertEquals(-1, f.run(XSAVEC_RDI));
    assertEquals(4, f.memory.getLong(HEADER));
    assertEquals(1L << 63 | 4, f.memory.getLong(HEADER + 8));
    assertEquals(0, f.memory.getLong(HEADER + 16));
    assertEquals(0x11, f.memory.getLong(YMM_AT + 16));
    assertEquals(0x5555555555555555L, f.memory.getLong(24), "MXCSR goes with SSE here");
    f.ymmHigh(1, 0, 0);
    components(7);
    f.xmm(2, 1, 2);
    assertEquals(-1, f.run(XRSTOR_RDI));
    assertEquals(0x11, f.ymm(1, 2));
    assertEquals(0, f.xmmLow(2), "asked for and not there: initial");
    f.memory.putLong(HEADER, 6);
    assertEquals(GuestFault.GP, f.run(XRSTOR_RDI), "a component outside of the area's format");
  }

  @Test
  void anAreaThatReachesIntoAnUnmappedPageIsNotWritten() {
    rdi(END - 704);
    components(7);
    f.ymmHigh(0, 1, 2);
    assertEquals(GuestFault.PF, f.run(XSAVE_RDI));
    assertEquals(0, f.memory.getLong(END - 704 + HEADER));
    components(3);
    assertEquals(-1, f.run(XSAVE_RDI), "without AVX it fits");
  }
}
