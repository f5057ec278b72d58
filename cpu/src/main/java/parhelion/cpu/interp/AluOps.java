package parhelion.cpu.interp;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.Flags;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Mnemonic;

/**
 * Two-operand arithmetic and logic (ADD to CMP, TEST) and one-operand INC, DEC, NEG, NOT. The
 * frequent 32- and 64-bit forms have a lambda each; every form, those included, is also covered by
 * the general one through {@link Function}.
 */
final class AluOps {
  /** {@code result = f(a, b)}, flags set; shift is 64 minus the operand's bits. */
  @FunctionalInterface
  interface Function {
    long apply(Cpu c, long a, long b, int shift);
  }

  private AluOps() {}

  static @Nullable Function function(Mnemonic mnemonic) {
    return switch (mnemonic) {
      case ADD -> Flags::add;
      case ADC -> Flags::adc;
      case SUB, CMP -> Flags::sub;
      case SBB -> Flags::sbb;
      case AND, TEST -> (c, a, b, shift) -> Flags.logic(c, a & b, shift);
      case OR -> (c, a, b, shift) -> Flags.logic(c, a | b, shift);
      case XOR -> (c, a, b, shift) -> Flags.logic(c, a ^ b, shift);
      case INC -> (c, a, b, shift) -> Flags.inc(c, a, shift);
      case DEC -> (c, a, b, shift) -> Flags.dec(c, a, shift);
      case NEG -> (c, a, b, shift) -> Flags.sub(c, 0, a, shift);
      case NOT -> (c, a, b, shift) -> ~a;
      default -> null;
    };
  }

  static @Nullable Op translate(Insn insn, int offset) {
    Mnemonic m = insn.mnemonic();
    Function f = function(m);
    if (f == null) {
      return null;
    }
    int size = insn.size(0);
    boolean unary = insn.opcode.operands().length == 1;
    boolean discard = m == Mnemonic.CMP || m == Mnemonic.TEST;
    if (Operands.isMemory(insn, 0)) {
      return memoryDestination(insn, offset, m, f, size, unary, discard);
    }
    int d = Operands.register(insn, 0);
    if (unary) {
      return unary(m, f, d, size);
    }
    if (Operands.isImmediate(insn, 1)) {
      return registerImmediate(m, f, d, Operands.immediate(insn, 1), size, discard);
    }
    if (Operands.isMemory(insn, 1)) {
      return registerMemory(m, f, d, Ea.of(insn, offset, size, false), size, discard);
    }
    return registerRegister(m, f, d, Operands.register(insn, 1), size, discard);
  }

  private static Op unary(Mnemonic m, Function f, int d, int size) {
    if (size == 8) {
      switch (m) {
        case INC:
          return c -> c.put64(d, Flags.inc(c, c.get64(d), 0));
        case DEC:
          return c -> c.put64(d, Flags.dec(c, c.get64(d), 0));
        case NOT:
          return c -> c.put64(d, ~c.get64(d));
        case NEG:
          return c -> c.put64(d, Flags.sub64(c, 0, c.get64(d)));
        default:
      }
    } else if (size == 4) {
      switch (m) {
        case INC:
          return c -> c.put32(d, (int) Flags.inc(c, c.get32(d), 32));
        case DEC:
          return c -> c.put32(d, (int) Flags.dec(c, c.get32(d), 32));
        case NOT:
          return c -> c.put32(d, ~c.get32(d));
        case NEG:
          return c -> c.put32(d, Flags.sub32(c, 0, c.get32(d)));
        default:
      }
    }
    int shift = 64 - 8 * size;
    return c -> c.put(d, size, f.apply(c, c.get(d, size), 0, shift));
  }

