package parhelion.cpu.fpu;

import static parhelion.cpu.fpu.Operands.bind;
import static parhelion.cpu.fpu.Operands.bindImm;
import static parhelion.cpu.fpu.Operands.operation;
import static parhelion.cpu.memory.Host.U;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.interp.Op;

/**
 * AES rounds and carry-less multiplication (SDM volume 1, 12.13; FIPS 197). A state is four columns
 * of four bytes, row 0 in the low byte. Tables: a cipher guest's timing is no secret of ours.
 */
final class AesOps {
  private static final byte[] SBOX = new byte[256];
  private static final byte[] INVERSE = new byte[256];

  /** By byte in row 0: its SubBytes, multiplied for all rows of MixColumns. */
  private static final int[] ENCRYPT = new int[256];

  /** By byte in row 0: multiplied for all rows of InvMixColumns; without InvSubBytes. */
  private static final int[] MIX_INVERSE = new int[256];

  static {
    // The multiplicative inverse by walking the powers of a generator (3) and its inverse (0xf6).
    int p = 1;
    int q = 1;
    do {
      p = p ^ times2(p);
      q = multiply(q, 0xf6);
      int s = q ^ rotate(q, 1) ^ rotate(q, 2) ^ rotate(q, 3) ^ rotate(q, 4) ^ 0x63;
      SBOX[p] = (byte) s;
    } while (p != 1);
    SBOX[0] = 0x63;
    for (int i = 0; i < 256; i++) {
      int s = SBOX[i] & 0xff;
      INVERSE[s] = (byte) i;
      ENCRYPT[i] = times2(s) | s << 8 | s << 16 | (s ^ times2(s)) << 24;
      MIX_INVERSE[i] =
          multiply(i, 14) | multiply(i, 9) << 8 | multiply(i, 13) << 16 | multiply(i, 11) << 24;
    }
  }

  private AesOps() {}

  static @Nullable Op translate(Insn insn, int offset) {
    return switch (operation(insn)) {
      case AESENC -> bind(insn, offset, AesOps::encrypt);
      case AESENCLAST -> bind(insn, offset, AesOps::encryptLast);
      case AESDEC -> bind(insn, offset, AesOps::decrypt);
      case AESDECLAST -> bind(insn, offset, AesOps::decryptLast);
      case AESIMC -> bind(insn, offset, AesOps::mixInverse);
      case AESKEYGENASSIST -> bindImm(insn, offset, AesOps::keyAssist);
      case PCLMULQDQ -> bindImm(insn, offset, AesOps::carryless);
      default -> null;
    };
  }

  private static int times2(int a) {
    return (a << 1 ^ (a & 0x80) * 0x11b >> 7) & 0xff;
  }

  private static int multiply(int a, int b) {
    int r = 0;
    for (int bits = b; bits != 0; bits >>= 1) {
      r ^= (bits & 1) != 0 ? a : 0;
      a = times2(a);
    }
    return r;
  }

  private static int rotate(int a, int n) {
    return (a << n | a >> 8 - n) & 0xff;
  }

  /** The byte in {@code row} of ShiftRows' column, or of InvShiftRows' with the step negated. */
  private static int shifted(long a, int column, int row, int step) {
    return U.getByte(a + (column + step * row & 3) * 4 + row) & 0xff;
  }

  static void encrypt(long d, long a, long key) {
    put(d, key, encryptColumn(a, 0), encryptColumn(a, 1), encryptColumn(a, 2), encryptColumn(a, 3));
  }

  private static int encryptColumn(long a, int column) {
    int r = ENCRYPT[shifted(a, column, 0, 1)];
    for (int row = 1; row < 4; row++) {
      r ^= Integer.rotateLeft(ENCRYPT[shifted(a, column, row, 1)], 8 * row);
    }
    return r;
  }

  static void encryptLast(long d, long a, long key) {
    put(
        d,
        key,
        lastColumn(a, 0, SBOX, 1),
        lastColumn(a, 1, SBOX, 1),
        lastColumn(a, 2, SBOX, 1),
        lastColumn(a, 3, SBOX, 1));
  }

