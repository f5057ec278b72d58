package parhelion.abi;

/**
 * A run of bytes that structures are read from and written to, little-endian, at any alignment.
 * Guest memory implements it, and so does an array ({@link #of}).
 *
 * <p>What an offset means (machine address, guest virtual address, index) is the implementation's
 * affair, and so is what an offset outside does: an array throws {@link IndexOutOfBoundsException},
 * guest memory may raise a fault. Each call is one access of that width and no more is promised:
 * ordering and atomicity, where a shared page needs them, belong to the view.
 */
public interface Bytes {
  byte getByte(long offset);

  short getShort(long offset);

  int getInt(long offset);

  long getLong(long offset);

  void putByte(long offset, byte value);

  void putShort(long offset, short value);

  void putInt(long offset, int value);

  void putLong(long offset, long value);

  /**
   * Copies {@code length} bytes that start at {@code offset} into {@code target} from index {@code
   * at} on.
   */
  default void get(long offset, byte[] target, int at, int length) {
    for (int i = 0; i < length; i++) {
      target[at + i] = getByte(offset + i);
    }
  }

  /** Copies {@code length} bytes of {@code source} from index {@code at} on to {@code offset}. */
  default void put(long offset, byte[] source, int at, int length) {
    for (int i = 0; i < length; i++) {
      putByte(offset + i, source[at + i]);
    }
  }

  /** The array as bytes, not a copy: writes go through to it. Offsets are its indices. */
  static Bytes of(byte[] array) {
    return new ArrayBytes(array);
  }
}
