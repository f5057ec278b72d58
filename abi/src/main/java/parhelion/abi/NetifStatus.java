package parhelion.abi;

/** Status of a response of a network device ({@code io/netif.h}). */
@XenNames(header = "io/netif.h", prefix = "NETIF_RSP_")
public final class NetifStatus {
  private NetifStatus() {}

  public static final int DROPPED = -2;
  public static final int ERROR = -1;
  public static final int OKAY = 0;

  /** Stands where the request was an extra info. */
  public static final int NULL = 1;
}
