package parhelion.abi;

/** Segmentation that is left to the receiver ({@code io/netif.h}). */
@XenNames(header = "io/netif.h", prefix = "XEN_NETIF_GSO_TYPE_")
public final class NetifGsoType {
  private NetifGsoType() {}

  public static final int NONE = 0;
  public static final int TCPV4 = 1;
  public static final int TCPV6 = 2;
}
