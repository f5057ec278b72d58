package parhelion.cpu.fpu;

import static parhelion.cpu.fpu.Operands.aligned;
import static parhelion.cpu.fpu.Operands.clearUpper;
import static parhelion.cpu.fpu.Operands.copy16;
import static parhelion.cpu.fpu.Operands.first;
import static parhelion.cpu.fpu.Operands.gpr;
import static parhelion.cpu.fpu.Operands.isVex;
import static parhelion.cpu.fpu.Operands.kind;
import static parhelion.cpu.fpu.Operands.mm;
import static parhelion.cpu.fpu.Operands.mustAlign;
import static parhelion.cpu.fpu.Operands.operation;
import static parhelion.cpu.fpu.Operands.store;
import static parhelion.cpu.fpu.Operands.xmm;
import static parhelion.cpu.memory.Host.U;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Operand;
import parhelion.cpu.interp.Ea;
import parhelion.cpu.interp.Op;

/**
 * Moves between XMM, MMX, general registers and memory. Non-temporal hints are ordinary stores
 * here.
 */
final class SseMoveOps {
  private SseMoveOps() {}

  static @Nullable Op translate(Insn insn, int offset) {
    return switch (operation(insn)) {
      case MOVAPS,
          MOVAPD,
          MOVDQA,
          MOVUPS,
          MOVUPD,
          MOVDQU,
          LDDQU,
          MOVNTPS,
          MOVNTPD,
          MOVNTDQ,
          MOVNTDQA ->
          whole(insn, offset);
      case MOVSS -> scalar(insn, offset, 4);
      case MOVSD -> scalar(insn, offset, 8);
      case MOVLPS, MOVLPD -> half(insn, offset, 0);
      case MOVHPS, MOVHPD -> half(insn, offset, 8);
      case MOVHLPS -> halfToHalf(insn, 0, 8);
      case MOVLHPS -> halfToHalf(insn, 8, 0);
      case MOVD, MOVQ -> movdq(insn, offset);
      case MOVNTQ -> storeMmx(insn, offset, 8);
      case MOVQ2DQ -> movq2dq(insn);
      case MOVDQ2Q -> movdq2q(insn);
      case MASKMOVQ, MASKMOVDQU -> maskmov(insn, offset);
      case MOVDDUP -> Operands.bind(insn, offset, SseMoveOps::movddup);
      case MOVSLDUP -> Operands.bind(insn, offset, SseMoveOps::movsldup);
      case MOVSHDUP -> Operands.bind(insn, offset, SseMoveOps::movshdup);
      case MOVMSKPS -> movmsk(insn, true);
      case MOVMSKPD -> movmsk(insn, false);
      default -> null;
    };
  }

  /** The first operand is memory or a register in ModRM.rm. */
  private static boolean isStore(Insn insn) {
    Operand.Kind k = kind(insn, 0);
    return k == Operand.Kind.W
        || k == Operand.Kind.M
        || k == Operand.Kind.E
        || k == Operand.Kind.Q
        || k == Operand.Kind.R;
  }

  private static Op whole(Insn insn, int offset) {
    boolean store = isStore(insn);
    int r = xmm(insn.reg);
    int bytes = insn.vectorLength;
    if (!insn.isMemory()) {
      int d = store ? xmm(insn.rm) : r;
      int s = store ? r : xmm(insn.rm);
      if (isVex(insn)) {
        return c -> copyVex(c.state + d, c.state + s, bytes);
      }
      return c -> copy16(c.state + d, c.state + s);
    }
    Ea ea = Ea.of(insn, offset, bytes, store);
    if (store) {
      return mustAlign(insn)
          ? c -> store(c, aligned(c, ea.at(c), bytes), c.state + r, bytes)
          : c -> store(c, ea.at(c), c.state + r, bytes);
    }
    if (isVex(insn)) {
      return mustAlign(insn)
          ? c -> copyVex(c.state + r, c.readPointer(aligned(c, ea.at(c), bytes), bytes), bytes)
          : c -> copyVex(c.state + r, c.readPointer(ea.at(c), bytes), bytes);
    }
    return mustAlign(insn)
        ? c -> copy16(c.state + r, c.readPointer(aligned(c, ea.at(c)), 16))
        : c -> copy16(c.state + r, c.readPointer(ea.at(c), 16));
  }

  private static void copyVex(long d, long s, int bytes) {
    Operands.copy(d, s, bytes);
    if (bytes == 16) {
      clearUpper(d);
    }
  }

