package parhelion.cpu.interp;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.memory.MachineMemory;

/**
 * Decoded code of one machine memory, keyed by machine address and CPU mode, and so shared by all
 * CPUs and domains of it. A frame that holds decoded code is write-protected in the TLBs; a store
 * to it, or a write by a hypercall or device, drops the blocks of that frame if it touches a
 * 64-byte granule that was decoded.
 *
 * <p>Runs on the thread that runs the CPUs of this memory.
 */
public final class CodeCache implements MachineMemory.WriteListener {
  private static final int MAX_BLOCKS = 1 << 18;

  private static final class CodePage {
    /** Bit per 64-byte granule that holds decoded bytes. */
    long granules;

    @Nullable Block blocks;

    /** Blocks of the page before whose last instruction reaches into this one. */
    final List<Block> crossing = new ArrayList<>(0);
  }

  private final MachineMemory memory;
  private final @Nullable CodePage[] pages;
  private @Nullable Block[] table = new Block[1 << 16];
  private int blocks;
  private final List<Cpu> cpus = new ArrayList<>();

  public CodeCache(MachineMemory memory) {
    this.memory = memory;
    pages = new CodePage[(int) memory.frames()];
    memory.setWriteListener(this);
  }

  public void attach(Cpu cpu) {
    cpus.add(cpu);
  }

  public void detach(Cpu cpu) {
    cpus.remove(cpu);
  }

  /** The CPUs of this memory. */
  public List<Cpu> cpus() {
    return Collections.unmodifiableList(cpus);
  }

  private int hash(long pa, int mode) {
    long h = pa * 0x9e3779b97f4a7c15L + mode;
    return (int) (h >>> 40) & (table.length - 1);
  }

  @Nullable Block find(long pa, int mode) {
    for (Block b = table[hash(pa, mode)]; b != null; b = b.hashNext) {
      if (b.pa == pa && b.mode == mode && b.valid) {
        return b;
      }
    }
    return null;
  }

  void add(Block b) {
    if (blocks >= MAX_BLOCKS) {
      clear();
    }
    blocks++;
    int h = hash(b.pa, b.mode);
    b.hashNext = table[h];
    table[h] = b;
    CodePage page = page(b.pa >>> 12);
    b.pageNext = page.blocks;
    page.blocks = b;
    int first = (int) (b.pa & 4095);
    page.granules |= granules(first, Math.min(b.lengthBytes, 4096 - first));
    if (b.secondPa >= 0) {
      CodePage second = page(b.secondPa >>> 12);
      second.crossing.add(b);
      second.granules |= granules(0, b.lengthBytes - (4096 - first));
    }
  }

  private CodePage page(long mfn) {
    CodePage page = pages[(int) mfn];
    if (page == null) {
      page = new CodePage();
      pages[(int) mfn] = page;
      memory.markCodeFrame(mfn, true);
      for (Cpu cpu : cpus) {
        cpu.protectFrame(mfn);
      }
    }
    return page;
  }

  private static long granules(int offset, int length) {
    int first = offset >>> 6;
    int last = (offset + length - 1) >>> 6;
    long upTo = last == 63 ? -1L : (1L << (last + 1)) - 1;
    return upTo & -(1L << first);
  }

  /**
   * Called before a CPU's store to a code frame (within one page). Drops what the store changes;
   * when that is the running block itself, throws {@link CodeModified} and the instruction is
   * executed again, alone.
   */
  public void beforeStore(Cpu cpu, long pa, int size) {
    CodePage page = pages[(int) (pa >>> 12)];
    if (page == null || (page.granules & granules((int) (pa & 4095), size)) == 0) {
      return;
    }
    invalidate(pa >>> 12, page);
    cpu.interpreter().afterInvalidation();
  }

  @Override
  public void codeWritten(long pa, long lengthBytes) {
    for (long mfn = pa >>> 12, last = (pa + lengthBytes - 1) >>> 12; mfn <= last; mfn++) {
      CodePage page = pages[(int) mfn];
      if (page != null) {
        int from = mfn == pa >>> 12 ? (int) (pa & 4095) : 0;
        int to = mfn == last ? (int) ((pa + lengthBytes - 1) & 4095) : 4095;
        if ((page.granules & granules(from, to - from + 1)) != 0) {
          invalidate(mfn, page);
        }
      }
    }
  }

  private void invalidate(long mfn, CodePage page) {
    pages[(int) mfn] = null;
    memory.markCodeFrame(mfn, false);
    for (Block b = page.blocks; b != null; b = b.pageNext) {
      unhash(b);
    }
    for (Block b : page.crossing) {
      unhash(b);
    }
  }

  private void unhash(Block b) {
    if (!b.valid) {
      return;
    }
    b.valid = false;
    b.link0 = null;
    b.link1 = null;
    blocks--;
    int h = hash(b.pa, b.mode);
    Block at = table[h];
    if (at == b) {
      table[h] = b.hashNext;
      return;
    }
    while (at != null) {
      if (at.hashNext == b) {
        at.hashNext = b.hashNext;
        return;
      }
      at = at.hashNext;
    }
  }

  /** Drops all decoded code of a frame whose owner is changing. */
  public void dropFrame(long mfn) {
    CodePage page = pages[(int) mfn];
    if (page != null) {
      invalidate(mfn, page);
    }
  }

  /** Drops everything. */
  public void clear() {
    for (int mfn = 0; mfn < pages.length; mfn++) {
      CodePage page = pages[mfn];
      if (page != null) {
        invalidate(mfn, page);
      }
    }
    table = new Block[table.length];
    blocks = 0;
  }

  /** Decoded blocks held. */
  public int blockCount() {
    return blocks;
  }
}
