package parhelion.abi;

import parhelion.abi.Field.Part;
import parhelion.abi.Field.S16;
import parhelion.abi.Field.U16;
import parhelion.abi.Field.U32;
import parhelion.abi.Field.U8;

/**
 * What stands in the rings of a network device ({@code io/netif.h}). Entries of the transmit ring
 * are 12 bytes, those of the receive ring 8. Copied by value once, then validated.
 */
public final class NetifRequests {
  private NetifRequests() {}

  /** {@code struct netif_tx_request}: a part of a frame that the guest sends. */
  public static final class NetifTxRequest {
    private NetifTxRequest() {}

    public static final Struct STRUCT = Struct.of("netif_tx_request", "io/netif.h", 12);
    public static final U32 GREF = STRUCT.u32("gref", 0);
    public static final U16 OFFSET = STRUCT.u16("offset", 4);

    /** {@link NetifTxFlags}. */
    public static final U16 FLAGS = STRUCT.u16("flags", 6);

    public static final U16 ID = STRUCT.u16("id", 8);

    /** Of the first request of a frame: all of it. Of the others: what is in the page. */
    public static final U16 SIZE = STRUCT.u16("size", 10);
  }

  /** {@code struct netif_tx_response}. */
  public static final class NetifTxResponse {
    private NetifTxResponse() {}

    public static final Struct STRUCT = Struct.of("netif_tx_response", "io/netif.h", 4);
    public static final U16 ID = STRUCT.u16("id", 0);

    /** {@link NetifStatus}. */
    public static final S16 STATUS = STRUCT.s16("status", 2);
  }

  /** {@code struct netif_extra_info}: what more is to be said of a frame, in a slot of its own. */
  public static final class NetifExtraInfo {
    private NetifExtraInfo() {}

    public static final Struct STRUCT = Struct.of("netif_extra_info", "io/netif.h", 8);

    /** {@link NetifExtraType}. */
    public static final U8 TYPE = STRUCT.u8("type", 0);

    /** {@link NetifExtraFlags}. */
    public static final U8 FLAGS = STRUCT.u8("flags", 1);

    public static final U16 GSO_SIZE = STRUCT.u16("u.gso.size", 2);

    /** {@link NetifGsoType}. */
    public static final U8 GSO_TYPE = STRUCT.u8("u.gso.type", 4);

    public static final U16 GSO_FEATURES = STRUCT.u16("u.gso.features", 6);
    public static final Part MCAST_ADDR = STRUCT.array("u.mcast.addr", 2, 6, 1);
  }

  /** {@code struct netif_rx_request}: a page that the guest lends for what it receives. */
  public static final class NetifRxRequest {
    private NetifRxRequest() {}

    public static final Struct STRUCT = Struct.of("netif_rx_request", "io/netif.h", 8);
    public static final U16 ID = STRUCT.u16("id", 0);
    public static final U32 GREF = STRUCT.u32("gref", 4);
  }

  /** {@code struct netif_rx_response}. */
  public static final class NetifRxResponse {
    private NetifRxResponse() {}

    public static final Struct STRUCT = Struct.of("netif_rx_response", "io/netif.h", 8);
    public static final U16 ID = STRUCT.u16("id", 0);
    public static final U16 OFFSET = STRUCT.u16("offset", 2);

    /** {@link NetifRxFlags}. */
    public static final U16 FLAGS = STRUCT.u16("flags", 4);

    /** Bytes in the page, or a {@link NetifStatus} below 0. */
    public static final S16 STATUS = STRUCT.s16("status", 6);
  }
}
