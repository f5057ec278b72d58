package parhelion.xen;

import static parhelion.cpu.CpuState.*;

import parhelion.abi.Bytes;
import parhelion.cpu.Cpu;

/**
 * The 512-byte image of FXSAVE (64-bit form, SDM volume 1, 10.5.1), to fill a processor's FPU and
 * SSE registers from.
 */
final class FxsaveImage {
  private static final int MXCSR_MASK = 0xffff;

  private FxsaveImage() {}

  static void load(Cpu c, byte[] image, int at) {
    Bytes b = Bytes.of(image);
    int status = b.getShort(at + 2) & 0xffff;
    int top = status >> 11 & 7;
    c.put64(FCW, b.getShort(at) & 0xffff);
    c.put64(FSW, status);
    c.put64(FOP, b.getShort(at + 6) & 0x7ff);
    c.put64(FIP, b.getLong(at + 8));
    c.put64(FDP, b.getLong(at + 16));
    c.put64(MXCSR, b.getInt(at + 24) & MXCSR_MASK);
    int abridged = b.getByte(at + 4) & 0xff;
    int tags = 0;
    for (int i = 0; i < 8; i++) {
      // The image holds ST(0) to ST(7), the state physical registers.
      int physical = (top + i) & 7;
      long significand = b.getLong(at + 32 + i * 16L);
      int exponent = b.getShort(at + 40 + i * 16L) & 0xffff;
      c.put64(X87 + physical * 16, significand);
      c.put64(X87 + physical * 16 + 8, exponent);
    }
    for (int physical = 0; physical < 8; physical++) {
      boolean used = (abridged >> physical & 1) != 0;
      tags |= (used ? tag(c, physical) : 3) << physical * 2;
    }
    c.put64(FTW, tags);
    for (int i = 0; i < 16; i++) {
      c.put64(XMM + i * XMM_STRIDE, b.getLong(at + 160 + i * 16L));
      c.put64(XMM + i * XMM_STRIDE + 8, b.getLong(at + 168 + i * 16L));
      c.put64(YMM_HIGH + i * XMM_STRIDE, 0);
      c.put64(YMM_HIGH + i * XMM_STRIDE + 8, 0);
    }
  }

  /** Valid 0, zero 1, special 2. */
  private static int tag(Cpu c, int physical) {
    long significand = c.get64(X87 + physical * 16);
    int exponent = c.get16(X87 + physical * 16 + 8) & 0x7fff;
    if (exponent == 0) {
      return significand == 0 ? 1 : 2;
    }
    return exponent == 0x7fff || significand >= 0 ? 2 : 0;
  }
}
