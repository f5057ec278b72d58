package parhelion.toolstack.builder;

import parhelion.abi.Bytes;
import parhelion.cpu.memory.MachineMemory;

/** Machine memory from an address on, as the ABI's layouts read and write it. */
public final class GuestPage implements Bytes {
  private final MachineMemory memory;
  private final long pa;

  public GuestPage(MachineMemory memory, long pa) {
    this.memory = memory;
    this.pa = pa;
  }

  void put(long offset, byte[] bytes) {
    memory.write(pa + offset, bytes, 0, bytes.length);
  }

  @Override
  public byte getByte(long offset) {
    return memory.getByte(pa + offset);
  }

  @Override
  public short getShort(long offset) {
    return memory.getShort(pa + offset);
  }

  @Override
  public int getInt(long offset) {
    return memory.getInt(pa + offset);
  }

  @Override
  public long getLong(long offset) {
    return memory.getLong(pa + offset);
  }

  @Override
  public void putByte(long offset, byte value) {
    memory.putByte(pa + offset, value);
  }

  @Override
  public void putShort(long offset, short value) {
    memory.putShort(pa + offset, value);
  }

  @Override
  public void putInt(long offset, int value) {
    memory.putInt(pa + offset, value);
  }

  @Override
  public void putLong(long offset, long value) {
    memory.putLong(pa + offset, value);
  }
}
