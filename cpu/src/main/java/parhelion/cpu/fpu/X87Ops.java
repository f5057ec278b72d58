package parhelion.cpu.fpu;

import static parhelion.cpu.memory.Host.U;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.GuestFault;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.interp.Ea;
import parhelion.cpu.interp.Op;

/**
 * The x87 instructions: arithmetic and dispatch to the other families. Each op raises a pending
 * #MF, reads memory, notes the instruction's address and opcode as the last one, and computes with
 * the CPU's {@link FloatUnit}.
 */
final class X87Ops {
  private static final int ADD = 0;
  private static final int MUL = 1;
  private static final int SUB = 4;
  private static final int SUBR = 5;
  private static final int DIV = 6;
  private static final int DIVR = 7;

  private X87Ops() {}

  /** What an instruction does once it may run. */
  @FunctionalInterface
  interface Body {
    void run(Cpu c, FloatUnit u);
  }

  /** The same with the value of its memory operand, zero-extended. */
  @FunctionalInterface
  interface Loaded {
    void run(Cpu c, FloatUnit u, long value);
  }

  /**
   * The same with the address of the memory operand that it writes; throws before it changes
   * anything.
   */
  @FunctionalInterface
  interface Stored {
    void run(Cpu c, FloatUnit u, long va);
  }

  /** The same with a 10-byte memory operand. */
  @FunctionalInterface
  interface Extended {
    void run(Cpu c, long low, int high);
  }

  static @Nullable Op translate(Insn insn, int offset, int modeKey) {
    Op op = X87ControlOps.translate(insn, offset);
    if (op == null) {
      op = arithmetic(insn, offset);
    }
    if (op == null) {
      op = X87LoadStoreOps.translate(insn, offset);
    }
    if (op == null) {
      op = X87CompareOps.translate(insn, offset);
    }
    if (op == null) {
      op = X87FunctionOps.translate(insn, offset);
    }
    boolean absent = (modeKey & (Cpu.MODE_EM | Cpu.MODE_TS)) != 0;
    return op != null && absent ? Operands.raise(GuestFault.NM) : op;
  }

  // --- binding ---

  private static int fop(Insn insn) {
    return (insn.opcode.code() & 7) << 8 | insn.modrm & 0xff;
  }

  private static void note(Cpu c, int offset, int fop) {
    c.put64(CpuState.FIP, c.get64(CpuState.RIP_BASE) + offset);
    c.put64(CpuState.FOP, fop);
    c.put64(CpuState.FCS, c.codeBits == 64 ? 0 : c.get16(CpuState.SEG_SELECTOR + CpuState.CS * 8));
  }

  static Op bind(Insn insn, int offset, Body f) {
    int fop = fop(insn);
    return c -> {
      X87.check(c);
      note(c, offset, fop);
      FloatUnit u = c.floats;
      u.beginX87(X87.fcw(c));
      f.run(c, u);
    };
  }

  static Op bindLoad(Insn insn, int offset, int size, Loaded f) {
    int fop = fop(insn);
    int segment = insn.segment();
    Ea ea = Ea.of(insn, offset, size, false);
    return c -> {
      X87.check(c);
      long va = ea.at(c);
      long value = c.load(va, size);
      note(c, offset, fop);
      noteData(c, segment, va);
      FloatUnit u = c.floats;
      u.beginX87(X87.fcw(c));
      f.run(c, u, value);
    };
  }

  /** A load of 10 bytes; the lower 8 and the upper 2. */
  static Op bindLoad10(Insn insn, int offset, Extended f) {
    int fop = fop(insn);
    int segment = insn.segment();
    Ea ea = Ea.of(insn, offset, 10, false);
    return c -> {
      X87.check(c);
      long va = ea.at(c);
      long p = c.readPointer(va, 10);
      note(c, offset, fop);
      noteData(c, segment, va);
      c.floats.beginX87(X87.fcw(c));
      f.run(c, U.getLong(p), U.getShort(p + 8) & 0xffff);
    };
  }

  static Op bindStore(Insn insn, int offset, int size, Stored f) {
    int fop = fop(insn);
    int segment = insn.segment();
    Ea ea = Ea.of(insn, offset, size, true);
    return c -> {
      X87.check(c);
      long va = ea.at(c);
      FloatUnit u = c.floats;
      u.beginX87(X87.fcw(c));
      f.run(c, u, va);
      note(c, offset, fop);
      noteData(c, segment, va);
    };
  }

