package parhelion.pc;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.pc.intercept.Cause;
import parhelion.pc.intercept.Intercepts;

/** A device's registers where they were placed, with the account of their accesses. */
final class RegisterRange {
  private static final int MAX_OFFSETS = 1024;

  final long start;
  final long length;

  /** Machine address of what processors reach there by themselves; -1 if nothing. */
  final long frames;

  private final String device;
  private final Registers registers;
  private final Intercepts intercepts;
  private final boolean ports;
  private final Map<Integer, Intercepts.Counter> reads = new HashMap<>();
  private final Map<Integer, Intercepts.Counter> writes = new HashMap<>();

  RegisterRange(
      long start,
      long length,
      String device,
      Registers registers,
      Intercepts intercepts,
      boolean ports) {
    this.start = start;
    this.length = length;
    this.device = device;
    this.registers = registers;
    frames = registers instanceof DeviceMemory memory ? memory.machineAddress() : -1;
    this.intercepts = intercepts;
    this.ports = ports;
  }

  boolean contains(long address) {
    return address >= start && address - start < length;
  }

  /** Whether all bytes of an access lie in it. */
  boolean holds(long address, int size) {
    return address >= start && address - start <= length - size;
  }

  long read(long address, int size) {
    long from = intercepts.now();
    long offset = address - start;
    long value = registers.read(offset, size);
    counter(reads, ports ? Cause.PORT_READ : Cause.MEMORY_READ, offset)
        .add(intercepts.now() - from);
    return size == 8 ? value : value & ((1L << 8 * size) - 1);
  }

  void write(long address, int size, long value) {
    long from = intercepts.now();
    long offset = address - start;
    registers.write(offset, size, size == 8 ? value : value & ((1L << 8 * size) - 1));
    counter(writes, ports ? Cause.PORT_WRITE : Cause.MEMORY_WRITE, offset)
        .add(intercepts.now() - from);
  }

  private Intercepts.Counter counter(
      Map<Integer, Intercepts.Counter> counters, Cause cause, long offset) {
    Intercepts.@Nullable Counter counter = counters.get((int) offset);
    if (counter == null) {
      boolean known = counters.size() < MAX_OFFSETS;
      String register = ports ? hex(address(offset)) : "+" + hex(offset);
      counter = intercepts.counter(cause, device, known ? register : "others");
      if (known) {
        counters.put((int) offset, counter);
      }
    }
    return counter;
  }

  private long address(long offset) {
    return start + offset;
  }

  private static String hex(long value) {
    return "0x" + Long.toHexString(value);
  }
}
