package parhelion.cpu.fpu;

/**
 * Packed-integer arithmetic on 64 bits at a time: eight bytes, four words or two doublewords. MMX
 * uses one such lane, SSE two. The simple ones work on all elements at once (carries are kept from
 * crossing element borders), the others go element by element. SDM volume 2 under the instruction
 * that each is named after.
 */
public final class Lanes {
  /** Sign bits of bytes, words, doublewords. */
  static final long SIGN_B = 0x8080808080808080L;

  static final long SIGN_W = 0x8000800080008000L;
  static final long SIGN_D = 0x8000000080000000L;

  private Lanes() {}

  /** A function of two lanes. */
  @FunctionalInterface
  interface Lane {
    long apply(long a, long b);
  }

  // --- helpers: sign gives the elements' sign bits, width their size in bits ---

  private static long add(long a, long b, long sign) {
    return ((a & ~sign) + (b & ~sign)) ^ ((a ^ b) & sign);
  }

  private static long sub(long a, long b, long sign) {
    return ((a | sign) - (b & ~sign)) ^ ((a ^ ~b) & sign);
  }

  /** All-ones elements where the sign bit of {@code t} is set. */
  static long spread(long t, long sign, int width) {
    long ones = (t & sign) >>> (width - 1);
    return (ones << width) - ones;
  }

  private static long equal(long a, long b, long sign, int width) {
    long x = a ^ b;
    long zero = ~(((x & ~sign) + ~sign) | x) & sign;
    return spread(zero, sign, width);
  }

  private static long greater(long a, long b, long sign, int width) {
    long diff = sub(b, a, sign);
    return spread(diff ^ ((b ^ a) & (diff ^ b)), sign, width);
  }

  private static long select(long mask, long ifSet, long ifClear) {
    return (ifSet & mask) | (ifClear & ~mask);
  }

  private static long addSigned(long a, long b, long sign, int width) {
    long s = add(a, b, sign);
    long overflow = spread((s ^ a) & (s ^ b), sign, width);
    return select(overflow, ~sign + ((a & sign) >>> (width - 1)), s);
  }

  private static long subSigned(long a, long b, long sign, int width) {
    long s = sub(a, b, sign);
    long overflow = spread((a ^ b) & (s ^ a), sign, width);
    return select(overflow, ~sign + ((a & sign) >>> (width - 1)), s);
  }

  private static long addUnsigned(long a, long b, long sign, int width) {
    long s = add(a, b, sign);
    return s | spread((a & b) | ((a | b) & ~s), sign, width);
  }

  private static long subUnsigned(long a, long b, long sign, int width) {
    long s = sub(a, b, sign);
    return s & ~spread((~a & b) | ((~a | b) & s), sign, width);
  }

  static int b(long a, int i) {
    return (byte) (a >>> (8 * i));
  }

  static int ub(long a, int i) {
    return (int) (a >>> (8 * i)) & 0xff;
  }

  static int w(long a, int i) {
    return (short) (a >>> (16 * i));
  }

  static int uw(long a, int i) {
    return (int) (a >>> (16 * i)) & 0xffff;
  }

  static int d(long a, int i) {
    return (int) (a >>> (32 * i));
  }

  static long putB(int value, int i) {
    return (value & 0xffL) << (8 * i);
  }

  static long putW(int value, int i) {
    return (value & 0xffffL) << (16 * i);
  }

  static long pair(int low, int high) {
    return (low & 0xffffffffL) | ((long) high << 32);
  }

  // --- addition, subtraction, logic ---

  public static long paddb(long a, long b) {
    return add(a, b, SIGN_B);
  }

  public static long paddw(long a, long b) {
    return add(a, b, SIGN_W);
  }

  public static long paddd(long a, long b) {
    return add(a, b, SIGN_D);
  }

  public static long paddq(long a, long b) {
    return a + b;
  }

  public static long psubb(long a, long b) {
    return sub(a, b, SIGN_B);
  }

  public static long psubw(long a, long b) {
    return sub(a, b, SIGN_W);
  }

  public static long psubd(long a, long b) {
    return sub(a, b, SIGN_D);
  }

  public static long psubq(long a, long b) {
    return a - b;
  }

  public static long paddsb(long a, long b) {
    return addSigned(a, b, SIGN_B, 8);
  }