  /** The last data pointer: an offset within its segment. */
  private static void noteData(Cpu c, int segment, long va) {
    boolean wide = c.codeBits == 64;
    c.put64(CpuState.FDP, wide ? va : va - c.get64(CpuState.SEG_BASE + segment * 8) & 0xffffffffL);
    c.put64(CpuState.FDS, wide ? 0 : c.get16(CpuState.SEG_SELECTOR + segment * 8));
  }

  // --- arithmetic ---

  private static @Nullable Op arithmetic(Insn insn, int offset) {
    return switch (insn.mnemonic()) {
      case FADD -> binary(insn, offset, ADD, false);
      case FMUL -> binary(insn, offset, MUL, false);
      case FSUB -> binary(insn, offset, SUB, false);
      case FSUBR -> binary(insn, offset, SUBR, false);
      case FDIV -> binary(insn, offset, DIV, false);
      case FDIVR -> binary(insn, offset, DIVR, false);
      case FADDP -> binary(insn, offset, ADD, true);
      case FMULP -> binary(insn, offset, MUL, true);
      case FSUBP -> binary(insn, offset, SUB, true);
      case FSUBRP -> binary(insn, offset, SUBR, true);
      case FDIVP -> binary(insn, offset, DIV, true);
      case FDIVRP -> binary(insn, offset, DIVR, true);
      case FIADD -> integer(insn, offset, ADD);
      case FIMUL -> integer(insn, offset, MUL);
      case FISUB -> integer(insn, offset, SUB);
      case FISUBR -> integer(insn, offset, SUBR);
      case FIDIV -> integer(insn, offset, DIV);
      case FIDIVR -> integer(insn, offset, DIVR);
      default -> null;
    };
  }

  private static Op binary(Insn insn, int offset, int operation, boolean pop) {
    if (insn.isMemory()) {
      int size = insn.size(0);
      return bindLoad(
          insn,
          offset,
          size,
          (c, u, value) -> {
            if (X87.isEmpty(c, 0)) {
              underflow(c, 0, false);
              return;
            }
            X87.a(c, u, 0);
            if (size == 4) {
              u.b32((int) value);
            } else {
              u.b64(value);
            }
            compute(c, u, operation, 0, false);
          });
    }
    int i = insn.rm & 7;
    // D8 works on ST(0), DC and DE on ST(i).
    boolean toTop = insn.opcode.code() == 0xd8;
    int d = toTop ? 0 : i;
    int s = toTop ? i : 0;
    return bind(
        insn,
        offset,
        (c, u) -> {
          if (X87.isEmpty(c, d) || X87.isEmpty(c, s)) {
            underflow(c, d, pop);
            return;
          }
          X87.a(c, u, d);
          X87.b(c, u, s);
          compute(c, u, operation, d, pop);
        });
  }

  private static Op integer(Insn insn, int offset, int operation) {
    int size = insn.size(0);
    return bindLoad(
        insn,
        offset,
        size,
        (c, u, value) -> {
          if (X87.isEmpty(c, 0)) {
            underflow(c, 0, false);
            return;
          }
          X87.a(c, u, 0);
          u.bInteger(size == 2 ? (short) value : (int) value);
          compute(c, u, operation, 0, false);
        });
  }

  /** Stack underflow of an instruction with result ST(d). */
  static void underflow(Cpu c, int d, boolean pop) {
    if (X87.stackFault(c, false)) {
      X87.putDefaultNan(c, d);
      if (pop) {
        X87.pop(c);
      }
    }
  }

  private static void compute(Cpu c, FloatUnit u, int operation, int d, boolean pop) {
    int signExponent;
    if (u.aClass >= FloatUnit.QNAN || u.bClass >= FloatUnit.QNAN) {
      signExponent = X87.nan(u);
    } else {
      if (operation == SUBR || operation == DIVR) {
        u.swap();
      }
      switch (operation) {
        case ADD -> u.add(false);
        case MUL -> u.multiply();
        case SUB, SUBR -> u.add(true);
        default -> u.divide();
      }
      signExponent = u.to80(X87.precision(c));
    }
    if (X87.commit(c, u)) {
      X87.put(c, d, u.hi, signExponent);
      if (pop) {
        X87.pop(c);
      }
    }
  }

  /** Delivers a result to ST(0). */
  static void deliver(Cpu c, FloatUnit u, int signExponent) {
    if (X87.commit(c, u)) {
      X87.put(c, 0, u.hi, signExponent);
    }
  }

  static long significand(Cpu c, int i) {
    return U.getLong(X87.st(c, i));
  }

  static int signExponent(Cpu c, int i) {
    return U.getShort(X87.st(c, i) + 8) & 0xffff;
  }
}
