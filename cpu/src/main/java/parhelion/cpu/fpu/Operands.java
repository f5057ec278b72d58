package parhelion.cpu.fpu;

import static parhelion.cpu.memory.Host.U;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.GuestFault;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Opcode;
import parhelion.cpu.decode.Operand;
import parhelion.cpu.interp.Ea;
import parhelion.cpu.interp.Op;

/**
 * Binds the operands of MMX and SSE instructions to functions on raw memory. An XMM operand is the
 * host address of its 16 bytes, in the register file or in guest memory; an MMX operand is its 64
 * bits. Everything that can fault happens before the destination is touched.
 */
final class Operands {
  private Operands() {}

  /**
   * Combines the 16 bytes at {@code d} with those at {@code s} into {@code d}; host addresses,
   * possibly the same.
   */
  @FunctionalInterface
  interface Xmm {
    void apply(long d, long s);
  }

  /** The same with an immediate byte. */
  @FunctionalInterface
  interface XmmImm {
    void apply(long d, long s, int imm);
  }

  /** The same with the processor at hand, for MXCSR and its exceptions: throws before writing. */
  @FunctionalInterface
  interface XmmCpu {
    void apply(Cpu c, long d, long s);
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
    if ((va & 15) != 0) {
      throw c.fault(GuestFault.GP);
    }
    return va;
  }

  /** Whether the instruction's memory operand must lie on a 16-byte boundary. */
  static boolean mustAlign(Insn insn) {
    return insn.opcode.has(Opcode.ALIGNED);
  }

  /** XMM op XMM/m of the size that the map gives the source. */
  static Op bind(Insn insn, int offset, Xmm f) {
    int d = xmm(insn.reg);
    if (!insn.isMemory()) {
      int s = xmm(insn.rm);
      return c -> f.apply(c.state + d, c.state + s);
    }
    int size = insn.size(1);
    Ea ea = Ea.of(insn, offset, size, false);
    if (mustAlign(insn)) {
      return c -> f.apply(c.state + d, c.readPointer(aligned(c, ea.at(c)), 16));
    }
    return c -> f.apply(c.state + d, c.readPointer(ea.at(c), size));
  }

  static Op bindImm(Insn insn, int offset, XmmImm f) {
    int imm = (int) insn.imm & 0xff;
    return bind(insn, offset, (d, s) -> f.apply(d, s, imm));
  }

  static Op bindCpu(Insn insn, int offset, XmmCpu f) {
    int d = xmm(insn.reg);
    if (!insn.isMemory()) {
      int s = xmm(insn.rm);
      return c -> f.apply(c, c.state + d, c.state + s);
    }
    int size = insn.size(1);
    Ea ea = Ea.of(insn, offset, size, false);
    if (mustAlign(insn)) {
      return c -> f.apply(c, c.state + d, c.readPointer(aligned(c, ea.at(c)), 16));
    }
    return c -> f.apply(c, c.state + d, c.readPointer(ea.at(c), size));
  }

  /** The same function on every 64-bit lane, of MMX or XMM registers as the row's operands say. */
  static Op lanes(Insn insn, int offset, Lanes.Lane f) {
    if (isMmx(insn)) {
      return mmx(insn, offset, f);
    }
    int d = xmm(insn.reg);
    if (!insn.isMemory()) {
      int s = xmm(insn.rm);
      return c -> apply(f, c.state + d, c.state + s);
    }
    Ea ea = Ea.of(insn, offset, 16, false);
    if (mustAlign(insn)) {
      return c -> apply(f, c.state + d, c.readPointer(aligned(c, ea.at(c)), 16));
    }
    return c -> apply(f, c.state + d, c.readPointer(ea.at(c), 16));
  }

  private static void apply(Lanes.Lane f, long d, long s) {
    U.putLong(d, f.apply(U.getLong(d), U.getLong(s)));
    U.putLong(d + 8, f.apply(U.getLong(d + 8), U.getLong(s + 8)));
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

  /** Stores 16 bytes. */
  static void store16(Cpu c, long va, long s) {
    long low = U.getLong(s);
    long high = U.getLong(s + 8);
    long p = c.writePointer(va, 16);
    U.putLong(p, low);
    U.putLong(p + 8, high);
    c.finishWrite(p, va, 16);
  }

  static void copy16(long d, long s) {
    long low = U.getLong(s);
    U.putLong(d + 8, U.getLong(s + 8));
    U.putLong(d, low);
  }
}
