package parhelion.cpu.interp;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.Flags;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Operand;

/** BMI1, BMI2 and ADX on general registers; TZCNT and LZCNT are with the bit scans. */
final class BmiOps {
  /** {@code a} and {@code b} are the sources in the order of the row's operands, zero-extended. */
  @FunctionalInterface
  private interface Function {
    long apply(Cpu c, long a, long b, int size);
  }

  private BmiOps() {}

  static @Nullable Op translate(Insn insn, int offset) {
    return switch (insn.mnemonic()) {
      case ANDN -> three(insn, offset, (c, a, b, size) -> Flags.logic(c, ~a & b, 64 - 8 * size));
      case BEXTR -> three(insn, offset, BmiOps::extract);
      case BZHI -> three(insn, offset, BmiOps::zeroHigh);
      case PEXT -> three(insn, offset, (c, a, b, size) -> Long.compress(a, b));
      case PDEP -> three(insn, offset, (c, a, b, size) -> Long.expand(a, b));
      case SHLX -> three(insn, offset, (c, a, n, size) -> a << (n & 8L * size - 1));
      case SHRX -> three(insn, offset, (c, a, n, size) -> a >>> (n & 8L * size - 1));
      case SARX -> three(insn, offset, BmiOps::shiftSigned);
      case BLSR -> two(insn, offset, (c, a, b, size) -> lowest(c, a, a & a - 1, size, a == 0));
      case BLSMSK -> two(insn, offset, (c, a, b, size) -> lowest(c, a, a ^ a - 1, size, a == 0));
      case BLSI -> two(insn, offset, (c, a, b, size) -> lowest(c, a, a & -a, size, a != 0));
      case RORX -> {
        int n = (int) insn.imm;
        yield two(
            insn,
            offset,
            (c, a, b, size) ->
                size == 8 ? Long.rotateRight(a, n) : Integer.rotateRight((int) a, n));
      }
      case MULX -> multiply(insn, offset);
      case ADCX -> addWithFlag(insn, offset, true);
      case ADOX -> addWithFlag(insn, offset, false);
      default -> null;
    };
  }

  /** Destination, one source in a register or memory. */
  private static Op two(Insn insn, int offset, Function f) {
    int size = insn.size(0);
    int d = Operands.register(insn, 0);
    if (insn.isMemory()) {
      Ea ea = Ea.of(insn, offset, size, false);
      return c -> c.put(d, size, f.apply(c, c.load(ea.at(c), size), 0, size));
    }
    int s = Operands.register(insn, 1);
    return c -> c.put(d, size, f.apply(c, c.get(s, size), 0, size));
  }

  /** Destination and two sources, one of which may be in memory. */
  private static Op three(Insn insn, int offset, Function f) {
    int size = insn.size(0);
    int d = Operands.register(insn, 0);
    boolean memoryFirst = Operands.kind(insn, 1) == Operand.Kind.E;
    if (insn.isMemory()) {
      int s = Operands.register(insn, memoryFirst ? 2 : 1);
      Ea ea = Ea.of(insn, offset, size, false);
      return memoryFirst
          ? c -> {
            long a = c.load(ea.at(c), size);
            c.put(d, size, f.apply(c, a, c.get(s, size), size));
          }
          : c -> {
            long b = c.load(ea.at(c), size);
            c.put(d, size, f.apply(c, c.get(s, size), b, size));
          };
    }
    int s = Operands.register(insn, 1);
    int t = Operands.register(insn, 2);
    return c -> c.put(d, size, f.apply(c, c.get(s, size), c.get(t, size), size));
  }

  /** Flags of BLSR, BLSMSK and BLSI. */
  private static long lowest(Cpu c, long a, long r, int size, boolean carry) {
    Flags.result(c, r, 64 - 8 * size, carry, false);
    return r;
  }

  private static long extract(Cpu c, long a, long control, int size) {
    int start = (int) control & 0xff;
    int length = (int) (control >>> 8) & 0xff;
    long r = start > 63 ? 0 : a >>> start;
    if (length < 64) {
      r &= (1L << length) - 1;
    }
    Flags.result(c, r, 64 - 8 * size, false, false);
    return r;
  }

  private static long zeroHigh(Cpu c, long a, long index, int size) {
    int n = (int) index & 0xff;
    boolean whole = n > 8 * size - 1;
    long r = whole ? a : a & (1L << n) - 1;
    Flags.result(c, r, 64 - 8 * size, whole, false);
    return r;
  }

  private static long shiftSigned(Cpu c, long a, long n, int size) {
    return size == 8 ? a >> n : (int) a >> n;
  }

  /** MULX: the high half goes to the first operand, which wins if both are one register. */
  private static Op multiply(Insn insn, int offset) {
    int size = insn.size(0);
    int high = Operands.register(insn, 0);
    int low = Operands.register(insn, 1);
    if (insn.isMemory()) {
      Ea ea = Ea.of(insn, offset, size, false);
      return c -> multiply(c, high, low, c.load(ea.at(c), size), size);
    }
    int s = Operands.register(insn, 2);
    return c -> multiply(c, high, low, c.get(s, size), size);
  }

  private static void multiply(Cpu c, int high, int low, long b, int size) {
    long a = c.get(CpuState.RDX, size);
    if (size == 8) {
      c.put64(low, a * b);
      c.put64(high, Math.unsignedMultiplyHigh(a, b));
    } else {
      c.put32(low, (int) (a * b));
      c.put32(high, (int) (a * b >>> 32));
    }
  }

  /** ADCX adds with CF, ADOX with OF; each leaves all other flags. */
  private static Op addWithFlag(Insn insn, int offset, boolean carry) {
    int size = insn.size(0);
    int d = Operands.register(insn, 0);
    if (insn.isMemory()) {
      Ea ea = Ea.of(insn, offset, size, false);
      return c -> addWithFlag(c, d, c.load(ea.at(c), size), size, carry);
    }
    int s = Operands.register(insn, 1);
    return c -> addWithFlag(c, d, c.get(s, size), size, carry);
  }

  private static void addWithFlag(Cpu c, int d, long b, int size, boolean carry) {
    long a = c.get(d, size);
    long r = a + b + ((carry ? Flags.cf(c) : Flags.of(c)) ? 1 : 0);
    boolean out = size == 8 ? ((a & b | (a | b) & ~r) < 0) : r >>> 32 != 0;
    c.put(d, size, r);
    Flags.keepCarryOverflow(c, carry ? out : Flags.cf(c), carry ? Flags.of(c) : out);
  }
}
