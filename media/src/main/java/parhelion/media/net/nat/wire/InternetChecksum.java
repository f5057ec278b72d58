package parhelion.media.net.nat.wire;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The Internet checksum (RFC 1071): the one's complement of the one's complement sum of 16-bit
 * words. Sums are added up in the host's byte order, eight bytes at a time, and turned at the end:
 * the sum does not depend on the order.
 */
public final class InternetChecksum {
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private InternetChecksum() {}

  /** The sum of the words of {@code length} bytes; an odd last byte is a word's first. */
  public static int sum(byte[] bytes, int at, int length) {
    long sum = 0;
    int position = at;
    int end = at + length;
    for (int last = end - 8; position <= last; position += 8) {
      long value = (long) LONG.get(bytes, position);
      sum += (value & 0xffffffffL) + (value >>> 32);
    }
    for (int shift = 0; position < end; position++, shift += 8) {
      long value = (long) (bytes[position] & 0xff) << shift;
      sum += (value & 0xffffffffL) + (value >>> 32);
    }
    int folded = fold(sum);
    return (folded & 0xff) << 8 | folded >>> 8;
  }

  /** The sum of the pseudo header of TCP, UDP and ICMPv6. */
  public static int pseudoHeader(IpAddress from, IpAddress to, int protocol, int length) {
    return fold(from.sum() + to.sum() + protocol + (length & 0xffff) + (length >>> 16));
  }

  /** Brings a sum of sums back to 16 bits. */
  public static int fold(long sum) {
    long folded = sum;
    while (folded >>> 16 != 0) {
      folded = (folded & 0xffff) + (folded >>> 16);
    }
    return (int) folded;
  }

  /** The checksum of a sum. */
  public static int finish(long sum) {
    return ~fold(sum) & 0xffff;
  }
}
