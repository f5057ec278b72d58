package parhelion.abi;

import org.jspecify.annotations.Nullable;

/** Operations of a block device's requests ({@code io/blkif.h}). */
@XenNames(header = "io/blkif.h", prefix = "BLKIF_OP_")
public enum BlkifOp implements Numbered {
  READ(0, "BLKIF_OP_READ"),
  WRITE(1, "BLKIF_OP_WRITE"),
  WRITE_BARRIER(2, "BLKIF_OP_WRITE_BARRIER"),
  FLUSH_DISKCACHE(3, "BLKIF_OP_FLUSH_DISKCACHE"),
  RESERVED_1(4, "BLKIF_OP_RESERVED_1"),
  DISCARD(5, "BLKIF_OP_DISCARD"),
  INDIRECT(6, "BLKIF_OP_INDIRECT");

  private static final @Nullable BlkifOp[] BY_NR = ByNumber.table(values());

  private final int nr;
  private final String cName;

  BlkifOp(int nr, String cName) {
    this.nr = nr;
    this.cName = cName;
  }

  /** The row with that number, or null if there is none. */
  public static @Nullable BlkifOp of(long nr) {
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
}
