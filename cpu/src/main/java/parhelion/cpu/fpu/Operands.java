package parhelion.cpu.fpu;

import static parhelion.cpu.memory.Host.U;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.GuestFault;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.decode.Opcode;
import parhelion.cpu.decode.Operand;
import parhelion.cpu.interp.Ea;
import parhelion.cpu.interp.Op;

/**
 * Binds the operands of vector instructions to functions on raw memory. A vector operand is the
 * host address of its bytes, in the register file or in guest memory; an MMX operand is its 64
 * bits. Everything that can fault happens before the destination is touched.
 *
 * <p>An operation is written once, as a function of a destination and two sources that reads both
 * before it writes. Legacy encodings give it the destination as the first source and leave the rest
 * of the YMM register; VEX encodings give it VEX.vvvv, apply it to each 128-bit lane and clear what
 * the vector length leaves over.
 */
final class Operands {
  /** By ordinal: the mnemonic of the same operation without VEX, or itself. */
  private static final Mnemonic[] OPERATIONS = operations();

  private Operands() {}

  /** Combines 16 bytes at {@code a} and {@code b} into those at {@code d}: host addresses. */
  @FunctionalInterface
  interface Xmm {
    void apply(long d, long a, long b);
  }

  /** The same with an immediate byte. */
  @FunctionalInterface
  interface XmmImm {
    void apply(long d, long a, long b, int imm);
  }

  /**
   * Combines whole vectors of {@code bytes} (16 or 32), with the processor at hand for MXCSR and
   * its exceptions: throws before writing.
   */
  @FunctionalInterface
  interface Vector {
    void apply(Cpu c, long d, long a, long b, int bytes);
  }

  private static Mnemonic[] operations() {
    Map<String, Mnemonic> names = new HashMap<>();
    for (Mnemonic m : Mnemonic.values()) {
      names.put(m.name(), m);
    }
    Mnemonic[] found = Mnemonic.values();
    for (Mnemonic m : Mnemonic.values()) {
      if (m.name().startsWith("V")) {
        found[m.ordinal()] = names.getOrDefault(m.name().substring(1), m);
      }
    }
    return found;
  }

  /** What the instruction does, whatever its encoding: PADDB for VPADDB. */
  static Mnemonic operation(Insn insn) {
    Mnemonic m = insn.mnemonic();
    return isVex(insn) ? OPERATIONS[m.ordinal()] : m;
  }

  static boolean isVex(Insn insn) {
    return insn.opcode.has(Opcode.VEX);
  }

  /** The first source: VEX.vvvv where the row has it, else the destination. */
  static int first(Insn insn) {
    return xmm(insn.vvvv == Insn.NONE ? insn.reg : insn.vvvv);
  }

  /** Size in bytes of the last source that may be in memory. */
  static int sourceBytes(Insn insn) {
    Operand[] operands = insn.opcode.operands();
    for (int i = operands.length - 1; i > 0; i--) {
      switch (operands[i].kind()) {
        case W, U, M, E -> {
          return insn.size(i);
        }
        default -> {}
      }
    }
    throw new IllegalStateException(insn.mnemonic() + " has no source");
  }

  /** Clears the upper half of the YMM register at {@code d}. */
  static void clearUpper(long d) {
    U.putLong(d + 16, 0);
    U.putLong(d + 24, 0);
  }

  static int xmm(int reg) {
    return CpuState.XMM + reg * CpuState.XMM_STRIDE;
  }

  static int mm(int reg) {
    return CpuState.X87 + (reg & 7) * 16;
  }

  static int gpr(int reg) {
    return CpuState.GPR + reg * 8;
  }

  static Operand.Kind kind(Insn insn, int i) {
    Operand[] operands = insn.opcode.operands();
    return i < operands.length ? operands[i].kind() : Operand.Kind.I;
  }

  /**
   * The instruction works on MMX registers: no operand is an XMM register and one is an MMX
   * register.
   */
  static boolean isMmx(Insn insn) {
    boolean mmx = false;
    for (Operand operand : insn.opcode.operands()) {
      switch (operand.kind()) {
        case V, W, U -> {
          return false;
        }
        case P, Q, N -> mmx = true;
        default -> {}
      }
    }
    return mmx;
  }

  /**
   * What CR0.EM, CR0.TS and CR4.OSFXSR (of VEX encodings: CR4.OSXSAVE and XCR0) make of an
   * instruction on vector registers, or null if it may run.
   */
  static @Nullable Op sseGate(Insn insn, int modeKey) {
    boolean vex = insn.opcode.has(Opcode.VEX);
    if ((modeKey & (vex ? Cpu.MODE_NO_AVX : Cpu.MODE_EM | Cpu.MODE_NO_OSFXSR)) != 0) {
      return raise(GuestFault.UD);
    }
    return (modeKey & Cpu.MODE_TS) != 0 ? raise(GuestFault.NM) : null;
  }

  /** The same for an instruction on MMX registers. */
  static @Nullable Op mmxGate(int modeKey) {
    if ((modeKey & Cpu.MODE_EM) != 0) {
      return raise(GuestFault.UD);
    }
    return (modeKey & Cpu.MODE_TS) != 0 ? raise(GuestFault.NM) : null;
  }

  static Op raise(int vector) {
    return c -> {
      throw c.fault(vector);
    };
  }

  static long aligned(Cpu c, long va) {
    return aligned(c, va, 16);
  }

  static long aligned(Cpu c, long va, int bytes) {
    if ((va & bytes - 1) != 0) {
      throw c.fault(GuestFault.GP);
    }
    return va;
  }

  /** Whether the instruction's memory operand must lie on a boundary of its size. */
  static boolean mustAlign(Insn insn) {
    return insn.opcode.has(Opcode.ALIGNED);
  }

