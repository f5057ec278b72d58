package parhelion.abi;

/** Flags of a {@code netif_tx_request} ({@code io/netif.h}). */
@XenNames(header = "io/netif.h", prefix = "NETTXF_")
public final class NetifTxFlags {
  private NetifTxFlags() {}

  /** The checksum of the payload is left to the receiver. */
  public static final int CSUM_BLANK = 0x1;

  /** The data is as it should be, though its checksum may be blank. */
  public static final int DATA_VALIDATED = 0x2;

  /** The frame goes on in the next request. */
  public static final int MORE_DATA = 0x4;

  /** A {@code netif_extra_info} follows. */
  public static final int EXTRA_INFO = 0x8;
}
