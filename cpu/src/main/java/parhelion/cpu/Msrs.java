package parhelion.cpu;

import static parhelion.cpu.CpuState.*;

/**
 * Model-specific registers that the CPU itself holds (SDM volume 4); all others are the monitor's.
 * The caller has checked the privilege level.
 */
public final class Msrs {
  public static final int TSC = 0x10;
  public static final int APIC_BASE = 0x1b;
  public static final int SYSENTER_CS = 0x174;
  public static final int SYSENTER_ESP = 0x175;
  public static final int SYSENTER_EIP = 0x176;
  public static final int MISC_ENABLE = 0x1a0;
  public static final int PAT = 0x277;
  public static final int EFER = 0xc000_0080;
  public static final int STAR = 0xc000_0081;
  public static final int LSTAR = 0xc000_0082;
  public static final int CSTAR = 0xc000_0083;
  public static final int FMASK = 0xc000_0084;
  public static final int FS_BASE = 0xc000_0100;
  public static final int GS_BASE = 0xc000_0101;
  public static final int KERNEL_GS_BASE = 0xc000_0102;
  public static final int TSC_AUX = 0xc000_0103;

  /** Fast strings, the only bit of IA32_MISC_ENABLE that software may find set. */
  private static final long FAST_STRINGS = 1;

  /** BSP, x2APIC, enable, and the base. */
  private static final long APIC_BASE_BITS = 0xd00L | (1L << Cpuid.PHYSICAL_BITS) - 4096;

  private Msrs() {}

  /** The time-stamp counter as the guest sees it. */
  public static long tsc(Cpu c) {
    return c.monitor.tsc(c) + c.get64(TSC_OFFSET);
  }

  /** RDMSR. */
  public static long read(Cpu c, int msr) {
    if (msr == TSC) {
      return tsc(c);
    }
    int at = offset(msr);
    return at >= 0 ? c.get64(at) : c.monitor.rdmsr(c, msr);
  }

  /** WRMSR. */
  public static void write(Cpu c, int msr, long value) {
    switch (msr) {
      case TSC -> c.put64(TSC_OFFSET, value - c.monitor.tsc(c));
      case EFER -> ControlRegisters.writeEfer(c, value);
      case MISC_ENABLE -> c.put64(CpuState.MISC_ENABLE, value & FAST_STRINGS);
      case PAT -> {
        require(c, validPat(value));
        c.put64(CpuState.PAT, value);
      }
      case APIC_BASE -> {
        require(c, (value & ~APIC_BASE_BITS) == 0);
        c.monitor.apicBase(c, value);
      }
      case SYSENTER_CS -> c.put32(CpuState.SYSENTER_CS, (int) value);
      case FMASK, TSC_AUX -> {
        require(c, value >>> 32 == 0);
        c.put64(offset(msr), value);
      }
      case STAR -> c.put64(CpuState.STAR, value);
      case LSTAR, CSTAR, FS_BASE, GS_BASE, KERNEL_GS_BASE, SYSENTER_ESP, SYSENTER_EIP -> {
        require(c, value << 16 >> 16 == value);
        c.put64(offset(msr), value);
      }
      default -> c.monitor.wrmsr(c, msr, value);
    }
  }

  private static void require(Cpu c, boolean valid) {
    if (!valid) {
      throw c.fault(GuestFault.GP, 0);
    }
  }

  /** Memory types 0, 1, 4, 5, 6 and 7 exist. */
  private static boolean validPat(long value) {
    for (int i = 0; i < 8; i++) {
      long type = value >>> (8 * i) & 0xff;
      if (type > 7 || type == 2 || type == 3) {
        return false;
      }
    }
    return true;
  }

  /** Where the state block holds a register, or -1. */
  private static int offset(int msr) {
    return switch (msr) {
      case APIC_BASE -> CpuState.APIC_BASE;
      case SYSENTER_CS -> CpuState.SYSENTER_CS;
      case SYSENTER_ESP -> CpuState.SYSENTER_ESP;
      case SYSENTER_EIP -> CpuState.SYSENTER_EIP;
      case MISC_ENABLE -> CpuState.MISC_ENABLE;
      case PAT -> CpuState.PAT;
      case EFER -> CpuState.EFER;
      case STAR -> CpuState.STAR;
      case LSTAR -> CpuState.LSTAR;
      case CSTAR -> CpuState.CSTAR;
      case FMASK -> CpuState.FMASK;
      case FS_BASE -> CpuState.FS_BASE;
      case GS_BASE -> CpuState.GS_BASE;
      case KERNEL_GS_BASE -> CpuState.KERNEL_GS_BASE;
      case TSC_AUX -> CpuState.TSC_AUX;
      default -> -1;
    };
  }
}
