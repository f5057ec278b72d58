package parhelion.abi;

/** Grant references that the domain builder fills in ({@code grant_table.h}). */
@XenNames(
    header = "grant_table.h",
    prefix = "GNTTAB_",
    except = {"GNTTAB_CACHE_"})
public final class GnttabReserved {
  private GnttabReserved() {}

  public static final int RESERVED_CONSOLE = 0;
  public static final int RESERVED_XENSTORE = 1;
  public static final int NR_RESERVED_ENTRIES = 8;
}
