package parhelion.media.disk.qcow2;

import java.util.Arrays;

/** Numbers in a row. */
final class LongList {
  private long[] values = new long[16];
  private int size;

  void add(long value) {
    if (size == values.length) {
      values = Arrays.copyOf(values, 2 * size);
    }
    values[size++] = value;
  }

  void addAll(LongList other) {
    for (int i = 0; i < other.size; i++) {
      add(other.values[i]);
    }
  }

  void clear() {
    size = 0;
  }

  int size() {
    return size;
  }

  long get(int index) {
    return values[index];
  }

  LongList sorted() {
    LongList result = new LongList();
    result.values = Arrays.copyOf(values, Math.max(size, 1));
    result.size = size;
    Arrays.sort(result.values, 0, size);
    return result;
  }
}
