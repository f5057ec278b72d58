package parhelion.pc.net;

import org.jspecify.annotations.Nullable;
import parhelion.media.net.FrameHeaders;

/** The Internet checksum as network cards are asked to fill it in (RFC 1071). Stateless. */
public final class Checksums {
  private static final int TCP_FIELD = 16;
  private static final int UDP_FIELD = 6;

  private Checksums() {}

  /**
   * Where a frame's TCP or UDP checksum is.
   *
   * @param start where what it is of begins
   * @param field where it is
   */
  public record Place(int start, int field) {}

  /** The place of a frame's checksum; null if it has none. */
  public static @Nullable Place placeOf(byte[] frame) {
    FrameHeaders h = FrameHeaders.of(frame);
    if (h == null || h.protocol() != FrameHeaders.TCP && h.protocol() != FrameHeaders.UDP) {
      return null;
    }
    int field = h.transport() + (h.protocol() == FrameHeaders.TCP ? TCP_FIELD : UDP_FIELD);
    return field + 2 <= h.end() ? new Place(h.transport(), field) : null;
  }

  /** Bytes of a frame's headers up to the payload of TCP; 0 if it carries no TCP. */
  public static int headerBytes(byte[] frame) {
    FrameHeaders h = FrameHeaders.of(frame);
    if (h == null || h.protocol() != FrameHeaders.TCP || h.transport() + 20 > h.end()) {
      return 0;
    }
    return h.transport() + (frame[h.transport() + 12] >>> 4 & 15) * 4;
  }

  /**
   * Sums a frame from {@code start} to its end and stores the complement at {@code field}, what
   * stood there counted in.
   *
   * @return false if these are not in the frame
   */
  public static boolean fill(byte[] frame, int start, int field) {
    return fill(frame, start, frame.length, field);
  }

  /** The same, of a frame up to {@code end}. */
  public static boolean fill(byte[] frame, int start, int end, int field) {
    if (start < 0 || start > end || end > frame.length || field < 0 || field > frame.length - 2) {
      return false;
    }
    int sum = ~sum(frame, start, end) & 0xffff;
    frame[field] = (byte) (sum >>> 8);
    frame[field + 1] = (byte) sum;
    return true;
  }

  /** The folded sum of big-endian words, an odd byte padded by zero. */
  public static int sum(byte[] bytes, int start, int end) {
    long sum = 0;
    for (int i = start; i < end; i++) {
      int unit = bytes[i] & 0xff;
      sum += (i - start & 1) == 0 ? unit << 8 : unit;
    }
    while (sum >>> 16 != 0) {
      sum = (sum & 0xffff) + (sum >>> 16);
    }
    return (int) sum;
  }
}
