package parhelion.media.codec;

/** The XXH64 checksum with seed 0, of which a zstd frame keeps the low half. */
final class XxHash64 {
  private static final long P1 = 0x9E3779B185EBCA87L;
  private static final long P2 = 0xC2B2AE3D27D4EB4FL;
  private static final long P3 = 0x165667B19E3779F9L;
  private static final long P4 = 0x85EBCA77C2B2AE63L;
  private static final long P5 = 0x27D4EB2F165667C5L;

  private XxHash64() {}

  static long of(byte[] a, int from, int end) {
    int length = end - from;
    int at = from;
    long hash = P5;
    if (length >= 32) {
      long v1 = 0x60EA27EEADC0B5D6L; // P1 + P2, which overflows
      long v2 = P2;
      long v3 = 0;
      long v4 = -P1;
      for (; at <= end - 32; at += 32) {
        v1 = round(v1, Bytes.le64(a, at));
        v2 = round(v2, Bytes.le64(a, at + 8));
        v3 = round(v3, Bytes.le64(a, at + 16));
        v4 = round(v4, Bytes.le64(a, at + 24));
      }
      hash =
          Long.rotateLeft(v1, 1)
              + Long.rotateLeft(v2, 7)
              + Long.rotateLeft(v3, 12)
              + Long.rotateLeft(v4, 18);
      hash = merge(merge(merge(merge(hash, v1), v2), v3), v4);
    }
    hash += length;
    for (; at <= end - 8; at += 8) {
      hash = Long.rotateLeft(hash ^ round(0, Bytes.le64(a, at)), 27) * P1 + P4;
    }
    if (at <= end - 4) {
      hash = Long.rotateLeft(hash ^ (Bytes.le32(a, at) & 0xffff_ffffL) * P1, 23) * P2 + P3;
      at += 4;
    }
    for (; at < end; at++) {
      hash = Long.rotateLeft(hash ^ (a[at] & 0xff) * P5, 11) * P1;
    }
    hash = (hash ^ hash >>> 33) * P2;
    hash = (hash ^ hash >>> 29) * P3;
    return hash ^ hash >>> 32;
  }

  private static long round(long accumulator, long word) {
    return Long.rotateLeft(accumulator + word * P2, 31) * P1;
  }

  private static long merge(long hash, long lane) {
    return (hash ^ round(0, lane)) * P1 + P4;
  }
}
