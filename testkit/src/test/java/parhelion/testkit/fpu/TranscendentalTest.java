package parhelion.testkit.fpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import parhelion.testkit.NativeFrame;

/**
 * The x87 functions against the host's: special operands exactly, ordinary ones to within two units
 * in the last place.
 */
class TranscendentalTest {
  private static final long SEED = Long.getLong("parhelion.seed", 20251121L);

  /** An instruction, the exponents of its arguments, and whether it has two. */
  private record Case(String name, int opcode, int fromExponent, int toExponent) {}

  private static final List<Case> CASES =
      List.of(
          new Case("F2XM1", 0xf0, -80, -1),
          new Case("FYL2X", 0xf1, -80, 80),
          new Case("FYL2XP1", 0xf9, -80, -3),
          new Case("FSIN", 0xfe, -80, -1),
          new Case("FCOS", 0xff, -80, -1),
          new Case("FSINCOS", 0xfb, -80, -1),
          new Case("FPTAN", 0xf2, -80, -1),
          new Case("FPATAN", 0xf3, -80, 80));

  private static void number(byte[] fx, int at, Random r, int from, int to) {
    FxImage.put64(fx, at, r.nextLong() | Long.MIN_VALUE);
    FxImage.put16(fx, at + 8, 16383 + from + r.nextInt(to - from + 1) | r.nextInt(2) << 15);
  }

  static List<String> ordinary(int cases, long seed) {
    List<String> problems = new ArrayList<>();
    try (HostComparison host = new HostComparison()) {
      for (Case test : CASES) {
        Random random = new Random(seed + test.opcode);
        host.load(new byte[] {(byte) 0xd9, (byte) test.opcode});
        host.tolerance = (theirs, ours) -> close(theirs, ours);
        int bad = 0;
        for (int i = 0; i < cases; i++) {
          host.randomize(random, true);
          byte[] fx = host.fx();
          FxImage.put16(fx, 0, 0x37f);
          FxImage.put16(fx, 2, 0x3800);
          fx[4] = (byte) (test.name.matches("FSINCOS|FPTAN") ? 0x80 : 0x81);
          number(fx, 32, random, test.fromExponent, test.toExponent);
          number(fx, 48, random, -80, 80);
          if (test.name.equals("FYL2X")) {
            fx[41] &= 0x7f;
          }
          String problem = host.run();
          if (problem != null && bad++ == 0) {
            problems.add(problem);
          }
        }
        if (bad > 0) {
          problems.add(test.name + ": " + bad + " of " + cases);
        }
      }
    }
    return problems;
  }

  /** Control, status but for C1, tags; every register within two units in the last place. */
  static boolean close(byte[] theirs, byte[] ours) {
    if ((FxImage.u16(theirs, 2) ^ FxImage.u16(ours, 2) & 0xffff) != 0
        && ((FxImage.u16(theirs, 2) ^ FxImage.u16(ours, 2)) & ~0x200) != 0) {
      return false;
    }
    if (theirs[4] != ours[4]) {
      return false;
    }
    for (int i = 32; i < 160; i += 16) {
      int e = FxImage.u16(theirs, i + 8) - FxImage.u16(ours, i + 8);
      long difference = FxImage.u64(theirs, i) - FxImage.u64(ours, i);
      // Across a power of two the significands lie at the ends of their range.
      boolean near =
          e == 0
              ? Math.abs(difference) <= 2
              : Math.abs(e) == 1 && Math.abs(difference + e * Long.MIN_VALUE) <= 4;
      if (!near) {
        return false;
      }
    }
    return true;
  }

  @Test
  void ordinaryArgumentsGiveTheHostsResultsToTwoUlps() {
    assumeTrue(NativeFrame.isSupported(), "needs an x86-64 Linux host");
    assertEquals(List.of(), ordinary(500, SEED), "seed " + SEED);
  }

  public static void main(String[] args) {
    ordinary(2000, SEED).forEach(System.out::println);
  }
}
