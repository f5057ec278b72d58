package parhelion.testkit.oracle;

import static parhelion.cpu.memory.Host.U;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** What differs between the results of one case, in words. */
final class Comparison {
  /** CF, PF, AF, ZF, SF, OF, DF and IF. */
  private static final long FLAGS = 0xed5;

  private final CaseInput input;
  private final List<String> differences = new ArrayList<>(0);

  Comparison(CaseInput input) {
    this.input = input;
  }

  boolean isEqual() {
    return differences.isEmpty();
  }

  void add(String difference) {
    differences.add(difference);
  }

  private static MemorySegment segment(long address) {
    return MemorySegment.ofAddress(address).reinterpret(Arena.DATA_BYTES);
  }

  void differs(String what, String a, long inA, String b, long inB) {
    differences.add(String.format("%s: %s %x, %s %x", what, a, inA, b, inB));
  }

  /** Compares registers: of the host and of {@code who}. */
  void states(MachineState theirs, MachineState mine, String who) {
    long flags = FLAGS & ~input.undefinedFlags;
    // 32-bit code has half of them, and leaves the upper halves undefined.
    long bits = input.codeBits == 64 ? -1L : 0xffffffffL;
    for (int i = 0; i < input.codeBits / 4; i++) {
      if (((mine.gprs[i] ^ theirs.gprs[i]) & bits) != 0) {
        differs(Registers.NAMES[i], "host", theirs.gprs[i], who, mine.gprs[i]);
      }
    }
    if (((mine.flags ^ theirs.flags) & flags) != 0) {
      differs("RFLAGS", "host", theirs.flags & flags, who, mine.flags & flags);
    }
    if (mine.gsBase != theirs.gsBase) {
      differs("GS base", "host", theirs.gsBase, who, mine.gsBase);
    }
    compareFloats(mine, theirs, who);
  }

  /** Compares data, given the host addresses of both. */
  void data(long theirs, long mine, String who) {
    for (int i = 0; i < input.ignoredData.length; i += 2) {
      int from = input.ignoredData[i];
      U.copyMemory(theirs + from, mine + from, input.ignoredData[i + 1] - from);
    }
    long at = segment(theirs).mismatch(segment(mine));
    if (at >= 0) {
      int from = (int) at & -8;
      for (int i = from; i < Math.min(from + 64, Arena.DATA_BYTES); i += 8) {
        long h = U.getLong(theirs + i);
        long o = U.getLong(mine + i);
        if (h != o) {
          differs(String.format("data at %x", input.arena.dataVa() + i), "host", h, who, o);
        }
      }
    }
  }

  private void compareFloats(MachineState mine, MachineState theirs, String who) {
    word("FCW", mine, theirs, who, MachineState.FCW, 0);
    word("FSW", mine, theirs, who, MachineState.FSW, input.ignoredFsw);
    word("MXCSR", mine, theirs, who, MachineState.MXCSR, 0);
    if (mine.fx[MachineState.FTW] != theirs.fx[MachineState.FTW]) {
      differs("FTW", "host", theirs.fx[4] & 0xff, who, mine.fx[4] & 0xff);
    }
    for (int i = 0; i < 8; i++) {
      int at = MachineState.ST + 16 * i;
      if (mine.get64(at) != theirs.get64(at) || mine.get16(at + 8) != theirs.get16(at + 8)) {
        differences.add(
            String.format(
                "ST%d: host %04x%016x, %s %04x%016x",
                i,
                theirs.get16(at + 8),
                theirs.get64(at),
                who,
                mine.get16(at + 8),
                mine.get64(at)));
      }
    }
    for (int i = 0; i < 64; i += 2) {
      int at = MachineState.vector(i);
      if (mine.get64(at) != theirs.get64(at) || mine.get64(at + 8) != theirs.get64(at + 8)) {
        differences.add(
            String.format(
                "%s%d: host %016x%016x, %s %016x%016x",
                i < 32 ? "XMM" : "upper half of YMM",
                i / 2 & 15,
                theirs.get64(at + 8),
                theirs.get64(at),
                who,
                mine.get64(at + 8),
                mine.get64(at)));
      }
    }
  }

  private void word(
      String name, MachineState mine, MachineState theirs, String who, int at, int ignored) {
    if (((mine.get16(at) ^ theirs.get16(at)) & ~ignored) != 0) {
      differs(name, "host", theirs.get16(at), who, mine.get16(at));
    }
  }

  /** State before, program, what differs. */
  String report(Program program) {
    StringBuilder s = new StringBuilder();
    program.listing().forEach(line -> s.append("  ").append(line).append('\n'));
    s.append(Registers.describe(input));
    for (String line : differences) {
      s.append("  ").append(line).append('\n');
    }
    return s.toString();
  }
}
