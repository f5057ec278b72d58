package parhelion.testkit.oracle;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.decode.Opcode;

/**
 * Random cases by the million: single instructions of every row, short programs, and programs that
 * modify themselves. Everything follows from one seed, and each program from that seed and its
 * number, so that one can be repeated alone.
 */
public final class OracleRun implements AutoCloseable {
  private static final int STATES = 16;
  private static final int PROGRAM_STATES = 8;
  private static final int MAX_REPORTS = 8;

  private final long seed;
  private final NativeOracle oracle;
  private final List<Opcode> allRows;
  private final List<Opcode> rows = new ArrayList<>();
  private final List<Integer> rowIndexes = new ArrayList<>();
  private final Set<Long> encodings = new HashSet<>();
  private final Set<Opcode> covered = new HashSet<>();
  private final List<String> reports = new ArrayList<>();
  private final TreeMap<String, Integer> failures = new TreeMap<>();
  private long cases;
  private long faults;
  private long skipped;

  /** A run of 64-bit code. */
  public OracleRun(long seed) {
    this(seed, 64);
  }

  /**
   * A run of cases.
   *
   * @param codeBits 32 or 64
   */
  public OracleRun(long seed, int codeBits) {
    this.seed = seed;
    oracle = new NativeOracle(codeBits);
    allRows = OracleRows.all(codeBits);
    int index = 0;
    for (Opcode row : allRows) {
      index++;
      if (!OracleRows.isBranch(row) && OracleRows.hostHas(row)) {
        rows.add(row);
        rowIndexes.add(index);
      }
    }
  }

  /** Whether the host can execute 32-bit code. */
  public boolean has32BitCode() {
    return oracle.has32BitCode();
  }

  /** Whether this host can be asked. */
  public static boolean isSupported() {
    return NativeArena.isSupported();
  }

