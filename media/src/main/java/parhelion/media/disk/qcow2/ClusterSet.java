package parhelion.media.disk.qcow2;

/**
 * A set of numbers of host clusters, none of them negative. One thread at a time adds; others may
 * look at the same time, and may miss what is being added.
 */
final class ClusterSet {
  private static final int FIRST = 64;

  /** Open addressing; a slot has a number plus one, or 0. At most half of them are used. */
  private volatile long[] slots = new long[FIRST];

  private int count;

  boolean contains(long cluster) {
    long[] table = slots;
    int mask = table.length - 1;
    for (int i = hash(cluster) & mask; ; i = i + 1 & mask) {
      long slot = table[i];
      if (slot == cluster + 1) {
        return true;
      }
      if (slot == 0) {
        return false;
      }
    }
  }

  /** Adds a number; false if it was there. */
  boolean add(long cluster) {
    if (2 * (count + 1) > slots.length) {
      grow();
    }
    boolean added = put(slots, cluster + 1);
    count += added ? 1 : 0;
    return added;
  }

  /** Takes a number out. */
  void remove(long cluster) {
    long[] table = slots;
    int mask = table.length - 1;
    int hole = hash(cluster) & mask;
    while (table[hole] != cluster + 1) {
      if (table[hole] == 0) {
        return;
      }
      hole = hole + 1 & mask;
    }
    count--;
    // What follows and would be found no more moves up.
    for (int i = hole + 1 & mask; table[i] != 0; i = i + 1 & mask) {
      int home = hash(table[i] - 1) & mask;
      if ((i - home & mask) >= (i - hole & mask)) {
        table[hole] = table[i];
        hole = i;
      }
    }
    table[hole] = 0;
  }

  private void grow() {
    long[] larger = new long[2 * slots.length];
    for (long slot : slots) {
      if (slot != 0) {
        boolean ignored = put(larger, slot);
      }
    }
    slots = larger;
  }

  private static boolean put(long[] table, long value) {
    int mask = table.length - 1;
    int i = hash(value - 1) & mask;
    while (table[i] != 0) {
      if (table[i] == value) {
        return false;
      }
      i = i + 1 & mask;
    }
    table[i] = value;
    return true;
  }

  private static int hash(long cluster) {
    long mixed = cluster * 0x9E37_79B9_7F4A_7C15L;
    return (int) (mixed >>> 32);
  }
}
