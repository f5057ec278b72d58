package parhelion.abi;

import org.jspecify.annotations.Nullable;

/** Commands of {@code vm_assist} ({@code xen.h}). */
@XenNames(header = "xen.h", prefix = "VMASST_CMD_")
public enum VmAssistCmd implements Numbered {
  ENABLE(0, "VMASST_CMD_enable"),
  DISABLE(1, "VMASST_CMD_disable");

  private static final @Nullable VmAssistCmd[] BY_NR = ByNumber.table(values());

  private final int nr;
  private final String cName;

  VmAssistCmd(int nr, String cName) {
    this.nr = nr;
    this.cName = cName;
  }

  /** The row with that number, or null if there is none. */
  public static @Nullable VmAssistCmd of(long nr) {
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