  /** MOVSS, MOVSD: loads clear the rest of the register, register moves leave it. */
  private static Op scalar(Insn insn, int offset, int size) {
    boolean store = isStore(insn);
    int r = xmm(insn.reg);
    if (!insn.isMemory()) {
      store |= kind(insn, 0) == Operand.Kind.U;
      int d = store ? xmm(insn.rm) : r;
      int s = store ? r : xmm(insn.rm);
      if (isVex(insn)) {
        int a = first(insn);
        return c -> SseFloatOps.scalar(c, d, a, size, c.get64(s));
      }
      return size == 4 ? c -> U.putInt(c.state + d, c.get32(s)) : c -> c.put64(d, c.get64(s));
    }
    Ea ea = Ea.of(insn, offset, size, store);
    return store ? storeLow(r, ea, size) : loadLow(insn, ea, size);
  }

  private static Op storeLow(int r, Ea ea, int size) {
    return size == 4 ? c -> c.store32(ea.at(c), c.get32(r)) : c -> c.store64(ea.at(c), c.get64(r));
  }

  /** A load of 4 or 8 bytes that clears the rest of the register. */
  private static Op loadLow(Insn insn, Ea ea, int size) {
    int r = xmm(insn.reg);
    if (isVex(insn)) {
      return c -> low(c, r, c.load(ea.at(c), size), true);
    }
    return size == 4
        ? c -> {
          c.put64(r, c.load32(ea.at(c)) & 0xffffffffL);
          c.put64(r + 8, 0);
        }
        : c -> {
          c.put64(r, c.load64(ea.at(c)));
          c.put64(r + 8, 0);
        };
  }

  private static void low(Cpu c, int d, long value, boolean vex) {
    c.put64(d, value);
    c.put64(d + 8, 0);
    if (vex) {
      clearUpper(c.state + d);
    }
  }

  private static Op half(Insn insn, int offset, int at) {
    if (!insn.isMemory()) {
      // 0F 12 and 0F 16 with a register are MOVHLPS and MOVLHPS.
      return halfToHalf(insn, at, 8 - at);
    }
    int r = xmm(insn.reg) + at;
    boolean store = isStore(insn);
    Ea ea = Ea.of(insn, offset, 8, store);
    if (store) {
      return c -> c.store64(ea.at(c), c.get64(r));
    }
    if (isVex(insn)) {
      int d = xmm(insn.reg);
      int a = first(insn);
      return c -> replaceHalf(c, d, a, at, c.load64(ea.at(c)));
    }
    return c -> c.put64(r, c.load64(ea.at(c)));
  }

  private static Op halfToHalf(Insn insn, int to, int from) {
    int d = xmm(insn.reg);
    int s = xmm(insn.rm) + from;
    if (isVex(insn)) {
      int a = first(insn);
      return c -> replaceHalf(c, d, a, to, c.get64(s));
    }
    return c -> c.put64(d + to, c.get64(s));
  }

  /** With VEX: {@code value} at {@code at}, the other half from the first source. */
  private static void replaceHalf(Cpu c, int d, int a, int at, long value) {
    c.put64(d + 8 - at, c.get64(a + 8 - at));
    c.put64(d + at, value);
    clearUpper(c.state + d);
  }

  private static Op movdq(Insn insn, int offset) {
    Operand.Kind first = kind(insn, 0);
    Operand.Kind second = kind(insn, 1);
    boolean store = isStore(insn);
    boolean mmx = Operands.isMmx(insn);
    if (first == Operand.Kind.E || first == Operand.Kind.R) {
      return mmx ? storeMmx(insn, offset, insn.size(0)) : storeXmm(insn, offset, insn.size(0));
    }
    if (second == Operand.Kind.E || second == Operand.Kind.R) {
      return mmx ? loadMmx(insn, offset, insn.size(1)) : loadXmm(insn, offset, insn.size(1));
    }
    if (mmx) {
      if (!insn.isMemory()) {
        int d = mm(store ? insn.rm : insn.reg);
        int s = mm(store ? insn.reg : insn.rm);
        return c -> {
          Mmx.check(c);
          Mmx.put(c, d, c.get64(s));
        };
      }
      return store ? storeMmx(insn, offset, 8) : loadMmx(insn, offset, 8);
    }
    if (!insn.isMemory()) {
      int d = xmm(store ? insn.rm : insn.reg);
      int s = xmm(store ? insn.reg : insn.rm);
      boolean vex = isVex(insn);
      return c -> low(c, d, c.get64(s), vex);
    }
    Ea ea = Ea.of(insn, offset, 8, store);
    return store ? storeLow(xmm(insn.reg), ea, 8) : loadLow(insn, ea, 8);
  }

