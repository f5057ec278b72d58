package parhelion.abi;

import parhelion.abi.Field.Part;
import parhelion.abi.Field.U32;

/**
 * {@code struct netif_tx_sring} ({@code io/netif.h}), which the receive ring shares but for the
 * entries. Indices run free; mask them by the number of entries less 1.
 */
public final class NetifSring {
  private NetifSring() {}

  public static final Struct STRUCT = Struct.of("netif_tx_sring", "io/netif.h", 64);
  public static final U32 REQ_PROD = STRUCT.u32("req_prod", 0);

  /** The backend wants an event when {@link #REQ_PROD} passes it. */
  public static final U32 REQ_EVENT = STRUCT.u32("req_event", 4);

  public static final U32 RSP_PROD = STRUCT.u32("rsp_prod", 8);

  /** The frontend wants an event when {@link #RSP_PROD} passes it. */
  public static final U32 RSP_EVENT = STRUCT.u32("rsp_event", 12);

  /** Used by no frontend or backend of today. */
  public static final Part PVT_PAD = STRUCT.array("pvt.pvt_pad", 16, 4, 1);

  /** The entries, to the page's end. */
  public static final Part RING = STRUCT.array("ring", 64, 0, 12);
}
