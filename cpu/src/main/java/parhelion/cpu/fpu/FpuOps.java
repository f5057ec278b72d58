package parhelion.cpu.fpu;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.decode.Opcode;
import parhelion.cpu.interp.Op;

/**
 * The way into the floating-point and vector families: every row of the opcode map that has the
 * attribute X87 or SSE (x87, MMX, SSE to SSE4.2, AVX and its kin), and the state instructions
 * FXSAVE, FXRSTOR, XSAVE, XSAVEOPT, XSAVEC, XRSTOR, LDMXCSR, STMXCSR, FWAIT, MOVNTI and CRC32.
 */
public final class FpuOps {
  private FpuOps() {}

  /**
   * The op for {@code insn} in the CPU mode {@code modeKey}, or null if the instruction is not of
   * these families.
   */
  public static @Nullable Op translate(Insn insn, int offset, int modeKey) {
    Opcode opcode = insn.opcode;
    Op state = StateOps.translate(insn, offset, modeKey);
    if (state != null) {
      return state;
    }
    if (insn.mnemonic() == Mnemonic.FWAIT) {
      return X87ControlOps.translate(insn, offset);
    }
    if (opcode.has(Opcode.SSE)) {
      Op op = sse(insn, offset);
      Op gate = Operands.sseGate(insn, modeKey);
      return op == null || gate == null ? op : gate;
    }
    if (opcode.has(Opcode.X87)) {
      return opcode.map() == 0
          ? X87Ops.translate(insn, offset, modeKey)
          : mmx(insn, offset, modeKey);
    }
    return insn.mnemonic() == Mnemonic.CRC32 ? Sse4Ops.translate(insn, offset) : null;
  }

  private static @Nullable Op mmx(Insn insn, int offset, int modeKey) {
    Op op =
        insn.mnemonic() == Mnemonic.EMMS
            ? c -> {
              X87.check(c);
              Mmx.enter(c);
              X87.tags(c, 0xffff);
            }
            : sse(insn, offset);
    Op gate = Operands.mmxGate(modeKey);
    return op == null || gate == null ? op : gate;
  }

  private static @Nullable Op sse(Insn insn, int offset) {
    Op op = SseMoveOps.translate(insn, offset);
    if (op == null) {
      op = SseIntegerOps.translate(insn, offset);
    }
    if (op == null) {
      op = SseShuffleOps.translate(insn, offset);
    }
    if (op == null) {
      op = Sse4Ops.translate(insn, offset);
    }
    if (op == null) {
      op = SseFloatOps.translate(insn, offset);
    }
    if (op == null) {
      op = SseConvertOps.translate(insn, offset);
    }
    if (op == null) {
      op = StringCompareOps.translate(insn, offset);
    }
    if (op == null) {
      op = AesOps.translate(insn, offset);
    }
    if (op == null) {
      op = ShaOps.translate(insn, offset);
    }
    if (op == null && Operands.isVex(insn)) {
      op = avx(insn, offset);
    }
    return op;
  }

  private static @Nullable Op avx(Insn insn, int offset) {
    Op op = AvxOps.translate(insn, offset);
    if (op == null) {
      op = GatherOps.translate(insn, offset);
    }
    if (op == null) {
      op = FmaOps.translate(insn, offset);
    }
    return op;
  }
}
