package parhelion.toolstack.image;

import java.util.Arrays;

/**
 * The output of a decompressor: a byte array that grows as real data arrives and never beyond a
 * limit, so a few hostile bytes cannot make us allocate what they merely announce.
 */
final class GrowingBytes {
  private static final int FIRST_BYTES = 1 << 16;

  private final int limitBytes;
  byte[] array;
  int length;

  /**
   * @param limitBytes the most that may ever be written
   * @param expectedBytes what the file announces, 0 if it does not: only a hint
   * @param inputBytes the size of the compressed data
   */
  GrowingBytes(int limitBytes, long expectedBytes, int inputBytes) {
    this.limitBytes = limitBytes;
    long plausible = Math.max(FIRST_BYTES, 16L * inputBytes);
    long hint = expectedBytes > 0 ? expectedBytes : 4L * inputBytes;
    this.array = new byte[(int) Math.min(limitBytes, Math.min(plausible, hint))];
  }

  /** Makes room for {@code more} bytes after {@link #length}. */
  void reserve(int more) throws CorruptDataException {
    long need = (long) length + more;
    if (more < 0 || need > limitBytes) {
      throw new CorruptDataException(
          "it unpacks to more than the " + limitBytes + " bytes that it may have");
    }
    if (need > array.length) {
      long doubled = Math.max(need, Math.min(limitBytes, 2L * array.length));
      array = Arrays.copyOf(array, (int) doubled);
    }
  }

  /** How many bytes may still be written. */
  int room() {
    return limitBytes - length;
  }

  void put(byte[] from, int offset, int count) throws CorruptDataException {
    reserve(count);
    System.arraycopy(from, offset, array, length, count);
    length += count;
  }

  void fill(byte value, int count) throws CorruptDataException {
    reserve(count);
    Arrays.fill(array, length, length + count, value);
    length += count;
  }

  /** The array if it is exactly full, else a copy. */
  byte[] toArray() {
    return length == array.length ? array : Arrays.copyOf(array, length);
  }
}
