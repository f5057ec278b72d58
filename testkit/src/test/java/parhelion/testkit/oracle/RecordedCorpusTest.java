package parhelion.testkit.oracle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static parhelion.cpu.memory.Host.U;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import parhelion.cpu.decode.Opcode;

/** What an x86-64 processor once made of instructions and programs, on every host. */
class RecordedCorpusTest {
  private final List<String> problems = new ArrayList<>();

  private static Corpus corpus() throws IOException {
    try (InputStream in =
        Objects.requireNonNull(
            RecordedCorpusTest.class.getResourceAsStream("corpus.gz"), "no corpus")) {
      return Corpus.read(in);
    }
  }

  @Test
  void everyRecordedCaseEndsAsRecorded() throws IOException {
    Corpus corpus = corpus();
    Arena arena = new Arena(corpus.header.arenaVa());
    long expectedData = U.allocateMemory(Arena.DATA_BYTES);
    try (InterpreterArena interpreter = new InterpreterArena(arena);
        CaseInput input = new CaseInput(arena, corpus.header.hasGsBase())) {
      for (int i = 0; i < corpus.cases.size(); i++) {
        replay(interpreter, input, corpus, i, expectedData);
      }
    } finally {
      U.freeMemory(expectedData);
    }
    assertEquals("", String.join("\n", problems));
  }

  private void replay(
      InterpreterArena interpreter, CaseInput input, Corpus corpus, int number, long expectedData) {
    Corpus.Case c = corpus.cases.get(number);
    Program program =
        new Program(
            input.arena,
            c.code(),
            c.offset(),
            c.kind() == Corpus.Kind.SELF_MODIFYING,
            c.undefinedFlags());
    Corpus.fill(input, c.kind(), program, corpus.header.seed(), c.state());
    MachineState expected = Corpus.expected(c, input, expectedData);
    for (boolean stepwise : new boolean[] {false, true}) {
      interpreter.writeCode(program.offset(), program.code());
      interpreter.writeCode(program.offset() + program.code().length, new byte[] {0x0f, 0x0b});
      U.copyMemory(input.data, interpreter.dataAddress(), Arena.DATA_BYTES);
      MachineState out = new MachineState();
      int end = interpreter.run(program.entryVa(), program.exitVa(), input.state, out, stepwise);
      Comparison comparison = new Comparison(input);
      if (end != InterpreterArena.DONE) {
        comparison.add("it ends with " + end);
      } else {
        comparison.states(expected, out, "interpreter");
        comparison.data(expectedData, interpreter.dataAddress(), "interpreter");
      }
      if (!comparison.isEqual() && problems.size() < 5) {
        problems.add("case " + number + " of the corpus:\n" + comparison.report(program));
      }
    }
  }

  @Test
  void theCorpusHasACaseOfEveryRow() throws IOException {
    Corpus corpus = corpus();
    Set<Opcode> rows = new HashSet<>(OracleRows.all());
    Arena arena = new Arena(corpus.header.arenaVa());
    for (Corpus.Case c : corpus.cases) {
      new Program(arena, c.code(), c.offset(), false, 0).insns(insn -> rows.remove(insn.opcode));
    }
    assertTrue(
        rows.isEmpty(),
        () -> rows.stream().map(row -> row.mnemonic() + " " + row.code()).toList().toString());
  }
}
