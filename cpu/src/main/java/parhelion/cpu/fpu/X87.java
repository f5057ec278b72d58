package parhelion.cpu.fpu;

import static parhelion.cpu.memory.Host.U;

import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;

/**
 * Access to the x87 state in {@link CpuState}: the register stack, status and control words (SDM
 * volume 1, chapter 8). The tag word holds 3 for an empty register and 0 for any other; zero and
 * special are told apart when the word is stored, as processors do.
 */
final class X87 {
  static final int IE = 1;
  static final int DE = 2;
  static final int ZE = 4;
  static final int OE = 8;
  static final int UE = 16;
  static final int PE = 32;

  /** Status word: stack fault, exception summary, condition codes, busy. */
  static final int SF = 0x40;

  static final int ES = 0x80;
  static final int C0 = 0x100;
  static final int C1 = 0x200;
  static final int C2 = 0x400;
  static final int C3 = 0x4000;
  static final int BUSY = 0x8000;
  static final int CONDITION = C0 | C1 | C2 | C3;

  /** Control word bits that always read 0, and the one that always reads 1. */
  private static final int FCW_RESERVED = 0xe0c0;

  private static final int FCW_ONE = 0x40;

  private X87() {}

  static int fsw(Cpu c) {
    return U.getShort(c.state + CpuState.FSW) & 0xffff;
  }

  static void fsw(Cpu c, int value) {
    U.putShort(c.state + CpuState.FSW, (short) value);
  }

  static int fcw(Cpu c) {
    return U.getShort(c.state + CpuState.FCW) & 0xffff;
  }

  static void fcw(Cpu c, int value) {
    U.putShort(c.state + CpuState.FCW, (short) (value & ~FCW_RESERVED | FCW_ONE));
  }

  static int tags(Cpu c) {
    return U.getShort(c.state + CpuState.FTW) & 0xffff;
  }

  static void tags(Cpu c, int value) {
    U.putShort(c.state + CpuState.FTW, (short) value);
  }

  static int top(Cpu c) {
    return fsw(c) >> 11 & 7;
  }

  static void top(Cpu c, int top) {
    fsw(c, fsw(c) & ~0x3800 | (top & 7) << 11);
  }

  /** Physical number of ST(i). */
  static int physical(Cpu c, int i) {
    return top(c) + i & 7;
  }

  /** Host address of ST(i). */
  static long st(Cpu c, int i) {
    return c.state + CpuState.X87 + physical(c, i) * 16;
  }

  static boolean isEmpty(Cpu c, int i) {
    return (tags(c) >> 2 * physical(c, i) & 3) == 3;
  }

  static void free(Cpu c, int i) {
    tags(c, tags(c) | 3 << 2 * physical(c, i));
  }

  static void fill(Cpu c, int i) {
    tags(c, tags(c) & ~(3 << 2 * physical(c, i)));
  }

  static void push(Cpu c) {
    top(c, top(c) - 1);
    fill(c, 0);
  }

  static void pop(Cpu c) {
    free(c, 0);
    top(c, top(c) + 1);
  }

  /** Sets ES and B from the exception flags and masks. */
  static void updateSummary(Cpu c) {
    int fsw = fsw(c) & ~(ES | BUSY);
    fsw(c, (fsw & ~fcw(c) & 0x3f) != 0 ? fsw | ES | BUSY : fsw);
  }

  static void init(Cpu c) {
    U.putShort(c.state + CpuState.FCW, (short) 0x37f);
    fsw(c, 0);
    tags(c, 0xffff);
    c.put64(CpuState.FOP, 0);
    c.put64(CpuState.FIP, 0);
    c.put64(CpuState.FDP, 0);
    c.put64(CpuState.FCS, 0);
    c.put64(CpuState.FDS, 0);
  }

  /** Raises the #MF of a pending exception: at the start of every waiting instruction. */
  static void check(Cpu c) {
    Mmx.check(c);
  }

  static int fullTags(Cpu c) {
    int tags = tags(c);
    for (int i = 0; i < 8; i++) {
      if ((tags >> 2 * i & 3) != 3) {
        tags = tags & ~(3 << 2 * i) | classify(c.state + CpuState.X87 + i * 16) << 2 * i;
      }
    }
    return tags;
  }

  /** Tag of a non-empty register: 0 valid, 1 zero, 2 special. */
  private static int classify(long register) {
    long significand = U.getLong(register);
    int exponent = U.getShort(register + 8) & 0x7fff;
    if (exponent == 0) {
      return significand == 0 ? 1 : 2;
    }
    return exponent == 0x7fff || significand >= 0 ? 2 : 0;
  }

  /** Sets empty or not from a full tag word. */
  static void loadTags(Cpu c, int full) {
    int tags = 0;
    for (int i = 0; i < 8; i++) {
      tags |= (full >> 2 * i & 3) == 3 ? 3 << 2 * i : 0;
    }
    tags(c, tags);
  }

  /** One bit a register: 1 for not empty, as in FXSAVE. */
  static int abridgedTags(Cpu c) {
    int tags = tags(c);
    int bits = 0;
    for (int i = 0; i < 8; i++) {
      bits |= (tags >> 2 * i & 3) == 3 ? 0 : 1 << i;
    }
    return bits;
  }

  static void loadAbridgedTags(Cpu c, int bits) {
    int tags = 0;
    for (int i = 0; i < 8; i++) {
      tags |= (bits >> i & 1) != 0 ? 0 : 3 << 2 * i;
    }
    tags(c, tags);
  }

  static boolean isInitial(Cpu c) {
    if (fcw(c) != 0x37f || fsw(c) != 0 || tags(c) != 0xffff) {
      return false;
    }
    if ((c.get64(CpuState.FIP) | c.get64(CpuState.FDP) | c.get64(CpuState.FOP)) != 0) {
      return false;
    }
    for (int i = 0; i < 8; i++) {
      long register = c.state + CpuState.X87 + i * 16;
      if (U.getLong(register) != 0 || U.getShort(register + 8) != 0) {
        return false;
      }
    }
    return true;
  }
}
