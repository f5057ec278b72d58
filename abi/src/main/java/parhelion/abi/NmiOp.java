package parhelion.abi;

import org.jspecify.annotations.Nullable;

/** Sub-ops of {@code nmi_op} ({@code nmi.h}). */
@XenNames(header = "nmi.h", prefix = "XENNMI_")
public enum NmiOp implements Numbered {
  REGISTER_CALLBACK(0, "XENNMI_register_callback"),
  UNREGISTER_CALLBACK(1, "XENNMI_unregister_callback");

  private static final @Nullable NmiOp[] BY_NR = ByNumber.table(values());

  private final int nr;
  private final String cName;

  NmiOp(int nr, String cName) {
    this.nr = nr;
    this.cName = cName;
  }

  /** The row with that number, or null if there is none. */
  public static @Nullable NmiOp of(long nr) {
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
