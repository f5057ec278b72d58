package parhelion.xen.memory;

import parhelion.cpu.memory.MachineMemory;

/**
 * The machine-to-physical table: 8 bytes for each frame of machine memory, in frames of Xen's own,
 * which every guest sees read-only at 0xffff800000000000. An entry is the pfn by which the owner
 * knows the frame, or {@link #INVALID}.
 */
public final class MachToPhysTable {
  public static final long INVALID = ~0L;

  private final MachineMemory memory;
  private final long firstMfn;

  MachToPhysTable(MachineMemory memory, long firstMfn) {
    this.memory = memory;
    this.firstMfn = firstMfn;
    memory.fill(firstMfn << 12, frames() << 12, (byte) -1);
  }

  /** Frames that the table takes. */
  public long frames() {
    return (memory.frames() * 8 + 4095) >> 12;
  }

  /** Machine address of its start; its frames are contiguous. */
  public long pa() {
    return firstMfn << 12;
  }

  public long get(long mfn) {
    return mfn >= 0 && mfn < memory.frames() ? memory.getLong(pa() + mfn * 8) : INVALID;
  }

  public void set(long mfn, long pfn) {
    if (mfn < 0 || mfn >= memory.frames()) {
      throw new IllegalStateException("no frame " + mfn);
    }
    memory.putLong(pa() + mfn * 8, pfn);
  }
}
