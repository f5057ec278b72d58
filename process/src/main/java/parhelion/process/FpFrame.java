package parhelion.process;

import static parhelion.cpu.CpuState.*;

import parhelion.cpu.Cpu;

/**
 * The floating-point part of a signal frame: an XSAVE area of the state that the processor has
 * (x87, SSE, and AVX beyond the v2 model) with Linux's marks (struct _xstate, SDM volume 1, 13.4).
 */
final class FpFrame {
  private static final int LEGACY = 512;
  private static final int YMM_AT = 576;
  private static final int MAGIC1 = 0x4650_5853;
  private static final int MAGIC2 = 0x4650_5845;

  /** State components of YMM registers. */
  private static final int AVX = 4;

  private FpFrame() {}

  /** Bytes of a frame: the area, and a mark behind it. */
  static int bytes(Cpu c) {
    return c.model.xsaveBytes() + 4;
  }

  private static boolean hasAvx(Cpu c) {
    return (c.model.xcr0Bits & AVX) != 0;
  }

  static byte[] save(Cpu c) {
    int area = c.model.xsaveBytes();
    byte[] out = new byte[bytes(c)];
    Bytes.put16(out, 0, c.get16(FCW));
    Bytes.put16(out, 2, c.get16(FSW));
    int top = c.get16(FSW) >>> 11 & 7;
    int tags = c.get16(FTW);
    int valid = 0;
    for (int i = 0; i < 8; i++) {
      valid |= (tags >>> (2 * i) & 3) == 3 ? 0 : 1 << i;
    }
    out[4] = (byte) valid;
    Bytes.put16(out, 6, c.get16(FOP));
    Bytes.put64(out, 8, c.get64(FIP));
    Bytes.put64(out, 16, c.get64(FDP));
    Bytes.put32(out, 24, c.get32(MXCSR));
    Bytes.put32(out, 28, 0xffff);
    for (int i = 0; i < 8; i++) {
      int register = X87 + (top + i & 7) * 16;
      Bytes.put64(out, 32 + i * 16, c.get64(register));
      Bytes.put16(out, 40 + i * 16, c.get16(register + 8));
    }
    for (int i = 0; i < 16; i++) {
      Bytes.put64(out, 160 + i * 16, c.get64(XMM + i * XMM_STRIDE));
      Bytes.put64(out, 168 + i * 16, c.get64(XMM + i * XMM_STRIDE + 8));
    }
    if (hasAvx(c)) {
      for (int i = 0; i < 16; i++) {
        Bytes.put64(out, YMM_AT + i * 16, c.get64(YMM_HIGH + i * XMM_STRIDE));
        Bytes.put64(out, YMM_AT + 8 + i * 16, c.get64(YMM_HIGH + i * XMM_STRIDE + 8));
      }
    }
    Bytes.put32(out, 464, MAGIC1);
    Bytes.put32(out, 468, out.length);
    Bytes.put64(out, 472, c.model.xcr0Bits);
    Bytes.put32(out, 480, area);
    Bytes.put64(out, LEGACY, c.model.xcr0Bits);
    Bytes.put32(out, area, MAGIC2);
    return out;
  }

  static void restore(Cpu c, byte[] in) {
    c.put64(FCW, Bytes.get16(in, 0));
    int fsw = Bytes.get16(in, 2);
    c.put64(FSW, fsw);
    int top = fsw >>> 11 & 7;
    c.put64(FOP, Bytes.get16(in, 6) & 0x7ff);
    c.put64(FIP, Bytes.get64(in, 8));
    c.put64(FDP, Bytes.get64(in, 16));
    c.put64(MXCSR, Bytes.get32(in, 24) & 0xffff);
    int tags = 0;
    for (int i = 0; i < 8; i++) {
      int physical = top + i & 7;
      long significand = Bytes.get64(in, 32 + i * 16);
      int exponent = Bytes.get16(in, 40 + i * 16);
      c.put64(X87 + physical * 16, significand);
      c.put64(X87 + physical * 16 + 8, exponent);
      boolean empty = (in[4] >>> physical & 1) == 0;
      tags |= (empty ? 3 : tag(significand, exponent & 0x7fff)) << (2 * physical);
    }
    c.put64(FTW, tags);
    for (int i = 0; i < 16; i++) {
      c.put64(XMM + i * XMM_STRIDE, Bytes.get64(in, 160 + i * 16));
      c.put64(XMM + i * XMM_STRIDE + 8, Bytes.get64(in, 168 + i * 16));
    }
    if (hasAvx(c)) {
      restoreAvx(c, in);
    }
  }

  /** Initial where the header or the marks say that the frame does not have it. */
  private static void restoreAvx(Cpu c, byte[] in) {
    boolean marked = Bytes.get32(in, 464) == MAGIC1 && Bytes.get32(in, 480) >= in.length - 4;
    boolean present = marked && (Bytes.get64(in, 472) & Bytes.get64(in, LEGACY) & AVX) != 0;
    for (int i = 0; i < 16; i++) {
      long low = present ? Bytes.get64(in, YMM_AT + i * 16) : 0;
      long high = present ? Bytes.get64(in, YMM_AT + 8 + i * 16) : 0;
      c.put64(YMM_HIGH + i * XMM_STRIDE, low);
      c.put64(YMM_HIGH + i * XMM_STRIDE + 8, high);
    }
  }

  /** Valid, zero or special. */
  private static int tag(long significand, int exponent) {
    if (exponent == 0 && significand == 0) {
      return 1;
    }
    return exponent == 0 || exponent == 0x7fff || significand >= 0 ? 2 : 0;
  }
}
