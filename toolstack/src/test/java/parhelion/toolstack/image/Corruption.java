package parhelion.toolstack.image;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Arrays;
import java.util.Random;

/** Damages good files in seeded ways and watches that the reader only ever refuses them. */
final class Corruption {
  static final int ROUNDS = 2000;

  /**
   * No damaged file of some kilobytes may keep a reader busy for longer: by the processor's time,
   * of which a busy host makes no more.
   */
  private static final long MAX_ROUND_NANOS = 5_000_000_000L;

  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private Corruption() {}

  /** Reads a file that may be damaged. */
  interface Reader {
    void read(byte[] file) throws Exception;
  }

  /**
   * Runs {@link #ROUNDS} damaged versions of a file through a reader.
   *
   * @param refusal what the reader may throw
   * @return how many versions were refused
   */
  static int fuzz(byte[] good, Class<? extends Exception> refusal, Reader reader) {
    long seed = Long.getLong("parhelion.seed", 1);
    Random random = new Random(seed);
    int refused = 0;
    for (int round = 0; round < ROUNDS; round++) {
      byte[] bad = damaged(good, random);
      long start = THREADS.getCurrentThreadCpuTime();
      try {
        reader.read(bad);
      } catch (Exception e) {
        if (!refusal.isInstance(e)) {
          fail("round " + round + " of seed " + seed + " threw " + e, e);
        }
        String message = e.getMessage();
        assertTrue(message != null && !message.contains("\n"), () -> "no one line: " + message);
        refused++;
      }
      long nanos = THREADS.getCurrentThreadCpuTime() - start;
      assertTrue(nanos < MAX_ROUND_NANOS, "round " + round + " took " + nanos + " ns");
    }
    return refused;
  }

  private static byte[] damaged(byte[] good, Random random) {
    byte[] bad = good.clone();
    if (random.nextInt(4) == 0) {
      bad = Arrays.copyOf(bad, random.nextInt(bad.length));
    }
    int changes = bad.length == 0 ? 0 : random.nextInt(4);
    // Headers are where lengths and counts are.
    int reach = random.nextBoolean() ? bad.length : Math.min(bad.length, 160);
    for (int i = 0; i < changes; i++) {
      int at = random.nextInt(reach);
      switch (random.nextInt(3)) {
        case 0 -> bad[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> bad[at] = (byte) random.nextInt(256);
        default -> bad[at] = (byte) (random.nextBoolean() ? 0xff : 0);
      }
    }
    return bad;
  }
}
