package parhelion.testkit.oracle;

import java.util.Random;

/**
 * The seeded source of everything random here: xorshift64*, without the atomic operations of {@link
 * Random}. Recorded cases depend on its sequence, so it does not change.
 */
final class FastRandom extends Random {
  private static final long serialVersionUID = 1;
  private long state;

  FastRandom(long seed) {
    super(0);
    state = mix(seed);
  }

  /** A seed for part {@code index} of what {@code seed} stands for. */
  static long mix(long seed, long index) {
    return mix(seed * 0x9e3779b97f4a7c15L + index);
  }

  private static long mix(long z) {
    z += 0x9e3779b97f4a7c15L;
    z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
    z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
    z ^= z >>> 31;
    return z == 0 ? 1 : z;
  }

  @Override
  protected int next(int bits) {
    return (int) (nextLong() >>> 64 - bits);
  }

  @Override
  public long nextLong() {
    state ^= state >>> 12;
    state ^= state << 25;
    state ^= state >>> 27;
    return state * 0x2545f4914f6cdd1dL;
  }

  @Override
  public int nextInt(int bound) {
    return (int) ((nextLong() >>> 32) * bound >>> 32);
  }

  boolean oneIn(int n) {
    return nextInt(n) == 0;
  }

  /** From {@code low} up to, and without, {@code high}. */
  int between(int low, int high) {
    return low + nextInt(high - low);
  }
}
