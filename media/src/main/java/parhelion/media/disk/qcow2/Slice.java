package parhelion.media.disk.qcow2;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** A cached piece of a table. Its state is the cache's; see {@link SliceCache}. */
final class Slice {
  static final VarHandle BIG_ENDIAN =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  final long number;
  final byte[] bytes;

  /** Differs from the file. */
  boolean dirty;

  /** On its way to the file: not to be forgotten before it is there. */
  boolean leaving;

  /** Was wanted since the cache last looked for something to forget. */
  boolean wanted = true;

  Slice(long number, byte[] bytes) {
    this.number = number;
    this.bytes = bytes;
  }

  long entry(int index) {
    return (long) BIG_ENDIAN.get(bytes, index << 3);
  }

  void entry(int index, long value) {
    BIG_ENDIAN.set(bytes, index << 3, value);
  }
}
