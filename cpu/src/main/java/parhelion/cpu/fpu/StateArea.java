package parhelion.cpu.fpu;

import static parhelion.cpu.memory.Host.U;

import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.GuestFault;

/**
 * The memory images of FXSAVE and XSAVE (SDM volume 1, 10.5 and 13.4): which component lies where,
 * and how each goes to and from {@link CpuState}. A further component is a row of {@link
 * #COMPONENTS} and its copy routines.
 */
public final class StateArea {
  public static final int X87_COMPONENT = 0;
  public static final int SSE_COMPONENT = 1;
  public static final int AVX_COMPONENT = 2;

  /**
   * State components beyond the legacy region: number, offset in the standard format, size. x87 and
   * SSE live in the legacy region and have no row.
   */
  private static final int[][] COMPONENTS = {{AVX_COMPONENT, 576, 256}};

  public static final int LEGACY_BYTES = 512;
  public static final int HEADER_BYTES = 64;

  /** Bits of MXCSR that may be set; DAZ is among them. */
  public static final int MXCSR_MASK = 0xffff;

  static final int MXCSR_INIT = 0x1f80;

  private static final int FCW_AT = 0;
  private static final int FSW_AT = 2;
  private static final int FTW_AT = 4;
  private static final int FOP_AT = 6;
  private static final int FIP_AT = 8;
  private static final int FDP_AT = 16;
  private static final int MXCSR_AT = 24;
  private static final int ST_AT = 32;
  private static final int XMM_AT = 160;

  private StateArea() {}

  /**
   * Size in bytes of the standard-format XSAVE area for the components in {@code xcr0} (CPUID leaf
   * 0DH).
   */
  public static int standardBytes(long xcr0) {
    int end = LEGACY_BYTES + HEADER_BYTES;
    for (int[] component : COMPONENTS) {
      if ((xcr0 >> component[0] & 1) != 0) {
        end = Math.max(end, component[1] + component[2]);
      }
    }
    return end;
  }

  /** Size in bytes of the compacted area for the components in {@code mask}. */
  public static int compactBytes(long mask) {
    int end = LEGACY_BYTES + HEADER_BYTES;
    for (int[] component : COMPONENTS) {
      if ((mask >> component[0] & 1) != 0) {
        end += component[2];
      }
    }
    return end;
  }

  /** Offset in the standard format of a component, or 0 if it is in the legacy region. */
  public static int componentOffset(int number) {
    for (int[] component : COMPONENTS) {
      if (component[0] == number) {
        return component[1];
      }
    }
    return 0;
  }

  public static int componentBytes(int number) {
    for (int[] component : COMPONENTS) {
      if (component[0] == number) {
        return component[2];
      }
    }
    return 0;
  }

  /** Components that are not in their initial configuration. */
  public static long inUse(Cpu c) {
    return (X87.isInitial(c) ? 0 : 1)
        | (isZero(c, CpuState.XMM) ? 0 : 2)
        | (isZero(c, CpuState.YMM_HIGH) ? 0 : 4);
  }

  /** Whether all registers are zero in the 16 bytes that {@code first} is of register 0. */
  private static boolean isZero(Cpu c, int first) {
    long or = 0;
    for (int i = 0; i < registers(c); i++) {
      int at = first + i * CpuState.XMM_STRIDE;
      or |= c.get64(at) | c.get64(at + 8);
    }
    return or == 0;
  }

  private static int registers(Cpu c) {
    return c.codeBits == 64 ? 16 : 8;
  }

  static void saveX87(Cpu c, long va, boolean wide) {
    c.store16(va + FCW_AT, X87.fcw(c));
    c.store16(va + FSW_AT, X87.fsw(c));
    c.store16(va + FTW_AT, X87.abridgedTags(c));
    c.store16(va + FOP_AT, c.get16(CpuState.FOP));
    if (wide) {
      c.store64(va + FIP_AT, c.get64(CpuState.FIP));
      c.store64(va + FDP_AT, c.get64(CpuState.FDP));
    } else {
      c.store64(va + FIP_AT, selectorAndOffset(c, CpuState.FIP, CpuState.FCS));
      c.store64(va + FDP_AT, selectorAndOffset(c, CpuState.FDP, CpuState.FDS));
    }
    int top = X87.top(c);
    for (int i = 0; i < 8; i++) {
      int register = CpuState.X87 + (top + i & 7) * 16;
      c.store64(va + ST_AT + i * 16, c.get64(register));
      c.store64(va + ST_AT + i * 16 + 8, c.get16(register + 8));
    }
  }