  public static long paddsw(long a, long b) {
    return addSigned(a, b, SIGN_W, 16);
  }

  public static long psubsb(long a, long b) {
    return subSigned(a, b, SIGN_B, 8);
  }

  public static long psubsw(long a, long b) {
    return subSigned(a, b, SIGN_W, 16);
  }

  public static long paddusb(long a, long b) {
    return addUnsigned(a, b, SIGN_B, 8);
  }

  public static long paddusw(long a, long b) {
    return addUnsigned(a, b, SIGN_W, 16);
  }

  public static long psubusb(long a, long b) {
    return subUnsigned(a, b, SIGN_B, 8);
  }

  public static long psubusw(long a, long b) {
    return subUnsigned(a, b, SIGN_W, 16);
  }

  public static long pand(long a, long b) {
    return a & b;
  }

  public static long pandn(long a, long b) {
    return ~a & b;
  }

  public static long por(long a, long b) {
    return a | b;
  }

  public static long pxor(long a, long b) {
    return a ^ b;
  }

  // --- comparison ---

  public static long pcmpeqb(long a, long b) {
    return equal(a, b, SIGN_B, 8);
  }

  public static long pcmpeqw(long a, long b) {
    return equal(a, b, SIGN_W, 16);
  }

  public static long pcmpeqd(long a, long b) {
    return equal(a, b, SIGN_D, 32);
  }

  public static long pcmpeqq(long a, long b) {
    return a == b ? -1 : 0;
  }

  public static long pcmpgtb(long a, long b) {
    return greater(a, b, SIGN_B, 8);
  }

  public static long pcmpgtw(long a, long b) {
    return greater(a, b, SIGN_W, 16);
  }

  public static long pcmpgtd(long a, long b) {
    return greater(a, b, SIGN_D, 32);
  }

  public static long pcmpgtq(long a, long b) {
    return a > b ? -1 : 0;
  }

  public static long pmaxub(long a, long b) {
    return select(pcmpgtb(a ^ SIGN_B, b ^ SIGN_B), a, b);
  }

  public static long pminub(long a, long b) {
    return select(pcmpgtb(a ^ SIGN_B, b ^ SIGN_B), b, a);
  }

  public static long pmaxsw(long a, long b) {
    return select(pcmpgtw(a, b), a, b);
  }

  public static long pminsw(long a, long b) {
    return select(pcmpgtw(a, b), b, a);
  }

  public static long pmaxsb(long a, long b) {
    return select(pcmpgtb(a, b), a, b);
  }

  public static long pminsb(long a, long b) {
    return select(pcmpgtb(a, b), b, a);
  }

  public static long pmaxuw(long a, long b) {
    return select(pcmpgtw(a ^ SIGN_W, b ^ SIGN_W), a, b);
  }

  public static long pminuw(long a, long b) {
    return select(pcmpgtw(a ^ SIGN_W, b ^ SIGN_W), b, a);
  }

  public static long pmaxsd(long a, long b) {
    return select(pcmpgtd(a, b), a, b);
  }

  public static long pminsd(long a, long b) {
    return select(pcmpgtd(a, b), b, a);
  }

  public static long pmaxud(long a, long b) {
    return select(pcmpgtd(a ^ SIGN_D, b ^ SIGN_D), a, b);
  }

  public static long pminud(long a, long b) {
    return select(pcmpgtd(a ^ SIGN_D, b ^ SIGN_D), b, a);
  }

  // --- averages, products, sums ---

  public static long pavgb(long a, long b) {
    return (a | b) - (((a ^ b) & 0xfefefefefefefefeL) >>> 1);
  }

  public static long pavgw(long a, long b) {
    return (a | b) - (((a ^ b) & 0xfffefffefffefffeL) >>> 1);
  }

  public static long pmullw(long a, long b) {
    long r = 0;
    for (int i = 0; i < 4; i++) {
      r |= putW(w(a, i) * w(b, i), i);
    }
    return r;
  }

  public static long pmulhw(long a, long b) {
    long r = 0;
    for (int i = 0; i < 4; i++) {
      r |= putW((w(a, i) * w(b, i)) >> 16, i);
    }
    return r;
  }

  public static long pmulhuw(long a, long b) {
    long r = 0;
    for (int i = 0; i < 4; i++) {
      r |= putW((uw(a, i) * uw(b, i)) >>> 16, i);
    }
    return r;
  }

