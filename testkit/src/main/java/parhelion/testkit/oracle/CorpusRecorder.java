package parhelion.testkit.oracle;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import parhelion.cpu.decode.Opcode;

/** Records a {@link Corpus} on this host. docs/testing.md gives the command. */
public final class CorpusRecorder {
  private static final int ENCODINGS = 3;
  private static final int PROGRAMS = 240;
  private static final int SELF_MODIFYING = 60;

  /** Attempts to find a state without a fault. */
  private static final int ATTEMPTS = 20;

  private final long seed;
  private final NativeOracle oracle = new NativeOracle();
  private int states;
  private final List<Corpus.Case> cases = new ArrayList<>();

  private CorpusRecorder(long seed) {
    this.seed = seed;
  }

  /**
   * Writes the file.
   *
   * @param args its name; a seed
   */
  public static void main(String[] args) throws IOException {
    if (args.length < 1 || args.length > 2) {
      System.err.println("usage: CorpusRecorder FILE [SEED]");
      System.exit(2);
    }
    CorpusRecorder recorder = new CorpusRecorder(args.length > 1 ? Long.parseLong(args[1]) : 1);
    Corpus corpus = recorder.record();
    try (OutputStream out = Files.newOutputStream(Path.of(args[0]))) {
      corpus.write(out);
    }
    System.out.printf(
        Locale.ROOT,
        "%s: %d cases, %d bytes%n",
        args[0],
        corpus.cases.size(),
        Files.size(Path.of(args[0])));
  }

  private Corpus record() {
    FastRandom r = new FastRandom(seed);
    List<Opcode> rows = new ArrayList<>(OracleRows.all());
    rows.removeIf(row -> OracleRows.isBranch(row) || !OracleRows.hostHas(row));
    for (Opcode row : rows) {
      for (int i = 0; i < ENCODINGS; i++) {
        boolean found = false;
        for (int attempt = 0; attempt < ATTEMPTS && !found; attempt++) {
          SingleCase c = SingleCase.random(row, oracle.input, r);
          found = c != null && add(Corpus.Kind.INSTRUCTION, c.program);
        }
        if (!found) {
          throw new IllegalStateException("no case of " + row.mnemonic());
        }
      }
    }
    ProgramGenerator programs = new ProgramGenerator(oracle.input.arena, rows, r);
    for (int i = 0; i < PROGRAMS; i++) {
      add(Corpus.Kind.PROGRAM, programs.next());
    }
    SelfModifyingPrograms modifying = new SelfModifyingPrograms(oracle.input.arena, r);
    for (int i = 0; i < SELF_MODIFYING; i++) {
      add(Corpus.Kind.SELF_MODIFYING, modifying.next());
    }
    return new Corpus(
        new Corpus.Header(oracle.input.arena.va(), seed, oracle.input.hasGsBase), cases);
  }

  private boolean add(Corpus.Kind kind, Program program) {
    oracle.load(program);
    Corpus.fill(oracle.input, kind, program, seed, ++states);
    if (kind == Corpus.Kind.INSTRUCTION
        && !new SingleCase(program.code(), program.offset(), oracle.input)
            .isDefined(oracle.input.state)) {
      return false;
    }
    return switch (oracle.run(false)) {
      case AGREED -> {
        cases.add(
            Corpus.record(
                kind, states, program, oracle.input, oracle.hostOut, oracle.input.arena.dataVa()));
        yield true;
      }
      case DIFFERED -> throw new IllegalStateException("differs:\n" + oracle.report());
      default -> false;
    };
  }
}
