package parhelion.testkit.fpu;

import static parhelion.cpu.memory.Host.U;

import java.util.Random;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.testkit.oracle.RandomValues;

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

  /** Random control words and values, and data of the same kind. */
  static void randomize(byte[] fx, byte[] data, Random r, boolean doublePrecision) {
    put16(fx, 0, 0x7f | r.nextInt(4) << 10 | (r.nextInt(3) == 0 ? r.nextInt(4) : 3) << 8);
    if ((fx[1] & 3) == 1) {
      fx[1] |= 2; // the reserved precision
    }
    put16(fx, 2, r.nextInt(0x10000) & 0x7f7f);
    if (r.nextInt(4) == 0) {
      // Some x87 exceptions unmasked: they stay pending after the instruction.
      fx[0] = (byte) (0x40 | r.nextInt(64));
      fx[2] &= (byte) (fx[0] | 0xc0);
    }
    fx[4] = (byte) (r.nextInt(4) == 0 ? r.nextInt(256) : 255);
    int mxcsr = 0x1f80 | (r.nextInt(2) == 0 ? r.nextInt(4) << 13 : 0) | r.nextInt(64);
    mxcsr |= r.nextInt(4) == 0 ? 0x40 : 0;
    mxcsr |= r.nextInt(4) == 0 ? 0x8000 : 0;
    mxcsr &= r.nextInt(2) == 0 ? ~0x3f : -1;
    put16(fx, 24, mxcsr);
    for (int i = 0; i < 8; i++) {
      int at = 32 + 16 * i;
      RandomValues.float80(
          r,
          (significand, signAndExponent) -> {
            put64(fx, at, significand);
            put16(fx, at + 8, signAndExponent);
          });
    }
    for (int i = 0; i < 16; i++) {
      put64(fx, 160 + 16 * i, RandomValues.lane(r, doublePrecision));
      put64(fx, 168 + 16 * i, RandomValues.lane(r, doublePrecision));
    }
    for (int i = 0; i < data.length; i += 8) {
      put64(data, i, RandomValues.lane(r, doublePrecision));
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
