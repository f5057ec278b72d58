package parhelion.media.net.nat.dhcp;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.nat.wire.IpAddress;
import parhelion.media.net.nat.wire.Wire;

/** The options of a message of DHCP (RFC 2132), as they are written and looked up. */
final class Options {
  private static final int PAD = 0;
  private static final int END = 255;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  void put8(int code, int value) {
    put(code, new byte[] {(byte) value});
  }

  void put16(int code, int value) {
    byte[] content = new byte[2];
    Wire.put16(content, 0, value);
    put(code, content);
  }

  void put32(int code, int value) {
    byte[] content = new byte[4];
    Wire.put32(content, 0, value);
    put(code, content);
  }

  void putAddress(int code, IpAddress address) {
    put(code, address.toBytes());
  }

  void putText(int code, String text) {
    put(code, text.getBytes(StandardCharsets.US_ASCII));
  }

  /** A name as DNS writes it, by labels (RFC 3397). */
  void putName(int code, String name) {
    ByteArrayOutputStream labels = new ByteArrayOutputStream();
    for (String label : name.split("\\.")) {
      labels.write(label.length());
      labels.writeBytes(label.getBytes(StandardCharsets.US_ASCII));
    }
    labels.write(0);
    put(code, labels.toByteArray());
  }

  private void put(int code, byte[] content) {
    bytes.write(code);
    bytes.write(content.length);
    bytes.writeBytes(content);
  }

  /** All of them and the mark of the end. */
  byte[] end() {
    bytes.write(END);
    return bytes.toByteArray();
  }

  /** Where an option's content of {@code size} bytes is, from {@code at} on; -1 without it. */
  private static int find(byte[] message, int at, int code, int size) {
    int position = at;
    while (position < message.length) {
      int found = Wire.u8(message, position);
      if (found == PAD) {
        position++;
        continue;
      }
      if (found == END || position + 2 > message.length) {
        return -1;
      }
      int length = Wire.u8(message, position + 1);
      if (found == code) {
        boolean whole = length == size && position + 2 + length <= message.length;
        return whole ? position + 2 : -1;
      }
      position += 2 + length;
    }
    return -1;
  }

  /** An option of one byte; 0 without it. */
  static int read8(byte[] message, int at, int code) {
    int found = find(message, at, code, 1);
    return found < 0 ? 0 : Wire.u8(message, found);
  }

  static @Nullable IpAddress readAddress(byte[] message, int at, int code) {
    int found = find(message, at, code, IpAddress.V4_BYTES);
    return found < 0 ? null : IpAddress.v4(message, found);
  }
}
