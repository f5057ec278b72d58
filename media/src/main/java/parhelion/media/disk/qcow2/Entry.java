package parhelion.media.disk.qcow2;

/** What L1 and L2 entries say: one long each, taken apart here. */
final class Entry {
  /** Nobody else refers to what this entry refers to: it can be written in place. */
  static final long COPIED = 1L << 63;

  private static final long COMPRESSED = 1L << 62;

  /** Reads as zeroes, whatever the host cluster holds (version 3). */
  static final long ZERO = 1;

  private static final long OFFSET = 0x00ff_ffff_ffff_fe00L;

  private static final int SECTOR_BYTES = 512;

  private Entry() {}

  static boolean isCopied(long entry) {
    return (entry & COPIED) != 0;
  }

  static boolean isCompressed(long entry) {
    return (entry & COMPRESSED) != 0;
  }

  /** Of an L2 entry that is not compressed. */
  static boolean isZero(long entry) {
    return (entry & ZERO) != 0;
  }

  /** The host offset of a table or of a cluster that is not compressed; 0 if there is none. */
  static long offset(long entry) {
    return entry & OFFSET;
  }

  /** Whether data of the cluster are in a host cluster of its own, as they are. */
  static boolean isPlain(long entry) {
    return (entry & (COMPRESSED | ZERO)) == 0 && offset(entry) != 0;
  }

  /** Whether the entry says nothing: the data are the backing file's. */
  static boolean isAbsent(long entry) {
    return !isCompressed(entry) && !isZero(entry) && offset(entry) == 0;
  }

  /** Where compressed data begin. */
  static long compressedOffset(long entry, Geometry geometry) {
    return entry & ((1L << compressedShift(geometry)) - 1);
  }

  /** How many bytes from there on hold them, with something after their end. */
  static int compressedBytes(long entry, Geometry geometry) {
    int sectors = (int) ((entry & (COMPRESSED - 1)) >>> compressedShift(geometry)) + 1;
    return sectors * SECTOR_BYTES - (int) (compressedOffset(entry, geometry) % SECTOR_BYTES);
  }

  private static int compressedShift(Geometry geometry) {
    return 62 - (geometry.clusterBits() - 8);
  }
}
