package parhelion.cpu.fpu;

import static parhelion.cpu.memory.Host.U;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.Flags;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.fpu.X87Ops.Body;
import parhelion.cpu.interp.Op;

/** x87 loads, stores, constants, exchanges and conditional moves. */
final class X87LoadStoreOps {
  private static final long BCD_LIMIT = 999_999_999_999_999_999L;

  private X87LoadStoreOps() {}

  static @Nullable Op translate(Insn insn, int offset) {
    return switch (insn.mnemonic()) {
      case FLD -> fld(insn, offset);
      case FILD -> fild(insn, offset);
      case FBLD -> fbld(insn, offset);
      case FST -> fst(insn, offset, false);
      case FSTP -> fst(insn, offset, true);
      case FIST -> fist(insn, offset, false, false);
      case FISTP -> fist(insn, offset, true, false);
      case FISTTP -> fist(insn, offset, true, true);
      case FBSTP -> fbstp(insn, offset);
      case FXCH -> fxch(insn, offset);
      case FLD1 -> constant(insn, offset, 0x3fff, Long.MIN_VALUE, 0);
      case FLDZ -> constant(insn, offset, 0, 0, 0);
      case FLDPI -> constant(insn, offset, 0x4000, 0xc90fdaa22168c234L, 0xc4c6628b80dc1cd1L);
      case FLDL2T -> constant(insn, offset, 0x4000, 0xd49a784bcd1b8afeL, 0x492bf6ff4dafdb4dL);
      case FLDL2E -> constant(insn, offset, 0x3fff, 0xb8aa3b295c17f0bbL, 0xbe87fed0691d3e88L);
      case FLDLG2 -> constant(insn, offset, 0x3ffd, 0x9a209a84fbcff798L, 0x8f8959ac0b7c9178L);
      case FLDLN2 -> constant(insn, offset, 0x3ffe, 0xb17217f7d1cf79abL, 0xc9e3b39803f2f6afL);
      case FCMOVB -> fcmov(insn, offset, 2);
      case FCMOVE -> fcmov(insn, offset, 4);
      case FCMOVBE -> fcmov(insn, offset, 6);
      case FCMOVU -> fcmov(insn, offset, 10);
      case FCMOVNB -> fcmov(insn, offset, 3);
      case FCMOVNE -> fcmov(insn, offset, 5);
      case FCMOVNBE -> fcmov(insn, offset, 7);
      case FCMOVNU -> fcmov(insn, offset, 11);
      default -> null;
    };
  }

  // --- loads ---

  /**
   * Whether there is room for a push; else the stack fault is raised and, if masked, the default
   * NaN pushed.
   */
  static boolean hasRoom(Cpu c) {
    if (X87.isEmpty(c, 7)) {
      return true;
    }
    if (X87.stackFault(c, true)) {
      X87.push(c);
      X87.putDefaultNan(c, 0);
    }
    return false;
  }

  private static void push(Cpu c, long significand, int signExponent) {
    X87.push(c);
    X87.put(c, 0, significand, signExponent);
  }

  /** Pushes with C1 clear and no exception. */
  private static void pushExact(Cpu c, long significand, int signExponent) {
    if (hasRoom(c)) {
      X87.fsw(c, X87.fsw(c) & ~X87.C1);
      push(c, significand, signExponent);
    }
  }

  private static Op fld(Insn insn, int offset) {
    if (!insn.isMemory()) {
      int i = insn.rm & 7;
      return X87Ops.bind(
          insn,
          offset,
          (c, u) -> {
            if (X87.isEmpty(c, i)) {
              if (X87.stackFault(c, false)) {
                X87.push(c);
                X87.putDefaultNan(c, 0);
              }
              return;
            }
            pushExact(c, X87Ops.significand(c, i), X87Ops.signExponent(c, i));
          });
    }
    int size = insn.size(0);
    if (size == 10) {
      return X87Ops.bindLoad10(insn, offset, X87LoadStoreOps::pushExact);
    }
    return X87Ops.bindLoad(
        insn,
        offset,
        size,
        (c, u, value) -> {
          if (!hasRoom(c)) {
            return;
          }
          if (size == 4) {
            u.b32((int) value);
          } else {
            u.b64(value);
          }
          int signExponent;
          if (u.bClass >= FloatUnit.QNAN) {
            signExponent = X87.nanB(u);
          } else {
            u.copy();
            signExponent = u.to80(64);
          }
          // Only an invalid operand prevents the push: an unmasked DE stays pending.
          if (X87.commit(c, u) || (u.flags & X87.IE) == 0) {
            push(c, u.hi, signExponent);
          }
        });
  }

