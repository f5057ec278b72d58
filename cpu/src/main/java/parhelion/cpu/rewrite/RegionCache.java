package parhelion.cpu.rewrite;

import static parhelion.cpu.memory.Host.U;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.BitSet;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.EngineStats;
import parhelion.cpu.Monitor;
import parhelion.cpu.Monitor.ReadWindow;
import parhelion.cpu.interp.CodeCache;
import parhelion.cpu.memory.MachineMemory;
import parhelion.cpu.rewrite.Templates.Template;

/**
 * The generated code of one machine memory: where it is, by machine address, virtual address and
 * mode. Shared by all CPUs of that memory; runs on the thread that runs them.
 */
public final class RegionCache {
  private static final long ARENA_BYTES = 96L << 20;

  /** More than one run can take: 64 instructions and their stubs. */
  private static final int MAX_REGION_BYTES = Scanner.MAX_INSTRUCTIONS * 512;

  /** Is told what is at which host address. */
  public interface Listener {
    /** Code that belongs to no guest address. */
    void routines(long host, long bytes);

    /** Code of a run of guest instructions at {@code va}. */
    void region(long host, long bytes, long va);
  }

  private @Nullable Templates templates = Templates.shared();
  private @Nullable CodeStore store = CodeStore.shared();
  private final MachineMemory memory;
  private final CodeCache code;
  private final CodeArena arena;
  private long arenaStart;
  final Routines routines;
  final long[][] gateAddress = new long[Gates.Gate.values().length][2];
  private @Nullable Class<?> gatesOf;
  private final Scanner scanner = new Scanner();
  private final RegionWriter writer;
  private final @Nullable Region[] table = new Region[1 << 16];
  private final CodePages codePages = new CodePages();
  private final BitSet selfModifying = new BitSet();
  private @Nullable Region[] bySite = new Region[1 << 16];
  private int sites;

  /** Regions just copied whose successors are still to be. */
  private final ArrayDeque<Region> copied = new ArrayDeque<>();

  final RegionCounts counts = new RegionCounts();
  private @Nullable Listener listener;

  /** Tells a CPU's generated code where memory is. */
  void prepare(long state, Monitor monitor) {
    NativeState.reset(state);
    U.putLong(state + NativeState.MEMORY_BASE, memory.base());
    U.putLong(state + NativeState.MEMORY_BYTES, memory.sizeBytes());
    U.putLong(state + NativeState.CODE_FRAMES, memory.codeFrameMarks());
    ReadWindow window = monitor.readWindow();
    U.putLong(state + NativeState.WINDOW_TOP, window == null ? -1 : window.start() >>> 43);
    if (window != null) {
      U.putLong(state + NativeState.WINDOW_BYTES, window.bytes());
      U.putLong(state + NativeState.WINDOW_PA, window.pa());
    }
    HostTsc tsc = monitor.hostTscOffset().isPresent() ? HostTsc.find() : null;
    if (tsc != null) {
      U.putLong(state + NativeState.TSC_BASE, tsc.base);
      U.putLong(state + NativeState.TSC_SCALE, tsc.scale);
      U.putLong(state + NativeState.TSC_OFFSET, monitor.hostTscOffset().getAsLong());
    }
    writeGates(monitor.gates());
  }

  /** The gates of the monitor of the first CPU: before there is any other code. */
  private void writeGates(@Nullable Gates gates) {
    if (gates == null || gatesOf != null || arena.usedBytes() != arenaStart) {
      return;
    }
    gatesOf = gates.getClass();
    Assembler a = new Assembler();
    a.start(arena.next());
    for (Gates.Gate gate : Gates.Gate.values()) {
      for (int tlb = 0; tlb < 2; tlb++) {
        long address = a.base + a.at;
        boolean written = gates.write(new GateCode(a, routines), gate, tlb);
        gateAddress[gate.ordinal()][tlb] = written ? address : routines.exitWithFlags;
      }
    }
    arena.add(a.code, a.at);
    arenaStart = arena.usedBytes();
  }

  /** Whether {@link #gateAddress} is the code of these gates. */
  boolean hasGates(@Nullable Gates gates) {
    return gates != null && gates.getClass() == gatesOf;
  }

