package parhelion.xen.memory;

import java.util.function.BooleanSupplier;
import parhelion.xen.Domain;
import parhelion.xen.Vcpu;

/**
 * Takes a dying domain's memory away from it: first the roots (page-table bases, descriptor tables,
 * pins), then what hangs on them, then the frames. A frame that another domain still uses stays
 * until that use ends. Can be interrupted; goes on where it was.
 */
final class Relinquish {
  private static final int STRIDE = 256;

  private final Paging paging;
  private final FrameTable frames;
  private final PageTypes types;
  private final Domain d;
  private final BooleanSupplier yield;

  private Relinquish(Paging paging, FrameTable frames, Domain d, BooleanSupplier yield) {
    this.paging = paging;
    this.frames = frames;
    this.d = d;
    this.yield = yield;
    types = frames.types();
  }

  static void all(Paging paging, FrameTable frames, Domain d) {
    if (!some(paging, frames, d, () -> false)) {
      throw new IllegalStateException("relinquishing was interrupted");
    }
  }

  /** False when {@code yield} interrupted it: call again. */
  static boolean some(Paging paging, FrameTable frames, Domain d, BooleanSupplier yield) {
    return frames.freeingMany(new Relinquish(paging, frames, d, yield)::run);
  }

  private boolean run() {
    DomainMemory m = d.memory;
    if (m.stage == 0) {
      for (Vcpu v : d.vcpus()) {
        v.descriptorTables().dropLdt();
        v.descriptorTables().dropGdt();
        paging.dropBases(v);
      }
      m.stage = 1;
    }
    if (m.stage == 1 && eachFrame(this::dropRoots)) {
      m.stage = 2;
    }
    if (m.stage == 2 && eachFrame(this::give)) {
      m.stage = 3;
      types.takeGrantAbuser();
      frames.claim(d, 0);
    }
    return m.stage == 3;
  }

  private interface Step {
    void of(int mfn);
  }

  private boolean eachFrame(Step step) {
    DomainMemory m = d.memory;
    int done = 0;
    for (; m.cursor < frames.size(); m.cursor++) {
      if (frames.owner(m.cursor) == d) {
        if (++done % STRIDE == 0 && yield.getAsBoolean()) {
          return false;
        }
        step.of(m.cursor);
      }
      while (types.drainOne(d)) {
        if (++done % STRIDE == 0 && yield.getAsBoolean()) {
          return false;
        }
      }
    }
    m.cursor = 0;
    return true;
  }

  private void dropRoots(int mfn) {
    if (types.unpin(mfn)) {
      types.putPageAndType(mfn);
    }
    types.abandonPartial(mfn);
  }

  private void give(int mfn) {
    if (frames.isShared(mfn)) {
      if (frames.isAllocated(mfn)) {
        frames.releaseShared(mfn);
      }
    } else {
      frames.release(mfn);
    }
  }
}