  private static long selectorAndOffset(Cpu c, int offset, int selector) {
    return c.get64(offset) & 0xffffffffL | (long) c.get16(selector) << 32;
  }

  static void restoreX87(Cpu c, long va, boolean wide) {
    X87.fcw(c, c.load16(va + FCW_AT));
    X87.fsw(c, c.load16(va + FSW_AT));
    X87.loadAbridgedTags(c, c.load8(va + FTW_AT));
    c.put64(CpuState.FOP, c.load16(va + FOP_AT) & 0x7ff);
    long fip = c.load64(va + FIP_AT);
    long fdp = c.load64(va + FDP_AT);
    c.put64(CpuState.FIP, wide ? fip : fip & 0xffffffffL);
    c.put64(CpuState.FDP, wide ? fdp : fdp & 0xffffffffL);
    c.put64(CpuState.FCS, wide ? 0 : fip >>> 32 & 0xffff);
    c.put64(CpuState.FDS, wide ? 0 : fdp >>> 32 & 0xffff);
    int top = X87.top(c);
    for (int i = 0; i < 8; i++) {
      int register = CpuState.X87 + (top + i & 7) * 16;
      c.put64(register, c.load64(va + ST_AT + i * 16));
      c.put16(register + 8, c.load16(va + ST_AT + i * 16 + 8));
    }
    X87.updateSummary(c);
  }

  static void initX87(Cpu c) {
    X87.init(c);
    for (int i = 0; i < 8; i++) {
      c.put64(CpuState.X87 + i * 16, 0);
      c.put16(CpuState.X87 + i * 16 + 8, 0);
    }
  }

  static void saveMxcsr(Cpu c, long va) {
    c.store64(va + MXCSR_AT, c.get32(CpuState.MXCSR) & 0xffffffffL | (long) MXCSR_MASK << 32);
  }

  /** The MXCSR value in the area; #GP if it sets bits that do not exist. */
  static int checkedMxcsr(Cpu c, long va) {
    return checkMxcsr(c, c.load32(va + MXCSR_AT));
  }

  static int checkMxcsr(Cpu c, int value) {
    if ((value & ~MXCSR_MASK) != 0) {
      throw c.fault(GuestFault.GP);
    }
    return value;
  }

  static void saveSse(Cpu c, long va) {
    save(c, va + XMM_AT, CpuState.XMM);
  }

  static void restoreSse(Cpu c, long va) {
    restore(c, va + XMM_AT, CpuState.XMM);
  }

  static void initSse(Cpu c) {
    init(c, CpuState.XMM);
  }

  /** The upper halves of the YMM registers, to where the format puts them. */
  static void saveAvx(Cpu c, long at) {
    save(c, at, CpuState.YMM_HIGH);
  }

  static void restoreAvx(Cpu c, long at) {
    restore(c, at, CpuState.YMM_HIGH);
  }

  static void initAvx(Cpu c) {
    init(c, CpuState.YMM_HIGH);
  }

  private static void save(Cpu c, long va, int first) {
    for (int i = 0; i < registers(c); i++) {
      int register = first + i * CpuState.XMM_STRIDE;
      c.store64(va + i * 16, c.get64(register));
      c.store64(va + i * 16 + 8, c.get64(register + 8));
    }
  }

  private static void restore(Cpu c, long va, int first) {
    for (int i = 0; i < registers(c); i++) {
      int register = first + i * CpuState.XMM_STRIDE;
      c.put64(register, c.load64(va + i * 16));
      c.put64(register + 8, c.load64(va + i * 16 + 8));
    }
  }

  private static void init(Cpu c, int first) {
    for (int i = 0; i < registers(c); i++) {
      U.setMemory(c.state + first + i * CpuState.XMM_STRIDE, 16, (byte) 0);
    }
  }
}
