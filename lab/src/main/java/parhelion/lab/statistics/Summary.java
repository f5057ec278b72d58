package parhelion.lab.statistics;

import java.util.Arrays;

/**
 * A sample's middle and spread. The interval of the median is of order statistics: its ends are
 * samples, and its confidence is exact for any distribution (Conover, "Practical Nonparametric
 * Statistics", 3.2). With fewer than six samples even the widest is below 95 %, which {@code
 * confidence} says.
 *
 * @param count of samples, at least 1
 * @param lowerQuartile by linear interpolation between samples, as R's type 7
 * @param low the interval's lower end
 * @param high the interval's upper end
 * @param confidence that the interval holds the median, 0 for one sample
 */
public record Summary(
    int count,
    double least,
    double lowerQuartile,
    double median,
    double upperQuartile,
    double most,
    double low,
    double high,
    double confidence) {
  /** What an interval is to hold with, where there are samples enough. */
  public static final double CONFIDENCE = 0.95;

  /** Of at least one value, in any order. {@link IllegalArgumentException} for none. */
  public static Summary of(double[] values) {
    if (values.length == 0) {
      throw new IllegalArgumentException("there is nothing to sum up");
    }
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int n = sorted.length;
    int rank = intervalRank(n);
    return new Summary(
        n,
        sorted[0],
        quantile(sorted, 0.25),
        quantile(sorted, 0.5),
        quantile(sorted, 0.75),
        sorted[n - 1],
        sorted[rank],
        sorted[n - 1 - rank],
        1 - 2 * binomialUpTo(n, rank));
  }

  /** The largest number of samples left out at each end that keeps the confidence. */
  private static int intervalRank(int n) {
    int rank = 0;
    while (rank + 1 <= (n - 1) / 2 && 1 - 2 * binomialUpTo(n, rank + 1) >= CONFIDENCE) {
      rank++;
    }
    return rank;
  }

  /** The probability of at most {@code k} heads of {@code n} throws of a fair coin. */
  private static double binomialUpTo(int n, int k) {
    double logTerm = -n * Math.log(2);
    double sum = 0;
    for (int i = 0; i <= k; i++) {
      sum += Math.exp(logTerm);
      logTerm += Math.log((double) (n - i) / (i + 1));
    }
    return sum;
  }

  /**
   * Of sorted values.
   *
   * @param share from 0, the least, to 1, the most
   */
  static double quantile(double[] sorted, double share) {
    double at = share * (sorted.length - 1);
    int below = (int) at;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
  }
}
