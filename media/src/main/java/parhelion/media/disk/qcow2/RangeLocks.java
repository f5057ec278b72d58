package parhelion.media.disk.qcow2;

import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Locks for ranges of the disk: shared by those who read or write clusters where they are, for the
 * one alone who changes where they are. A range is a stretch of clusters with entries in one slice
 * of an L2 table; ranges far apart may share a lock.
 */
final class RangeLocks {
  private static final int LOCKS = 256;
  private static final int TARGET_BITS = 20;

  private final ReentrantReadWriteLock[] locks = new ReentrantReadWriteLock[LOCKS];
  private final int rangeBits;

  RangeLocks(Geometry geometry) {
    int sliceCoverageBits = geometry.clusterBits() + geometry.l2SliceBits();
    rangeBits = Math.min(sliceCoverageBits, Math.max(geometry.clusterBits(), TARGET_BITS));
    for (int i = 0; i < LOCKS; i++) {
      locks[i] = new ReentrantReadWriteLock();
    }
  }

  ReentrantReadWriteLock of(long offset) {
    return locks[(int) (offset >>> rangeBits) & LOCKS - 1];
  }

  /** Where the range of an offset ends. */
  long endOf(long offset) {
    return (offset >>> rangeBits) + 1 << rangeBits;
  }
}
