package parhelion.media.codec;

/** Little-endian loads from a byte array; an index out of range throws as an array access does. */
public final class Bytes {
  private Bytes() {}

  public static int le16(byte[] a, int at) {
    return (a[at] & 0xff) | (a[at + 1] & 0xff) << 8;
  }

  public static int le32(byte[] a, int at) {
    return le16(a, at) | le16(a, at + 2) << 16;
  }

  public static long le64(byte[] a, int at) {
    return (le32(a, at) & 0xffff_ffffL) | (long) le32(a, at + 4) << 32;
  }

  public static int be32(byte[] a, int at) {
    return Integer.reverseBytes(le32(a, at));
  }

  public static boolean startsWith(byte[] a, int at, int... prefix) {
    if (at < 0 || a.length - at < prefix.length) {
      return false;
    }
    for (int i = 0; i < prefix.length; i++) {
      if ((a[at + i] & 0xff) != prefix[i]) {
        return false;
      }
    }
    return true;
  }
}
