package parhelion.media.net;

import java.util.HexFormat;
import java.util.Locale;
import java.util.random.RandomGenerator;

/**
 * An Ethernet address.
 *
 * @param bits the six octets, the first one on the wire highest
 */
public record MacAddress(long bits) {
  public static final MacAddress BROADCAST = new MacAddress(0xffff_ffff_ffffL);

  /** What the IEEE gave XenSource: all addresses that toolstacks make up begin so. */
  private static final long XEN_OUI = 0x0016_3e00_0000L;

  public MacAddress {
    if (bits >>> 48 != 0) {
      throw new IllegalArgumentException("more than six octets");
    }
  }

  /** The address at {@code offset} of a frame. */
  public static MacAddress of(byte[] frame, int offset) {
    return new MacAddress(bits(frame, offset));
  }

  /** {@link #bits} of the address at {@code offset} of a frame. */
  static long bits(byte[] frame, int offset) {
    long bits = 0;
    for (int i = 0; i < 6; i++) {
      bits = bits << 8 | frame[offset + i] & 0xff;
    }
    return bits;
  }

  /**
   * Reads {@code 00:16:3e:12:34:56}.
   *
   * @throws IllegalArgumentException if it is not six octets in hexadecimal
   */
  public static MacAddress parse(String text) {
    if (!text.matches("([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}")) {
      throw new IllegalArgumentException("'" + text + "' is no MAC address");
    }
    return new MacAddress(HexFormat.fromHexDigitsToLong(text.replace(":", "")));
  }

  /** Xen's default for a device, always the same: good where one domain has the network alone. */
  public static MacAddress ofDevice(int domid, int devid) {
    return new MacAddress(XEN_OUI | (domid & 0xffffL) << 8 | devid & 0xff);
  }

  /** One of Xen's, made up: good where domains of several processes meet. */
  public static MacAddress random(RandomGenerator random) {
    // As in Xen's toolstack, the upper half, which nobody else assigns.
    return new MacAddress(XEN_OUI | 0x80_0000 | random.nextInt(0x80_0000));
  }

  /** Whether it names a group, all of them included. */
  public boolean isGroup() {
    return isGroup(bits);
  }

  static boolean isGroup(long bits) {
    return (bits >>> 40 & 1) != 0;
  }

  @Override
  public String toString() {
    String hex = "%012x".formatted(bits);
    return String.join(":", hex.split("(?<=\\G..)")).toLowerCase(Locale.ROOT);
  }
}