  private RegionCache(MachineMemory memory, CodeCache code, CodeArena arena) {
    this.memory = memory;
    this.code = code;
    this.arena = arena;
    routines = new Routines(arena);
    arenaStart = arena.usedBytes();
    writer = new RegionWriter(routines);
  }

  /**
   * A cache for the code of {@code memory}.
   *
   * @throws UnsupportedOperationException with the reason where the host cannot run generated code
   */
  public static RegionCache create(MachineMemory memory, CodeCache code) {
    String obstacle = HostCpu.obstacle();
    if (obstacle != null) {
      throw new UnsupportedOperationException(obstacle);
    }
    CodeArena arena = new CodeArena(ARENA_BYTES);
    RegionCache cache = new RegionCache(memory, code, arena);
    memory.onClose(cache::close);
    return cache;
  }

  private void close() {
    arena.close();
    if (store != null) {
      store.save();
    }
  }

  /** Takes code from this store alone, and keeps it there: for tests. */
  void keepIn(CodeStore other) {
    templates = null;
    store = other;
  }

  /** Has {@code listener} told of all code that is there and of all that is written from now on. */
  public void listen(Listener listener) {
    this.listener = listener;
    long first = arena.next() - arena.usedBytes();
    listener.routines(first, arenaStart);
    Region told = null;
    for (int i = 0; i < sites; i++) {
      Region region = ofSite(i);
      if (region != told) {
        listener.region(region.host, region.hostBytes, region.va);
        told = region;
      }
    }
  }

