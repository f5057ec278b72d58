package parhelion.pc;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.pc.intercept.Cause;
import parhelion.pc.intercept.Intercepts;

/**
 * Who answers at which of the 65,536 ports. Where ranges overlap, the one that was placed last
 * does. On the thread that runs the machine.
 */
final class PortMap {
  private static final int PORTS = 1 << 16;

  private final Intercepts intercepts;
  private final @Nullable RegisterRange[] owners = new RegisterRange[PORTS];
  private final List<RegisterRange> ranges = new ArrayList<>();
  private final Intercepts.Counter absentReads;
  private final Intercepts.Counter absentWrites;

  PortMap(Intercepts intercepts) {
    this.intercepts = intercepts;
    absentReads = intercepts.counter(Cause.PORT_READ, "nobody", "");
    absentWrites = intercepts.counter(Cause.PORT_WRITE, "nobody", "");
  }

  RegisterRange map(int first, int count, String device, Registers registers) {
    if (first < 0 || count <= 0 || first > PORTS - count) {
      throw new IllegalArgumentException(count + " ports from " + first);
    }
    RegisterRange range = new RegisterRange(first, count, device, registers, intercepts, true);
    ranges.add(range);
    place(range);
    return range;
  }

  private void place(RegisterRange range) {
    for (int i = 0; i < range.length; i++) {
      owners[(int) range.start + i] = range;
    }
  }

  /** Takes a range away; those that it was placed over answer again. */
  void unmap(RegisterRange gone) {
    if (!ranges.removeIf(range -> range == gone)) {
      return;
    }
    for (int i = 0; i < gone.length; i++) {
      owners[(int) gone.start + i] = null;
    }
    ranges.forEach(this::place);
  }

  int read(int port, int size) {
    RegisterRange range = owners[port];
    boolean alone = isOneOwners(port, size);
    if (range != null && alone) {
      return (int) range.read(port, size);
    }
    if (size == 1 || range == null && alone) {
      absentReads.add(0);
      return -1;
    }
    int value = 0;
    for (int i = 0; i < size; i++) {
      value |= (read(port + i & PORTS - 1, 1) & 0xff) << 8 * i;
    }
    return value;
  }

  void write(int port, int size, int value) {
    RegisterRange range = owners[port];
    boolean alone = isOneOwners(port, size);
    if (range != null && alone) {
      range.write(port, size, value & 0xffff_ffffL);
    } else if (size == 1 || range == null && alone) {
      absentWrites.add(0);
    } else {
      for (int i = 0; i < size; i++) {
        write(port + i & PORTS - 1, 1, value >>> 8 * i & 0xff);
      }
    }
  }

  /** Whether all of so many ports are one range's, or nobody's. */
  private boolean isOneOwners(int port, int size) {
    for (int i = 1; i < size; i++) {
      if (owners[port + i & PORTS - 1] != owners[port]) {
        return false;
      }
    }
    return true;
  }
}
