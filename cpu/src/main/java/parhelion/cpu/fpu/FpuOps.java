package parhelion.cpu.fpu;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.interp.Op;

/** Entry to the x87, MMX and SSE families. */
public final class FpuOps {
  private FpuOps() {}

  /** The op for an instruction of these families, or null when it is not theirs. */
  public static @Nullable Op translate(Insn insn, int offset, int modeKey) {
    return null;
  }
}
