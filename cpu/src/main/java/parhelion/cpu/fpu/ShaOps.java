package parhelion.cpu.fpu;

import static parhelion.cpu.fpu.Operands.bind;
import static parhelion.cpu.fpu.Operands.bindImm;
import static parhelion.cpu.fpu.Operands.sources;
import static parhelion.cpu.memory.Host.U;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.interp.Op;

/**
 * The SHA extensions (SDM volume 2, SHA1RNDS4 and following; FIPS 180-4). Words are numbered by
 * their place, 0 the lowest; the algorithms' first word is mostly in place 3.
 */
final class ShaOps {
  private static final int[] SHA1_CONSTANTS = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};

  private ShaOps() {}

  static @Nullable Op translate(Insn insn, int offset) {
    return switch (insn.mnemonic()) {
      case SHA1RNDS4 -> bindImm(insn, offset, ShaOps::sha1Rounds);
      case SHA1NEXTE -> bind(insn, offset, ShaOps::sha1NextE);
      case SHA1MSG1 -> bind(insn, offset, ShaOps::sha1Message1);
      case SHA1MSG2 -> bind(insn, offset, ShaOps::sha1Message2);
      case SHA256RNDS2 -> sources(insn, offset, ShaOps::sha256Rounds);
      case SHA256MSG1 -> bind(insn, offset, ShaOps::sha256Message1);
      case SHA256MSG2 -> bind(insn, offset, ShaOps::sha256Message2);
      default -> null;
    };
  }

  private static int word(long p, int i) {
    return U.getInt(p + 4 * i);
  }

  private static void put(long d, int w3, int w2, int w1, int w0) {
    U.putLong(d, Lanes.pair(w0, w1));
    U.putLong(d + 8, Lanes.pair(w2, w3));
  }

  private static int choose(int x, int y, int z) {
    return x & y ^ ~x & z;
  }

  private static int majority(int x, int y, int z) {
    return x & y ^ x & z ^ y & z;
  }

  // --- SHA-1 ---

  static void sha1Rounds(long d, long s, long w, int imm) {
    int k = SHA1_CONSTANTS[imm & 3];
    int a = word(s, 3);
    int b = word(s, 2);
    int c = word(s, 1);
    int last = word(s, 0);
    // E of the first round has been added to the first word already.
    int e = 0;
    for (int i = 3; i >= 0; i--) {
      int f =
          switch (imm & 3) {
            case 0 -> choose(b, c, last);
            case 2 -> majority(b, c, last);
            default -> b ^ c ^ last;
          };
      int next = f + Integer.rotateLeft(a, 5) + word(w, i) + e + k;
      e = last;
      last = c;
      c = Integer.rotateLeft(b, 30);
      b = a;
      a = next;
    }
    put(d, a, b, c, last);
  }

  static void sha1NextE(long d, long a, long b) {
    int e = Integer.rotateLeft(word(a, 3), 30);
    put(d, word(b, 3) + e, word(b, 2), word(b, 1), word(b, 0));
  }

  static void sha1Message1(long d, long a, long b) {
    put(
        d,
        word(a, 1) ^ word(a, 3),
        word(a, 0) ^ word(a, 2),
        word(b, 3) ^ word(a, 1),
        word(b, 2) ^ word(a, 0));
  }

  static void sha1Message2(long d, long a, long b) {
    int w16 = Integer.rotateLeft(word(a, 3) ^ word(b, 2), 1);
    int w17 = Integer.rotateLeft(word(a, 2) ^ word(b, 1), 1);
    int w18 = Integer.rotateLeft(word(a, 1) ^ word(b, 0), 1);
    int w19 = Integer.rotateLeft(word(a, 0) ^ w16, 1);
    put(d, w16, w17, w18, w19);
  }

  // --- SHA-256 ---

  /** Two rounds; XMM0 holds two message words with their constants. */
  static void sha256Rounds(Cpu cpu, long to, long first, long second, int bytes) {
    int a = word(second, 3);
    int b = word(second, 2);
    int c = word(first, 3);
    int d = word(first, 2);
    int e = word(second, 1);
    int f = word(second, 0);
    int g = word(first, 1);
    int h = word(first, 0);
    for (int i = 0; i < 2; i++) {
      int s1 = Integer.rotateRight(e, 6) ^ Integer.rotateRight(e, 11) ^ Integer.rotateRight(e, 25);
      int t = choose(e, f, g) + s1 + word(cpu.state + CpuState.XMM, i) + h;
      int s0 = Integer.rotateRight(a, 2) ^ Integer.rotateRight(a, 13) ^ Integer.rotateRight(a, 22);
      int next = t + majority(a, b, c) + s0;
      h = g;
      g = f;
      f = e;
      e = t + d;
      d = c;
      c = b;
      b = a;
      a = next;
    }
    put(to, a, b, e, f);
  }

  private static int sigma0(int w) {
    return Integer.rotateRight(w, 7) ^ Integer.rotateRight(w, 18) ^ w >>> 3;
  }

  private static int sigma1(int w) {
    return Integer.rotateRight(w, 17) ^ Integer.rotateRight(w, 19) ^ w >>> 10;
  }

  static void sha256Message1(long d, long a, long b) {
    put(
        d,
        word(a, 3) + sigma0(word(b, 0)),
        word(a, 2) + sigma0(word(a, 3)),
        word(a, 1) + sigma0(word(a, 2)),
        word(a, 0) + sigma0(word(a, 1)));
  }

  static void sha256Message2(long d, long a, long b) {
    int w16 = word(a, 0) + sigma1(word(b, 2));
    int w17 = word(a, 1) + sigma1(word(b, 3));
    int w18 = word(a, 2) + sigma1(w16);
    int w19 = word(a, 3) + sigma1(w17);
    put(d, w19, w18, w17, w16);
  }
}
