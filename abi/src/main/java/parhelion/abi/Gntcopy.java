package parhelion.abi;

/** Flags of {@code GNTTABOP_copy} ({@code grant_table.h}). */
@XenNames(header = "grant_table.h", prefix = "GNTCOPY_")
public final class Gntcopy {
  private Gntcopy() {}

  public static final int SOURCE_GREF = 0x1;
  public static final int DEST_GREF = 0x2;
}
