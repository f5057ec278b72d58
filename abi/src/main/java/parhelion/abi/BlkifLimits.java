package parhelion.abi;

/** Limits and flags of a block device's requests ({@code io/blkif.h}). */
@XenNames(header = "io/blkif.h", prefix = "")
public final class BlkifLimits {
  private BlkifLimits() {}

  /** Segments that fit into a request itself. */
  public static final int BLKIF_MAX_SEGMENTS_PER_REQUEST = 11;

  /** Pages of segments that an indirect request can name. */
  public static final int BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST = 8;

  /** In the flags of a discard: the data must be unrecoverable. */
  public static final int BLKIF_DISCARD_SECURE = 1;
}