  /** Guest address of the run whose code is at a host address; empty where there is none. */
  public OptionalLong guestAddress(long host) {
    // Sites are numbered as regions are written: upward.
    int low = 0;
    int high = sites;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (ofSite(middle).host <= host) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low == 0) {
      return OptionalLong.empty();
    }
    Region region = ofSite(low - 1);
    return host < region.host + region.hostBytes
        ? OptionalLong.of(region.va)
        : OptionalLong.empty();
  }

  /** A CPU goes. */
  public void detached(Cpu cpu) {
    counts.formerWalks += U.getLong(cpu.state + NativeState.WALKS);
  }

  /** What was done so far. */
  public EngineStats stats() {
    return counts.stats(code.cpus(), used());
  }

  private static int hash(long pa, long va, int key) {
    long h = (pa * 31 + va) * 0x9e3779b97f4a7c15L + key * 0x632be59bd9b4e019L;
    return (int) (h >>> 48);
  }

  /** Leaves room for about {@code bytes} of code: tests want little. */
  void limit(long bytes) {
    arena.limit(arenaStart + MAX_REGION_BYTES + bytes);
  }

  /** Bytes of host code held. */
  long used() {
    return arena.usedBytes();
  }

  @Nullable Region find(long pa, long va, int key) {
    for (Region r = table[hash(pa, va, key)]; r != null; r = r.hashNext) {
      if (r.pa == pa && r.va == va && r.key == key && r.valid) {
        return r;
      }
    }
    return null;
  }

  Region ofSite(int site) {
    Region region = bySite[site];
    if (region == null) {
      throw new IllegalStateException("generated code left by unknown site " + site);
    }
    return region;
  }

  /**
   * Writes code for the run at {@code va}, whose machine address is {@code pa}; null where there is
   * nothing that it could do. May raise the fault of the fetch from a second page.
   */
  @Nullable Region translate(Cpu cpu, long pa, long va, int key) {
    long start = System.nanoTime();
    long secondPa = -1;
    Region copy = copy(cpu, pa, va, key);
    if (copy != null) {
      counts.translationNanos += System.nanoTime() - start;
      return copy;
    }
    if (!scanner.scan(cpu, pa, key)) {
      if ((va & 4095) <= 4096 - 15) {
        return null;
      }
      secondPa = cpu.fetchAddress((va | 4095) + 1);
      if (!memory.contains(secondPa, 4096) || !scanner.scanCrossing(cpu, pa, secondPa, key)) {
        return null;
      }
    }
    if (!arena.hasRoom(MAX_REGION_BYTES)) {
      reset();
    }
    Region region = new Region(this, pa, secondPa, va, key, scanner.granules, arena.next());
    region.firstSite = sites;
    region.codePage = codePages.number(va, pa);
    region.secondCodePage = secondPa < 0 ? 0 : codePages.number(va + 4096, secondPa);
    writer.write(scanner, region);
    arena.add(writer.code(), region.hostBytes);
    if (secondPa < 0) {
      keep(region);
    }
    add(region);
    counts.translations++;
    counts.translatedInstructions += region.instructions;
    counts.hostBytes += region.hostBytes;
    counts.translationNanos += System.nanoTime() - start;
    return region;
  }

  /** For the guests that come after this one. */
  private void keep(Region region) {
    if (templates == null && store == null) {
      return;
    }
    Template template = Templates.of(memory, region, writer.code(), writer.relocations());
    if (templates != null) {
      templates.add(region.va, region.key, template);
    }
    if (store != null) {
      store.add(region.va, region.key, template);
    }
  }

  private void add(Region region) {
    addSites(region);
    int h = hash(region.pa, region.va, region.key);
    region.hashNext = table[h];
    table[h] = region;
    code.add(region, region.pa, region.secondPa);
    if (listener != null) {
      listener.region(region.host, region.hostBytes, region.va);
    }
  }

  /**
   * A copy of what was written for the same bytes before, or null. Crossing instructions are not.
   * With it come copies of what it leads to in the same page, and so on: all of that was wanted
   * before, and is linked without being asked for.
   */
  private @Nullable Region copy(Cpu cpu, long pa, long va, int key) {
    if (!arena.hasRoom(MAX_REGION_BYTES) && template(pa, va, key) != null) {
      reset();
    }
    Region region = copyOne(pa, va, key);
    if (region != null) {
      copied.add(region);
      while (!copied.isEmpty()) {
        copySuccessors(cpu, copied.removeLast());
      }
    }
    return region;
  }

  private void copySuccessors(Cpu cpu, Region from) {
    int count = from.sites.length / Region.SITE_INTS;
    for (int site = 0; site < count; site++) {
      int at = site * Region.SITE_INTS;
      if ((from.sites[at] & Region.KIND) == Region.CHAIN) {
        Region to = successor(from, from.sites[at + 3]);
        if (to != null) {
          link(from, site, to);
        }
      }
    }
    Region behind = successor(from, from.lengthBytes);
    if (behind != null) { // where a call at its end returns to
      NativeState.putJump(cpu.state, RegionKey.tlbIndex(behind.key), behind.va, behind.host, false);
    }
  }

  /** The region so many bytes on, in the same page: as it is or copied; null if it is neither. */
  private @Nullable Region successor(Region from, int offset) {
    if (((from.va + offset ^ from.va) & -4096L) != 0) {
      return null;
    }
    int key = from.key & ~RegionKey.SINGLE_CHECKS;
    Region to = find(from.pa + offset, from.va + offset, key);
    if (to == null) {
      to = copyOne(from.pa + offset, from.va + offset, key);
      if (to != null) {
        copied.add(to);
      }
    }
    return to;
  }

  private @Nullable Template template(long pa, long va, int key) {
    Template template = templates == null ? null : templates.find(memory, pa, va, key);
    return template == null && store != null ? store.find(memory, pa, va, key) : template;
  }

  /** Null also where there is no room. */
  private @Nullable Region copyOne(long pa, long va, int key) {
    Template template = arena.hasRoom(MAX_REGION_BYTES) ? template(pa, va, key) : null;
    if (template == null) {
      return null;
    }
    Region region = new Region(this, pa, -1, va, key, template.granules(), arena.next());
    region.firstSite = sites;
    region.codePage = codePages.number(va, pa);
    region.take(template.shape());
    arena.add(template.code(), region.hostBytes);
    relocate(region, template.relocations());
    add(region);
    counts.copies++;
    return region;
  }

  private void relocate(Region region, int[] relocations) {
    for (int i = 0; i < relocations.length; i += 3) {
      long at = region.host + relocations[i + 1];
      int value = relocations[i + 2];
      switch (relocations[i]) {
        case Templates.ROUTINE -> arena.patch(at, (int) (routines.enter + value - (at + 4)));
        case Templates.SITE -> arena.patch(at, region.firstSite + value);
        case Templates.CODE_PAGE -> arena.patch(at, region.codePage);
        case Templates.FRAME -> arena.write(at, region.pa & -4096L);
        default -> throw new IllegalStateException("relocation " + relocations[i]);
      }
    }
  }

  private void addSites(Region region) {
    int count = region.sites.length / Region.SITE_INTS;
    if (sites + count > bySite.length) {
      bySite = Arrays.copyOf(bySite, Math.max(sites + count, bySite.length * 2));
    }
    Arrays.fill(bySite, sites, sites + count, region);
    sites += count;
  }

  /** Lets a jump out of {@code from} lead to {@code to} directly, where its flags allow. */
  void link(Region from, int site, Region to) {
    int at = site * Region.SITE_INTS;
    boolean samePage =
        RegionKey.withoutVariant(from.key) == RegionKey.withoutVariant(to.key)
            && from.secondPa < 0
            && to.secondPa < 0
            && ((from.va ^ to.va) & -4096L) == 0
            && ((from.pa ^ to.pa) & -4096L) == 0;
    int entry;
    if ((from.sites[at] & Region.FLAGS_STORED) != 0) {
      entry = samePage && to.live == 0 ? to.checked : 0;
    } else if (samePage) {
      entry = to.checked;
    } else if (to.live == 0) {
      entry = 0;
    } else {
      return;
    }
    long jump = from.host + from.sites[at + 2];
    arena.patch(jump, (int) (to.host + entry - (jump + 4)));
  }

  /** The region is no longer what the guest's memory says: whoever enters it leaves again. */
  void drop(Region region) {
    region.valid = false;
    counts.drops++;
    jump(region.host, region.host + region.deadUnchecked);
    jump(region.host + region.checked, region.host + region.deadChecked);
    int h = hash(region.pa, region.va, region.key);
    Region at = table[h];
    if (at == region) {
      table[h] = region.hashNext;
      return;
    }
    while (at != null) {
      if (at.hashNext == region) {
        at.hashNext = region.hashNext;
        return;
      }
      at = at.hashNext;
    }
  }

  /** Code that leads to a region that is gone leads to the one in its place from now on. */
  void forward(Region gone, Region to) {
    if (RegionKey.withoutExact(gone.key) != RegionKey.withoutExact(to.key)) {
      return;
    }
    jump(gone.host, to.host);
    if (gone.key == to.key && gone.pa == to.pa && gone.secondPa < 0 && to.secondPa < 0) {
      jump(gone.host + gone.checked, to.host + to.checked);
    }
  }

  /** Lets the stub at {@code hostOffset} of a region lead to another region's unchecked entry. */
  void leadTo(Region from, int hostOffset, Region to) {
    jump(from.host + hostOffset, to.host);
  }

  private void jump(long from, long to) {
    int distance = (int) (to - (from + 5));
    arena.write(
        from,
        new byte[] {
          (byte) 0xe9,
          (byte) distance,
          (byte) (distance >> 8),
          (byte) (distance >> 16),
          (byte) (distance >> 24)
        });
  }

  /** Whether code of the frame has stored to itself. */
  boolean isSelfModifying(long pa) {
    return selfModifying.get((int) (pa >>> 12));
  }

  /**
   * Code in the frame stores to itself: what is written for it from now on is careful with flags.
   */
  void selfModified(long pa) {
    if (!isSelfModifying(pa)) {
      selfModifying.set((int) (pa >>> 12));
      code.dropTranslations(pa >>> 12);
    }
  }

  /** Forgets all code, to begin anew with an empty arena. */
  private void reset() {
    counts.resets++;
    for (int i = 0; i < sites; i++) {
      Region region = bySite[i];
      if (region != null) {
        region.valid = false;
      }
    }
    Arrays.fill(table, null);
    Arrays.fill(bySite, null);
    codePages.clear();
    sites = 0;
    code.dropTranslations();
    arena.reset(arenaStart);
    for (Cpu cpu : code.cpus()) {
      NativeState.clearJumps(cpu.state);
      cpu.flushTlbs(); // the numbers of code pages begin anew
    }
  }
}
