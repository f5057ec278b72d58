package parhelion.testkit.fpu;

import static parhelion.cpu.memory.Host.U;

import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;

/**
 * Copies a CPU's x87 and SSE state from and to an FXSAVE64 image, independently of the
 * interpreter's FXSAVE.
 */
final class FxImage {
  private FxImage() {}

  static int u16(byte[] b, int at) {
    return b[at] & 0xff | (b[at + 1] & 0xff) << 8;
  }

  static void put16(byte[] b, int at, int value) {
    b[at] = (byte) value;
    b[at + 1] = (byte) (value >> 8);
  }

  static long u64(byte[] b, int at) {
    long v = 0;
    for (int i = 7; i >= 0; i--) {
      v = v << 8 | b[at + i] & 0xff;
    }
    return v;
  }

  static void put64(byte[] b, int at, long value) {
    for (int i = 0; i < 8; i++) {
      b[at + i] = (byte) (value >> 8 * i);
    }
  }

  static void toCpu(byte[] fx, Cpu c) {
    c.put64(CpuState.FCW, u16(fx, 0));
    c.put64(CpuState.FSW, u16(fx, 2));
    int tags = 0;
    for (int i = 0; i < 8; i++) {
      tags |= (fx[4] >> i & 1) != 0 ? 0 : 3 << 2 * i;
    }
    c.put64(CpuState.FTW, tags);
    c.put64(CpuState.MXCSR, u16(fx, 24));
    c.put64(CpuState.FOP, u16(fx, 6));
    c.put64(CpuState.FIP, u64(fx, 8));
    c.put64(CpuState.FDP, u64(fx, 16));
    c.put64(CpuState.FCS, 0);
    c.put64(CpuState.FDS, 0);
    int top = u16(fx, 2) >> 11 & 7;
    for (int i = 0; i < 8; i++) {
      int register = CpuState.X87 + (top + i & 7) * 16;
      c.put64(register, u64(fx, 32 + i * 16));
      c.put64(register + 8, u16(fx, 40 + i * 16));
    }
    for (int i = 0; i < 16; i++) {
      c.put64(CpuState.XMM + i * CpuState.XMM_STRIDE, u64(fx, 160 + i * 16));
      c.put64(CpuState.XMM + i * CpuState.XMM_STRIDE + 8, u64(fx, 168 + i * 16));
    }
  }

  static byte[] ofCpu(Cpu c) {
    byte[] fx = new byte[512];
    put16(fx, 0, c.get16(CpuState.FCW));
    put16(fx, 2, c.get16(CpuState.FSW));
    for (int i = 0; i < 8; i++) {
      fx[4] |= (byte) ((c.get16(CpuState.FTW) >> 2 * i & 3) == 3 ? 0 : 1 << i);
    }
    put16(fx, 24, c.get16(CpuState.MXCSR));
    int top = c.get16(CpuState.FSW) >> 11 & 7;
    for (int i = 0; i < 8; i++) {
      int register = CpuState.X87 + (top + i & 7) * 16;
      put64(fx, 32 + i * 16, U.getLong(c.state + register));
      put16(fx, 40 + i * 16, U.getShort(c.state + register + 8));
    }
    for (int i = 0; i < 16; i++) {
      put64(fx, 160 + i * 16, c.get64(CpuState.XMM + i * CpuState.XMM_STRIDE));
      put64(fx, 168 + i * 16, c.get64(CpuState.XMM + i * CpuState.XMM_STRIDE + 8));
    }
    return fx;
  }
}
