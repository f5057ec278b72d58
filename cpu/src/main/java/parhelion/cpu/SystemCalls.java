package parhelion.cpu;

import static parhelion.cpu.CpuState.*;

/**
 * SYSCALL, SYSRET, SYSENTER and SYSEXIT as the architecture has them, for guests that have the CPU
 * to themselves (SDM volume 2; where Intel and AMD differ, Intel's: no SYSCALL from compatibility
 * mode, SYSENTER works in long mode).
 */
public final class SystemCalls {
  private static final int CODE64 = 0xa09b;
  private static final int CODE32 = 0xc09b;
  private static final int DATA = 0xc093;

  private SystemCalls() {}

  /** SYSCALL with RIP at the next instruction. The caller has checked EFER.SCE. */
  public static void syscall(Cpu c) {
    if (c.codeBits != 64) {
      throw c.fault(GuestFault.UD);
    }
    long flags = c.rflags();
    c.put64(RCX, c.rip());
    c.put64(R11, flags & ~(long) Rflags.RF);
    c.rip(c.get64(LSTAR));
    int selector = (int) (c.get64(STAR) >>> 32) & 0xfffc;
    flat(c, CS, selector, CODE64);
    flat(c, SS, selector + 8, DATA);
    c.put64(CPL, 0);
    c.updateMode();
    c.rflags(flags & ~(c.get64(FMASK) | Rflags.RF));
  }

  /**
   * SYSRET; {@code wide} for the form with REX.W, which returns to 64-bit mode. The caller has
   * checked EFER.SCE and CPL.
   */
  public static void sysret(Cpu c, boolean wide) {
    if (c.codeBits != 64) {
      throw c.fault(GuestFault.UD);
    }
    long target = c.get64(RCX);
    if (wide && target << 16 >> 16 != target) {
      throw c.fault(GuestFault.GP, 0);
    }
    int base = (int) (c.get64(STAR) >>> 48);
    int cs = wide ? base + 16 : base;
    c.rip(wide ? target : target & 0xffff_ffffL);
    flat(c, CS, (cs | 3) & 0xffff, (wide ? CODE64 : CODE32) | 0x60);
    flat(c, SS, (base + 8 | 3) & 0xffff, DATA | 0x60);
    c.put64(CPL, 3);
    c.updateMode();
    c.rflags(c.get64(R11) & 0x3c7fd7L);
  }

  /** SYSENTER with RIP at the next instruction. */
  public static void sysenter(Cpu c) {
    int selector = c.get32(SYSENTER_CS) & 0xfffc;
    if (!c.protectedMode() || selector == 0) {
      throw c.fault(GuestFault.GP, 0);
    }
    boolean longMode = c.longMode();
    c.rflags(c.rflags() & ~(long) (Rflags.VM | Rflags.IF | Rflags.RF));
    c.put64(RSP, longMode ? c.get64(SYSENTER_ESP) : c.get64(SYSENTER_ESP) & 0xffff_ffffL);
    c.rip(longMode ? c.get64(SYSENTER_EIP) : c.get64(SYSENTER_EIP) & 0xffff_ffffL);
    flat(c, CS, selector, longMode ? CODE64 : CODE32);
    flat(c, SS, selector + 8, DATA);
    c.put64(CPL, 0);
    c.updateMode();
  }

  /** SYSEXIT; {@code wide} for the form with REX.W. */
  public static void sysexit(Cpu c, boolean wide) {
    int selector = c.get32(SYSENTER_CS) & 0xfffc;
    if (!c.protectedMode() || selector == 0 || c.cpl() != 0) {
      throw c.fault(GuestFault.GP, 0);
    }
    long rip = c.get64(RDX);
    long rsp = c.get64(RCX);
    if (wide && (rip << 16 >> 16 != rip || rsp << 16 >> 16 != rsp)) {
      throw c.fault(GuestFault.GP, 0);
    }
    c.rip(wide ? rip : rip & 0xffff_ffffL);
    c.put64(RSP, wide ? rsp : rsp & 0xffff_ffffL);
    flat(c, CS, (selector + (wide ? 32 : 16) | 3) & 0xffff, (wide ? CODE64 : CODE32) | 0x60);
    flat(c, SS, (selector + (wide ? 40 : 24) | 3) & 0xffff, DATA | 0x60);
    c.put64(CPL, 3);
    c.updateMode();
  }

  private static void flat(Cpu c, int segment, int selector, int attributes) {
    Segments.set(c, segment, selector, 0, 0xffff_ffffL, attributes);
  }
}