  private static Op fild(Insn insn, int offset) {
    int size = insn.size(0);
    return X87Ops.bindLoad(
        insn,
        offset,
        size,
        (c, u, value) -> {
          u.bInteger(size == 2 ? (short) value : size == 4 ? (int) value : value);
          u.copy();
          int signExponent = u.to80(64);
          pushExact(c, u.hi, u.kind == FloatUnit.ZERO ? 0 : signExponent);
        });
  }

  private static Op constant(Insn insn, int offset, int exponent, long significand, long rest) {
    Body body =
        (c, u) -> {
          long m = significand;
          if (rest != 0 && u.rounding == FloatUnit.UP) {
            m++;
          } else if (rest < 0 && u.rounding == FloatUnit.NEAREST) {
            m++;
          }
          pushExact(c, m, exponent);
        };
    return X87Ops.bind(insn, offset, body);
  }

  private static Op fbld(Insn insn, int offset) {
    return X87Ops.bindLoad10(
        insn,
        offset,
        (c, digits, top) -> {
          // The top two digits are in the low byte of the upper part; the sign is its bit 15.
          long value = (top & 15) + 10L * (top >> 4 & 15);
          for (int i = 15; i >= 0; i--) {
            value = value * 10 + (digits >>> 4 * i & 15);
          }
          FloatUnit u = c.floats;
          u.bInteger(value);
          u.bSign = (top & 0x8000) != 0;
          u.copy();
          int signExponent = u.to80(64);
          pushExact(c, u.hi, signExponent);
        });
  }

  // --- stores ---

  private static Op fst(Insn insn, int offset, boolean pop) {
    if (!insn.isMemory()) {
      int i = insn.rm & 7;
      // The alias D9 D8+i pops an empty register without a fault ("FSTPNCE").
      boolean unchecked = insn.opcode.code() == 0xd9;
      return X87Ops.bind(insn, offset, (c, u) -> storeRegister(c, i, pop, unchecked));
    }
    int size = insn.size(0);
    if (size == 10) {
      return X87Ops.bindStore(insn, offset, 10, X87LoadStoreOps::store80);
    }
    return X87Ops.bindStore(insn, offset, size, (c, u, va) -> storeRounded(c, u, va, size, pop));
  }

  private static void storeRegister(Cpu c, int i, boolean pop, boolean unchecked) {
    boolean empty = X87.isEmpty(c, 0);
    if (empty && !unchecked) {
      X87Ops.underflow(c, i, pop);
      return;
    }
    X87.fsw(c, X87.fsw(c) & ~X87.C1);
    if (!empty) {
      X87.put(c, i, X87Ops.significand(c, 0), X87Ops.signExponent(c, 0));
    }
    if (pop) {
      X87.pop(c);
    }
  }

  private static void store80(Cpu c, FloatUnit u, long va) {
    boolean empty = X87.isEmpty(c, 0);
    if (empty && (u.masks & X87.IE) == 0) {
      X87.stackFault(c, false);
      return;
    }
    long p = c.writePointer(va, 10);
    U.putLong(p, empty ? X87.DEFAULT_NAN : X87Ops.significand(c, 0));
    U.putShort(p + 8, (short) (empty ? 0xffff : X87Ops.signExponent(c, 0)));
    c.finishWrite(p, va, 10);
    if (empty) {
      X87.stackFault(c, false);
    } else {
      X87.fsw(c, X87.fsw(c) & ~X87.C1);
    }
    X87.pop(c);
  }

  private static void storeRounded(Cpu c, FloatUnit u, long va, int size, boolean pop) {
    boolean empty = X87.isEmpty(c, 0);
    if (empty && (u.masks & X87.IE) == 0) {
      X87.stackFault(c, false);
      return;
    }
    long bits;
    if (empty) {
      bits = size == 4 ? 0xffc00000L : 0xfff8000000000000L;
    } else {
      X87.b(c, u, 0);
      bits = rounded(u, size);
      // Unmasked exceptions but the inexact one leave memory and stack as they were.
      if ((u.flags & ~u.masks & ~X87.PE) != 0) {
        u.flags &= ~X87.PE;
        u.up = false;
        X87.commit(c, u);
        return;
      }
    }
    c.store(va, size, bits);
    if (empty) {
      X87.stackFault(c, false);
    } else {
      X87.commit(c, u);
    }
    if (pop) {
      X87.pop(c);
    }
  }

