package parhelion.testkit.fpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import parhelion.cpu.decode.Feature;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.decode.Opcode;
import parhelion.cpu.decode.OpcodeMap;
import parhelion.testkit.NativeFrame;

/**
 * x87, MMX and SSE against the host's processor: random and special operands, every rounding mode,
 * exceptions masked.
 */
class FpuAgainstHostTest {
  private static final long SEED = Long.getLong("parhelion.seed", 20251121L);

  static final Set<Feature> V2 =
      EnumSet.of(
          Feature.X87,
          Feature.MMX,
          Feature.SSE,
          Feature.SSE2,
          Feature.SSE3,
          Feature.SSSE3,
          Feature.SSE41,
          Feature.SSE42);

  /**
   * Not comparable case by case: approximations, state images (tested elsewhere), and what no op
   * changes.
   */
  static final Set<Mnemonic> ELSEWHERE =
      EnumSet.of(
          Mnemonic.RCPPS,
          Mnemonic.RCPSS,
          Mnemonic.RSQRTPS,
          Mnemonic.RSQRTSS,
          Mnemonic.LDMXCSR,
          Mnemonic.FLDENV,
          Mnemonic.FNSTENV,
          Mnemonic.FNSAVE,
          Mnemonic.FRSTOR,
          Mnemonic.FLDCW);

  private static final Set<Mnemonic> TRANSCENDENTAL =
      EnumSet.of(
          Mnemonic.F2XM1,
          Mnemonic.FYL2X,
          Mnemonic.FYL2XP1,
          Mnemonic.FSIN,
          Mnemonic.FCOS,
          Mnemonic.FSINCOS,
          Mnemonic.FPTAN,
          Mnemonic.FPATAN);

  static List<Opcode> rows() {
    List<Opcode> rows = new ArrayList<>();
    for (Opcode row : OpcodeMap.opcodes()) {
      boolean ours = row.has(Opcode.X87) || row.has(Opcode.SSE) || row.mnemonic() == Mnemonic.CRC32;
      if (ours && !row.has(Opcode.VEX) && V2.contains(row.feature())) {
        rows.add(row);
      }
    }
    return rows;
  }

  /** FCOMI and its kin clear C1, says the SDM; AMD's processors leave it. */
  static int ignoredFsw(Mnemonic mnemonic) {
    return switch (mnemonic) {
      case FCOMI, FCOMIP, FUCOMI, FUCOMIP -> 0x200;
      default -> 0;
    };
  }

  /**
   * Runs rows that {@code filter} accepts; gives what went wrong, at most one line a row and form.
   */
  static List<String> compare(Predicate<Opcode> filter, int cases, long seed) {
    List<String> problems = new ArrayList<>();
    try (HostComparison host = new HostComparison()) {
      for (Opcode row : rows()) {
        if (!filter.test(row) || ELSEWHERE.contains(row.mnemonic())) {
          continue;
        }
        if (row.modForm() != 1) {
          compareRow(host, row, false, cases, seed, problems);
        }
        if (row.modForm() == 1 || (row.modForm() == 0 && row.rmField() < 0)) {
          compareRow(host, row, true, cases, seed, problems);
        }
      }
    }
    return problems;
  }

  private static void compareRow(
      HostComparison host,
      Opcode row,
      boolean memory,
      int cases,
      long seed,
      List<String> problems) {
    Random random = new Random(seed ^ row.code() * 31L ^ row.map() ^ row.prefix() * 7L);
    int failures = 0;
    String first = "";
    for (int i = 0; i < cases; i++) {
      if (i % 16 == 0) {
        byte[] code = Encoding.random(row, memory, random);
        if (!host.load(code)) {
          problems.add(row.mnemonic() + " " + HexFormat.of().formatHex(code) + ": no op");
          return;
        }
      }
      host.ignoredFsw = ignoredFsw(row.mnemonic());
      host.comparison = row.mnemonic().name().matches("FU?COM.*|FICOM.*|FTST");
      host.tolerance = TRANSCENDENTAL.contains(row.mnemonic()) ? TranscendentalTest::close : null;
      host.randomize(random, i % 2 == 0);
      String problem = host.run();
      if (problem != null) {
        failures++;
        first = first.isEmpty() ? problem : first;
      }
    }
    if (failures > 0) {
      problems.add(failures + " of " + cases + ": " + first);
    }
  }

  @Test
  void everyRowDoesWhatTheHostDoes() {
    assumeTrue(NativeFrame.isSupported(), "needs an x86-64 Linux host");
    assertEquals(
        List.of(),
        compare(row -> true, Boolean.getBoolean("parhelion.fast") ? 100 : 400, SEED),
        "seed " + SEED);
  }

  /** For work on a family: arguments are a pattern for mnemonics, cases, seed. */
  public static void main(String[] args) {
    long start = System.nanoTime();
    int cases = args.length > 1 ? Integer.parseInt(args[1]) : 400;
    long seed = args.length > 2 ? Long.parseLong(args[2]) : SEED;
    List<String> problems =
        compare(
            row -> row.mnemonic().name().matches(args.length > 0 ? args[0] : ".*"), cases, seed);
    problems.forEach(System.out::println);
    System.out.printf(
        "%d problems, %d ms%n", problems.size(), (System.nanoTime() - start) / 1000000);
  }
}
