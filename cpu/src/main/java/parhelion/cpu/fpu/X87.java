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

  static final long DEFAULT_NAN = 0xc000000000000000L;

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

  // --- results and exceptions ---

  static void put(Cpu c, int i, long significand, int signExponent) {
    long st = st(c, i);
    U.putLong(st, significand);
    U.putShort(st + 8, (short) signExponent);
    fill(c, i);
  }

  static void putDefaultNan(Cpu c, int i) {
    put(c, i, DEFAULT_NAN, 0xffff);
  }

  static void a(Cpu c, FloatUnit u, int i) {
    long st = st(c, i);
    u.a80(U.getLong(st), U.getShort(st + 8));
  }

  static void b(Cpu c, FloatUnit u, int i) {
    long st = st(c, i);
    u.b80(U.getLong(st), U.getShort(st + 8));
  }

  /** Significand bits that the control word's precision control asks for. */
  static int precision(Cpu c) {
    return switch (fcw(c) >> 8 & 3) {
      case 0 -> 24;
      case 2 -> 53;
      default -> 64;
    };
  }

  /** Stack underflow or overflow; true if it is masked, so that the default NaN is delivered. */
  static boolean stackFault(Cpu c, boolean overflow) {
    int fsw = fsw(c) & ~C1 | IE | SF | (overflow ? C1 : 0);
    boolean masked = (fcw(c) & IE) != 0;
    fsw(c, masked ? fsw : fsw | ES | BUSY);
    return masked;
  }

  /**
   * Adds the unit's exceptions to the status word, and C1. False when an unmasked one (invalid,
   * denormal, divide by zero) forbids the result; an unmasked overflow, underflow or inexact result
   * is delivered and the exception stays pending.
   */
  static boolean commit(Cpu c, FloatUnit u) {
    int fsw = fsw(c) & ~C1;
    int raised = u.flags;
    int unmasked = raised & ~fcw(c) & 0x3f;
    if (unmasked == 0) {
      fsw(c, fsw | raised | (u.up ? C1 : 0));
      return true;
    }
    if ((unmasked & 7) != 0) {
      fsw(c, fsw | raised & 7 | ES | BUSY);
      return false;
    }
    fsw(c, fsw | raised | ES | BUSY | (u.up ? C1 : 0));
    return true;
  }

  /**
   * The NaN that a NaN or unsupported operand a or b gives: significand in the unit's {@code hi},
   * sign and exponent returned. Of two the one with the larger significand, but a quiet one before
   * a signalling one (SDM volume 1, table 4-7).
   */
  static int nan(FloatUnit u) {
    if (u.aClass == FloatUnit.UNSUPPORTED || u.bClass == FloatUnit.UNSUPPORTED) {
      return defaultNan(u);
    }
    if (u.aClass == FloatUnit.SNAN || u.bClass == FloatUnit.SNAN) {
      u.flags |= IE;
    }
    boolean takeA;
    if (u.aClass < FloatUnit.QNAN || u.bClass < FloatUnit.QNAN) {
      takeA = u.aClass >= FloatUnit.QNAN;
    } else if (u.aClass != u.bClass) {
      takeA = u.aClass == FloatUnit.QNAN;
    } else {
      int order = Long.compareUnsigned(u.aSig, u.bSig);
      takeA = order > 0 || (order == 0 && !u.aSign);
    }
    u.hi = (takeA ? u.aSig : u.bSig) | 1L << 62;
    return (takeA ? u.aSign : u.bSign) ? 0xffff : 0x7fff;
  }

  static int defaultNan(FloatUnit u) {
    u.flags |= IE;
    u.hi = DEFAULT_NAN;
    return 0xffff;
  }

  /** The same for an operand b alone. */
  static int nanB(FloatUnit u) {
    u.aClass = FloatUnit.NORMAL;
    return nan(u);
  }

  static void condition(Cpu c, int codes) {
    fsw(c, fsw(c) & ~CONDITION | codes);
  }
}
