package parhelion.cpu.interp;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.decode.Insn;

/** Pairs of instructions that run as one op. */
final class Fusion {
  private Fusion() {}

  /** The op for {@code first} followed by {@code second}, or null when the pair is not fused. */
  static @Nullable Op fuse(Op firstOp, Insn first, Insn second, int secondOffset) {
    return null;
  }
}
