package parhelion.media.codec;

import java.util.Arrays;

/**
 * The output of a decompressor: a byte array that grows as real data arrives and never beyond a
 * limit, so a few hostile bytes cannot make us allocate what they merely announce.
 */
public final class GrowingBytes {
  private static final int FIRST_BYTES = 1 << 16;

  private final int limitBytes;

  /** What there is so far, and room. */
  public byte[] array;

  /** How much of it there is. */
  public int length;

  /**
   * @param limitBytes the most that may ever be written
   * @param expectedBytes what the file announces, 0 if it does not: only a hint
   * @param inputBytes the size of the compressed data
   */
  public GrowingBytes(int limitBytes, long expectedBytes, int inputBytes) {
    this.limitBytes = limitBytes;
    long plausible = Math.max(FIRST_BYTES, 16L * inputBytes);
    long hint = expectedBytes > 0 ? expectedBytes : 4L * inputBytes;
    this.array = new byte[(int) Math.min(limitBytes, Math.min(plausible, hint))];
  }

  /** Makes room for {@code more} bytes after {@link #length}. */
  public void reserve(int more) throws CorruptDataException {
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
  public int room() {
    return limitBytes - length;
  }

  public void put(byte[] from, int offset, int count) throws CorruptDataException {
    reserve(count);
    System.arraycopy(from, offset, array, length, count);
    length += count;
  }

  public void fill(byte value, int count) throws CorruptDataException {
    reserve(count);
    Arrays.fill(array, length, length + count, value);
    length += count;
  }

  /** The array if it is exactly full, else a copy. */
  public byte[] toArray() {
    return length == array.length ? array : Arrays.copyOf(array, length);
  }

  /** Copies within {@code out}, where source and target may overlap (a repeating pattern). */
  public static void copyMatch(byte[] out, int to, int distance, int count) {
    int from = to - distance;
    if (count > 16 && distance >= count) {
      System.arraycopy(out, from, out, to, count);
    } else if (count > 64 && distance > 0) {
      int done = 0;
      int step = distance;
      while (done < count) { // each copy doubles the pattern that the next one can take
        int n = Math.min(step, count - done);
        System.arraycopy(out, from, out, to + done, n);
        done += n;
        step += n;
      }
    } else {
      for (int i = 0; i < count; i++) {
        out[to + i] = out[from + i];
      }
    }
  }
}
