package parhelion.pc;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.memory.MachineMemory;

/**
 * Memory of a device's own that behaves as memory: where it is placed as registers, a machine's
 * processors reach it as they do RAM, without an interception for each access. On the machine's
 * thread.
 */
public final class DeviceMemory implements Registers {
  private final ByteBuffer bytes;
  private final @Nullable MachineMemory machine;
  private final long machineAddress;

  private DeviceMemory(ByteBuffer bytes, @Nullable MachineMemory machine, long machineAddress) {
    this.bytes = bytes.order(ByteOrder.LITTLE_ENDIAN);
    this.machine = machine;
    this.machineAddress = machineAddress;
  }

  /** Frames of a machine's, zeroed. */
  static DeviceMemory of(MachineMemory machine, long machineAddress, int lengthBytes) {
    ByteBuffer frames = machine.segment().asSlice(machineAddress, lengthBytes).asByteBuffer();
    return new DeviceMemory(frames, machine, machineAddress);
  }

  /** Memory that no processor reaches by itself. */
  public static DeviceMemory apart(int lengthBytes) {
    return new DeviceMemory(ByteBuffer.allocate(lengthBytes), null, -1);
  }

  /** Machine address of its first byte; -1 where processors do not reach it by themselves. */
  long machineAddress() {
    return machineAddress;
  }

  public int length() {
    return bytes.capacity();
  }

  /** The byte at an offset; 0 beyond the end. */
  public int get(long at) {
    return at < bytes.capacity() ? bytes.get((int) at) & 0xff : 0;
  }

  /** Sets the byte at an offset; nothing beyond the end. */
  public void put(long at, int value) {
    if (at < bytes.capacity()) {
      bytes.put((int) at, (byte) value);
      if (machine != null) {
        machine.noteWrite(machineAddress + at, 1);
      }
    }
  }

  /** Zeroes the first bytes. */
  public void clear(int lengthBytes) {
    if (machine != null) {
      machine.clear(machineAddress, lengthBytes);
    } else {
      bytes.slice(0, lengthBytes).put(new byte[lengthBytes]);
    }
  }

  @Override
  public long read(long offset, int size) {
    long value = 0;
    for (int i = 0; i < size; i++) {
      value |= (long) get(offset + i) << 8 * i;
    }
    return value;
  }

  @Override
  public void write(long offset, int size, long value) {
    for (int i = 0; i < size; i++) {
      put(offset + i, (int) (value >>> 8 * i));
    }
  }
}
