package parhelion.xen.grant;

import java.lang.invoke.VarHandle;
import java.util.Objects;
import parhelion.cpu.memory.MachineMemory;

/**
 * A granted frame as a backend in Java sees it, by offset in bytes. All that is read may be hostile
 * and may change meanwhile. Outlives the guest: until {@link #close} the frame stays. Scheduler's
 * thread only.
 */
public final class HostGrant implements AutoCloseable {
  private final GrantTable table;
  private final MachineMemory memory;
  private final int ref;
  private final long mfn;
  private final boolean writable;
  private boolean closed;

  HostGrant(GrantTable table, int ref, long mfn, boolean writable) {
    this.table = table;
    this.ref = ref;
    this.mfn = mfn;
    this.writable = writable;
    memory = table.domain().hypervisor().memory();
  }

  GrantTable table() {
    return table;
  }

  public int ref() {
    return ref;
  }

  long mfn() {
    return mfn;
  }

  public boolean isWritable() {
    return writable;
  }

  /** The machine address of a part of the frame. */
  public long pa(int offset, int length) {
    if (closed) {
      throw new IllegalStateException("grant " + ref + " is not mapped any more");
    }
    Objects.checkFromIndexSize(offset, length, MachineMemory.PAGE_SIZE);
    return (mfn << MachineMemory.PAGE_SHIFT) + offset;
  }

  private long writablePa(int offset, int length) {
    if (!writable) {
      throw new IllegalStateException("grant " + ref + " is mapped read-only");
    }
    return pa(offset, length);
  }

  /** A little-endian 32-bit load; later accesses of this thread are not moved before it. */
  public int loadAcquire(int offset) {
    int value = memory.getInt(pa(offset, Integer.BYTES));
    VarHandle.acquireFence();
    return value;
  }

  /** A little-endian 32-bit store; earlier accesses of this thread are not moved after it. */
  public void storeRelease(int offset, int value) {
    VarHandle.releaseFence();
    memory.putInt(writablePa(offset, Integer.BYTES), value);
  }

  /** Copies {@code length} bytes of the frame into {@code target}. */
  public void read(int offset, byte[] target, int at, int length) {
    memory.read(pa(offset, length), target, at, length);
  }

  /** Copies {@code length} bytes of {@code source} into the frame. */
  public void write(int offset, byte[] source, int at, int length) {
    memory.write(writablePa(offset, length), source, at, length);
  }

  /** Unmaps it. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      table.closeHostGrant(this);
    }
  }
}
