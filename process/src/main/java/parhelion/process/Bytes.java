package parhelion.process;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Little-endian numbers in byte arrays: the structs of system calls. */
final class Bytes {
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private Bytes() {}

  static int get16(byte[] from, int at) {
    return (from[at] & 0xff) | (from[at + 1] & 0xff) << 8;
  }

  static int get32(byte[] from, int at) {
    return (int) INT.get(from, at);
  }

  static long get64(byte[] from, int at) {
    return (long) LONG.get(from, at);
  }

  static void put16(byte[] into, int at, int value) {
    into[at] = (byte) value;
    into[at + 1] = (byte) (value >>> 8);
  }

  static void put32(byte[] into, int at, int value) {
    INT.set(into, at, value);
  }

  static void put64(byte[] into, int at, long value) {
    LONG.set(into, at, value);
  }
}
