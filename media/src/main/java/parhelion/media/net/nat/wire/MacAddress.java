package parhelion.media.net.nat.wire;

import java.util.Locale;

/** A MAC address, in the low 48 bits. */
public record MacAddress(long bits) {
  public static final int BYTES = 6;
  public static final MacAddress BROADCAST = new MacAddress(0xffffffffffffL);

  public static MacAddress read(byte[] bytes, int at) {
    return new MacAddress((long) Wire.u16(bytes, at) << 32 | Wire.u32(bytes, at + 2));
  }

  /** What a multicast address of IPv6 goes to (RFC 2464). */
  public static MacAddress ofMulticast(IpAddress group) {
    return group.v6()
        ? new MacAddress(0x333300000000L | group.low() & 0xffffffffL)
        : new MacAddress(0x01005e000000L | group.low() & 0x7fffff);
  }

  public void write(byte[] bytes, int at) {
    Wire.put16(bytes, at, (int) (bits >>> 32));
    Wire.put32(bytes, at + 2, (int) bits);
  }

  /** Of one station: neither broadcast nor multicast, nor zero. */
  public boolean isUnicast() {
    return bits != 0 && (bits >>> 40 & 1) == 0;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(17);
    for (int shift = 40; shift >= 0; shift -= 8) {
      text.append(String.format(Locale.ROOT, "%02x", bits >>> shift & 255));
      text.append(shift > 0 ? ":" : "");
    }
    return text.toString();
  }
}
