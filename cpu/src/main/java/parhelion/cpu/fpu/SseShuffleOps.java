package parhelion.cpu.fpu;

import static parhelion.cpu.fpu.Operands.bind;
import static parhelion.cpu.fpu.Operands.bindImm;
import static parhelion.cpu.fpu.Operands.first;
import static parhelion.cpu.fpu.Operands.gpr;
import static parhelion.cpu.fpu.Operands.isMmx;
import static parhelion.cpu.fpu.Operands.isVex;
import static parhelion.cpu.fpu.Operands.mm;
import static parhelion.cpu.fpu.Operands.mmx;
import static parhelion.cpu.fpu.Operands.operation;
import static parhelion.cpu.fpu.Operands.xmm;
import static parhelion.cpu.memory.Host.U;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.interp.Ea;
import parhelion.cpu.interp.Op;

/** Shuffles, packs, unpacks, horizontal sums, inserts and extracts, for MMX and XMM registers. */
final class SseShuffleOps {
  private SseShuffleOps() {}

  static @Nullable Op translate(Insn insn, int offset) {
    return isMmx(insn) ? translateMmx(insn, offset) : translateXmm(insn, offset);
  }

  private static @Nullable Op translateMmx(Insn insn, int offset) {
    int imm = (int) insn.imm & 0xff;
    return switch (insn.mnemonic()) {
      case PUNPCKLBW -> mmx(insn, offset, Lanes::punpcklbw);
      case PUNPCKLWD -> mmx(insn, offset, Lanes::punpcklwd);
      case PUNPCKLDQ -> mmx(insn, offset, Lanes::punpckldq);
      case PUNPCKHBW -> mmx(insn, offset, Lanes::punpckhbw);
      case PUNPCKHWD -> mmx(insn, offset, Lanes::punpckhwd);
      case PUNPCKHDQ -> mmx(insn, offset, Lanes::punpckhdq);
      case PACKSSWB -> mmx(insn, offset, (a, b) -> Lanes.packsswb(a) | Lanes.packsswb(b) << 32);
      case PACKUSWB -> mmx(insn, offset, (a, b) -> Lanes.packuswb(a) | Lanes.packuswb(b) << 32);
      case PACKSSDW -> mmx(insn, offset, (a, b) -> Lanes.packssdw(a) | Lanes.packssdw(b) << 32);
      case PSHUFW -> mmx(insn, offset, (a, b) -> Lanes.pshufw(b, imm));
      case PSHUFB -> mmx(insn, offset, SseShuffleOps::pshufb8);
      case PALIGNR -> mmx(insn, offset, (a, b) -> palignr8(a, b, imm));
      case PHADDW -> mmx(insn, offset, Lanes::phaddw);
      case PHADDD -> mmx(insn, offset, Lanes::phaddd);
      case PHADDSW -> mmx(insn, offset, Lanes::phaddsw);
      case PHSUBW -> mmx(insn, offset, Lanes::phsubw);
      case PHSUBD -> mmx(insn, offset, Lanes::phsubd);
      case PHSUBSW -> mmx(insn, offset, Lanes::phsubsw);
      case PINSRW -> pinsrwMmx(insn, offset);
      case PEXTRW -> {
        int d = gpr(insn.reg);
        int s = mm(insn.rm) + (imm & 3) * 2;
        yield c -> {
          Mmx.check(c);
          c.put64(d, c.get16(s));
          Mmx.enter(c);
        };
      }
      default -> null;
    };
  }

