package parhelion.backends.xenstore;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** One message of either direction: {@code struct xsd_sockmsg} and its payload. */
record XsMessage(int type, int reqId, int txId, byte[] payload) {
  /** The message as it goes into the ring. */
  byte[] encode() {
    return ByteBuffer.allocate(XsWire.HEADER_BYTES + payload.length)
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
    return ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).getInt(12);
  }

  static XsMessage decode(byte[] header, byte[] payload) {
    ByteBuffer fields = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
    return new XsMessage(fields.getInt(0), fields.getInt(4), fields.getInt(8), payload);
  }
}
