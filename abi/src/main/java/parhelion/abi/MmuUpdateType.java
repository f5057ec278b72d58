package parhelion.abi;

import org.jspecify.annotations.Nullable;

/**
 * What {@code mmu_update} is to do: the low two bits of {@code ptr} of an {@link MmuArgs.MmuUpdate}
 * ({@code xen.h}).
 */
@XenNames(header = "xen.h", prefix = "MMU_")
public enum MmuUpdateType implements Numbered {
  NORMAL_PT_UPDATE(0, "MMU_NORMAL_PT_UPDATE"),
  MACHPHYS_UPDATE(1, "MMU_MACHPHYS_UPDATE"),
  PT_UPDATE_PRESERVE_AD(2, "MMU_PT_UPDATE_PRESERVE_AD"),
  PT_UPDATE_NO_TRANSLATE(3, "MMU_PT_UPDATE_NO_TRANSLATE");

  private static final @Nullable MmuUpdateType[] BY_NR = ByNumber.table(values());

  private final int nr;
  private final String cName;

  MmuUpdateType(int nr, String cName) {
    this.nr = nr;
    this.cName = cName;
  }

  /** The row with that number, or null if there is none. */
  public static @Nullable MmuUpdateType of(long nr) {
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
