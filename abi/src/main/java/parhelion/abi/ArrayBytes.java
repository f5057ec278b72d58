package parhelion.abi;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * An array seen as {@link Bytes}. Every access is bounds-checked before the offset is narrowed to
 * an index.
 */
final class ArrayBytes implements Bytes {
  private static final VarHandle SHORT = view(short[].class);
  private static final VarHandle INT = view(int[].class);
  private static final VarHandle LONG = view(long[].class);

  private final byte[] array;

  ArrayBytes(byte[] array) {
    this.array = Objects.requireNonNull(array);
  }

  private static VarHandle view(Class<?> arrayType) {
    return MethodHandles.byteArrayViewVarHandle(arrayType, ByteOrder.LITTLE_ENDIAN);
  }

  private int index(long offset, int width) {
    return (int) Objects.checkFromIndexSize(offset, width, (long) array.length);
  }

  @Override
  public byte getByte(long offset) {
    return array[index(offset, 1)];
  }

  @Override
  public short getShort(long offset) {
    return (short) SHORT.get(array, index(offset, 2));
  }

  @Override
  public int getInt(long offset) {
    return (int) INT.get(array, index(offset, 4));
  }

  @Override
  public long getLong(long offset) {
    return (long) LONG.get(array, index(offset, 8));
  }

  @Override
  public void putByte(long offset, byte value) {
    array[index(offset, 1)] = value;
  }

  @Override
  public void putShort(long offset, short value) {
    SHORT.set(array, index(offset, 2), value);
  }

  @Override
  public void putInt(long offset, int value) {
    INT.set(array, index(offset, 4), value);
  }

  @Override
  public void putLong(long offset, long value) {
    LONG.set(array, index(offset, 8), value);
  }

  @Override
  public void get(long offset, byte[] target, int at, int length) {
    System.arraycopy(array, index(offset, length), target, at, length);
  }

  @Override
  public void put(long offset, byte[] source, int at, int length) {
    System.arraycopy(source, at, array, index(offset, length), length);
  }
}