  private static Op registerRegister(
      Mnemonic m, Function f, int d, int s, int size, boolean discard) {
    if (size == 8) {
      switch (m) {
        case ADD:
          return c -> c.put64(d, Flags.add64(c, c.get64(d), c.get64(s)));
        case SUB:
          return c -> c.put64(d, Flags.sub64(c, c.get64(d), c.get64(s)));
        case CMP:
          return c -> Flags.sub64(c, c.get64(d), c.get64(s));
        case AND:
          return c -> c.put64(d, Flags.logic64(c, c.get64(d) & c.get64(s)));
        case OR:
          return c -> c.put64(d, Flags.logic64(c, c.get64(d) | c.get64(s)));
        case XOR:
          return c -> c.put64(d, Flags.logic64(c, c.get64(d) ^ c.get64(s)));
        case TEST:
          return c -> Flags.logic64(c, c.get64(d) & c.get64(s));
        default:
      }
    } else if (size == 4) {
      switch (m) {
        case ADD:
          return c -> c.put32(d, Flags.add32(c, c.get32(d), c.get32(s)));
        case SUB:
          return c -> c.put32(d, Flags.sub32(c, c.get32(d), c.get32(s)));
        case CMP:
          return c -> Flags.sub32(c, c.get32(d), c.get32(s));
        case AND:
          return c -> c.put32(d, Flags.logic32(c, c.get32(d) & c.get32(s)));
        case OR:
          return c -> c.put32(d, Flags.logic32(c, c.get32(d) | c.get32(s)));
        case XOR:
          return c -> c.put32(d, Flags.logic32(c, c.get32(d) ^ c.get32(s)));
        case TEST:
          return c -> Flags.logic32(c, c.get32(d) & c.get32(s));
        default:
      }
    } else if (size == 1 && m == Mnemonic.TEST) {
      return c -> Flags.logic32(c, (byte) (c.get8(d) & c.get8(s)));
    }
    int shift = 64 - 8 * size;
    if (discard) {
      return c -> f.apply(c, c.get(d, size), c.get(s, size), shift);
    }
    return c -> c.put(d, size, f.apply(c, c.get(d, size), c.get(s, size), shift));
  }

  private static Op registerImmediate(
      Mnemonic m, Function f, int d, long imm, int size, boolean discard) {
    if (size == 8) {
      switch (m) {
        case ADD:
          return c -> c.put64(d, Flags.add64(c, c.get64(d), imm));
        case SUB:
          return c -> c.put64(d, Flags.sub64(c, c.get64(d), imm));
        case CMP:
          return c -> Flags.sub64(c, c.get64(d), imm);
        case AND:
          return c -> c.put64(d, Flags.logic64(c, c.get64(d) & imm));
        case TEST:
          return c -> Flags.logic64(c, c.get64(d) & imm);
        default:
      }
    } else if (size == 4) {
      int imm32 = (int) imm;
      switch (m) {
        case ADD:
          return c -> c.put32(d, Flags.add32(c, c.get32(d), imm32));
        case SUB:
          return c -> c.put32(d, Flags.sub32(c, c.get32(d), imm32));
        case CMP:
          return c -> Flags.sub32(c, c.get32(d), imm32);
        case AND:
          return c -> c.put32(d, Flags.logic32(c, c.get32(d) & imm32));
        case OR:
          return c -> c.put32(d, Flags.logic32(c, c.get32(d) | imm32));
        case XOR:
          return c -> c.put32(d, Flags.logic32(c, c.get32(d) ^ imm32));
        case TEST:
          return c -> Flags.logic32(c, c.get32(d) & imm32);
        default:
      }
    } else if (size == 1) {
      int imm8 = (int) imm;
      switch (m) {
        case CMP:
          return c -> Flags.sub(c, c.get8(d), imm8, 56);
        case TEST:
          return c -> Flags.logic32(c, (byte) (c.get8(d) & imm8));
        default:
      }
    }
    int shift = 64 - 8 * size;
    if (discard) {
      return c -> f.apply(c, c.get(d, size), imm, shift);
    }
    return c -> c.put(d, size, f.apply(c, c.get(d, size), imm, shift));
  }

