package parhelion.abi;

/** Commands of {@code GNTTABOP_cache_flush} ({@code grant_table.h}). */
@XenNames(header = "grant_table.h", prefix = "GNTTAB_CACHE_")
public final class GnttabCache {
  private GnttabCache() {}

  public static final long CLEAN = 0x1;
  public static final long INVAL = 0x2;
  public static final long SOURCE_GREF = 0x80000000L;
}
