package parhelion.media.net.nat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Writes and reads frames for the tests' guest: one byte after the other, slow and plain. */
final class Frame {
  private Frame() {}

  /** The checksum of RFC 1071 by its definition: 16-bit words, end-around carry after each. */
  static int checksum(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    byte[] bytes = all.toByteArray();
    int sum = 0;
    for (int i = 0; i < bytes.length; i += 2) {
      int low = i + 1 < bytes.length ? bytes[i + 1] & 0xff : 0;
      sum += (bytes[i] & 0xff) * 256 + low;
      if (sum > 0xffff) {
        sum = sum - 0x10000 + 1;
      }
    }
    return 0xffff - sum;
  }

  static byte[] pseudoHeader(byte[] from, byte[] to, int protocol, int length) {
    return from.length == 4
        ? bytes(from, to, new byte[] {0, (byte) protocol}, u16(length))
        : bytes(from, to, u32(length), new byte[] {0, 0, 0, (byte) protocol});
  }

  static byte[] ethernet(byte[] to, byte[] from, int type, byte[] payload) {
    return bytes(to, from, u16(type), payload);
  }

  static byte[] ipv4(byte[] from, byte[] to, int protocol, byte[] payload) {
    return ipv4(from, to, protocol, 7, 0, payload);
  }

  static byte[] ipv4(byte[] from, byte[] to, int protocol, int id, int fragment, byte[] payload) {
    byte[] header =
        bytes(
            new byte[] {0x45, 0},
            u16(20 + payload.length),
            u16(id),
            u16(fragment),
            new byte[] {64, (byte) protocol, 0, 0},
            from,
            to);
    byte[] sum = u16(checksum(header));
    header[10] = sum[0];
    header[11] = sum[1];
    return bytes(header, payload);
  }

  static byte[] ipv6(byte[] from, byte[] to, int protocol, int hops, byte[] payload) {
    return bytes(
        new byte[] {0x60, 0, 0, 0},
        u16(payload.length),
        new byte[] {(byte) protocol, (byte) hops},
        from,
        to,
        payload);
  }

  /** Fills in a checksum at {@code at} of a message that has zeros there. */
  static byte[] summed(byte[] from, byte[] to, int protocol, byte[] message, int at) {
    byte[] pseudo = protocol == 1 ? new byte[0] : pseudoHeader(from, to, protocol, message.length);
    byte[] sum = u16(checksum(pseudo, message));
    byte[] done = message.clone();
    done[at] = sum[0];
    done[at + 1] = sum[1];
    return done;
  }

  static byte[] udp(byte[] from, int fromPort, byte[] to, int toPort, byte[] payload) {
    byte[] message = bytes(u16(fromPort), u16(toPort), u16(8 + payload.length), u16(0), payload);
    return summed(from, to, 17, message, 6);
  }

  static byte[] bytes(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  static byte[] u16(int value) {
    return new byte[] {(byte) (value >> 8), (byte) value};
  }

  static byte[] u32(long value) {
    return ByteBuffer.allocate(4).putInt((int) value).array();
  }

  static byte[] hex(String digits) {
    return java.util.HexFormat.of().parseHex(digits.replaceAll("[ :]", ""));
  }

  static int read16(byte[] bytes, int at) {
    return (bytes[at] & 0xff) << 8 | bytes[at + 1] & 0xff;
  }

  static long read32(byte[] bytes, int at) {
    return (long) read16(bytes, at) << 16 | read16(bytes, at + 2);
  }

  static byte[] part(byte[] bytes, int from, int to) {
    return Arrays.copyOfRange(bytes, from, to);
  }
}