  public static long pmulhrsw(long a, long b) {
    long r = 0;
    for (int i = 0; i < 4; i++) {
      r |= putW((((w(a, i) * w(b, i)) >> 14) + 1) >> 1, i);
    }
    return r;
  }

  public static long pmuludq(long a, long b) {
    return (a & 0xffffffffL) * (b & 0xffffffffL);
  }

  public static long pmuldq(long a, long b) {
    return (long) (int) a * (int) b;
  }

  public static long pmulld(long a, long b) {
    return pair((int) a * (int) b, d(a, 1) * d(b, 1));
  }

  public static long pmaddwd(long a, long b) {
    return pair(w(a, 0) * w(b, 0) + w(a, 1) * w(b, 1), w(a, 2) * w(b, 2) + w(a, 3) * w(b, 3));
  }

  public static long pmaddubsw(long a, long b) {
    long r = 0;
    for (int i = 0; i < 4; i++) {
      int sum = ub(a, 2 * i) * b(b, 2 * i) + ub(a, 2 * i + 1) * b(b, 2 * i + 1);
      r |= putW(saturateW(sum), i);
    }
    return r;
  }

  public static long psadbw(long a, long b) {
    int sum = 0;
    for (int i = 0; i < 8; i++) {
      sum += Math.abs(ub(a, i) - ub(b, i));
    }
    return sum;
  }

  public static long psignb(long a, long b) {
    long r = 0;
    for (int i = 0; i < 8; i++) {
      r |= putB(b(a, i) * Integer.signum(b(b, i)), i);
    }
    return r;
  }

  public static long psignw(long a, long b) {
    long r = 0;
    for (int i = 0; i < 4; i++) {
      r |= putW(w(a, i) * Integer.signum(w(b, i)), i);
    }
    return r;
  }

  public static long psignd(long a, long b) {
    return pair(d(a, 0) * Integer.signum(d(b, 0)), d(a, 1) * Integer.signum(d(b, 1)));
  }

  /** PABSB of {@code b}; the destination's old value does not matter. */
  public static long pabsb(long a, long b) {
    long negative = spread(b, SIGN_B, 8);
    return sub(b ^ negative, negative, SIGN_B);
  }

  public static long pabsw(long a, long b) {
    long negative = spread(b, SIGN_W, 16);
    return sub(b ^ negative, negative, SIGN_W);
  }

  public static long pabsd(long a, long b) {
    long negative = spread(b, SIGN_D, 32);
    return sub(b ^ negative, negative, SIGN_D);
  }

  // --- shifts by an unsigned 64-bit count ---

  public static long psllw(long a, long n) {
    return n >>> 4 != 0 ? 0 : (a << n) & repeatW(0xffff << (int) n);
  }

  public static long pslld(long a, long n) {
    return n >>> 5 != 0 ? 0 : pair((int) a << (int) n, d(a, 1) << (int) n);
  }

  public static long psllq(long a, long n) {
    return n >>> 6 != 0 ? 0 : a << n;
  }

  public static long psrlw(long a, long n) {
    return n >>> 4 != 0 ? 0 : (a >>> n) & repeatW(0xffff >>> (int) n);
  }

  public static long psrld(long a, long n) {
    return n >>> 5 != 0 ? 0 : pair((int) a >>> (int) n, d(a, 1) >>> (int) n);
  }

  public static long psrlq(long a, long n) {
    return n >>> 6 != 0 ? 0 : a >>> n;
  }

  public static long psraw(long a, long n) {
    int count = n >>> 4 != 0 ? 15 : (int) n;
    long r = 0;
    for (int i = 0; i < 4; i++) {
      r |= putW(w(a, i) >> count, i);
    }
    return r;
  }

  public static long psrad(long a, long n) {
    int count = n >>> 5 != 0 ? 31 : (int) n;
    return pair((int) a >> count, d(a, 1) >> count);
  }

  private static long repeatW(int word) {
    return (word & 0xffffL) * 0x0001000100010001L;
  }

  // --- rearrangement within one lane's worth of result ---

  public static int saturateB(int v) {
    return Math.clamp(v, -128, 127);
  }

  public static int saturateUB(int v) {
    return Math.clamp(v, 0, 255);
  }

