package parhelion.testkit.oracle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static parhelion.cpu.memory.Host.U;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.decode.Opcode;

/**
 * An instruction that faults has done nothing: random instructions whose operand ends behind the
 * last page of data, or which store to pages that may only be read. On every host.
 */
class PreciseFaultsTest {
  private static final long SEED = Long.getLong("parhelion.seed", 1);
  private static final int ROUNDS = Boolean.getBoolean("parhelion.fast") ? 4 : 16;
  private static final int PAGE_FAULT = 14;

  /** Of the image: the rest of the legacy area, and the header. */
  private static final int UNUSED = MachineState.XMM + 256;

  private final Map<String, String> problems = new TreeMap<>();
  private int faults;

  @Test
  void anOperandAcrossTheLastPagesEndChangesNothing() {
    run(false);
    assertEquals("", String.join("\n", problems.values()));
    assertTrue(faults > 1000 * ROUNDS, () -> faults + " faults");
  }

  @Test
  void aStoreToAReadOnlyPageChangesNothing() {
    run(true);
    assertEquals("", String.join("\n", problems.values()));
    assertTrue(faults > 1000 * ROUNDS, () -> faults + " faults");
  }

  private void run(boolean readOnly) {
    Arena arena = new Arena(Arena.PLACES[0]);
    try (InterpreterArena interpreter = new InterpreterArena(arena);
        CaseInput input = new CaseInput(arena, true)) {
      interpreter.protectData(readOnly);
      if (!readOnly) {
        input.operandsFrom = Arena.DATA_BYTES - 16;
        input.operandsTo = Arena.DATA_BYTES + 2;
      }
      int number = 0;
      for (int round = 0; round < ROUNDS; round++) {
        for (Opcode row : OracleRows.all()) {
          if (!row.has(Opcode.ENDS_BLOCK)) {
            row(interpreter, input, row, new FastRandom(FastRandom.mix(SEED, number++)));
          }
        }
      }
    }
  }

  private void row(InterpreterArena interpreter, CaseInput input, Opcode row, FastRandom r) {
    SingleCase c = SingleCase.random(row, input, r);
    if (c == null) {
      return;
    }
    Program program = c.program;
    interpreter.writeCode(program.offset(), program.code());
    interpreter.writeCode(program.offset() + program.code().length, new byte[] {0x0f, 0x0b});
    MachineState out = new MachineState();
    for (int i = 0; i < 8; i++) {
      c.fill(r, i == 0);
      U.copyMemory(input.data, interpreter.dataAddress(), Arena.DATA_BYTES);
      boolean stepwise = i % 2 == 1;
      int end = interpreter.run(program.entryVa(), program.exitVa(), input.state, out, stepwise);
      if (end != PAGE_FAULT) {
        continue;
      }
      faults++;
      String problem = problem(interpreter, input, program, c, out);
      if (problem != null) {
        problems.putIfAbsent(
            row.mnemonic() + " " + Integer.toHexString(row.code()),
            problem + "\n  " + program.listing() + "\n" + Registers.describe(input));
      }
    }
  }

  private static @Nullable String problem(
      InterpreterArena interpreter,
      CaseInput input,
      Program program,
      SingleCase c,
      MachineState out) {
    MachineState in = input.state;
    if (interpreter.cpu.rip() != program.entryVa()) {
      return String.format("RIP is %x", interpreter.cpu.rip());
    }
    if (c.insn.rep || c.insn.repne || c.insn.opcode.has(Opcode.VSIB)) {
      return null; // has done a part
    }
    String address = faultAddress(interpreter, c);
    if (address != null) {
      return address;
    }
    for (int i = 0; i < 16; i++) {
      if (in.gprs[i] != out.gprs[i]) {
        return String.format("%s is %x", Registers.NAMES[i], out.gprs[i]);
      }
    }
    if ((in.flags | 0x202) != out.flags) {
      return String.format("RFLAGS is %x", out.flags);
    }
    int floats = Arrays.mismatch(masked(in), masked(out));
    if (floats >= 0) {
      return "x87, SSE or AVX state differs at byte " + floats;
    }
    if (c.insn.mnemonic() == Mnemonic.ENTER) {
      return null; // may have pushed a part of the frame pointers
    }
    long at =
        MemorySegment.ofAddress(interpreter.dataAddress())
            .reinterpret(Arena.DATA_BYTES)
            .mismatch(input.segment());
    return at >= 0 ? String.format("data changed at %x", input.arena.dataVa() + at) : null;
  }

  /** CR2 is the operand's first byte that is missing. */
  private static @Nullable String faultAddress(InterpreterArena interpreter, SingleCase c) {
    boolean plain = c.insn.isMemory() && !c.insn.opcode.has(Opcode.D64) && !c.isBitOffset();
    long end = c.program.arena().dataVa() + Arena.DATA_BYTES;
    if (!plain || c.target() + 512 < end) {
      return null;
    }
    long first = Math.max(c.target(), end);
    long cr2 = interpreter.faultCr2;
    switch (c.insn.mnemonic()) {
      // Images are read in no particular order.
      case FLDENV, FRSTOR, FXRSTOR -> cr2 = Math.min(first, cr2);
      // Their masks may leave the first bytes out.
      case VMASKMOVPS, VMASKMOVPD, VPMASKMOVD, VPMASKMOVQ -> first = Math.max(first, cr2);
      default -> {}
    }
    return cr2 == first ? null : String.format("CR2 is %x, not %x", interpreter.faultCr2, first);
  }

  /** Without what is not the instruction's state: FOP, FIP, FDP and the mask of MXCSR. */
  private static byte[] masked(MachineState state) {
    byte[] fx = state.fx.clone();
    Arrays.fill(fx, 6, 24, (byte) 0);
    Arrays.fill(fx, 26, 32, (byte) 0);
    Arrays.fill(fx, UNUSED, MachineState.YMM_HIGH, (byte) 0);
    for (int i = 0; i < 8; i++) {
      Arrays.fill(fx, MachineState.ST + 16 * i + 10, MachineState.ST + 16 * i + 16, (byte) 0);
    }
    return fx;
  }
}
