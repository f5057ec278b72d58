package parhelion.abi;

import org.jspecify.annotations.Nullable;

/** What {@code set_segment_base} sets ({@code xen-x86_64.h}). */
@XenNames(header = "arch-x86/xen-x86_64.h", prefix = "SEGBASE_")
public enum SegmentBase implements Numbered {
  FS(0, "SEGBASE_FS"),
  GS_USER(1, "SEGBASE_GS_USER"),
  GS_KERNEL(2, "SEGBASE_GS_KERNEL"),
  GS_USER_SEL(3, "SEGBASE_GS_USER_SEL");

  private static final @Nullable SegmentBase[] BY_NR = ByNumber.table(values());

  private final int nr;
  private final String cName;

  SegmentBase(int nr, String cName) {
    this.nr = nr;
    this.cName = cName;
  }

  /** The row with that number, or null if there is none. */
  public static @Nullable SegmentBase of(long nr) {
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
