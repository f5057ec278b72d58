package parhelion.abi;

/** Flags of a {@code netif_extra_info} ({@code io/netif.h}). */
@XenNames(header = "io/netif.h", prefix = "XEN_NETIF_EXTRA_FLAG_")
public final class NetifExtraFlags {
  private NetifExtraFlags() {}

  /** Another follows. */
  public static final int MORE = 0x1;
}
