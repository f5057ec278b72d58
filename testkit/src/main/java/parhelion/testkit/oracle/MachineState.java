package parhelion.testkit.oracle;

import static parhelion.cpu.memory.Host.U;

import jdk.internal.misc.Unsafe;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;

/**
 * The registers of a user-mode program: general registers, flags, base of GS, and the x87, SSE and
 * AVX state as an XSAVE64 image in standard format, which begins as an FXSAVE64 image.
 */
final class MachineState {
  static final int FX_BYTES = 512;
  static final int XSAVE_BYTES = 832;
  static final int FCW = 0;
  static final int FSW = 2;
  static final int FTW = 4;
  static final int MXCSR = 24;
  static final int ST = 32;
  static final int XMM = 160;

  /** Components that the image holds: the first field of the header. */
  static final int COMPONENTS = 512;

  /** Upper halves of the YMM registers. */
  static final int YMM_HIGH = 576;

  final long[] gprs = new long[16];
  long flags = 2;
  long gsBase;
  final byte[] fx = new byte[XSAVE_BYTES];

  MachineState() {
    put16(FCW, 0x37f);
    put16(MXCSR, 0x1f80);
    put16(COMPONENTS, 7);
  }

  /** Where the {@code i}th eight bytes of the vector registers are: lower halves, then upper. */
  static int vector(int i) {
    return i < 32 ? XMM + 8 * i : YMM_HIGH + 8 * (i - 32);
  }

  void copyFrom(MachineState from) {
    System.arraycopy(from.gprs, 0, gprs, 0, 16);
    flags = from.flags;
    gsBase = from.gsBase;
    copyFloatsFrom(from);
  }

  void copyFloatsFrom(MachineState from) {
    System.arraycopy(from.fx, 0, fx, 0, XSAVE_BYTES);
  }

  int get16(int at) {
    return fx[at] & 0xff | (fx[at + 1] & 0xff) << 8;
  }

  void put16(int at, int value) {
    fx[at] = (byte) value;
    fx[at + 1] = (byte) (value >> 8);
  }

  long get64(int at) {
    return U.getLongUnaligned(fx, Unsafe.ARRAY_BYTE_BASE_OFFSET + at);
  }

  void put64(int at, long value) {
    U.putLongUnaligned(fx, Unsafe.ARRAY_BYTE_BASE_OFFSET + at, value);
  }

  /** Gives the CPU this state. Interrupts are on, as they are for the host's programs. */
  void toCpu(Cpu c) {
    for (int i = 0; i < 16; i++) {
      c.put64(CpuState.GPR + i * 8, gprs[i]);
    }
    c.rflags(flags | 0x202);
    c.put64(CpuState.GS_BASE, gsBase);
    c.put64(CpuState.FCW, get16(FCW));
    c.put64(CpuState.FSW, get16(FSW));
    int tags = 0;
    for (int i = 0; i < 8; i++) {
      tags |= (fx[FTW] >> i & 1) != 0 ? 0 : 3 << 2 * i;
    }
    c.put64(CpuState.FTW, tags);
    c.put64(CpuState.MXCSR, get16(MXCSR));
    int top = get16(FSW) >> 11 & 7;
    for (int i = 0; i < 8; i++) {
      int register = CpuState.X87 + (top + i & 7) * 16;
      c.put64(register, get64(ST + i * 16));
      c.put64(register + 8, get16(ST + i * 16 + 8));
    }
    for (int i = 0; i < 16; i++) {
      c.put64(CpuState.XMM + i * CpuState.XMM_STRIDE, get64(XMM + i * 16));
      c.put64(CpuState.XMM + i * CpuState.XMM_STRIDE + 8, get64(XMM + i * 16 + 8));
      c.put64(CpuState.YMM_HIGH + i * CpuState.XMM_STRIDE, get64(YMM_HIGH + i * 16));
      c.put64(CpuState.YMM_HIGH + i * CpuState.XMM_STRIDE + 8, get64(YMM_HIGH + i * 16 + 8));
    }
  }

  /** Takes the CPU's state. */
  void fromCpu(Cpu c) {
    for (int i = 0; i < 16; i++) {
      gprs[i] = c.get64(CpuState.GPR + i * 8);
    }
    flags = c.rflags();
    gsBase = c.get64(CpuState.GS_BASE);
    put16(FCW, c.get16(CpuState.FCW));
    put16(FSW, c.get16(CpuState.FSW));
    int tags = c.get16(CpuState.FTW);
    int abridged = 0;
    for (int i = 0; i < 8; i++) {
      abridged |= (tags >> 2 * i & 3) == 3 ? 0 : 1 << i;
    }
    put16(FTW, abridged);
    put16(MXCSR, c.get32(CpuState.MXCSR));
    int top = get16(FSW) >> 11 & 7;
    for (int i = 0; i < 8; i++) {
      int register = CpuState.X87 + (top + i & 7) * 16;
      put64(ST + i * 16, c.get64(register));
      put16(ST + i * 16 + 8, c.get16(register + 8));
    }
    for (int i = 0; i < 16; i++) {
      put64(XMM + i * 16, c.get64(CpuState.XMM + i * CpuState.XMM_STRIDE));
      put64(XMM + i * 16 + 8, c.get64(CpuState.XMM + i * CpuState.XMM_STRIDE + 8));
      put64(YMM_HIGH + i * 16, c.get64(CpuState.YMM_HIGH + i * CpuState.XMM_STRIDE));
      put64(YMM_HIGH + i * 16 + 8, c.get64(CpuState.YMM_HIGH + i * CpuState.XMM_STRIDE + 8));
    }
  }
}
