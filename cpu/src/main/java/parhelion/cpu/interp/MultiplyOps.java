package parhelion.cpu.interp;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.Flags;
import parhelion.cpu.GuestFault;
import parhelion.cpu.decode.Insn;

/** MUL, IMUL, DIV, IDIV. */
final class MultiplyOps {
  private static final int RAX = CpuState.RAX;
  private static final int RDX = CpuState.RDX;

  private MultiplyOps() {}

  @FunctionalInterface
  private interface OneOperand {
    void apply(Cpu c, long operand, int size);
  }

  static @Nullable Op translate(Insn insn, int offset) {
    return switch (insn.mnemonic()) {
      case MUL -> oneOperand(insn, offset, MultiplyOps::mul);
      case DIV -> oneOperand(insn, offset, MultiplyOps::div);
      case IDIV -> oneOperand(insn, offset, MultiplyOps::idiv);
      case IMUL ->
          insn.opcode.operands().length == 1
              ? oneOperand(insn, offset, MultiplyOps::imul)
              : imulTruncating(insn, offset);
      default -> null;
    };
  }

  private static Op oneOperand(Insn insn, int offset, OneOperand f) {
    int size = insn.size(0);
    if (Operands.isMemory(insn, 0)) {
      Ea ea = Ea.of(insn, offset, size, false);
      return c -> f.apply(c, c.load(ea.at(c), size), size);
    }
    int s = Operands.register(insn, 0);
    return c -> f.apply(c, c.get(s, size), size);
  }

  private static Op imulTruncating(Insn insn, int offset) {
    int size = insn.size(0);
    int d = Operands.register(insn, 0);
    boolean three = insn.opcode.operands().length == 3;
    long imm = insn.imm;
    if (Operands.isMemory(insn, 1)) {
      Ea ea = Ea.of(insn, offset, size, false);
      return c -> {
        long b = c.load(ea.at(c), size);
        c.put(d, size, product(c, three ? imm : c.get(d, size), b, size));
      };
    }
    int s = Operands.register(insn, 1);
    if (size == 4) {
      return three
          ? c -> c.put32(d, (int) product(c, imm, c.get32(s), 4))
          : c -> c.put32(d, (int) product(c, c.get32(d), c.get32(s), 4));
    }
    if (size == 8) {
      return three
          ? c -> c.put64(d, product(c, imm, c.get64(s), 8))
          : c -> c.put64(d, product(c, c.get64(d), c.get64(s), 8));
    }
    return c -> c.put(d, size, product(c, three ? imm : c.get(d, size), c.get(s, size), size));
  }

  private static long signed(long value, int size) {
    int shift = 64 - 8 * size;
    return value << shift >> shift;
  }

  private static long product(Cpu c, long a, long b, int size) {
    long x = signed(a, size);
    long y = signed(b, size);
    long r = x * y;
    boolean overflow = size == 8 ? Math.multiplyHigh(x, y) != r >> 63 : signed(r, size) != r;
    Flags.result(c, r, 64 - 8 * size, overflow, overflow);
    return r;
  }

  private static void mul(Cpu c, long b, int size) {
    long a = c.get(RAX, size);
    boolean wide;
    long low = a * b;
    switch (size) {
      case 1 -> {
        c.put16(RAX, (int) low);
        wide = low >>> 8 != 0;
      }
      case 2 -> {
        c.put16(RAX, (int) low);
        c.put16(RDX, (int) (low >>> 16));
        wide = low >>> 16 != 0;
      }
      case 4 -> {
        c.put32(RAX, (int) low);
        c.put32(RDX, (int) (low >>> 32));
        wide = low >>> 32 != 0;
      }
      default -> {
        long high = Math.unsignedMultiplyHigh(a, b);
        c.put64(RAX, low);
        c.put64(RDX, high);
        wide = high != 0;
      }
    }
    Flags.result(c, low, 64 - 8 * size, wide, wide);
  }

  private static void imul(Cpu c, long b, int size) {
    long x = signed(c.get(RAX, size), size);
    long y = signed(b, size);
    long low = product(c, x, y, size);
    switch (size) {
      case 1 -> c.put16(RAX, (int) low);
      case 2 -> {
        c.put16(RAX, (int) low);
        c.put16(RDX, (int) (low >>> 16));
      }
      case 4 -> {
        c.put32(RAX, (int) low);
        c.put32(RDX, (int) (low >>> 32));
      }
      default -> {
        c.put64(RAX, low);
        c.put64(RDX, Math.multiplyHigh(x, y));
      }
    }
  }

