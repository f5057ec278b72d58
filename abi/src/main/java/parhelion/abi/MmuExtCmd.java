package parhelion.abi;

import org.jspecify.annotations.Nullable;

/**
 * Commands of {@code mmuext_op} ({@code xen.h}); each stands in {@code cmd} of an {@link
 * MmuArgs.MmuextOp}.
 */
@XenNames(header = "xen.h", prefix = "MMUEXT_")
public enum MmuExtCmd implements Numbered {
  PIN_L1_TABLE(0, "MMUEXT_PIN_L1_TABLE"),
  PIN_L2_TABLE(1, "MMUEXT_PIN_L2_TABLE"),
  PIN_L3_TABLE(2, "MMUEXT_PIN_L3_TABLE"),
  PIN_L4_TABLE(3, "MMUEXT_PIN_L4_TABLE"),
  UNPIN_TABLE(4, "MMUEXT_UNPIN_TABLE"),
  NEW_BASEPTR(5, "MMUEXT_NEW_BASEPTR"),
  TLB_FLUSH_LOCAL(6, "MMUEXT_TLB_FLUSH_LOCAL"),
  INVLPG_LOCAL(7, "MMUEXT_INVLPG_LOCAL"),
  TLB_FLUSH_MULTI(8, "MMUEXT_TLB_FLUSH_MULTI"),
  INVLPG_MULTI(9, "MMUEXT_INVLPG_MULTI"),
  TLB_FLUSH_ALL(10, "MMUEXT_TLB_FLUSH_ALL"),
  INVLPG_ALL(11, "MMUEXT_INVLPG_ALL"),
  FLUSH_CACHE(12, "MMUEXT_FLUSH_CACHE"),
  SET_LDT(13, "MMUEXT_SET_LDT"),
  NEW_USER_BASEPTR(15, "MMUEXT_NEW_USER_BASEPTR"),
  CLEAR_PAGE(16, "MMUEXT_CLEAR_PAGE"),
  COPY_PAGE(17, "MMUEXT_COPY_PAGE"),
  FLUSH_CACHE_GLOBAL(18, "MMUEXT_FLUSH_CACHE_GLOBAL"),
  MARK_SUPER(19, "MMUEXT_MARK_SUPER"),
  UNMARK_SUPER(20, "MMUEXT_UNMARK_SUPER");

  private static final @Nullable MmuExtCmd[] BY_NR = ByNumber.table(values());

  private final int nr;
  private final String cName;

  MmuExtCmd(int nr, String cName) {
    this.nr = nr;
    this.cName = cName;
  }

  /** The row with that number, or null if there is none. */
  public static @Nullable MmuExtCmd of(long nr) {
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