  private static Op registerMemory(
      Mnemonic m, Function f, int d, Ea ea, int size, boolean discard) {
    if (size == 8) {
      switch (m) {
        case ADD:
          return c -> c.put64(d, Flags.add64(c, c.get64(d), c.load64(ea.at(c))));
        case SUB:
          return c -> c.put64(d, Flags.sub64(c, c.get64(d), c.load64(ea.at(c))));
        case AND:
          return c -> c.put64(d, Flags.logic64(c, c.get64(d) & c.load64(ea.at(c))));
        case OR:
          return c -> c.put64(d, Flags.logic64(c, c.get64(d) | c.load64(ea.at(c))));
        case XOR:
          return c -> c.put64(d, Flags.logic64(c, c.get64(d) ^ c.load64(ea.at(c))));
        case CMP:
          return c -> Flags.sub64(c, c.get64(d), c.load64(ea.at(c)));
        default:
      }
    } else if (size == 4) {
      switch (m) {
        case ADD:
          return c -> c.put32(d, Flags.add32(c, c.get32(d), c.load32(ea.at(c))));
        case SUB:
          return c -> c.put32(d, Flags.sub32(c, c.get32(d), c.load32(ea.at(c))));
        case AND:
          return c -> c.put32(d, Flags.logic32(c, c.get32(d) & c.load32(ea.at(c))));
        case OR:
          return c -> c.put32(d, Flags.logic32(c, c.get32(d) | c.load32(ea.at(c))));
        case XOR:
          return c -> c.put32(d, Flags.logic32(c, c.get32(d) ^ c.load32(ea.at(c))));
        case CMP:
          return c -> Flags.sub32(c, c.get32(d), c.load32(ea.at(c)));
        default:
      }
    }
    int shift = 64 - 8 * size;
    if (discard) {
      return c -> f.apply(c, c.get(d, size), c.load(ea.at(c), size), shift);
    }
    return c -> c.put(d, size, f.apply(c, c.get(d, size), c.load(ea.at(c), size), shift));
  }

  private static Op memoryDestination(
      Insn insn, int offset, Mnemonic m, Function f, int size, boolean unary, boolean discard) {
    Ea ea = Ea.of(insn, offset, size, !discard);
    int shift = 64 - 8 * size;
    boolean immediate = unary || Operands.isImmediate(insn, 1);
    long imm = unary ? 0 : immediate ? Operands.immediate(insn, 1) : 0;
    int s = immediate ? 0 : Operands.register(insn, 1);
    if (insn.lock) {
      return c -> locked(c, f, ea.at(c), size, immediate ? imm : c.get(s, size));
    }
    if (discard) {
      return immediate ? compareImmediate(m, f, ea, imm, size) : compareRegister(m, f, ea, s, size);
    }
    if (immediate) {
      return c -> {
        long va = ea.at(c);
        c.store(va, size, f.apply(c, c.loadForWrite(va, size), imm, shift));
      };
    }
    return c -> {
      long va = ea.at(c);
      c.store(va, size, f.apply(c, c.loadForWrite(va, size), c.get(s, size), shift));
    };
  }

  private static Op compareImmediate(Mnemonic m, Function f, Ea ea, long imm, int size) {
    boolean cmp = m == Mnemonic.CMP;
    int imm32 = (int) imm;
    if (size == 8 && cmp) {
      return c -> Flags.sub64(c, c.load64(ea.at(c)), imm);
    } else if (size == 4 && cmp) {
      return c -> Flags.sub32(c, c.load32(ea.at(c)), imm32);
    } else if (size == 1) {
      return cmp
          ? c -> Flags.sub(c, c.load8(ea.at(c)), imm32, 56)
          : c -> Flags.logic32(c, (byte) (c.load8(ea.at(c)) & imm32));
    }
    int shift = 64 - 8 * size;
    return c -> f.apply(c, c.load(ea.at(c), size), imm, shift);
  }

  private static Op compareRegister(Mnemonic m, Function f, Ea ea, int s, int size) {
    if (m == Mnemonic.CMP && size == 8) {
      return c -> Flags.sub64(c, c.load64(ea.at(c)), c.get64(s));
    } else if (m == Mnemonic.CMP && size == 4) {
      return c -> Flags.sub32(c, c.load32(ea.at(c)), c.get32(s));
    }
    int shift = 64 - 8 * size;
    return c -> f.apply(c, c.load(ea.at(c), size), c.get(s, size), shift);
  }

  /**
   * LOCK form: retried until nobody else wrote in between; the flags that went in are restored for
   * each try.
   */
  private static void locked(Cpu c, Function f, long va, int size, long b) {
    long res = c.fRes;
    long aux = c.fAux;
    while (true) {
      long a = c.loadForWrite(va, size);
      long r = f.apply(c, a, b, 64 - 8 * size);
      if (c.compareAndSet(va, size, a, r)) {
        return;
      }
      c.fRes = res;
      c.fAux = aux;
    }
  }
}
