package parhelion.testkit.oracle;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Names of registers, and a state in words. */
final class Registers {
  static final String[] NAMES = {
    "RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI", "R8", "R9", "R10", "R11", "R12", "R13",
    "R14", "R15"
  };

  private Registers() {}

  /** The state, and the data that registers point to. */
  static String describe(CaseInput input) {
    MachineState state = input.state;
    MemorySegment data = input.segment();
    StringBuilder s = new StringBuilder("  before:\n");
    for (int i = 0; i < 16; i++) {
      s.append(String.format("    %-3s %016x", NAMES[i], state.gprs[i]));
      long at = state.gprs[i] - input.arena.dataVa();
      if (at >= 0 && at <= Arena.DATA_BYTES - 16) {
        s.append(
            String.format(
                " -> %016x %016x",
                data.get(ValueLayout.JAVA_LONG_UNALIGNED, at),
                data.get(ValueLayout.JAVA_LONG_UNALIGNED, at + 8)));
      }
      s.append('\n');
    }
    s.append(
        String.format(
            "    flags %x gs %x fcw %x fsw %x ftw %x mxcsr %x\n",
            state.flags,
            state.gsBase,
            state.get16(MachineState.FCW),
            state.get16(MachineState.FSW),
            state.fx[MachineState.FTW] & 0xff,
            state.get16(MachineState.MXCSR)));
    for (int i = 0; i < 8; i++) {
      int at = MachineState.ST + 16 * i;
      s.append(String.format("    ST%d %04x%016x", i, state.get16(at + 8), state.get64(at)));
      s.append(i % 2 == 1 ? "\n" : "");
    }
    for (int i = 0; i < 16; i++) {
      s.append(String.format("    YMM%-2d", i));
      for (int half : new int[] {MachineState.YMM_HIGH, MachineState.XMM}) {
        int at = half + 16 * i;
        s.append(String.format(" %016x%016x", state.get64(at + 8), state.get64(at)));
      }
      s.append('\n');
    }
    return s.toString();
  }
}
