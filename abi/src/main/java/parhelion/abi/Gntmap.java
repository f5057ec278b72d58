package parhelion.abi;

/** Flags of {@code GNTTABOP_map_grant_ref} ({@code grant_table.h}). */
@XenNames(header = "grant_table.h", prefix = "GNTMAP_")
public final class Gntmap {
  private Gntmap() {}

  public static final long DEVICE_MAP = 0x1;
  public static final long HOST_MAP = 0x2;
  public static final long READONLY = 0x4;
  public static final long APPLICATION_MAP = 0x8;
  public static final long CONTAINS_PTE = 0x10;
  public static final long GUEST_AVAIL_MASK = 0xffff0000L;
}