  private static void div(Cpu c, long b, int size) {
    if (b == 0) {
      throw c.fault(GuestFault.DE);
    }
    if (size == 8) {
      long high = c.get64(RDX);
      long low = c.get64(RAX);
      if (Long.compareUnsigned(high, b) >= 0) {
        throw c.fault(GuestFault.DE);
      }
      long q = high == 0 ? Long.divideUnsigned(low, b) : divideWide(high, low, b);
      c.put64(RAX, q);
      c.put64(RDX, low - q * b);
      return;
    }
    int bits = 8 * size;
    long a = size == 1 ? c.get16(RAX) : (c.get(RDX, size) << bits) | c.get(RAX, size);
    long q = Long.divideUnsigned(a, b);
    long r = a - q * b;
    if (q >>> bits != 0) {
      throw c.fault(GuestFault.DE);
    }
    putQuotient(c, q, r, size);
  }

  private static void putQuotient(Cpu c, long q, long r, int size) {
    if (size == 1) {
      c.put16(RAX, (int) ((q & 0xff) | (r & 0xff) << 8));
    } else {
      c.put(RAX, size, q);
      c.put(RDX, size, r);
    }
  }

  /**
   * Quotient of the 128-bit {@code high:low} by {@code d}, all unsigned, where high < d: schoolbook
   * with 32-bit digits.
   */
  private static long divideWide(long high, long low, long d) {
    int s = Long.numberOfLeadingZeros(d);
    d <<= s;
    long dHigh = d >>> 32;
    long dLow = d & 0xffffffffL;
    long n = s == 0 ? high : (high << s) | (low >>> (64 - s));
    long rest = low << s;
    long q1 = digit(n, rest >>> 32, dHigh, dLow);
    long n2 = (n << 32) + (rest >>> 32) - q1 * d;
    long q0 = digit(n2, rest & 0xffffffffL, dHigh, dLow);
    return (q1 << 32) + q0;
  }

  private static long digit(long n, long next, long dHigh, long dLow) {
    long q = Long.divideUnsigned(n, dHigh);
    long r = n - q * dHigh;
    while (q >>> 32 != 0 || Long.compareUnsigned(q * dLow, (r << 32) | next) > 0) {
      q--;
      r += dHigh;
      if (r >>> 32 != 0) {
        break;
      }
    }
    return q;
  }

  private static void idiv(Cpu c, long operand, int size) {
    long b = signed(operand, size);
    if (b == 0) {
      throw c.fault(GuestFault.DE);
    }
    if (size == 8) {
      idiv64(c, b);
      return;
    }
    int bits = 8 * size;
    long a =
        switch (size) {
          case 1 -> (short) c.get16(RAX);
          case 2 -> (int) ((c.get16(RDX) << 16) | c.get16(RAX));
          default -> (c.get64(RDX) << 32) | (c.get32(RAX) & 0xffffffffL);
        };
    if (a == Long.MIN_VALUE && b == -1) {
      throw c.fault(GuestFault.DE);
    }
    long q = a / b;
    if (q != q << (64 - bits) >> (64 - bits)) {
      throw c.fault(GuestFault.DE);
    }
    putQuotient(c, q, a - q * b, size);
  }

  private static void idiv64(Cpu c, long b) {
    long high = c.get64(RDX);
    long low = c.get64(RAX);
    boolean negative = high < 0;
    long aLow = negative ? -low : low;
    long aHigh = negative ? ~high + (low == 0 ? 1 : 0) : high;
    long d = Math.abs(b);
    if (Long.compareUnsigned(aHigh, d) >= 0) {
      throw c.fault(GuestFault.DE);
    }
    long q = aHigh == 0 ? Long.divideUnsigned(aLow, d) : divideWide(aHigh, aLow, d);
    long r = aLow - q * d;
    boolean negativeQuotient = negative != (b < 0);
    if (q < 0 && !(negativeQuotient && q == Long.MIN_VALUE)) {
      throw c.fault(GuestFault.DE);
    }
    c.put64(RAX, negativeQuotient ? -q : q);
    c.put64(RDX, negative ? -r : r);
  }
}
