package parhelion.process.memory;

import java.util.Arrays;
import parhelion.cpu.interp.CodeCache;
import parhelion.cpu.memory.MachineMemory;
import parhelion.process.Errno;
import parhelion.process.LinuxError;

/**
 * The frames of all guest processes together, with reference counts: a frame is shared after fork,
 * between mappings of one file, and as the page of zeroes, and is copied by who writes to it.
 *
 * <p>Used under the kernel's lock.
 */
public final class FramePool {
  private static final int MIN_TABLES = 4096;
  private static final int MAX_AREAS = 1 << 18;

  private final MachineMemory memory;
  private final CodeCache code;
  private final int[] references;
  private int[] free = new int[1024];
  private int freeCount;
  private int untouched;
  private final int zeroFrame;
  private int tables;
  private int areas;
  private Runnable reclaim = () -> {};

  public FramePool(MachineMemory memory, CodeCache code) {
    this.memory = memory;
    this.code = code;
    references = new int[(int) memory.frames()];
    zeroFrame = untouched++;
    references[zeroFrame] = 1;
  }

  public MachineMemory memory() {
    return memory;
  }

  /** What to do, once, when no frame is left: give back what is kept only for speed. */
  public void onShortage(Runnable action) {
    reclaim = action;
  }

  /** The page of zeroes, with a reference for the caller. It must never be written to. */
  public int zero() {
    references[zeroFrame]++;
    return zeroFrame;
  }

  /** A frame of zeroes, owned by the caller. */
  public int allocate() {
    if (freeCount == 0 && untouched == references.length) {
      reclaim.run();
    }
    int mfn;
    if (freeCount > 0) {
      mfn = free[--freeCount];
      memory.fill((long) mfn << 12, 4096, (byte) 0);
    } else if (untouched < references.length) {
      mfn = untouched++;
    } else {
      throw new LinuxError(Errno.ENOMEM);
    }
    references[mfn] = 1;
    return mfn;
  }

  /** A copy of a frame, owned by the caller. */
  public int copyOf(int mfn) {
    int copy = allocate();
    if (mfn != zeroFrame) {
      memory.copy((long) mfn << 12, (long) copy << 12, 4096);
    }
    return copy;
  }

  public void share(int mfn) {
    references[mfn]++;
  }

  public boolean isShared(int mfn) {
    return references[mfn] > 1;
  }

  public void release(int mfn) {
    int left = --references[mfn];
    if (left < 0) {
      throw new IllegalStateException("frame " + mfn + " released too often");
    }
    if (left == 0) {
      if (memory.isCodeFrame(mfn)) {
        code.dropFrame(mfn);
      }
      if (freeCount == free.length) {
        free = Arrays.copyOf(free, freeCount * 2);
      }
      free[freeCount++] = mfn;
    }
  }

  /**
   * Counts page tables, which are the host's memory: ENOMEM beyond an eighth of the number of
   * frames, more than any but a hostile program needs.
   */
  void countTables(int change) {
    if (change > 0 && tables + change > Math.max(MIN_TABLES, references.length / 8)) {
      throw new LinuxError(Errno.ENOMEM);
    }
    tables += change;
  }

  /** Counts mappings of all processes together likewise. */
  void countAreas(int change) {
    if (change > 0 && areas + change > MAX_AREAS) {
      throw new LinuxError(Errno.ENOMEM);
    }
    areas += change;
  }

  /** Frames that can still be had. */
  public long available() {
    return freeCount + references.length - (long) untouched;
  }

  public long total() {
    return references.length;
  }
}
