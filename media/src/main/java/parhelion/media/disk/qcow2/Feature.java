package parhelion.media.disk.qcow2;

/** The bits of a header's feature fields that we know. */
final class Feature {
  /** Refcounts may be wrong: the image was not closed by a writer that leaves them for later. */
  static final long DIRTY = 1;

  /** Some program found the image damaged. */
  static final long CORRUPT = 1 << 1;

  static final long EXTERNAL_DATA = 1 << 2;

  /** Clusters are not compressed with zlib but as the header says. */
  static final long COMPRESSION_TYPE = 1 << 3;

  static final long EXTENDED_L2 = 1 << 4;

  /** The incompatible features that we can live with. */
  static final long SERVED = DIRTY | CORRUPT | COMPRESSION_TYPE;

  /** Compatible: refcounts are left for later, see {@link #DIRTY}. */
  static final long LAZY_REFCOUNTS = 1;

  /** Autoclear: the bitmaps that the header names are right. */
  static final long BITMAPS = 1;

  private Feature() {}

  /** What an incompatible feature is called. */
  static String incompatibleName(int bit) {
    return switch (bit) {
      case 0 -> "dirty bit";
      case 1 -> "corrupt bit";
      case 2 -> "external data file";
      case 3 -> "compression type";
      case 4 -> "extended L2 entries";
      default -> "incompatible feature " + bit;
    };
  }
}