  private static @Nullable Op translateXmm(Insn insn, int offset) {
    return switch (operation(insn)) {
      case PSHUFD -> pshufd(insn, offset);
      case PSHUFLW -> bindImm(insn, offset, SseShuffleOps::pshuflw);
      case PSHUFHW -> bindImm(insn, offset, SseShuffleOps::pshufhw);
      case SHUFPS -> bindImm(insn, offset, SseShuffleOps::shufps);
      case SHUFPD -> bindImm(insn, offset, 2, SseShuffleOps::shufpd);
      case PUNPCKLBW ->
          bind(insn, offset, (d, a, b) -> unpackLow(d, a, b, Lanes::punpcklbw, Lanes::punpckhbw));
      case PUNPCKLWD ->
          bind(insn, offset, (d, a, b) -> unpackLow(d, a, b, Lanes::punpcklwd, Lanes::punpckhwd));
      case PUNPCKLDQ, UNPCKLPS ->
          bind(insn, offset, (d, a, b) -> unpackLow(d, a, b, Lanes::punpckldq, Lanes::punpckhdq));
      case PUNPCKLQDQ, UNPCKLPD -> bind(insn, offset, SseShuffleOps::punpcklqdq);
      case PUNPCKHBW ->
          bind(insn, offset, (d, a, b) -> unpackHigh(d, a, b, Lanes::punpcklbw, Lanes::punpckhbw));
      case PUNPCKHWD ->
          bind(insn, offset, (d, a, b) -> unpackHigh(d, a, b, Lanes::punpcklwd, Lanes::punpckhwd));
      case PUNPCKHDQ, UNPCKHPS ->
          bind(insn, offset, (d, a, b) -> unpackHigh(d, a, b, Lanes::punpckldq, Lanes::punpckhdq));
      case PUNPCKHQDQ, UNPCKHPD -> bind(insn, offset, SseShuffleOps::punpckhqdq);
      case PACKSSWB -> bind(insn, offset, (d, a, b) -> pack(d, a, b, Lanes::packsswb));
      case PACKUSWB -> bind(insn, offset, (d, a, b) -> pack(d, a, b, Lanes::packuswb));
      case PACKSSDW -> bind(insn, offset, (d, a, b) -> pack(d, a, b, Lanes::packssdw));
      case PACKUSDW -> bind(insn, offset, (d, a, b) -> pack(d, a, b, Lanes::packusdw));
      case PSHUFB -> bind(insn, offset, SseShuffleOps::pshufb);
      case PALIGNR -> bindImm(insn, offset, SseShuffleOps::palignr);
      case PHADDW -> bind(insn, offset, (d, a, b) -> horizontal(d, a, b, Lanes::phaddw));
      case PHADDD -> bind(insn, offset, (d, a, b) -> horizontal(d, a, b, Lanes::phaddd));
      case PHADDSW -> bind(insn, offset, (d, a, b) -> horizontal(d, a, b, Lanes::phaddsw));
      case PHSUBW -> bind(insn, offset, (d, a, b) -> horizontal(d, a, b, Lanes::phsubw));
      case PHSUBD -> bind(insn, offset, (d, a, b) -> horizontal(d, a, b, Lanes::phsubd));
      case PHSUBSW -> bind(insn, offset, (d, a, b) -> horizontal(d, a, b, Lanes::phsubsw));
      case PINSRB -> insert(insn, offset, 1);
      case PINSRW -> insert(insn, offset, 2);
      case PINSRD -> insert(insn, offset, 4);
      case PINSRQ -> insert(insn, offset, 8);
      case PEXTRB -> extract(insn, offset, 1);
      case PEXTRW -> insn.opcode.map() == 1 ? extractToReg(insn) : extract(insn, offset, 2);
      case PEXTRD, EXTRACTPS -> extract(insn, offset, 4);
      case PEXTRQ -> extract(insn, offset, 8);
      default -> null;
    };
  }

  private static Op pshufd(Insn insn, int offset) {
    int imm = (int) insn.imm & 0xff;
    if (insn.isMemory() || isVex(insn)) {
      return bindImm(insn, offset, SseShuffleOps::pshufd);
    }
    int d = xmm(insn.reg);
    int s = xmm(insn.rm);
    if (imm == 0) {
      return c -> {
        int v = c.get32(s);
        long r = Lanes.pair(v, v);
        c.put64(d, r);
        c.put64(d + 8, r);
      };
    }
    return c -> pshufd(c.state + d, 0, c.state + s, imm);
  }

  // --- semantics on host addresses ---