  /**
   * Runs single instructions of rows whose mnemonic matches {@code pattern} until {@code count}
   * cases.
   */
  public void singles(long count, String pattern) {
    List<Integer> chosen = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      if (rows.get(i).mnemonic().name().matches(pattern)) {
        chosen.add(i);
      }
    }
    long end = cases + skipped + faults + count;
    for (long number = 0; cases + skipped + faults < end && !chosen.isEmpty(); number++) {
      single(chosen.get((int) (number % chosen.size())), number);
    }
  }

  private void single(int i, long number) {
    FastRandom r = new FastRandom(FastRandom.mix(seed, number << 16 | i));
    Opcode row = rows.get(i);
    SingleCase c = SingleCase.random(row, oracle.input, r);
    if (c == null) {
      return;
    }
    oracle.load(c.program);
    boolean ran = false;
    for (int state = 0; state < STATES; state++) {
      c.fill(r, state == 0);
      if (!c.isDefined(oracle.input.state)) {
        skipped++;
        continue;
      }
      switch (oracle.run(state % 4 == 0)) {
        case AGREED -> {
          cases++;
          ran = true;
        }
        case DIFFERED -> {
          cases++;
          failed(row, number, state, oracle.report());
        }
        case ENDLESS -> failed(row, number, state, oracle.situation());
        case FAULTED -> {
          faults++;
          if (!mayFault(row, oracle.fault)) {
            failed(row, number, state, oracle.situation());
          }
        }
      }
    }
    if (ran) {
      encodings.add(SingleCase.encoding(c.insn, rowIndexes.get(i)));
      covered.add(row);
    }
  }

  /** Runs short programs until {@code count} cases. */
  public void programs(long count) {
    for (long number = 0, end = cases + count; cases < end; number++) {
      FastRandom r = new FastRandom(FastRandom.mix(seed, 1L << 56 | number));
      Program program = new ProgramGenerator(oracle.input.arena, rows, r).next();
      oracle.load(program);
      boolean ran = false;
      for (int state = 0; state < PROGRAM_STATES; state++) {
        ProgramGenerator.fill(oracle.input, r, state == 0);
        ran |= judge("program", program, number, state);
      }
      if (ran) {
        program.insns(this::note);
      }
    }
  }

  /** Runs programs that modify themselves until {@code count} cases. */
  public void selfModifying(long count) {
    for (long number = 0, end = cases + count; cases < end; number++) {
      FastRandom r = new FastRandom(FastRandom.mix(seed, 2L << 56 | number));
      Program program = new SelfModifyingPrograms(oracle.input.arena, r).next();
      oracle.load(program);
      for (int state = 0; state < PROGRAM_STATES; state++) {
        SelfModifyingPrograms.fill(oracle.input, r, state == 0);
        judge("self-modifying program", program, number, state);
      }
    }
  }

  private boolean judge(String kind, Program program, long number, int state) {
    oracle.input.undefinedFlags = program.undefinedFlags();
    switch (oracle.run(true)) {
      case AGREED -> {
        cases++;
        return true;
      }
      case DIFFERED -> {
        cases++;
        failed(kind, number, state, oracle.report());
      }
      case ENDLESS -> failed(kind, number, state, oracle.situation());
      case FAULTED -> {
        faults++;
        // A signed division may overflow.
        if (oracle.fault != 0) {
          failed(kind, number, state, oracle.situation());
        }
      }
    }
    return false;
  }

  private void note(Insn insn) {
    int index = allRows.indexOf(insn.opcode);
    if (index >= 0) {
      encodings.add(SingleCase.encoding(insn, index + 1));
      covered.add(insn.opcode);
    }
  }

  /** Division errors are part of random division; stacks and string ends can leave the data. */
  private static boolean mayFault(Opcode row, int vector) {
    return switch (vector) {
      case 0 ->
          switch (row.mnemonic()) {
            case DIV, IDIV, AAM -> true;
            default -> false;
          };
      case 5 -> row.mnemonic() == Mnemonic.BOUND;
      case 14 -> true;
      default -> false;
    };
  }

  private void failed(Opcode row, long number, int state, String report) {
    failed(row.mnemonic() + " " + Integer.toHexString(row.code()), number, state, report);
  }

  private void failed(String name, long number, int state, String report) {
    if (failures.merge(name, 1, Integer::sum) == 1 && reports.size() < MAX_REPORTS) {
      reports.add(name + ", seed " + seed + ", case " + number + "." + state + ":\n" + report);
    }
  }

  /** What differed: at most a few, one of a kind; empty if all agreed. */
  public List<String> reports() {
    return reports;
  }

  /** Rows that differed, and how often. */
  public String failures() {
    return failures.toString();
  }

  public long cases() {
    return cases;
  }

  public int encodings() {
    return encodings.size();
  }

  /** Rows that no case has covered. */
  public List<String> uncovered() {
    List<String> names = new ArrayList<>();
    for (Opcode row : rows) {
      if (!covered.contains(row)) {
        names.add(row.mnemonic() + " " + row.map() + "." + Integer.toHexString(row.code()));
      }
    }
    return names;
  }

  /** One line of totals. */
  public String summary() {
    return String.format(
        "%d cases agree with the host: %d rows, %d encodings; %d faulted, %d undefined",
        cases, covered.size(), encodings.size(), faults, skipped);
  }

  @Override
  public void close() {
    oracle.close();
  }

  /**
   * Runs cases on demand.
   *
   * @param args "programs", "self-modifying" or a pattern for mnemonics; how many cases; the seed;
   *     32 for 32-bit code
   */
  public static void main(String[] args) {
    String pattern = args.length > 0 ? args[0] : ".*";
    long count = args.length > 1 ? Long.parseLong(args[1]) : 1_000_000;
    long seed = args.length > 2 ? Long.parseLong(args[2]) : 1;
    long start = System.nanoTime();
    int bits = args.length > 3 ? Integer.parseInt(args[3]) : 64;
    try (OracleRun run = new OracleRun(seed, bits)) {
      if (bits == 32 && !run.has32BitCode()) {
        System.err.println("this host has no 32-bit code");
        System.exit(1);
      }
      switch (pattern) {
        case "programs" -> run.programs(count);
        case "self-modifying" -> run.selfModifying(count);
        default -> run.singles(count, pattern);
      }
      run.reports().forEach(System.out::println);
      System.out.println(run.failures());
      System.out.println("uncovered " + run.uncovered());
      System.out.println("excluded " + OracleRows.exclusions());
      System.out.println(run.summary());
    }
    System.out.printf("%d ms%n", (System.nanoTime() - start) / 1_000_000);
  }
}
