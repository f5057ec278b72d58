package parhelion.cpu.interp;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.GuestFault;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Opcode;
import parhelion.cpu.fpu.FpuOps;

/** From a decoded instruction to its op: asks each family in turn. */
public final class Translator {
  private Translator() {}

  /**
   * The op for {@code insn}, which lies {@code offset} bytes into its block, in the CPU mode {@code
   * modeKey}. Instructions that no family knows are undefined.
   */
  public static Op translate(Insn insn, int offset, int modeKey) {
    if (insn.opcode.has(Opcode.VEX) && (modeKey & Cpu.MODE_REAL) != 0) {
      return undefined(offset);
    }
    Op op = integer(insn, offset);
    if (op == null) {
      op = SystemOps.translate(insn, offset, modeKey);
    }
    if (op == null) {
      op = FpuOps.translate(insn, offset, modeKey);
    }
    return op == null ? undefined(offset) : op;
  }

  private static @Nullable Op integer(Insn insn, int offset) {
    Op op = MoveOps.translate(insn, offset);
    if (op == null) {
      op = AluOps.translate(insn, offset);
    }
    if (op == null) {
      op = ControlOps.translate(insn, offset);
    }
    if (op == null) {
      op = StackOps.translate(insn, offset);
    }
    if (op == null) {
      op = ShiftOps.translate(insn, offset);
    }
    if (op == null) {
      op = BitOps.translate(insn, offset);
    }
    if (op == null) {
      op = BmiOps.translate(insn, offset);
    }
    if (op == null) {
      op = ExchangeOps.translate(insn, offset);
    }
    if (op == null) {
      op = MultiplyOps.translate(insn, offset);
    }
    if (op == null) {
      op = StringOps.translate(insn, offset);
    }
    return op;
  }

  /** #UD, unless the monitor emulates what stands there. */
  static Op undefined(int offset) {
    return c -> {
      long next = c.get64(CpuState.RIP);
      c.rip(c.get64(CpuState.RIP_BASE) + offset);
      if (!c.monitor.undefined(c)) {
        c.rip(next);
        throw c.fault(GuestFault.UD);
      }
    };
  }
}
