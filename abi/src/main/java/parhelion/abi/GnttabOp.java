package parhelion.abi;

import org.jspecify.annotations.Nullable;
import parhelion.abi.GnttabArgs.GnttabCacheFlush;
import parhelion.abi.GnttabArgs.GnttabCopy;
import parhelion.abi.GnttabArgs.GnttabDumpTable;
import parhelion.abi.GnttabArgs.GnttabGetStatusFrames;
import parhelion.abi.GnttabArgs.GnttabGetVersion;
import parhelion.abi.GnttabArgs.GnttabMapGrantRef;
import parhelion.abi.GnttabArgs.GnttabQuerySize;
import parhelion.abi.GnttabArgs.GnttabSetVersion;
import parhelion.abi.GnttabArgs.GnttabSetupTable;
import parhelion.abi.GnttabArgs.GnttabSwapGrantRef;
import parhelion.abi.GnttabArgs.GnttabTransfer;
import parhelion.abi.GnttabArgs.GnttabUnmapAndReplace;
import parhelion.abi.GnttabArgs.GnttabUnmapGrantRef;

/**
 * Sub-ops of {@code grant_table_op} ({@code grant_table.h}); each takes an array of its structure
 * and a count.
 */
@XenNames(header = "grant_table.h", prefix = "GNTTABOP_")
public enum GnttabOp implements SubOp {
  MAP_GRANT_REF(0, "GNTTABOP_map_grant_ref", GnttabMapGrantRef.STRUCT),
  UNMAP_GRANT_REF(1, "GNTTABOP_unmap_grant_ref", GnttabUnmapGrantRef.STRUCT),
  SETUP_TABLE(2, "GNTTABOP_setup_table", GnttabSetupTable.STRUCT),
  DUMP_TABLE(3, "GNTTABOP_dump_table", GnttabDumpTable.STRUCT),
  TRANSFER(4, "GNTTABOP_transfer", GnttabTransfer.STRUCT),
  COPY(5, "GNTTABOP_copy", GnttabCopy.STRUCT),
  QUERY_SIZE(6, "GNTTABOP_query_size", GnttabQuerySize.STRUCT),
  UNMAP_AND_REPLACE(7, "GNTTABOP_unmap_and_replace", GnttabUnmapAndReplace.STRUCT),
  SET_VERSION(8, "GNTTABOP_set_version", GnttabSetVersion.STRUCT),
  GET_STATUS_FRAMES(9, "GNTTABOP_get_status_frames", GnttabGetStatusFrames.STRUCT),
  GET_VERSION(10, "GNTTABOP_get_version", GnttabGetVersion.STRUCT),
  SWAP_GRANT_REF(11, "GNTTABOP_swap_grant_ref", GnttabSwapGrantRef.STRUCT),
  CACHE_FLUSH(12, "GNTTABOP_cache_flush", GnttabCacheFlush.STRUCT);

  private static final @Nullable GnttabOp[] BY_NR = ByNumber.table(values());

  private final int nr;
  private final String cName;

  @SuppressWarnings("ImmutableEnumChecker") // a record of a name, a name and a number
  private final @Nullable Struct argument;

  GnttabOp(int nr, String cName, @Nullable Struct argument) {
    this.nr = nr;
    this.cName = cName;
    this.argument = argument;
  }

  /** The row with that number, or null if there is none. */
  public static @Nullable GnttabOp of(long nr) {
    return nr >= 0 && nr < BY_NR.length ? BY_NR[(int) nr] : null;
  }

  @Override
  public int nr() {
    return nr;
  }

  @Override
  public String cName() {
    return cName;
  }

  @Override
  public @Nullable Struct argument() {
    return argument;
  }
}
