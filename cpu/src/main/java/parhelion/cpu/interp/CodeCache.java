package parhelion.cpu.interp;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.Engine;
import parhelion.cpu.EngineStats;
import parhelion.cpu.EngineUnavailableException;
import parhelion.cpu.memory.MachineMemory;
import parhelion.cpu.rewrite.RegionCache;

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

  /** Code of another engine that was made from guest bytes. */
  public interface Translation {
    /** Bit per 64-byte granule of the frame on which the translation depends. */
    long granules(long mfn);

    /** The bytes change: the translation must not be entered any more. */
    void drop();
  }

  private static final class CodePage {
    /** Bit per 64-byte granule that holds decoded bytes. */
    long granules;

    /** The same for translations. */
    long translatedGranules;

    final List<Translation> translations = new ArrayList<>(0);

    @Nullable Block blocks;

    /** Blocks of the page before whose last instruction reaches into this one. */
    final List<Block> crossing = new ArrayList<>(0);
  }

  private final MachineMemory memory;
  private final @Nullable CodePage[] pages;
  private @Nullable Block[] table = new Block[1 << 16];
  private int blocks;
  private final @Nullable RegionCache regions;
  private final @Nullable String obstacle;
  private final List<Cpu> cpus = new ArrayList<>();

  /** A cache whose CPUs run on the engine that the host allows; see {@link Engine}. */
  public CodeCache(MachineMemory memory) {
    this(memory, Engine.preferred());
  }

  /**
   * A cache whose CPUs run on {@code engine}.
   *
   * @throws EngineUnavailableException where that is the rewriter and this host cannot run it
   */
  public CodeCache(MachineMemory memory, Engine engine) {
    this.memory = memory;
    RegionCache made = null;
    String why = null;
    if (engine != Engine.INTERPRETER) {
      try {
        made = RegionCache.create(memory, this);
      } catch (UnsupportedOperationException e) {
        why = String.valueOf(e.getMessage());
        if (engine == Engine.REWRITER) {
          throw new EngineUnavailableException(why);
        }
      }
    }
    regions = made;
    obstacle = why;
    pages = new CodePage[(int) memory.frames()];
    memory.setWriteListener(this);
  }

  public void attach(Cpu cpu) {
    cpus.add(cpu);
  }

  public void detach(Cpu cpu) {
    cpus.remove(cpu);
    if (regions != null) {
      regions.detached(cpu);
    }
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

  /** Generated code, if the CPUs of this memory run it. */
  public @Nullable RegionCache regions() {
    return regions;
  }

  /** Why the interpreter runs them although the rewriter was to where it can; else null. */
  public @Nullable String obstacle() {
    return obstacle;
  }

  /** The engine that runs the CPUs of this memory: never AUTO. */
  public Engine engine() {
    return regions == null ? Engine.INTERPRETER : Engine.REWRITER;
  }

  /** What the rewriter has done so far; null where there is none. */
  public @Nullable EngineStats engineStats() {
    return regions == null ? null : regions.stats();
  }

  /** Adds a translation of code at {@code pa}, and {@code secondPa} if that is not negative. */
  public void add(Translation translation, long pa, long secondPa) {
    add(translation, pa >>> 12);
    if (secondPa >= 0) {
      add(translation, secondPa >>> 12);
    }
  }

  private void add(Translation translation, long mfn) {
    CodePage page = page(mfn);
    page.translations.add(translation);
    page.translatedGranules |= translation.granules(mfn);
  }

  /** Drops the translations of a frame. */
  public void dropTranslations(long mfn) {
    CodePage page = pages[(int) mfn];
    if (page != null) {
      dropTranslations(mfn, page, -1L);
    }
  }

  /** Forgets all translations, without dropping each. */
  public void dropTranslations() {
    for (CodePage page : pages) {
      if (page != null) {
        page.translations.clear();
        page.translatedGranules = 0;
      }
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
    if (page == null) {
      return;
    }
    if (written(pa >>> 12, page, granules((int) (pa & 4095), size))) {
      cpu.interpreter().afterInvalidation();
    }
  }

  /** Drops what depends on {@code touched} granules; true if decoded blocks were among it. */
  private boolean written(long mfn, CodePage page, long touched) {
    if ((page.translatedGranules & touched) != 0) {
      dropTranslations(mfn, page, touched);
    }
    boolean decoded = (page.granules & touched) != 0;
    if (decoded) {
      dropBlocks(page);
    }
    if ((page.granules | page.translatedGranules) == 0) {
      pages[(int) mfn] = null;
      memory.markCodeFrame(mfn, false);
    }
    return decoded;
  }

  private static void dropTranslations(long mfn, CodePage page, long touched) {
    long left = 0;
    int kept = 0;
    List<Translation> all = page.translations;
    for (Translation translation : all) {
      long granules = translation.granules(mfn);
      if ((granules & touched) != 0) {
        translation.drop();
      } else {
        left |= granules;
        all.set(kept++, translation);
      }
    }
    all.subList(kept, all.size()).clear();
    page.translatedGranules = left;
  }

  @Override
  public void codeWritten(long pa, long lengthBytes) {
    for (long mfn = pa >>> 12, last = (pa + lengthBytes - 1) >>> 12; mfn <= last; mfn++) {
      CodePage page = pages[(int) mfn];
      if (page != null) {
        int from = mfn == pa >>> 12 ? (int) (pa & 4095) : 0;
        int to = mfn == last ? (int) ((pa + lengthBytes - 1) & 4095) : 4095;
        written(mfn, page, granules(from, to - from + 1));
      }
    }
  }

  private void invalidate(long mfn, CodePage page) {
    written(mfn, page, -1L);
  }

  private void dropBlocks(CodePage page) {
    page.granules = 0;
    for (Block b = page.blocks; b != null; b = b.pageNext) {
      unhash(b);
    }
    page.blocks = null;
    for (Block b : page.crossing) {
      unhash(b);
    }
    page.crossing.clear();
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
