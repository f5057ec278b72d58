package parhelion.xen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static parhelion.cpu.CpuState.*;

import org.junit.jupiter.api.Test;
import parhelion.cpu.CpuModel;

/** What a domain sees of the processor that it was created with. */
class GuestCpuModelTest {
  private static final int[] CPUID = {0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2};
  private static final int[] XSETBV = {0x0f, 0x01, 0xd1};
  private static final int[] VZEROUPPER = {0xc5, 0xf8, 0x77};
  private static final long HANDLERS = FakeGuest.CODE + 0x800;
  private static final int UD = 6;
  private static final int GP = 13;
  private static final int AVX = 1 << 28;
  private static final int OSXSAVE = 1 << 27;
  private static final int AVX2 = 1 << 5;
  private static final int AES = 1 << 25;

  private static FakeGuest guest(CpuModel model) {
    FakeGuest g = new FakeGuest(model);
    for (int vector : new int[] {UD, GP}) {
      g.vcpu().state.trapAddress[vector] = HANDLERS + vector * 16;
      g.write(HANDLERS + vector * 16, 0xeb, 0xfe);
    }
    return g;
  }

  /** Runs an instruction; 0 if it was completed, else the vector of its fault. */
  private static int outcome(FakeGuest g, int... insn) {
    int[] code = java.util.Arrays.copyOf(insn, insn.length + 2);
    code[insn.length] = 0xeb;
    code[insn.length + 1] = 0xfe;
    g.run(code);
    g.cpu().put64(RSP, FakeGuest.STACK_TOP - 0x100);
    return g.cpu().rip() == FakeGuest.CODE + insn.length
        ? 0
        : (int) (g.cpu().rip() - HANDLERS) / 16;
  }

  private static int cpuid(FakeGuest g, int leaf, int register) {
    g.cpu().put64(RAX, leaf);
    g.cpu().put64(RCX, 0);
    assertEquals(0, outcome(g, CPUID));
    return g.cpu().get32(register);
  }

  private static int xsetbv(FakeGuest g, long value) {
    g.cpu().put64(RAX, value);
    g.cpu().put64(RCX, 0);
    g.cpu().put64(RDX, 0);
    return outcome(g, XSETBV);
  }

  @Test
  void xensCpuidShowsTheModelsFeatures() {
    for (CpuModel model : CpuModel.values()) {
      try (FakeGuest g = guest(model)) {
        boolean v3 = model != CpuModel.V2;
        int ecx = cpuid(g, 1, RCX);
        assertEquals(v3 ? AVX : 0, ecx & AVX, model.label);
        assertEquals(model == CpuModel.MAX ? AES : 0, ecx & AES, model.label);
        assertEquals(v3 ? AVX2 : 0, cpuid(g, 7, RBX) & AVX2, model.label);
        assertEquals(v3 ? 832 : 576, cpuid(g, 0xd, RCX), model.label);
      }
    }
  }

  @Test
  void osxsaveIsTheGuestsOwnBit() {
    try (FakeGuest g = guest(CpuModel.V3)) {
      g.vcpu().state.kernelMode = false;
      g.cpu().put64(RAX, 1);
      XenCpuid.execute(g.vcpu(), false);
      assertEquals(0, g.cpu().get32(RCX) & OSXSAVE);
      g.vcpu().monitor().setCr4(XenCpuid.CR4_OSXSAVE);
      g.cpu().put64(RAX, 1);
      XenCpuid.execute(g.vcpu(), false);
      assertEquals(OSXSAVE, g.cpu().get32(RCX) & OSXSAVE);
    }
  }

  @Test
  void aGuestOfV3EnablesAvx() {
    try (FakeGuest g = guest(CpuModel.V3)) {
      g.vcpu().monitor().setCr4(XenCpuid.CR4_OSXSAVE);
      assertEquals(UD, outcome(g, VZEROUPPER));
      assertEquals(GP, xsetbv(g, 5), "AVX without SSE");
      assertEquals(0, xsetbv(g, 7));
      assertEquals(7, g.cpu().get64(XCR0));
      assertEquals(832, cpuid(g, 0xd, RBX));
      assertEquals(0, outcome(g, VZEROUPPER));
      assertEquals(0, xsetbv(g, 3));
      assertEquals(UD, outcome(g, VZEROUPPER));
    }
  }

  @Test
  void aGuestOfV2CannotEnableIt() {
    try (FakeGuest g = guest(CpuModel.V2)) {
      g.vcpu().monitor().setCr4(XenCpuid.CR4_OSXSAVE);
      assertEquals(GP, xsetbv(g, 7));
      assertEquals(UD, outcome(g, VZEROUPPER));
    }
  }
}
