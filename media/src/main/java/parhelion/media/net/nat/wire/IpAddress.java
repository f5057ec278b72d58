package parhelion.media.net.nat.wire;

import java.net.InetAddress;
import java.net.UnknownHostException;
import org.jspecify.annotations.Nullable;

/**
 * An IPv4 or IPv6 address as a value: what flows are looked up by. An IPv4 address is in the low 32
 * bits. An IPv6 address that maps an IPv4 address stays what it is.
 */
public record IpAddress(boolean v6, long high, long low) {
  public static final int V4_BYTES = 4;
  public static final int V6_BYTES = 16;

  public static IpAddress v4(int bits) {
    return new IpAddress(false, 0, bits & 0xffffffffL);
  }

  public static IpAddress v4(byte[] bytes, int at) {
    return v4(Wire.i32(bytes, at));
  }

  public static IpAddress v6(long high, long low) {
    return new IpAddress(true, high, low);
  }

  public static IpAddress v6(byte[] bytes, int at) {
    return v6(Wire.i64(bytes, at), Wire.i64(bytes, at + 8));
  }

  public static IpAddress of(InetAddress address) {
    byte[] bytes = address.getAddress();
    return bytes.length == V4_BYTES ? v4(bytes, 0) : v6(bytes, 0);
  }

  /** Null if the text is no address: names are not resolved. */
  public static @Nullable IpAddress parse(String text) {
    boolean dotted = text.matches("\\d{1,3}(\\.\\d{1,3}){3}");
    if (!dotted && (text.indexOf(':') < 0 || text.indexOf('%') >= 0)) {
      return null;
    }
    try {
      return of(InetAddress.ofLiteral(text));
    } catch (IllegalArgumentException notAnAddress) {
      return null;
    }
  }

  public int sizeBytes() {
    return v6 ? V6_BYTES : V4_BYTES;
  }

  public void write(byte[] bytes, int at) {
    if (v6) {
      Wire.put64(bytes, at, high);
      Wire.put64(bytes, at + 8, low);
    } else {
      Wire.put32(bytes, at, (int) low);
    }
  }

  public byte[] toBytes() {
    byte[] bytes = new byte[sizeBytes()];
    write(bytes, 0);
    return bytes;
  }

  /** The same for the host; what maps an IPv4 address becomes that. */
  public InetAddress toInet() {
    try {
      return InetAddress.getByAddress(toBytes());
    } catch (UnknownHostException wrongLength) {
      throw new IllegalStateException(wrongLength);
    }
  }

  /** What a mapped address maps, or this. */
  public IpAddress unmapped() {
    return v6 && high == 0 && low >>> 32 == 0xffff ? v4((int) low) : this;
  }

  public boolean isMulticast() {
    return v6 ? high >>> 56 == 0xff : low >>> 28 == 0xe;
  }

  public boolean isLinkLocal() {
    return v6 ? high >>> 54 == 0xfe80 >>> 6 : low >>> 16 == 0xa9fe;
  }

  public boolean isUnspecified() {
    return high == 0 && low == 0;
  }

  /** As words of the Internet checksum. */
  long sum() {
    return words(high) + words(low);
  }

  private static long words(long bits) {
    return (bits >>> 48) + (bits >>> 32 & 0xffff) + (bits >>> 16 & 0xffff) + (bits & 0xffff);
  }

  /** As in addresses of the web: with brackets if it is of IPv6. */
  public String inUrl() {
    return v6 ? "[" + this + "]" : toString();
  }

  @Override
  public String toString() {
    if (!v6) {
      return (low >>> 24) + "." + (low >>> 16 & 255) + "." + (low >>> 8 & 255) + "." + (low & 255);
    }
    int[] groups = new int[8];
    for (int i = 0; i < 8; i++) {
      groups[i] = (int) ((i < 4 ? high : low) >>> (48 - (i & 3) * 16)) & 0xffff;
    }
    return compressed(groups);
  }

  /** RFC 5952: the longest run of two or more zero groups is left out. */
  private static String compressed(int[] groups) {
    int start = -1;
    int length = 1;
    for (int i = 0; i < 8; i++) {
      int end = i;
      while (end < 8 && groups[end] == 0) {
        end++;
      }
      if (end - i > length) {
        start = i;
        length = end - i;
      }
    }
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 8; i++) {
      if (i == start) {
        text.append("::");
        i += length - 1;
      } else {
        if (!text.isEmpty() && text.charAt(text.length() - 1) != ':') {
          text.append(':');
        }
        text.append(Integer.toHexString(groups[i]));
      }
    }
    return text.toString();
  }
}