  /** Vector op vector or memory, of the size that the map gives the source. */
  static Op bind(Insn insn, int offset, Xmm f) {
    if (isVex(insn)) {
      return vector(
          insn,
          offset,
          (c, d, a, b, bytes) -> {
            f.apply(d, a, b);
            if (bytes == 32) {
              f.apply(d + 16, a + 16, b + 16);
            }
          });
    }
    int d = xmm(insn.reg);
    if (!insn.isMemory()) {
      int s = xmm(insn.rm);
      return c -> f.apply(c.state + d, c.state + d, c.state + s);
    }
    int size = insn.size(1);
    Ea ea = Ea.of(insn, offset, size, false);
    if (mustAlign(insn)) {
      return c ->
          f.apply(c.state + d, c.state + d, c.readPointer(aligned(c, ea.at(c), size), size));
    }
    return c -> f.apply(c.state + d, c.state + d, c.readPointer(ea.at(c), size));
  }

  static Op bindImm(Insn insn, int offset, XmmImm f) {
    return bindImm(insn, offset, 0, f);
  }

  /** Of the immediate, the upper lane has the bits from {@code shift} on. */
  static Op bindImm(Insn insn, int offset, int shift, XmmImm f) {
    int imm = (int) insn.imm & 0xff;
    if (!isVex(insn)) {
      return bind(insn, offset, (d, a, b) -> f.apply(d, a, b, imm));
    }
    int upper = imm >> shift;
    return vector(
        insn,
        offset,
        (c, d, a, b, bytes) -> {
          f.apply(d, a, b, imm);
          if (bytes == 32) {
            f.apply(d + 16, a + 16, b + 16, upper);
          }
        });
  }

  /** Whole vectors; a VEX encoding of 128 bits also clears the upper half. */
  static Op vector(Insn insn, int offset, Vector f) {
    boolean clear = isVex(insn) && insn.vectorLength == 16;
    return sources(
        insn,
        offset,
        clear
            ? (c, d, a, b, bytes) -> {
              f.apply(c, d, a, b, bytes);
              clearUpper(d);
            }
            : f);
  }

  /** The same for functions that see to the whole destination themselves, or have none. */
  static Op sources(Insn insn, int offset, Vector f) {
    int bytes = insn.vectorLength;
    int d = xmm(insn.reg);
    int a = first(insn);
    if (!insn.isMemory()) {
      int b = xmm(insn.rm);
      return c -> f.apply(c, c.state + d, c.state + a, c.state + b, bytes);
    }
    int size = sourceBytes(insn);
    Ea ea = Ea.of(insn, offset, size, false);
    if (mustAlign(insn)) {
      return c ->
          f.apply(
              c, c.state + d, c.state + a, c.readPointer(aligned(c, ea.at(c), size), size), bytes);
    }
    return c -> f.apply(c, c.state + d, c.state + a, c.readPointer(ea.at(c), size), bytes);
  }

  /**
   * The same function on every 64-bit lane, of MMX or vector registers as the row's operands say.
   */
  static Op lanes(Insn insn, int offset, Lanes.Lane f) {
    if (isMmx(insn)) {
      return mmx(insn, offset, f);
    }
    if (isVex(insn)) {
      return vector(insn, offset, (c, d, a, b, bytes) -> lanes(f, d, a, b, bytes));
    }
    int d = xmm(insn.reg);
    if (!insn.isMemory()) {
      int s = xmm(insn.rm);
      return c -> lanes(f, c.state + d, c.state + d, c.state + s, 16);
    }
    Ea ea = Ea.of(insn, offset, 16, false);
    if (mustAlign(insn)) {
      return c -> lanes(f, c.state + d, c.state + d, c.readPointer(aligned(c, ea.at(c)), 16), 16);
    }
    return c -> lanes(f, c.state + d, c.state + d, c.readPointer(ea.at(c), 16), 16);
  }

  private static void lanes(Lanes.Lane f, long d, long a, long b, int bytes) {
    U.putLong(d, f.apply(U.getLong(a), U.getLong(b)));
    U.putLong(d + 8, f.apply(U.getLong(a + 8), U.getLong(b + 8)));
    if (bytes == 32) {
      U.putLong(d + 16, f.apply(U.getLong(a + 16), U.getLong(b + 16)));
      U.putLong(d + 24, f.apply(U.getLong(a + 24), U.getLong(b + 24)));
    }
  }

  /** MM op MM/m64 (m32 where the map says so, zero-extended). */
  static Op mmx(Insn insn, int offset, Lanes.Lane f) {
    int d = mm(insn.reg);
    if (!insn.isMemory()) {
      int s = mm(insn.rm);
      return c -> {
        Mmx.check(c);
        Mmx.put(c, d, f.apply(c.get64(d), c.get64(s)));
      };
    }
    int size = insn.size(1);
    Ea ea = Ea.of(insn, offset, size, false);
    return c -> {
      Mmx.check(c);
      long s = c.load(ea.at(c), size);
      Mmx.put(c, d, f.apply(c.get64(d), s));
    };
  }

  /** Stores 16 or 32 bytes. */
  static void store(Cpu c, long va, long s, int bytes) {
    long p = c.writePointer(va, bytes);
    copy(p, s, bytes);
    c.finishWrite(p, va, bytes);
  }

  static void copy(long d, long s, int bytes) {
    copy16(d, s);
    if (bytes == 32) {
      copy16(d + 16, s + 16);
    }
  }

  static void copy16(long d, long s) {
    long low = U.getLong(s);
    U.putLong(d + 8, U.getLong(s + 8));
    U.putLong(d, low);
  }
}
