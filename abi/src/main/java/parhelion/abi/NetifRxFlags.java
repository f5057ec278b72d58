package parhelion.abi;

/** Flags of a {@code netif_rx_response} ({@code io/netif.h}). */
@XenNames(header = "io/netif.h", prefix = "NETRXF_")
public final class NetifRxFlags {
  private NetifRxFlags() {}

  public static final int DATA_VALIDATED = 0x1;
  public static final int CSUM_BLANK = 0x2;

  /** The frame goes on in the next response. */
  public static final int MORE_DATA = 0x4;

  /** A {@code netif_extra_info} follows. */
  public static final int EXTRA_INFO = 0x8;

  public static final int GSO_PREFIX = 0x10;
}
