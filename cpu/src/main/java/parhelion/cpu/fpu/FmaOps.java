package parhelion.cpu.fpu;

import static parhelion.cpu.fpu.Operands.vector;
import static parhelion.cpu.fpu.Operands.xmm;
import static parhelion.cpu.memory.Host.U;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.decode.Feature;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Opcode;
import parhelion.cpu.interp.Ea;
import parhelion.cpu.interp.Op;

/**
 * FMA: a product and a sum, rounded once. The opcode says all: its high digit which operands are
 * multiplied, its low digit the signs and whether one element or all are meant.
 *
 * @param form 9: the first times the third operand, and the second is added; 10: second times
 *     first; 11: second times third
 * @param negateProduct the product is subtracted
 * @param subtractEven what is added is subtracted for elements with an even number
 * @param subtractOdd the same for those with an odd number
 * @param single floats, not doubles
 */
record FmaOps(
    int form, boolean negateProduct, boolean subtractEven, boolean subtractOdd, boolean single) {

  static @Nullable Op translate(Insn insn, int offset) {
    if (insn.opcode.feature() != Feature.FMA) {
      return null;
    }
    int code = insn.opcode.code();
    int low = code & 15;
    boolean single = !insn.opcode.has(Opcode.W1);
    if (low < 8) {
      boolean even = low == 6;
      return new FmaOps(code >> 4, false, even, !even, single).packed(insn, offset);
    }
    boolean subtract = (low & 2) != 0;
    FmaOps op = new FmaOps(code >> 4, (low & 4) != 0, subtract, subtract, single);
    return (low & 1) == 0 ? op.packed(insn, offset) : op.scalar(insn, offset);
  }

  private Op packed(Insn insn, int offset) {
    int size = single ? 4 : 8;
    return vector(
        insn,
        offset,
        (c, d, a, b, bytes) -> {
          int mxcsr = c.get32(CpuState.MXCSR);
          FloatUnit u = c.floats;
          u.begin(mxcsr);
          for (int i = 0, n = 0; i < bytes; i += size, n++) {
            boolean odd = (n & 1) != 0;
            long r = element(u, mxcsr, d + i, a + i, b + i, odd ? subtractOdd : subtractEven);
            u.result[i >> 3] = odd && single ? u.result[i >> 3] | r << 32 : r;
          }
          SseArithmetic.commit(c, mxcsr);
          u.store(d, bytes);
        });
  }

  private Op scalar(Insn insn, int offset) {
    int size = single ? 4 : 8;
    int d = xmm(insn.reg);
    int a = xmm(insn.vvvv);
    if (insn.isMemory()) {
      Ea ea = Ea.of(insn, offset, size, false);
      return c -> scalar(c, d, a, c.readPointer(ea.at(c), size));
    }
    int b = xmm(insn.rm);
    return c -> scalar(c, d, a, c.state + b);
  }

  private void scalar(Cpu c, int d, int a, long b) {
    int mxcsr = c.get32(CpuState.MXCSR);
    FloatUnit u = c.floats;
    u.begin(mxcsr);
    long r = element(u, mxcsr, c.state + d, c.state + a, b, subtractEven);
    SseArithmetic.commit(c, mxcsr);
    SseFloatOps.scalar(c, d, d, single ? 4 : 8, r);
  }

  /** One element; the operands of the instruction are at {@code p1}, {@code p2}, {@code p3}. */
  private long element(FloatUnit u, int mxcsr, long p1, long p2, long p3, boolean subtract) {
    long x = form == 9 ? p1 : p2;
    long y = form == 10 ? p1 : p3;
    long z = form == 9 ? p2 : form == 10 ? p3 : p1;
    if (single) {
      return SseArithmetic.fma32(
          u, mxcsr, U.getInt(x), U.getInt(y), U.getInt(z), negateProduct, subtract);
    }
    return SseArithmetic.fma64(
        u, mxcsr, U.getLong(x), U.getLong(y), U.getLong(z), negateProduct, subtract);
  }
}
