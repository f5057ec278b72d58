package parhelion.abi;

/** What kind of disk it is: bits of the node {@code info} ({@code io/blkif.h}). */
@XenNames(header = "io/blkif.h", prefix = "VDISK_")
public final class Vdisk {
  private Vdisk() {}

  public static final int CDROM = 0x1;
  public static final int REMOVABLE = 0x2;
  public static final int READONLY = 0x4;
}
