package parhelion.lab.statistics;

import java.util.Arrays;

/**
 * How many times one sample's values are another's. The estimate is the median of all ratios of one
 * value to another (Hodges and Lehmann, on logarithms); the interval is of the same ratios, of the
 * ranks that the Mann-Whitney test leaves over, and exact for any distribution as long as the two
 * differ by a factor alone.
 *
 * @param estimate the factor
 * @param low the interval's lower end
 * @param high the interval's upper end
 * @param confidence that the interval holds the factor
 */
public record Ratio(double estimate, double low, double high, double confidence) {
  /** Samples beyond that are thinned: a million ratios say no more. */
  private static final int MAX_VALUES = 200;

  /** With less than that an interval says too little to call anything a difference. */
  public static final double LEAST_CONFIDENCE = 0.9;

  /** Of values above 0, at least one of each; {@link IllegalArgumentException} for others. */
  public static Ratio of(double[] values, double[] base) {
    double[] a = usable(values);
    double[] b = usable(base);
    double[] ratios = new double[a.length * b.length];
    int i = 0;
    for (double x : a) {
      for (double y : b) {
        ratios[i++] = x / y;
      }
    }
    Arrays.sort(ratios);
    double[] below = atMost(a.length, b.length);
    int rank = 0;
    while (rank + 1 <= (ratios.length - 1) / 2 && 1 - 2 * below[rank] >= Summary.CONFIDENCE) {
      rank++;
    }
    // The ranks left out at each end are 0 to rank - 1; with none the interval is all of them.
    int left = Math.max(0, rank - 1);
    return new Ratio(
        Summary.quantile(ratios, 0.5),
        ratios[left],
        ratios[ratios.length - 1 - left],
        Math.max(0, 1 - 2 * below[left]));
  }

  private static double[] usable(double[] values) {
    if (values.length == 0) {
      throw new IllegalArgumentException("there is nothing to compare");
    }
    for (double value : values) {
      if (!(value > 0) || Double.isInfinite(value)) {
        throw new IllegalArgumentException("a ratio needs values above 0, not " + value);
      }
    }
    if (values.length <= MAX_VALUES) {
      return values;
    }
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    double[] thinned = new double[MAX_VALUES];
    for (int i = 0; i < MAX_VALUES; i++) {
      thinned[i] = Summary.quantile(sorted, i / (MAX_VALUES - 1.0));
    }
    return thinned;
  }

  /**
   * The distribution of the Mann-Whitney statistic U: element u is the probability of at most u,
   * for u to half of all pairs. The number of orders with U = u of n and m values is the number of
   * partitions of u into at most n parts of at most m, which a product of n factors makes.
   */
  private static double[] atMost(int n, int m) {
    int most = n * m / 2;
    double[] ways = new double[most + 1];
    ways[0] = 1;
    for (int i = 1; i <= n; i++) {
      // Times (1 - q^(m+i)) / (1 - q^i), scaled by i / (m + i) so that nothing overflows.
      for (int u = most; u >= m + i; u--) {
        ways[u] -= ways[u - m - i];
      }
      for (int u = i; u <= most; u++) {
        ways[u] += ways[u - i];
      }
      for (int u = 0; u <= most; u++) {
        ways[u] *= (double) i / (m + i);
      }
    }
    for (int u = 1; u <= most; u++) {
      ways[u] += ways[u - 1];
    }
    return ways;
  }

  /** Whether the two differ, as far as the interval says. */
  public boolean isSignificant() {
    return confidence >= LEAST_CONFIDENCE && (low > 1 || high < 1);
  }
}
