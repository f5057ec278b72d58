package parhelion.testkit.oracle;

import static parhelion.cpu.memory.Host.U;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import jdk.internal.misc.Unsafe;
import org.jspecify.annotations.Nullable;

/**
 * The judge: executes a {@link Program} on the host's processor and in the interpreter, in blocks
 * and stepwise, from the same registers and data, and says what differs. The interpreter goes
 * first; where it faults, the host is not asked.
 *
 * <pre>
 * try (NativeOracle oracle = new NativeOracle()) {
 *   oracle.load(program);
 *   ... fill oracle.input ...
 *   switch (oracle.run(true)) {
 *     case AGREED, FAULTED -> ...
 *     case DIFFERED -> print(oracle.report());
 *   }
 * }
 * </pre>
 */
final class NativeOracle implements AutoCloseable {
  /** How a case came out. */
  enum Outcome {
    AGREED,
    DIFFERED,
    /** The interpreter faulted: {@link #fault} says with what. */
    FAULTED,
    /** The program did not end in time. */
    ENDLESS
  }

  private final NativeArena host = new NativeArena();
  private final InterpreterArena interpreter = new InterpreterArena(host.arena);
  private final MemorySegment hostData =
      MemorySegment.ofAddress(host.arena.dataVa()).reinterpret(Arena.DATA_BYTES);
  private final MemorySegment ourData =
      MemorySegment.ofAddress(interpreter.dataAddress()).reinterpret(Arena.DATA_BYTES);
  private Program program = new Program(host.arena, new byte[0], 0, false, 0);

  /** What the next run begins with. */
  final CaseInput input = new CaseInput(host.arena, host.hasGsBase);

  /** What the host came to, and the interpreter. */
  final MachineState hostOut = new MachineState();

  private final MachineState ours = new MachineState();
  private final MachineState steps = new MachineState();

  /** Vector of the fault that ended the last run. */
  int fault;

  private List<String> differences = new ArrayList<>();

  /** The data after the run on the host. */
  MemorySegment hostData() {
    return hostData;
  }

  void load(Program next) {
    program = next;
    input.compareAll();
    input.undefinedFlags = next.undefinedFlags();
    writeHostCode();
    interpreter.writeCode(next.offset(), next.code());
    interpreter.writeCode(next.offset() + next.code().length, new byte[] {0x0f, 0x0b});
  }

  private void writeHostCode() {
    byte[] code = program.code();
    long at = program.entryVa();
    U.copyMemory(code, Unsafe.ARRAY_BYTE_BASE_OFFSET, null, at, code.length);
    at += code.length;
    U.putByte(at, (byte) 0xe9);
    U.putIntUnaligned(null, at + 1, (int) (host.exitVa() - (at + Program.EXIT_BYTES)));
  }

  /** Runs the loaded program; stepwise too if asked. */
  Outcome run(boolean stepwise) {
    U.copyMemory(input.data, interpreter.dataAddress(), Arena.DATA_BYTES);
    int end = interpreter.run(program.entryVa(), program.exitVa(), input.state, ours, false);
    if (end != InterpreterArena.DONE) {
      fault = end;
      restoreOurCode();
      return end == InterpreterArena.ENDLESS ? Outcome.ENDLESS : Outcome.FAULTED;
    }
    U.copyMemory(input.data, host.arena.dataVa(), Arena.DATA_BYTES);
    host.run(program.entryVa(), input.state, hostOut);
    differences = new ArrayList<>(0);
    compare(ours, hostOut, "interpreter", 0xed5L & ~input.undefinedFlags);
    if (program.modifiesCode()) {
      compareCode();
      writeHostCode();
    }
    restoreOurCode();
    if (stepwise && differences.isEmpty()) {
      U.copyMemory(input.data, interpreter.dataAddress(), Arena.DATA_BYTES);
      end = interpreter.run(program.entryVa(), program.exitVa(), input.state, steps, true);
      if (end != InterpreterArena.DONE) {
        differences.add("stepwise it ends with " + end);
      }
      // The same flags as in blocks, whatever they are, and what the host says.
      compare(steps, hostOut, "interpreter, stepwise,", 0xed5L & ~input.undefinedFlags);
      if (steps.flags != ours.flags) {
        differs("RFLAGS", "blocks", ours.flags, "steps", steps.flags);
      }
      restoreOurCode();
    }
    return differences.isEmpty() ? Outcome.AGREED : Outcome.DIFFERED;
  }

  private void restoreOurCode() {
    if (program.modifiesCode()) {
      interpreter.writeCode(program.offset(), program.code());
    }
  }

  // --- comparison ---

  private void differs(String what, String a, long inA, String b, long inB) {
    differences.add(String.format("%s: %s %x, %s %x", what, a, inA, b, inB));
  }

  private void compare(MachineState mine, MachineState theirs, String who, long flags) {
    for (int i = 0; i < 16; i++) {
      if (mine.gprs[i] != theirs.gprs[i]) {
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
    for (int i = 0; i < input.ignoredData.length; i += 2) {
      int from = input.ignoredData[i];
      U.copyMemory(
          host.arena.dataVa() + from,
          interpreter.dataAddress() + from,
          input.ignoredData[i + 1] - from);
    }
    long at = hostData.mismatch(ourData);
    if (at >= 0) {
      int from = (int) at & -8;
      for (int i = from; i < Math.min(from + 64, Arena.DATA_BYTES); i += 8) {
        long h = U.getLong(host.arena.dataVa() + i);
        long o = U.getLong(interpreter.dataAddress() + i);
        if (h != o) {
          differs(String.format("data at %x", host.arena.dataVa() + i), "host", h, who, o);
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
    for (int i = 0; i < 16; i++) {
      int at = MachineState.XMM + 16 * i;
      if (mine.get64(at) != theirs.get64(at) || mine.get64(at + 8) != theirs.get64(at + 8)) {
        differences.add(
            String.format(
                "XMM%d: host %016x%016x, %s %016x%016x",
                i,
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

  private void compareCode() {
    byte[] mine = interpreter.code(program.offset(), program.code().length);
    for (int i = 0; i < mine.length; i++) {
      byte theirs = U.getByte(program.entryVa() + i);
      if (theirs != mine[i]) {
        differs(
            String.format("code at %x", program.entryVa() + i),
            "host",
            theirs & 0xff,
            "interpreter",
            mine[i] & 0xff);
      }
    }
  }

  /** The last difference: state before, program, what differs. */
  String report() {
    StringBuilder s = new StringBuilder();
    program.listing().forEach(line -> s.append("  ").append(line).append('\n'));
    s.append(Registers.describe(input));
    for (String line : differences) {
      s.append("  ").append(line).append('\n');
    }
    return s.toString();
  }

  /** The state before the run and the program, for a fault that was not expected. */
  String situation() {
    differences =
        new ArrayList<>(
            List.of(
                fault == InterpreterArena.ENDLESS
                    ? "the interpreter does not come to an end"
                    : String.format(
                        "the interpreter faults with vector %d, address %x",
                        fault, interpreter.faultCr2)));
    return report();
  }

  /** The differences of the last run, a line each. */
  @Nullable String firstDifference() {
    return differences.isEmpty() ? null : differences.get(0);
  }

  @Override
  public void close() {
    input.close();
    interpreter.close();
    host.close();
  }
}
