package parhelion.media.net.nat.tcp;

import org.jspecify.annotations.Nullable;
import parhelion.media.net.nat.ip.Datagram;
import parhelion.media.net.nat.ip.FlowKey;
import parhelion.media.net.nat.wire.Wire;

/**
 * A segment from the guest, its header read once and checked.
 *
 * @param window as it stands there, not scaled
 * @param at where the payload is in the datagram's bytes
 * @param mss of the option; 0 without it
 * @param scale of the option for windows; -1 without it
 */
record Segment(
    Datagram datagram,
    int fromPort,
    int toPort,
    int seq,
    int ack,
    int flags,
    int window,
    int at,
    int length,
    int mss,
    int scale) {
  static final int FIN = 1;
  static final int SYN = 2;
  static final int RST = 4;
  static final int PSH = 8;
  static final int ACK = 16;

  static final int HEADER_BYTES = 20;
  static final int OPTION_MSS = 2;
  static final int OPTION_SCALE = 3;

  /** The largest that RFC 7323 has. */
  static final int MAX_SCALE = 14;

  private static final int OPTION_END = 0;
  private static final int OPTION_NOP = 1;

  /** Null if a length in it is wrong. */
  static @Nullable Segment read(Datagram datagram) {
    byte[] bytes = datagram.bytes();
    int at = datagram.at();
    if (datagram.length() < HEADER_BYTES) {
      return null;
    }
    int headerBytes = (Wire.u8(bytes, at + 12) >>> 4) * 4;
    if (headerBytes < HEADER_BYTES || headerBytes > datagram.length()) {
      return null;
    }
    int flags = Wire.u8(bytes, at + 13);
    int mss = 0;
    int scale = -1;
    int end = at + headerBytes;
    for (int option = at + HEADER_BYTES; (flags & SYN) != 0 && option < end; ) {
      int kind = Wire.u8(bytes, option);
      if (kind == OPTION_END) {
        break;
      }
      if (kind == OPTION_NOP) {
        option++;
        continue;
      }
      int size = option + 1 < end ? Wire.u8(bytes, option + 1) : 0;
      if (size < 2 || option + size > end) {
        break; // The options before it count.
      }
      if (kind == OPTION_MSS && size == 4) {
        mss = Wire.u16(bytes, option + 2);
      } else if (kind == OPTION_SCALE && size == 3) {
        scale = Math.min(Wire.u8(bytes, option + 2), MAX_SCALE);
      }
      option += size;
    }
    return new Segment(
        datagram,
        Wire.u16(bytes, at),
        Wire.u16(bytes, at + 2),
        Wire.i32(bytes, at + 4),
        Wire.i32(bytes, at + 8),
        flags,
        Wire.u16(bytes, at + 14),
        at + headerBytes,
        datagram.length() - headerBytes,
        mss,
        scale);
  }

  FlowKey key() {
    return new FlowKey(datagram.from(), fromPort, datagram.to(), toPort);
  }

  boolean has(int flag) {
    return (flags & flag) != 0;
  }

  /** How far it moves the sequence. */
  int span() {
    return length + (flags & SYN) / SYN + (flags & FIN);
  }
}
