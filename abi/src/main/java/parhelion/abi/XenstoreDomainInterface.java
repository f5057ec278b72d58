package parhelion.abi;

import parhelion.abi.Field.Part;
import parhelion.abi.Field.U32;

/**
 * {@code struct xenstore_domain_interface} ({@code xs_wire.h}): the ring to xenstore, live. Indices
 * run free; mask them by {@link XenstoreWire#RING_SIZE} less 1.
 */
public final class XenstoreDomainInterface {
  private XenstoreDomainInterface() {}

  public static final Struct STRUCT = Struct.of("xenstore_domain_interface", "io/xs_wire.h", 2080);

  /** From the guest. */
  public static final Part REQ = STRUCT.array("req", 0, 1024, 1);

  /** Towards the guest. */
  public static final Part RSP = STRUCT.array("rsp", 1024, 1024, 1);

  public static final U32 REQ_CONS = STRUCT.u32("req_cons", 2048);
  public static final U32 REQ_PROD = STRUCT.u32("req_prod", 2052);
  public static final U32 RSP_CONS = STRUCT.u32("rsp_cons", 2056);
  public static final U32 RSP_PROD = STRUCT.u32("rsp_prod", 2060);
  public static final U32 SERVER_FEATURES = STRUCT.u32("server_features", 2064);
  public static final U32 CONNECTION = STRUCT.u32("connection", 2068);
  public static final U32 ERROR = STRUCT.u32("error", 2072);
  public static final U32 EVTCHN_PORT = STRUCT.u32("evtchn_port", 2076);
}
