package parhelion.pc;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.pc.intercept.Cause;
import parhelion.pc.intercept.Intercepts;

/**
 * Who answers at which physical addresses that are not memory. Where ranges overlap, the one that
 * was placed last does. On the thread that runs the machine.
 */
final class MemoryMap {
  private static final long PAGE = 4096;

  private final Intercepts intercepts;
  private final List<RegisterRange> ranges = new ArrayList<>();
  private final Intercepts.Counter absentReads;
  private final Intercepts.Counter absentWrites;

  MemoryMap(Intercepts intercepts) {
    this.intercepts = intercepts;
    absentReads = intercepts.counter(Cause.MEMORY_READ, "nobody", "");
    absentWrites = intercepts.counter(Cause.MEMORY_WRITE, "nobody", "");
  }

  RegisterRange map(long start, long length, String device, Registers registers) {
    if (start < 0 || length <= 0 || start % PAGE != 0 || length % PAGE != 0) {
      throw new IllegalArgumentException(
          "registers at 0x" + Long.toHexString(start) + ", 0x" + Long.toHexString(length));
    }
    RegisterRange range = new RegisterRange(start, length, device, registers, intercepts, false);
    ranges.add(range);
    return range;
  }

  /** Takes a range away. */
  void unmap(RegisterRange gone) {
    ranges.removeIf(range -> range == gone);
  }

  private @Nullable RegisterRange find(long address) {
    for (int i = ranges.size() - 1; i >= 0; i--) {
      RegisterRange range = ranges.get(i);
      if (range.contains(address)) {
        return range;
      }
    }
    return null;
  }

  /**
   * Machine address of the device memory that answers at the page of an address, or -1 where
   * something else does.
   */
  long frameAt(long address) {
    RegisterRange range = find(address);
    return range == null || range.frames < 0 ? -1 : range.frames + (address & -PAGE) - range.start;
  }

  /** Whether device memory lies in part of a range. */
  boolean overlapsDeviceMemory(RegisterRange with) {
    for (RegisterRange range : ranges) {
      if (range.frames >= 0
          && range.start < with.start + with.length
          && with.start < range.start + range.length) {
        return true;
      }
    }
    return false;
  }

  long read(long address, int size) {
    RegisterRange range = find(address);
    if (range == null) {
      absentReads.add(0);
      return -1L;
    }
    if (!range.holds(address, size)) {
      return -1L;
    }
    return range.read(address, size);
  }

  void write(long address, int size, long value) {
    RegisterRange range = find(address);
    if (range == null) {
      absentWrites.add(0);
    } else if (range.holds(address, size)) {
      range.write(address, size, value);
    }
  }
}
