package parhelion.toolstack.link;

import java.lang.invoke.VarHandle;
import java.util.Objects;
import parhelion.backends.RingMemory;
import parhelion.cpu.memory.MachineMemory;
import parhelion.xen.Domain;
import parhelion.xen.Hypervisor;

/**
 * One frame of machine memory that a guest shares with a backend. Holds a reference on the frame
 * until it is closed, so the frame stays what it is when the guest dies.
 */
public final class MachinePage implements RingMemory {
  private final Hypervisor hypervisor;
  private final MachineMemory memory;
  private final long mfn;
  private boolean closed;

  private MachinePage(Hypervisor hypervisor, long mfn) {
    this.hypervisor = hypervisor;
    this.memory = hypervisor.memory();
    this.mfn = mfn;
  }

  /**
   * Maps a frame.
   *
   * @throws IllegalArgumentException if {@code d} does not own it
   */
  public static MachinePage map(Domain d, long mfn) {
    Hypervisor hypervisor = d.hypervisor();
    boolean exists = mfn >= 0 && mfn < hypervisor.memory().frames();
    if (!exists || !hypervisor.frames().getPage(d, mfn)) {
      throw new IllegalArgumentException(d + " does not own frame " + mfn);
    }
    return new MachinePage(hypervisor, mfn);
  }

  private long at(int offset, int length) {
    if (closed) {
      throw new IllegalStateException("frame " + mfn + " is not mapped any more");
    }
    Objects.checkFromIndexSize(offset, /* size= */ length, /* length= */ MachineMemory.PAGE_SIZE);
    return (mfn << MachineMemory.PAGE_SHIFT) + offset;
  }

  @Override
  public int loadAcquire(int offset) {
    int value = memory.getInt(at(offset, Integer.BYTES));
    VarHandle.acquireFence();
    return value;
  }

  @Override
  public void storeRelease(int offset, int value) {
    VarHandle.releaseFence();
    memory.putInt(at(offset, Integer.BYTES), value);
  }

  @Override
  public void read(int offset, byte[] target, int targetOffset, int length) {
    long pa = at(offset, length);
    if (length > 0) {
      memory.read(pa, target, targetOffset, length);
    }
  }

  @Override
  public void write(int offset, byte[] source, int sourceOffset, int length) {
    long pa = at(offset, length);
    if (length > 0) {
      memory.write(pa, source, sourceOffset, length);
    }
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      hypervisor.post(() -> hypervisor.frames().putPage(mfn));
    }
  }
}
