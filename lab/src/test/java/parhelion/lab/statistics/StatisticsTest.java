package parhelion.lab.statistics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class StatisticsTest {
  private static double[] upTo(int n) {
    return IntStream.rangeClosed(1, n).asDoubleStream().toArray();
  }

  private static double[] times(double factor, double[] values) {
    return Arrays.stream(values).map(value -> factor * value).toArray();
  }

  @Test
  void quartilesAreThoseOfR() {
    // quantile(c(1, 2, 4, 8, 16, 100)) of R: 1.00 2.50 6.00 14.00 100.00
    Summary summary = Summary.of(new double[] {16, 1, 100, 2, 8, 4});
    assertEquals(2.5, summary.lowerQuartile());
    assertEquals(6, summary.median());
    assertEquals(14, summary.upperQuartile());
    assertEquals(1, summary.least());
    assertEquals(100, summary.most());
  }

  /**
   * The table of ranks for the sign test at 5 % (Conover, table A3): n, rank from 1, confidence.
   */
  @ParameterizedTest
  @CsvSource({
    "1, 1, 0",
    "2, 1, 0.5",
    "5, 1, 0.9375",
    "6, 1, 0.96875",
    "8, 1, 0.9921875",
    "9, 2, 0.9609375",
    "10, 2, 0.978515625",
    "12, 3, 0.961425781",
    "20, 6, 0.958610535",
    "25, 8, 0.95671475"
  })
  void theMediansIntervalHasTheKnownRanks(int n, int rank, double confidence) {
    Summary summary = Summary.of(upTo(n));
    assertEquals(rank, summary.low());
    assertEquals(n + 1 - rank, summary.high());
    assertEquals(confidence, summary.confidence(), 1e-8);
  }

  /** Critical values of the Mann-Whitney test, two-sided 5 %: how many ratios are left out. */
  @ParameterizedTest
  @CsvSource({"4, 4, 0", "5, 5, 2", "5, 8, 6", "6, 6, 5", "8, 8, 13", "10, 10, 23", "20, 20, 127"})
  void aRatiosIntervalLeavesOutTheKnownRanks(int n, int m, int critical) {
    // All ratios of powers are apart, so that a rank can be seen in the value.
    double[] a = IntStream.range(0, n).mapToDouble(i -> Math.exp(i * 0.01)).toArray();
    double[] b = IntStream.range(0, m).mapToDouble(i -> Math.exp(i * 0.01001 * n)).toArray();
    double[] all = new double[n * m];
    for (int i = 0; i < all.length; i++) {
      all[i] = a[i % n] / b[i / n];
    }
    Arrays.sort(all);
    Ratio ratio = Ratio.of(a, b);
    assertEquals(all[critical], ratio.low());
    assertEquals(all[n * m - 1 - critical], ratio.high());
    assertTrue(ratio.confidence() >= 0.95, "confidence " + ratio.confidence());
  }

  @Test
  void threeAndThreeSamplesHaveTheKnownConfidence() {
    assertEquals(0.9, Ratio.of(upTo(3), upTo(3)).confidence(), 1e-12);
    assertEquals(0, Ratio.of(upTo(1), upTo(1)).confidence(), 1e-12);
  }

  @Test
  void aFactorIsFound() {
    Random random = new Random(Long.getLong("parhelion.seed", 1));
    double[] base = random.doubles(15, 90, 110).toArray();
    double[] other = times(1.7, random.doubles(15, 90, 110).toArray());
    Ratio ratio = Ratio.of(other, base);
    assertEquals(1.7, ratio.estimate(), 0.1);
    assertTrue(ratio.low() < 1.7 && ratio.high() > 1.7, ratio.toString());
    assertTrue(ratio.isSignificant());
    Ratio inverse = Ratio.of(base, other);
    assertEquals(1, ratio.estimate() * inverse.estimate(), 1e-9);
    assertEquals(1, ratio.low() * inverse.high(), 1e-9);
  }

  @Test
  void intervalsHoldTheTruthAsOftenAsTheySay() {
    Random random = new Random(Long.getLong("parhelion.seed", 1));
    int runs = 2000;
    int medians = 0;
    int ratios = 0;
    for (int i = 0; i < runs; i++) {
      double[] a = new double[7];
      double[] b = new double[7];
      for (int j = 0; j < 7; j++) {
        // Long-tailed, as times are.
        a[j] = Math.exp(random.nextGaussian());
        b[j] = 3 * Math.exp(random.nextGaussian());
      }
      Summary summary = Summary.of(a);
      medians += summary.low() <= 1 && 1 <= summary.high() ? 1 : 0;
      Ratio ratio = Ratio.of(b, a);
      ratios += ratio.low() <= 3 && 3 <= ratio.high() ? 1 : 0;
    }
    assertTrue(medians >= 0.95 * runs, "medians held: " + medians);
    assertTrue(ratios >= 0.935 * runs && ratios < 0.99 * runs, "ratios held: " + ratios);
  }

  @Test
  void nothingIsSignificantOfTooFewOrOfOverlappingSamples() {
    assertFalse(Ratio.of(new double[] {5, 5}, new double[] {1, 1}).isSignificant());
    assertFalse(Ratio.of(upTo(8), upTo(8)).isSignificant());
    assertTrue(Ratio.of(times(9, upTo(8)), upTo(8)).isSignificant());
  }

  @Test
  void manySamplesStayQuick() {
    Ratio ratio = Ratio.of(times(2, upTo(10_000)), upTo(10_000));
    assertEquals(2, ratio.estimate(), 0.02);
    assertTrue(ratio.low() > 1 && ratio.high() < 4, ratio.toString());
  }

  @Test
  void whatIsNoMeasureIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> Summary.of(new double[0]));
    for (double wrong : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      double[] values = {1, wrong};
      assertThrows(IllegalArgumentException.class, () -> Ratio.of(values, upTo(2)));
      assertThrows(IllegalArgumentException.class, () -> Ratio.of(upTo(2), values));
    }
  }
}
