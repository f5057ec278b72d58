package parhelion.abi;

/** Statuses of a block device's responses ({@code io/blkif.h}). */
@XenNames(header = "io/blkif.h", prefix = "BLKIF_RSP_")
public final class BlkifRsp {
  private BlkifRsp() {}

  public static final int OKAY = 0;
  public static final int ERROR = -1;
  public static final int EOPNOTSUPP = -2;
}
