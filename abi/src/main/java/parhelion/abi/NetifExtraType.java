package parhelion.abi;

/** Kinds of {@code netif_extra_info} ({@code io/netif.h}). */
@XenNames(header = "io/netif.h", prefix = "XEN_NETIF_EXTRA_TYPE_")
public final class NetifExtraType {
  private NetifExtraType() {}

  public static final int NONE = 0;
  public static final int GSO = 1;
  public static final int MCAST_ADD = 2;
  public static final int MCAST_DEL = 3;
  public static final int HASH = 4;

  /** One more than the greatest. */
  public static final int MAX = 5;
}