  static void decrypt(long d, long a, long key) {
    put(
        d,
        key,
        mixInverse(lastColumn(a, 0, INVERSE, -1)),
        mixInverse(lastColumn(a, 1, INVERSE, -1)),
        mixInverse(lastColumn(a, 2, INVERSE, -1)),
        mixInverse(lastColumn(a, 3, INVERSE, -1)));
  }

  static void decryptLast(long d, long a, long key) {
    put(
        d,
        key,
        lastColumn(a, 0, INVERSE, -1),
        lastColumn(a, 1, INVERSE, -1),
        lastColumn(a, 2, INVERSE, -1),
        lastColumn(a, 3, INVERSE, -1));
  }

  private static int lastColumn(long a, int column, byte[] box, int step) {
    int r = 0;
    for (int row = 0; row < 4; row++) {
      r |= (box[shifted(a, column, row, step)] & 0xff) << 8 * row;
    }
    return r;
  }

  private static int mixInverse(int column) {
    return MIX_INVERSE[column & 0xff]
        ^ Integer.rotateLeft(MIX_INVERSE[column >> 8 & 0xff], 8)
        ^ Integer.rotateLeft(MIX_INVERSE[column >> 16 & 0xff], 16)
        ^ Integer.rotateLeft(MIX_INVERSE[column >>> 24], 24);
  }

  /** Four columns and the round key. */
  private static void put(long d, long key, int c0, int c1, int c2, int c3) {
    long low = Lanes.pair(c0, c1) ^ U.getLong(key);
    long high = Lanes.pair(c2, c3) ^ U.getLong(key + 8);
    U.putLong(d, low);
    U.putLong(d + 8, high);
  }

  static void mixInverse(long d, long a, long s) {
    long low = Lanes.pair(mixInverse(U.getInt(s)), mixInverse(U.getInt(s + 4)));
    long high = Lanes.pair(mixInverse(U.getInt(s + 8)), mixInverse(U.getInt(s + 12)));
    U.putLong(d, low);
    U.putLong(d + 8, high);
  }

  static void keyAssist(long d, long a, long s, int roundConstant) {
    long low = assist(U.getInt(s + 4), roundConstant);
    long high = assist(U.getInt(s + 12), roundConstant);
    U.putLong(d, low);
    U.putLong(d + 8, high);
  }

  /** SubWord, and its RotWord with the round constant. */
  private static long assist(int word, int roundConstant) {
    int r = 0;
    for (int i = 0; i < 32; i += 8) {
      r |= (SBOX[word >>> i & 0xff] & 0xff) << i;
    }
    return Lanes.pair(r, Integer.rotateRight(r, 8) ^ roundConstant);
  }

  // --- carry-less multiplication ---

  static void carryless(long d, long a, long b, int imm) {
    long x = U.getLong(a + (imm & 1) * 8);
    long y = U.getLong(b + (imm >> 4 & 1) * 8);
    U.putLong(d, lowProduct(x, y));
    U.putLong(d + 8, Long.reverse(lowProduct(Long.reverse(x), Long.reverse(y))) >>> 1);
  }

  /**
   * The low 64 bits of the product: ordinary multiplications of every fourth bit, whose sums have
   * room to carry without reaching the next bit that counts.
   */
  static long lowProduct(long x, long y) {
    long x0 = x & 0x1111111111111111L;
    long x1 = x & 0x2222222222222222L;
    long x2 = x & 0x4444444444444444L;
    long x3 = x & 0x8888888888888888L;
    long y0 = y & 0x1111111111111111L;
    long y1 = y & 0x2222222222222222L;
    long y2 = y & 0x4444444444444444L;
    long y3 = y & 0x8888888888888888L;
    long z0 = x0 * y0 ^ x1 * y3 ^ x2 * y2 ^ x3 * y1;
    long z1 = x0 * y1 ^ x1 * y0 ^ x2 * y3 ^ x3 * y2;
    long z2 = x0 * y2 ^ x1 * y1 ^ x2 * y0 ^ x3 * y3;
    long z3 = x0 * y3 ^ x1 * y2 ^ x2 * y1 ^ x3 * y0;
    return z0 & 0x1111111111111111L
        | z1 & 0x2222222222222222L
        | z2 & 0x4444444444444444L
        | z3 & 0x8888888888888888L;
  }
}
