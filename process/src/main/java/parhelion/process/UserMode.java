package parhelion.process;

import static parhelion.cpu.CpuState.*;

import parhelion.cpu.Cpu;
import parhelion.cpu.Segments;

/** The processor's state in which Linux runs 64-bit programs. */
final class UserMode {
  static final int CODE_SELECTOR = 0x33;
  static final int STACK_SELECTOR = 0x2b;

  /** PE, MP, ET, NE, WP, AM, PG. */
  private static final long CR0_VALUE = 0x8005_0033L;

  /** PAE, PGE, OSFXSR, OSXMMEXCPT, FSGSBASE, OSXSAVE. */
  private static final long CR4_VALUE = 0x5_06a0L;

  /** SCE, LME, LMA, NXE. */
  private static final long EFER_VALUE = 0xd01L;

  private UserMode() {}

  /** Sets all but the general registers and RIP as a new program finds them. */
  static void enter(Cpu c) {
    c.put64(CR0, CR0_VALUE);
    c.put64(CR4, CR4_VALUE);
    c.put64(EFER, EFER_VALUE);
    c.put64(XCR0, c.model.xcr0Bits);
    c.put64(CPL, 3);
    for (int segment : new int[] {ES, DS, FS, GS}) {
      Segments.set(c, segment, 0, 0, 0, 0);
    }
    flatSegments(c);
    c.put64(RFLAGS, 0x202);
    resetFpu(c);
    c.stateChanged();
  }

  /** CS and SS as they are in user mode. */
  static void flatSegments(Cpu c) {
    Segments.set(c, CS, CODE_SELECTOR, 0, 0xffff_ffffL, 0xa0fb);
    Segments.set(c, SS, STACK_SELECTOR, 0, 0xffff_ffffL, 0xc0f3);
  }

  static void resetFpu(Cpu c) {
    c.put64(FCW, 0x37f);
    c.put64(FSW, 0);
    c.put64(FTW, 0xffff);
    c.put64(FOP, 0);
    c.put64(FIP, 0);
    c.put64(FDP, 0);
    c.put64(MXCSR, 0x1f80);
    for (int i = 0; i < 8; i++) {
      c.put64(X87 + i * 16, 0);
      c.put64(X87 + i * 16 + 8, 0);
    }
    for (int i = 0; i < 16; i++) {
      c.put64(XMM + i * XMM_STRIDE, 0);
      c.put64(XMM + i * XMM_STRIDE + 8, 0);
      c.put64(YMM_HIGH + i * XMM_STRIDE, 0);
      c.put64(YMM_HIGH + i * XMM_STRIDE + 8, 0);
    }
  }
}