  public static int saturateW(int v) {
    return Math.clamp(v, -32768, 32767);
  }

  public static int saturateUW(int v) {
    return Math.clamp(v, 0, 65535);
  }

  /** Four words of {@code a} to the low four signed-saturated bytes of the result. */
  static long packsswb(long a) {
    long r = 0;
    for (int i = 0; i < 4; i++) {
      r |= putB(saturateB(w(a, i)), i);
    }
    return r;
  }

  static long packuswb(long a) {
    long r = 0;
    for (int i = 0; i < 4; i++) {
      r |= putB(saturateUB(w(a, i)), i);
    }
    return r;
  }

  static long packssdw(long a) {
    return putW(saturateW((int) a), 0) | putW(saturateW(d(a, 1)), 1);
  }

  static long packusdw(long a) {
    return putW(saturateUW((int) a), 0) | putW(saturateUW(d(a, 1)), 1);
  }

  /** Interleaves the low four bytes of {@code a} and {@code b}. */
  public static long punpcklbw(long a, long b) {
    return widenBytes(a) | widenBytes(b) << 8;
  }

  public static long punpckhbw(long a, long b) {
    return punpcklbw(a >>> 32, b >>> 32);
  }

  public static long punpcklwd(long a, long b) {
    return widenWords(a) | widenWords(b) << 16;
  }

  public static long punpckhwd(long a, long b) {
    return punpcklwd(a >>> 32, b >>> 32);
  }

  public static long punpckldq(long a, long b) {
    return (a & 0xffffffffL) | b << 32;
  }

  public static long punpckhdq(long a, long b) {
    return (a >>> 32) | (b & 0xffffffff00000000L);
  }

  /** The low four bytes zero-extended to words. */
  static long widenBytes(long a) {
    long x = widenWords(a);
    return (x | x << 8) & 0x00ff00ff00ff00ffL;
  }

  private static long widenWords(long a) {
    long x = a & 0xffffffffL;
    return (x | x << 16) & 0x0000ffff0000ffffL;
  }

  /** PSHUFW: words of {@code a} chosen by four two-bit fields. */
  public static long pshufw(long a, int imm) {
    return putW(uw(a, imm & 3), 0)
        | putW(uw(a, imm >> 2 & 3), 1)
        | putW(uw(a, imm >> 4 & 3), 2)
        | putW(uw(a, imm >> 6 & 3), 3);
  }

  /** PMOVMSKB of eight bytes. */
  public static int pmovmskb(long a) {
    return (int) (((a & SIGN_B) >>> 7) * 0x0102040810204080L >>> 56);
  }

  /**
   * Two adjacent elements of each input combined: PHADDW and its kin; {@code a} gives the low half
   * of the result.
   */
  static long phaddw(long a, long b) {
    return putW(w(a, 0) + w(a, 1), 0)
        | putW(w(a, 2) + w(a, 3), 1)
        | putW(w(b, 0) + w(b, 1), 2)
        | putW(w(b, 2) + w(b, 3), 3);
  }

  static long phaddsw(long a, long b) {
    return putW(saturateW(w(a, 0) + w(a, 1)), 0)
        | putW(saturateW(w(a, 2) + w(a, 3)), 1)
        | putW(saturateW(w(b, 0) + w(b, 1)), 2)
        | putW(saturateW(w(b, 2) + w(b, 3)), 3);
  }

  static long phsubw(long a, long b) {
    return putW(w(a, 0) - w(a, 1), 0)
        | putW(w(a, 2) - w(a, 3), 1)
        | putW(w(b, 0) - w(b, 1), 2)
        | putW(w(b, 2) - w(b, 3), 3);
  }

  static long phsubsw(long a, long b) {
    return putW(saturateW(w(a, 0) - w(a, 1)), 0)
        | putW(saturateW(w(a, 2) - w(a, 3)), 1)
        | putW(saturateW(w(b, 0) - w(b, 1)), 2)
        | putW(saturateW(w(b, 2) - w(b, 3)), 3);
  }

  static long phaddd(long a, long b) {
    return pair((int) a + d(a, 1), (int) b + d(b, 1));
  }

  static long phsubd(long a, long b) {
    return pair((int) a - d(a, 1), (int) b - d(b, 1));
  }
}
