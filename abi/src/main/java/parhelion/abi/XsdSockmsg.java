package parhelion.abi;

import parhelion.abi.Field.U32;

/**
 * {@code struct xsd_sockmsg}: the header of each xenstore message ({@code xs_wire.h}); {@code type}
 * is an {@link XsType}, {@code len} at most {@link XenstoreWire#PAYLOAD_MAX}.
 */
public record XsdSockmsg(long type, long reqId, long txId, long len) {
  public static final Struct STRUCT = Struct.of("xsd_sockmsg", "io/xs_wire.h", 16);
  public static final U32 TYPE = STRUCT.u32("type", 0);
  public static final U32 REQ_ID = STRUCT.u32("req_id", 4);
  public static final U32 TX_ID = STRUCT.u32("tx_id", 8);
  public static final U32 LEN = STRUCT.u32("len", 12);

  public static XsdSockmsg read(Bytes b, long at) {
    return new XsdSockmsg(TYPE.get(b, at), REQ_ID.get(b, at), TX_ID.get(b, at), LEN.get(b, at));
  }
}
