package parhelion.media.net;

import org.jspecify.annotations.Nullable;

/**
 * Where a frame's headers are, for who must change or check them: IPv4 or IPv6, behind VLAN tags,
 * unfragmented, and what it carries. All lengths are checked to lie in the frame.
 *
 * @param v6 IPv6, not IPv4
 * @param ip offset of the IP header
 * @param protocol what it carries, such as {@link #TCP}
 * @param transport offset of the header behind IP's, extension headers skipped
 * @param end offset behind the packet; padding may follow
 */
public record FrameHeaders(boolean v6, int ip, int protocol, int transport, int end) {
  public static final int TCP = 6;
  public static final int UDP = 17;

  private static final int MAX_VLAN_TAGS = 2;
  private static final int MAX_EXTENSIONS = 8;
  private static final int ETHERTYPE = 12;

  /** Null where there is no whole, unfragmented IP packet. */
  public static @Nullable FrameHeaders of(byte[] frame) {
    int at = ETHERTYPE;
    for (int tags = 0; ; tags++) {
      if (at + 2 > frame.length) {
        return null;
      }
      int type = u16(frame, at);
      at += 2;
      switch (type) {
        case 0x0800 -> {
          return ofV4(frame, at);
        }
        case 0x86dd -> {
          return ofV6(frame, at);
        }
        case 0x8100, 0x88a8 -> {
          if (tags == MAX_VLAN_TAGS) {
            return null;
          }
          at += 2;
        }
        default -> {
          return null;
        }
      }
    }
  }

  private static @Nullable FrameHeaders ofV4(byte[] frame, int ip) {
    if (ip + 20 > frame.length || frame[ip] >>> 4 != 4) {
      return null;
    }
    int header = (frame[ip] & 15) * 4;
    int total = u16(frame, ip + 2);
    boolean fragment = (u16(frame, ip + 6) & 0x3fff) != 0;
    if (header < 20 || total < header || ip + total > frame.length || fragment) {
      return null;
    }
    return new FrameHeaders(false, ip, frame[ip + 9] & 0xff, ip + header, ip + total);
  }

  private static @Nullable FrameHeaders ofV6(byte[] frame, int ip) {
    if (ip + 40 > frame.length || (frame[ip] >>> 4 & 15) != 6) {
      return null;
    }
    int end = ip + 40 + u16(frame, ip + 4);
    if (end > frame.length) {
      return null;
    }
    int next = frame[ip + 6] & 0xff;
    int at = ip + 40;
    for (int i = 0; i < MAX_EXTENSIONS; i++) {
      // Hop-by-hop options, routing, destination options: their length is in units of 8 bytes.
      if (next != 0 && next != 43 && next != 60) {
        return next == 44 ? null : new FrameHeaders(true, ip, next, at, end);
      }
      if (at + 8 > end) {
        return null;
      }
      next = frame[at] & 0xff;
      at += ((frame[at + 1] & 0xff) + 1) * 8;
      if (at > end) {
        return null;
      }
    }
    return null;
  }

  static int u16(byte[] b, int at) {
    return (b[at] & 0xff) << 8 | b[at + 1] & 0xff;
  }

  static void put16(byte[] b, int at, int value) {
    b[at] = (byte) (value >> 8);
    b[at + 1] = (byte) value;
  }

  static int i32(byte[] b, int at) {
    return u16(b, at) << 16 | u16(b, at + 2);
  }

  static void put32(byte[] b, int at, int value) {
    put16(b, at, value >>> 16);
    put16(b, at + 2, value);
  }
}
