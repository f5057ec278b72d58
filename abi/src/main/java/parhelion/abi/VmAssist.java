package parhelion.abi;

import org.jspecify.annotations.Nullable;

/** What {@code vm_assist} turns on and off: bits of the {@code vm_assist} word ({@code xen.h}). */
@XenNames(header = "xen.h", prefix = "VMASST_TYPE_")
public enum VmAssist implements Numbered {
  _4GB_SEGMENTS(0, "VMASST_TYPE_4gb_segments"),
  _4GB_SEGMENTS_NOTIFY(1, "VMASST_TYPE_4gb_segments_notify"),
  WRITABLE_PAGETABLES(2, "VMASST_TYPE_writable_pagetables"),
  PAE_EXTENDED_CR3(3, "VMASST_TYPE_pae_extended_cr3"),
  ARCHITECTURAL_IOPL(4, "VMASST_TYPE_architectural_iopl"),
  RUNSTATE_UPDATE_FLAG(5, "VMASST_TYPE_runstate_update_flag"),
  M2P_STRICT(32, "VMASST_TYPE_m2p_strict");

  private static final @Nullable VmAssist[] BY_NR = ByNumber.table(values());

  private final int nr;
  private final String cName;

  VmAssist(int nr, String cName) {
    this.nr = nr;
    this.cName = cName;
  }

  /** The row with that number, or null if there is none. */
  public static @Nullable VmAssist of(long nr) {
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
