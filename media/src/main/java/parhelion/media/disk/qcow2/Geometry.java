package parhelion.media.disk.qcow2;

/**
 * The sizes that follow from a header's cluster size and refcount width.
 *
 * <p>Tables are cached and written in slices: {@link #sliceBytes} of a cluster of L2 entries or of
 * refcounts.
 *
 * @param clusterBits log2 of the cluster size in bytes, 9 to 21
 * @param refcountOrder log2 of a refcount's width in bits, 0 to 6
 */
record Geometry(int clusterBits, int refcountOrder) {
  static final int MIN_CLUSTER_BITS = 9;
  static final int MAX_CLUSTER_BITS = 21;
  private static final int MAX_SLICE_BITS = 12;

  /** No host offset reaches this: entries have room for 56 bits. */
  static final long MAX_HOST_BYTES = 1L << 55;

  int clusterBytes() {
    return 1 << clusterBits;
  }

  /** log2 of the number of entries of an L2 table. */
  int l2Bits() {
    return clusterBits - 3;
  }

  /** How much of the disk an L2 table maps. */
  long l2Coverage() {
    return 1L << (clusterBits + l2Bits());
  }

  int sliceBits() {
    return Math.min(clusterBits, MAX_SLICE_BITS);
  }

  int sliceBytes() {
    return 1 << sliceBits();
  }

  /** log2 of the number of L2 entries of a slice. */
  int l2SliceBits() {
    return sliceBits() - 3;
  }

  /** log2 of the number of refcounts of a block. */
  int blockBits() {
    return clusterBits + 3 - refcountOrder;
  }

  /** log2 of the number of refcounts of a slice. */
  int refcountSliceBits() {
    return sliceBits() + 3 - refcountOrder;
  }

  /** The greatest refcount that there is room for. */
  long maxRefcount() {
    return refcountOrder == 6 ? Long.MAX_VALUE : (1L << (1 << refcountOrder)) - 1;
  }

  /** How many clusters hold so many bytes. */
  long clustersFor(long bytes) {
    return (bytes >>> clusterBits) + ((bytes & (clusterBytes() - 1)) == 0 ? 0 : 1);
  }

  long roundUp(long bytes) {
    return clustersFor(bytes) << clusterBits;
  }

  /** How many L1 entries a disk of a size needs. */
  long l1EntriesFor(long sizeBytes) {
    long coverage = l2Coverage();
    return sizeBytes / coverage + (sizeBytes % coverage == 0 ? 0 : 1);
  }
}