  static void pshufd(long d, long a, long s, int imm) {
    long low = Lanes.pair(U.getInt(s + (imm & 3) * 4), U.getInt(s + (imm >> 2 & 3) * 4));
    long high = Lanes.pair(U.getInt(s + (imm >> 4 & 3) * 4), U.getInt(s + (imm >> 6 & 3) * 4));
    U.putLong(d, low);
    U.putLong(d + 8, high);
  }

  static void pshuflw(long d, long a, long s, int imm) {
    long low = Lanes.pshufw(U.getLong(s), imm);
    U.putLong(d + 8, U.getLong(s + 8));
    U.putLong(d, low);
  }

  static void pshufhw(long d, long a, long s, int imm) {
    long high = Lanes.pshufw(U.getLong(s + 8), imm);
    U.putLong(d, U.getLong(s));
    U.putLong(d + 8, high);
  }

  static void shufps(long d, long a, long b, int imm) {
    long low = Lanes.pair(U.getInt(a + (imm & 3) * 4), U.getInt(a + (imm >> 2 & 3) * 4));
    long high = Lanes.pair(U.getInt(b + (imm >> 4 & 3) * 4), U.getInt(b + (imm >> 6 & 3) * 4));
    U.putLong(d, low);
    U.putLong(d + 8, high);
  }

  static void shufpd(long d, long a, long b, int imm) {
    long low = U.getLong(a + (imm & 1) * 8);
    long high = U.getLong(b + (imm >> 1 & 1) * 8);
    U.putLong(d, low);
    U.putLong(d + 8, high);
  }

  private static void unpackLow(long d, long a, long b, Lanes.Lane low, Lanes.Lane high) {
    long x = U.getLong(a);
    long y = U.getLong(b);
    U.putLong(d, low.apply(x, y));
    U.putLong(d + 8, high.apply(x, y));
  }

  private static void unpackHigh(long d, long a, long b, Lanes.Lane low, Lanes.Lane high) {
    long x = U.getLong(a + 8);
    long y = U.getLong(b + 8);
    U.putLong(d, low.apply(x, y));
    U.putLong(d + 8, high.apply(x, y));
  }

  static void punpcklqdq(long d, long a, long b) {
    long high = U.getLong(b);
    U.putLong(d, U.getLong(a));
    U.putLong(d + 8, high);
  }

  static void punpckhqdq(long d, long a, long b) {
    long high = U.getLong(b + 8);
    U.putLong(d, U.getLong(a + 8));
    U.putLong(d + 8, high);
  }

  /** Narrows one lane into its low half. */
  @FunctionalInterface
  private interface Narrow {
    long apply(long a);
  }

  private static void pack(long d, long a, long b, Narrow f) {
    long low = f.apply(U.getLong(a)) | f.apply(U.getLong(a + 8)) << 32;
    long high = f.apply(U.getLong(b)) | f.apply(U.getLong(b + 8)) << 32;
    U.putLong(d, low);
    U.putLong(d + 8, high);
  }

  private static void horizontal(long d, long a, long b, Lanes.Lane f) {
    long low = f.apply(U.getLong(a), U.getLong(a + 8));
    long high = f.apply(U.getLong(b), U.getLong(b + 8));
    U.putLong(d, low);
    U.putLong(d + 8, high);
  }

  static long pshufb8(long a, long b) {
    long r = 0;
    for (int i = 0; i < 8; i++) {
      int pick = Lanes.b(b, i);
      r |= pick < 0 ? 0 : Lanes.putB(Lanes.ub(a, pick & 7), i);
    }
    return r;
  }

  static void pshufb(long d, long a, long b) {
    long low = 0;
    long high = 0;
    for (int i = 0; i < 8; i++) {
      int pick = U.getByte(b + i);
      low |= pick < 0 ? 0 : Lanes.putB(U.getByte(a + (pick & 15)), i);
      pick = U.getByte(b + 8 + i);
      high |= pick < 0 ? 0 : Lanes.putB(U.getByte(a + (pick & 15)), i);
    }
    U.putLong(d, low);
    U.putLong(d + 8, high);
  }

