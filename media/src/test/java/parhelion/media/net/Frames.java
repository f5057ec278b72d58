package parhelion.media.net;

import java.util.random.RandomGenerator;

/** Frames for tests, and a slow, plain reading of their checksums. */
public final class Frames {
  private Frames() {}

  /** A broadcast or unicast frame with a payload of no protocol. */
  public static byte[] plain(MacAddress to, MacAddress from, int length) {
    byte[] frame = new byte[length];
    put(frame, 0, 6, to.bits());
    put(frame, 6, 6, from.bits());
    put(frame, 12, 2, 0x88b5);
    return frame;
  }

  /**
   * A TCP segment with random payload.
   *
   * @param vlan with a VLAN tag
   * @param extensions IPv6: with hop-by-hop options; IPv4: with options
   */
  public static byte[] tcp(
      RandomGenerator random, boolean v6, boolean vlan, boolean extensions, int payload) {
    int ip = vlan ? 18 : 14;
    int ipHeader = (v6 ? 40 : 20) + (extensions ? 8 : 0);
    int transport = ip + ipHeader;
    byte[] frame = new byte[transport + 32 + payload];
    random.nextBytes(frame);
    frame[0] &= ~1;
    frame[6] &= ~1;
    if (vlan) {
      put(frame, 12, 2, 0x8100);
    }
    put(frame, ip - 2, 2, v6 ? 0x86dd : 0x0800);
    if (v6) {
      put(frame, ip, 4, 0x6000_0000);
      put(frame, ip + 4, 2, frame.length - ip - 40);
      frame[ip + 6] = (byte) (extensions ? 0 : 6);
      if (extensions) {
        put(frame, ip + 40, 2, 0x0600);
      }
    } else {
      frame[ip] = (byte) (0x40 | ipHeader / 4);
      put(frame, ip + 2, 2, frame.length - ip);
      put(frame, ip + 6, 2, 0x4000);
      frame[ip + 9] = 6;
      put(frame, ip + 10, 2, 0);
      put(frame, ip + 10, 2, ~sum(frame, ip, ipHeader, 0) & 0xffff);
    }
    frame[transport + 12] = (byte) 0x80;
    return frame;
  }

  /** A UDP datagram over IPv4. */
  public static byte[] udp(RandomGenerator random, int payload) {
    byte[] frame = new byte[14 + 20 + 8 + payload];
    random.nextBytes(frame);
    frame[0] &= ~1;
    put(frame, 12, 2, 0x0800);
    frame[14] = 0x45;
    put(frame, 16, 2, frame.length - 14);
    put(frame, 20, 2, 0);
    frame[23] = 17;
    put(frame, 38, 2, 8 + payload);
    return frame;
  }

  static void put(byte[] b, int at, int bytes, long value) {
    for (int i = 0; i < bytes; i++) {
      b[at + i] = (byte) (value >> 8 * (bytes - 1 - i));
    }
  }

  static long get(byte[] b, int at, int bytes) {
    long value = 0;
    for (int i = 0; i < bytes; i++) {
      value = value << 8 | b[at + i] & 0xff;
    }
    return value;
  }

  /** The folded ones' complement sum, a word at a time. */
  static int sum(byte[] b, int from, int length, int start) {
    int sum = start;
    for (int i = 0; i < length; i += 2) {
      int word = (b[from + i] & 0xff) << 8 | (i + 1 < length ? b[from + i + 1] & 0xff : 0);
      sum += word;
      if (sum > 0xffff) {
        sum -= 0xffff;
      }
    }
    return sum;
  }

  /** What a receiver's check of the transport's checksum comes to: 0xffff where it is right. */
  static int check(byte[] frame, boolean v6, int ip, int transport, int protocol) {
    int end = v6 ? ip + 40 + (int) get(frame, ip + 4, 2) : ip + (int) get(frame, ip + 2, 2);
    int pseudo = v6 ? sum(frame, ip + 8, 32, 0) : sum(frame, ip + 12, 8, 0);
    byte[] rest = new byte[4];
    put(rest, 0, 2, end - transport);
    put(rest, 2, 2, protocol);
    return sum(frame, transport, end - transport, sum(rest, 0, 4, pseudo));
  }
}
