package parhelion.backends.xenstore;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import parhelion.abi.XsdSockmsg;

/** One message of either direction: {@code struct xsd_sockmsg} and its payload. */
record XsMessage(int type, int reqId, int txId, byte[] payload) {
  static final int HEADER_BYTES = XsdSockmsg.STRUCT.size();

  /** The message as it goes into the ring. */
  byte[] encode() {
    return ByteBuffer.allocate(HEADER_BYTES + payload.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(type)
        .putInt(reqId)
        .putInt(txId)
        .putInt(payload.length)
        .put(payload)
        .array();
  }

  /** The length field of an encoded header; a hostile one may be negative. */
  static int payloadLength(byte[] header) {
    return ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).getInt(XsdSockmsg.LEN.offset());
  }

  static XsMessage decode(byte[] header, byte[] payload) {
    ByteBuffer fields = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
    return new XsMessage(
        fields.getInt(XsdSockmsg.TYPE.offset()),
        fields.getInt(XsdSockmsg.REQ_ID.offset()),
        fields.getInt(XsdSockmsg.TX_ID.offset()),
        payload);
  }
}
