package parhelion.abi;

/** Flags of {@code GNTTABOP_map_grant_ref} ({@code grant_table.h}). */
@XenNames(header = "grant_table.h", prefix = "GNTMAP_")
public final class Gntmap {
  private Gntmap() {}

  public static final long DEVICE_MAP = 0x1;

  /** Into the address space, at {@code host_addr}. */
  public static final long HOST_MAP = 0x2;

  public static final long READONLY = 0x4;

  /** User mode may reach it. */
  public static final long APPLICATION_MAP = 0x8;

  /** {@code host_addr} is the machine address of a page-table entry, not a virtual address. */
  public static final long CONTAINS_PTE = 0x10;

  /**
   * For the available bits of the page-table entry, by {@link XenFeature#GNTTAB_MAP_AVAIL_BITS}.
   */
  public static final long GUEST_AVAIL_MASK = 0xffff0000L;
}