  private static Op storeXmm(Insn insn, int offset, int size) {
    int s = xmm(insn.reg);
    if (insn.isMemory()) {
      return storeLow(s, Ea.of(insn, offset, size, true), size);
    }
    int d = gpr(insn.rm);
    return size == 8 ? c -> c.put64(d, c.get64(s)) : c -> c.put32(d, c.get32(s));
  }

  private static Op loadXmm(Insn insn, int offset, int size) {
    int d = xmm(insn.reg);
    if (insn.isMemory()) {
      return loadLow(insn, Ea.of(insn, offset, size, false), size);
    }
    int s = gpr(insn.rm);
    boolean vex = isVex(insn);
    return c -> low(c, d, c.get(s, size), vex);
  }

  private static Op storeMmx(Insn insn, int offset, int size) {
    int s = mm(insn.reg);
    if (insn.isMemory()) {
      Ea ea = Ea.of(insn, offset, size, true);
      return c -> {
        Mmx.check(c);
        c.store(ea.at(c), size, c.get64(s));
        Mmx.enter(c);
      };
    }
    int d = gpr(insn.rm);
    return c -> {
      Mmx.check(c);
      c.put(d, size, c.get64(s));
      Mmx.enter(c);
    };
  }

  private static Op loadMmx(Insn insn, int offset, int size) {
    int d = mm(insn.reg);
    if (insn.isMemory()) {
      Ea ea = Ea.of(insn, offset, size, false);
      return c -> {
        Mmx.check(c);
        Mmx.put(c, d, c.load(ea.at(c), size));
      };
    }
    int s = gpr(insn.rm);
    return c -> {
      Mmx.check(c);
      Mmx.put(c, d, c.get(s, size));
    };
  }

  private static Op movq2dq(Insn insn) {
    int d = xmm(insn.reg);
    int s = mm(insn.rm);
    return c -> {
      Mmx.check(c);
      c.put64(d, c.get64(s));
      c.put64(d + 8, 0);
      Mmx.enter(c);
    };
  }

  private static Op movdq2q(Insn insn) {
    int d = mm(insn.reg);
    int s = xmm(insn.rm);
    return c -> {
      Mmx.check(c);
      Mmx.put(c, d, c.get64(s));
    };
  }

  /** Bytes of the first operand whose mask byte has its sign set go to DS:rDI. */
  private static Op maskmov(Insn insn, int offset) {
    boolean mmx = Operands.isMmx(insn);
    insn.base = 7;
    Ea ea = Ea.of(insn, offset, mmx ? 8 : 16, true);
    insn.base = Insn.NONE;
    if (mmx) {
      int data = mm(insn.reg);
      int mask = mm(insn.rm);
      return c -> {
        Mmx.check(c);
        storeMasked(c, ea.at(c), c.state + data, c.state + mask, 8);
        Mmx.enter(c);
      };
    }
    int data = xmm(insn.reg);
    int mask = xmm(insn.rm);
    return c -> storeMasked(c, ea.at(c), c.state + data, c.state + mask, 16);
  }

  private static void storeMasked(Cpu c, long va, long data, long mask, int size) {
    for (int i = 0; i < size; i++) {
      if (U.getByte(mask + i) < 0) {
        c.checkWritable(va + i, 1);
      }
    }
    for (int i = 0; i < size; i++) {
      if (U.getByte(mask + i) < 0) {
        c.store8(va + i, U.getByte(data + i));
      }
    }
  }

  static void movddup(long d, long a, long s) {
    long v = U.getLong(s);
    U.putLong(d, v);
    U.putLong(d + 8, v);
  }

  static void movsldup(long d, long a, long s) {
    int low = U.getInt(s);
    int high = U.getInt(s + 8);
    U.putLong(d, Lanes.pair(low, low));
    U.putLong(d + 8, Lanes.pair(high, high));
  }

  static void movshdup(long d, long a, long s) {
    int low = U.getInt(s + 4);
    int high = U.getInt(s + 12);
    U.putLong(d, Lanes.pair(low, low));
    U.putLong(d + 8, Lanes.pair(high, high));
  }

  private static Op movmsk(Insn insn, boolean single) {
    int d = gpr(insn.reg);
    int s = xmm(insn.rm);
    int bytes = insn.vectorLength;
    int element = single ? 4 : 8;
    return c -> {
      int mask = 0;
      for (int i = 0; i < bytes; i += element) {
        mask |= c.get8(s + i + element - 1) >> 7 << i / element;
      }
      c.put64(d, mask);
    };
  }
}
