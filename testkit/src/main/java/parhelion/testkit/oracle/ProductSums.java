package parhelion.testkit.oracle;

import static parhelion.cpu.memory.Host.U;

import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Opcode;

/**
 * Operands of FMA and of VCVTPS2PH that random bits would hardly ever be: sums that cancel the
 * product nearly, or end in the middle between two results.
 */
final class ProductSums {
  private static final int REG = 0;
  private static final int VVVV = 1;
  private static final int RM = 2;

  private final Insn insn;
  private final MachineState state;

  /** Host address of the operand in memory. */
  private final long memory;

  private ProductSums(Insn insn, MachineState state, long memory) {
    this.insn = insn;
    this.state = state;
    this.memory = memory;
  }

  /** Makes what is added a multiple by a power of two of the rounded product, or its neighbour. */
  static void cancel(Insn insn, MachineState s, long memory, FastRandom r) {
    ProductSums p = new ProductSums(insn, s, memory);
    int form = insn.opcode.code() >> 4;
    int x = form == 9 ? REG : VVVV;
    int y = form == 10 ? REG : RM;
    int z = form == 9 ? VVVV : form == 10 ? RM : REG;
    boolean doubles = insn.opcode.has(Opcode.W1);
    int lanes = insn.vectorLength / 8;
    for (int i = 0; i < lanes; i++) {
      long a = p.get(x, i);
      long b = p.get(y, i);
      if (doubles) {
        p.put(z, i, near(Double.longBitsToDouble(a), Double.longBitsToDouble(b), r));
      } else {
        long low = near((int) a, (int) b, r) & 0xffffffffL;
        p.put(z, i, low | (long) near((int) (a >>> 32), (int) (b >>> 32), r) << 32);
      }
    }
  }

  private static long near(double x, double y, FastRandom r) {
    double product = Math.scalb(x * y, r.oneIn(2) ? 0 : r.between(-110, 110));
    return Double.doubleToRawLongBits(r.oneIn(2) ? -product : product) + r.between(-1, 2);
  }

  private static int near(int x, int y, FastRandom r) {
    float product = Float.intBitsToFloat(x) * Float.intBitsToFloat(y);
    float scaled = Math.scalb(product, r.oneIn(2) ? 0 : r.between(-52, 52));
    return Float.floatToRawIntBits(r.oneIn(2) ? -scaled : scaled) + r.between(-1, 2);
  }

  /** Floats of twelve significant bits: half-precision numbers and those in the middle. */
  static void shorten(Insn insn, MachineState s, FastRandom r) {
    ProductSums p = new ProductSums(insn, s, 0);
    for (int i = 0; i < 4; i++) {
      long mask = r.oneIn(2) ? 0xfffff000fffff000L : -1L;
      p.put(REG, i, p.get(REG, i) & mask);
    }
  }

  private int register(int operand) {
    return operand == REG ? insn.reg : operand == VVVV ? insn.vvvv : insn.rm;
  }

  private static int at(int register, int lane) {
    return MachineState.vector((lane >> 1) * 32 + register * 2 + (lane & 1));
  }

  private long get(int operand, int lane) {
    return operand == RM && insn.isMemory()
        ? U.getLongUnaligned(null, memory + 8 * lane)
        : state.get64(at(register(operand), lane));
  }

  private void put(int operand, int lane, long value) {
    if (operand == RM && insn.isMemory()) {
      U.putLongUnaligned(null, memory + 8 * lane, value);
    } else {
      state.put64(at(register(operand), lane), value);
    }
  }
}