  private static long rounded(FloatUnit u, int size) {
    if (u.bClass >= FloatUnit.QNAN) {
      int signExponent = X87.nanB(u);
      long sign = (long) (signExponent >> 15) << (size == 4 ? 31 : 63);
      return size == 4
          ? sign | 0x7f800000L | u.hi >>> 40 & 0x7fffff
          : sign | 0x7ffL << 52 | u.hi >>> 11 & 0xfffffffffffffL;
    }
    u.copy();
    u.flags &= ~X87.DE;
    return size == 4 ? u.to32() & 0xffffffffL : u.to64();
  }

  private static Op fist(Insn insn, int offset, boolean pop, boolean truncate) {
    int size = insn.size(0);
    return X87Ops.bindStore(
        insn,
        offset,
        size,
        (c, u, va) -> {
          boolean empty = X87.isEmpty(c, 0);
          long value = -1L << 8 * size - 1;
          if (!empty) {
            X87.b(c, u, 0);
            value = u.toInteger(8 * size, truncate ? FloatUnit.TRUNCATE : u.rounding);
          }
          if ((empty || (u.flags & X87.IE) != 0) && (u.masks & X87.IE) == 0) {
            invalid(c, u, empty);
            return;
          }
          c.store(va, size, value);
          invalid(c, u, empty);
          if (pop) {
            X87.pop(c);
          }
        });
  }

  /** Raises the exceptions of a store: the stack fault of an empty register, or the unit's. */
  private static void invalid(Cpu c, FloatUnit u, boolean empty) {
    if (empty) {
      X87.stackFault(c, false);
    } else {
      X87.commit(c, u);
    }
  }

  private static Op fbstp(Insn insn, int offset) {
    return X87Ops.bindStore(
        insn,
        offset,
        10,
        (c, u, va) -> {
          boolean empty = X87.isEmpty(c, 0);
          long value = 0;
          if (!empty) {
            X87.b(c, u, 0);
            value = u.toInteger(64, u.rounding);
            if (Math.abs(value) > BCD_LIMIT || value == Long.MIN_VALUE) {
              u.flags = X87.IE;
              u.up = false;
            }
          }
          boolean bad = empty || (u.flags & X87.IE) != 0;
          if (bad && (u.masks & X87.IE) == 0) {
            invalid(c, u, empty);
            return;
          }
          long p = c.writePointer(va, 10);
          putDecimal(p, value, u.bSign, bad);
          c.finishWrite(p, va, 10);
          invalid(c, u, empty);
          X87.pop(c);
        });
  }

  private static void putDecimal(long p, long value, boolean negative, boolean bad) {
    if (bad) {
      U.putLong(p, 0xc000000000000000L);
      U.putShort(p + 8, (short) 0xffff);
      return;
    }
    long rest = Math.abs(value);
    for (int i = 0; i < 9; i++) {
      int two = (int) (rest % 100);
      rest /= 100;
      U.putByte(p + i, (byte) (two / 10 << 4 | two % 10));
    }
    U.putByte(p + 9, (byte) (negative ? 0x80 : 0));
  }

  // --- exchanges and moves ---

  private static Op fxch(Insn insn, int offset) {
    int i = insn.rm & 7;
    return X87Ops.bind(
        insn,
        offset,
        (c, u) -> {
          boolean fault = X87.isEmpty(c, 0) || X87.isEmpty(c, i);
          if (fault) {
            if (!X87.stackFault(c, false)) {
              return;
            }
            fillEmpty(c, 0);
            fillEmpty(c, i);
          } else {
            X87.fsw(c, X87.fsw(c) & ~X87.C1);
          }
          long significand = X87Ops.significand(c, 0);
          int signExponent = X87Ops.signExponent(c, 0);
          X87.put(c, 0, X87Ops.significand(c, i), X87Ops.signExponent(c, i));
          X87.put(c, i, significand, signExponent);
        });
  }

  private static void fillEmpty(Cpu c, int i) {
    if (X87.isEmpty(c, i)) {
      X87.putDefaultNan(c, i);
    }
  }

  private static Op fcmov(Insn insn, int offset, int condition) {
    int i = insn.rm & 7;
    return X87Ops.bind(
        insn,
        offset,
        (c, u) -> {
          if (X87.isEmpty(c, 0) || X87.isEmpty(c, i)) {
            X87Ops.underflow(c, 0, false);
            return;
          }
          if (Flags.condition(c, condition)) {
            X87.put(c, 0, X87Ops.significand(c, i), X87Ops.signExponent(c, i));
          }
        });
  }
}
