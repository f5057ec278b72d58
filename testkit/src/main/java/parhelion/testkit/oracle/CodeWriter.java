package parhelion.testkit.oracle;

import java.util.Arrays;

/** Bytes of a program that is being written, with displacements filled in later. */
final class CodeWriter {
  private byte[] bytes = new byte[256];
  private int at;

  int at() {
    return at;
  }

  CodeWriter emit(int... values) {
    for (int value : values) {
      room(1);
      bytes[at++] = (byte) value;
    }
    return this;
  }

  CodeWriter emit(byte[] code) {
    room(code.length);
    System.arraycopy(code, 0, bytes, at, code.length);
    at += code.length;
    return this;
  }

  CodeWriter int16(int value) {
    return emit(value & 0xff, value >> 8 & 0xff);
  }

  CodeWriter int32(long value) {
    return int16((int) value).int16((int) (value >> 16));
  }

  CodeWriter int64(long value) {
    return int32(value).int32(value >> 32);
  }

  /**
   * Writes the distance from {@code place + 4} to {@code target} as four bytes at {@code place}.
   */
  void relative32(int place, int target) {
    int distance = target - (place + 4);
    for (int i = 0; i < 4; i++) {
      bytes[place + i] = (byte) (distance >> 8 * i);
    }
  }

  void put(int place, int value) {
    bytes[place] = (byte) value;
  }

  /** Moves what was written since {@code from} up by {@code by} bytes. */
  void insert(int from, int by) {
    room(by);
    System.arraycopy(bytes, from, bytes, from + by, at - from);
    at += by;
  }

  private void room(int more) {
    if (at + more > bytes.length) {
      bytes = Arrays.copyOf(bytes, 2 * bytes.length + more);
    }
  }

  byte[] toBytes() {
    return Arrays.copyOf(bytes, at);
  }
}
