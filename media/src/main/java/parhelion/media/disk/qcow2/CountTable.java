package parhelion.media.disk.qcow2;

import java.util.Map;
import java.util.TreeMap;

/**
 * Counts by cluster; memory is taken for stretches that are not all zero, up to a quarter of all
 * that there is.
 */
final class CountTable {
  private static final int PAGE_BITS = 10;
  private static final int PAGE = 1 << PAGE_BITS;

  private static final long MOST_PAGES = Runtime.getRuntime().maxMemory() / 4 / (4 * PAGE);

  private final TreeMap<Long, int[]> pages = new TreeMap<>();
  private long lastNumber = -1;
  private int[] last = new int[0];

  /** There are more stretches than there is memory for. */
  static final class TooLarge extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  void add(long cluster, int count) {
    long number = cluster >>> PAGE_BITS;
    if (number != lastNumber) {
      last = pages.computeIfAbsent(number, _ -> new int[PAGE]);
      lastNumber = number;
      if (pages.size() > MOST_PAGES) {
        throw new TooLarge();
      }
    }
    int index = (int) cluster & PAGE - 1;
    last[index] = Math.addExact(last[index], count);
  }

  int get(long cluster) {
    int[] page = pages.get(cluster >>> PAGE_BITS);
    return page == null ? 0 : page[(int) cluster & PAGE - 1];
  }

  /** The first cluster from one on that has a count; -1 if there is none. */
  long next(long from) {
    for (Map.Entry<Long, int[]> page : pages.tailMap(from >>> PAGE_BITS, true).entrySet()) {
      long base = page.getKey() << PAGE_BITS;
      for (int i = (int) Math.max(0, from - base); i < PAGE; i++) {
        if (page.getValue()[i] != 0) {
          return base + i;
        }
      }
    }
    return -1;
  }
}