  static long palignr8(long a, long b, int n) {
    if (n >= 16) {
      return 0;
    }
    return n >= 8 ? a >>> 8 * (n - 8) : n == 0 ? b : b >>> 8 * n | a << 64 - 8 * n;
  }

  static void palignr(long d, long a, long b, int n) {
    long s0 = U.getLong(b);
    long s1 = U.getLong(b + 8);
    long d0 = U.getLong(a);
    long d1 = U.getLong(a + 8);
    int words = n >> 3;
    int bits = (n & 7) * 8;
    long x = quad(words, s0, s1, d0, d1);
    long y = quad(words + 1, s0, s1, d0, d1);
    long z = quad(words + 2, s0, s1, d0, d1);
    U.putLong(d, bits == 0 ? x : x >>> bits | y << 64 - bits);
    U.putLong(d + 8, bits == 0 ? y : y >>> bits | z << 64 - bits);
  }

  private static long quad(int i, long s0, long s1, long d0, long d1) {
    return switch (i) {
      case 0 -> s0;
      case 1 -> s1;
      case 2 -> d0;
      case 3 -> d1;
      default -> 0;
    };
  }

  // --- inserts and extracts ---

  private static Op insert(Insn insn, int offset, int size) {
    int at = ((int) insn.imm & (16 / size - 1)) * size;
    int d = xmm(insn.reg) + at;
    if (isVex(insn)) {
      return insertVex(insn, offset, size, at);
    }
    if (insn.isMemory()) {
      Ea ea = Ea.of(insn, offset, size, false);
      return c -> putBytes(c, d, size, c.load(ea.at(c), size));
    }
    int s = gpr(insn.rm);
    return c -> putBytes(c, d, size, c.get(s, size));
  }

  private static Op insertVex(Insn insn, int offset, int size, int at) {
    int d = xmm(insn.reg);
    int a = first(insn);
    if (insn.isMemory()) {
      Ea ea = Ea.of(insn, offset, size, false);
      return c -> insertVex(c, d, a, at, size, c.load(ea.at(c), size));
    }
    int s = gpr(insn.rm);
    return c -> insertVex(c, d, a, at, size, c.get(s, size));
  }

  private static void insertVex(Cpu c, int d, int a, int at, int size, long value) {
    Operands.copy16(c.state + d, c.state + a);
    putBytes(c, d + at, size, value);
    Operands.clearUpper(c.state + d);
  }

  /** Writes {@code size} bytes of the state and nothing else. */
  private static void putBytes(Cpu c, int offset, int size, long value) {
    switch (size) {
      case 1 -> c.put8(offset, (int) value);
      case 2 -> c.put16(offset, (int) value);
      case 4 -> U.putInt(c.state + offset, (int) value);
      default -> c.put64(offset, value);
    }
  }

  private static Op pinsrwMmx(Insn insn, int offset) {
    int d = mm(insn.reg);
    int shift = ((int) insn.imm & 3) * 16;
    if (insn.isMemory()) {
      Ea ea = Ea.of(insn, offset, 2, false);
      return c -> {
        Mmx.check(c);
        long v = c.load16(ea.at(c));
        Mmx.put(c, d, (c.get64(d) & ~(0xffffL << shift)) | v << shift);
      };
    }
    int s = gpr(insn.rm);
    return c -> {
      Mmx.check(c);
      Mmx.put(c, d, (c.get64(d) & ~(0xffffL << shift)) | (long) c.get16(s) << shift);
    };
  }

  private static Op extract(Insn insn, int offset, int size) {
    int s = xmm(insn.reg) + ((int) insn.imm & (16 / size - 1)) * size;
    if (insn.isMemory()) {
      Ea ea = Ea.of(insn, offset, size, true);
      return c -> c.store(ea.at(c), size, c.get(s, size));
    }
    int d = gpr(insn.rm);
    return c -> c.put64(d, c.get(s, size));
  }

  private static Op extractToReg(Insn insn) {
    int d = gpr(insn.reg);
    int s = xmm(insn.rm) + ((int) insn.imm & 7) * 2;
    return c -> c.put64(d, c.get16(s));
  }
}
