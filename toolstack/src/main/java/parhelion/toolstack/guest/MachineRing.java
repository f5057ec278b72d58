package parhelion.toolstack.guest;

import parhelion.backends.RingMemory;
import parhelion.cpu.memory.Host;
import parhelion.cpu.memory.MachineMemory;

/** A page of machine memory as a backend's ring. */
final class MachineRing implements RingMemory {
  private final MachineMemory memory;
  private final long pa;

  MachineRing(MachineMemory memory, long mfn) {
    this.memory = memory;
    pa = mfn << 12;
  }

  private long host(int offset) {
    return memory.hostAddress(pa + offset, 4);
  }

  @Override
  public int loadAcquire(int offset) {
    return Host.U.getIntAcquire(null, host(offset));
  }

  @Override
  public void storeRelease(int offset, int value) {
    Host.U.putIntRelease(null, host(offset), value);
  }

  @Override
  public void read(int offset, byte[] target, int targetOffset, int length) {
    memory.read(pa + offset, target, targetOffset, length);
  }

  @Override
  public void write(int offset, byte[] source, int sourceOffset, int length) {
    memory.write(pa + offset, source, sourceOffset, length);
  }
}
