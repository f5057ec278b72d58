package parhelion.cpu.interp;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.decode.Insn;

/** System and rare integer instructions. */
final class SystemOps {
  private SystemOps() {}

  static @Nullable Op translate(Insn insn, int offset, int modeKey) {
    return null;
  }
}
