package parhelion.testkit.oracle;

import static parhelion.cpu.memory.Host.U;

import jdk.internal.misc.Unsafe;

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
  private final InterpreterArena interpreter;
  private Program program;

  /** What the next run begins with. */
  final CaseInput input;

  /** What the host came to, and the interpreter. */
  final MachineState hostOut = new MachineState();

  private final MachineState ours = new MachineState();
  private final MachineState steps = new MachineState();

  /** Vector of the fault that ended the last run. */
  int fault;

  private Comparison comparison;

  /** An oracle of 64-bit code. */
  NativeOracle() {
    this(64);
  }

  NativeOracle(int codeBits) {
    interpreter = new InterpreterArena(host.arena, codeBits);
    input = new CaseInput(host.arena, host.hasGsBase, codeBits);
    comparison = new Comparison(input);
    program = new Program(host.arena, new byte[0], 0, false, 0, codeBits);
  }

  /** Whether the host can execute 32-bit code. */
  boolean has32BitCode() {
    return host.has32BitCode();
  }

  void load(Program next) {
    program = next;
    input.compareAll();
    input.undefinedFlags = next.undefinedFlags();
    writeHostCode();
    interpreter.modifiesItself = next.modifiesCode();
    interpreter.writeCode(next.offset(), next.code());
    interpreter.writeCode(next.offset() + next.code().length, new byte[] {0x0f, 0x0b});
  }

  private void writeHostCode() {
    byte[] code = program.code();
    long at = program.entryVa();
    U.copyMemory(code, Unsafe.ARRAY_BYTE_BASE_OFFSET, null, at, code.length);
    at += code.length;
    byte[] exit = host.exit(at, input.codeBits);
    U.copyMemory(exit, Unsafe.ARRAY_BYTE_BASE_OFFSET, null, at, exit.length);
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
    host.run(program.entryVa(), input.state, hostOut, input.codeBits);
    comparison = new Comparison(input);
    compare(ours, interpreter.cpu.code.engine().label);
    if (program.modifiesCode()) {
      compareCode();
      writeHostCode();
    }
    restoreOurCode();
    if (stepwise && comparison.isEqual()) {
      U.copyMemory(input.data, interpreter.dataAddress(), Arena.DATA_BYTES);
      end = interpreter.run(program.entryVa(), program.exitVa(), input.state, steps, true);
      if (end != InterpreterArena.DONE) {
        comparison.add("stepwise it ends with " + end);
      }
      // What the host says; and from the interpreter the same flags as in blocks, whatever they
      // are.
      // The rewriter has the host's undefined flags.
      compare(steps, "interpreter, stepwise,");
      if (interpreter.cpu.rewriter() == null && steps.flags != ours.flags) {
        comparison.differs("RFLAGS", "blocks", ours.flags, "steps", steps.flags);
      }
      restoreOurCode();
    }
    return comparison.isEqual() ? Outcome.AGREED : Outcome.DIFFERED;
  }

  private void restoreOurCode() {
    if (program.modifiesCode()) {
      interpreter.writeCode(program.offset(), program.code());
    }
  }

  private void compare(MachineState mine, String who) {
    comparison.states(hostOut, mine, who);
    comparison.data(host.arena.dataVa(), interpreter.dataAddress(), who);
  }

  private void compareCode() {
    byte[] mine = interpreter.code(program.offset(), program.code().length);
    for (int i = 0; i < mine.length; i++) {
      byte theirs = U.getByte(program.entryVa() + i);
      if (theirs != mine[i]) {
        comparison.differs(
            String.format("code at %x", program.entryVa() + i),
            "host",
            theirs & 0xff,
            interpreter.cpu.code.engine().label,
            mine[i] & 0xff);
      }
    }
  }

  /** The last difference: state before, program, what differs. */
  String report() {
    return comparison.report(program);
  }

  /** The state before the run and the program, for a fault that was not expected. */
  String situation() {
    comparison = new Comparison(input);
    comparison.add(
        fault == InterpreterArena.ENDLESS
            ? "the interpreter does not come to an end"
            : String.format(
                "the interpreter faults with vector %d, address %x", fault, interpreter.faultCr2));
    return report();
  }

  @Override
  public void close() {
    input.close();
    interpreter.close();
    host.close();
  }
}
