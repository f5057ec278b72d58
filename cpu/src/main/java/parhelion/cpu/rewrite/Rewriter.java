package parhelion.cpu.rewrite;

import static parhelion.cpu.memory.Host.U;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.Access;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.Flags;
import parhelion.cpu.GuestFault;
import parhelion.cpu.Tlb;
import parhelion.cpu.interp.Block;
import parhelion.cpu.interp.Interpreter;

/**
 * One CPU's run loop in generated code: finds or writes the region at RIP, enters it, and does what
 * the site asks for by which it left. RIP, the flags and the count of retired instructions are
 * exact at every site.
 */
public final class Rewriter {
  /** Instructions after which generated code leaves, to see whether somebody wants something. */
  private static final int SLICE = 1 << 17;

  private static final int CACHE = 4096;
  private static final Gates.Gate[] GATES = Gates.Gate.values();

  private final Cpu c;
  private final long state;
  private final RegionCache regions;
  private final MemorySegment enter;

  /** The monitor's, if it has any. */
  private final @Nullable Gates gates;

  private int gatesOpen;
  private final @Nullable Region[] cacheRegion = new Region[CACHE];
  private final long[] cacheEpoch = new long[CACHE];

  /** The guest has unmasked a floating-point exception. */
  private boolean softFloat;

  private int key = -1;

  /** The jump cache of TLB 0 leads to code of CPL 0. */
  private boolean supervisorJumps;

  /** The next address that is looked up was not found in the jump cache. */
  private boolean jumpMissed;

  private boolean jumpBeside;

  /** Exits by kind of site, and interpreted instructions by mnemonic, of all CPUs. */
  final long[] exits;

  private final long[] interpreted;

  /** The interpreter's flags as they were when generated code left: those in the state block. */
  private long flagsResult = 1;

  private long flagsAux = -1;

  // --- where to go on in generated code ---

  private long resumeHost;

  /** Instructions behind that place which its block has counted already. */
  private int resumeCounted;

  private int resumeBits;

  public Rewriter(Cpu cpu, RegionCache regions) {
    c = cpu;
    state = cpu.state;
    this.regions = regions;
    exits = regions.counts.exits;
    interpreted = regions.counts.interpreted;
    enter = MemorySegment.ofAddress(regions.routines.enter);
    regions.prepare(state, cpu.monitor);
    Gates offered = cpu.monitor.gates();
    gates = regions.hasGates(offered) ? offered : null;
    leadGates(0);
  }

  /** Runs until {@link Cpu#runEnd} is reached or the CPU must leave blocks. */
  public void run() {
    while (c.retired < c.runEnd() && !c.mustLeaveBlocks()) {
      Region region = lookUp(c.rip());
      if (region == null) {
        c.interpreter().runBlock();
        continue;
      }
      resumeHost = region.host + region.checked;
      resumeCounted = 0;
      resumeBits = 0;
      while (resumeHost != 0) {
        enter(c.runEnd());
      }
    }
  }

  /** Enters at the place to go on, and handles the exit, which may say where to go on next. */
  private void enter(long end) {
    long budget = Math.min(end - c.retired, SLICE);
    long host = resumeHost;
    resumeHost = 0;
    U.putLong(state + NativeState.COUNTER, budget - resumeCounted);
    if (c.fRes != flagsResult || c.fAux != flagsAux) {
      U.putLong(state + NativeState.FLAGS, pack(Flags.get(c)));
    }
    if ((resumeBits & Region.X87_KNOWN) != 0) {
      X87Image.toImage(state);
      U.putInt(state + NativeState.X87_WANTED, 1);
    }
    U.putInt(state + NativeState.SSE_WANTED, resumeBits & Region.SSE_KNOWN);
    U.putLong(state + NativeState.WALK_ROOT, c.monitor.walkRoot(c));
    U.putLong(state + NativeState.WALK_REQUIRED, PageWalk.required(c.cpl() == 3));
    int mode = RegionKey.tlbIndex(key);
    U.putLong(state + NativeState.WALK_SMAP, PageWalk.smap(c));
    U.putLong(state + NativeState.WALK_GLOBAL, PageWalk.global(c));
    if (gates != null) {
      U.putInt(state + NativeState.MODE, mode);
      int open = gates.open(c, state + NativeState.MONITOR);
      if (open != gatesOpen) {
        leadGates(open);
      }
    }
    try {
      CodeArena.ENTER.invokeExact(enter, state, host);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
    if (gates != null) {
      gates.left(state + NativeState.MONITOR);
      if (U.getInt(state + NativeState.MODE) != mode) {
        gates.modeChanged(c, mode ^ 1);
        key = RegionKey.of(c, softFloat);
      }
    }
    int number = U.getInt(state + NativeState.EXIT_SITE);
    if (number == NativeState.NO_SITE) {
      c.retired += budget - U.getLong(state + NativeState.COUNTER);
      takeFlags();
      exits[Region.INTERPRET]++;
      jumpMissed = true;
      return;
    }
    Region region = regions.ofSite(number);
    int site = number - region.firstSite;
    int[] sites = region.sites;
    int at = site * Region.SITE_INTS;
    int place = sites[at + 1];
    c.retired += budget - U.getLong(state + NativeState.COUNTER) - (place >>> 16 & 0xff);
    c.rip(region.va + (place & 0xffff));
    takeFlags();
    exits[sites[at] & Region.KIND]++;
    switch (sites[at] & Region.KIND) {
      case Region.CHAIN -> chain(region, site, end);
      case Region.MISS -> miss(region, site, end);
      case Region.INTERPRET -> interpret(region, site, end);
      case Region.ENTRY -> entry(region, end);
      case Region.BUDGET -> {
        if (mayGoOn(end)) {
          if (end - c.retired >= (place >>> 16 & 0xff)) {
            goOn(region, sites[at + 2], 0, sites[at]);
          } else if (!c.endsBeforeBlock()) {
            c.interpreter().runBlock();
          }
        }
      }
      case Region.LOAD_X87 -> {
        if (X87Image.isMasked(state)) {
          goOn(region, sites[at + 2], place >>> 16 & 0xff, sites[at] | Region.X87_KNOWN);
        } else {
          softFloat = true;
        }
      }
      case Region.GROUP -> group(region, site);
      default -> softFloat = true;
    }
  }

  /** Takes over the flags, and the x87 registers if they were the host's. */
  private void takeFlags() {
    Flags.set(c, unpack(U.getLong(state + NativeState.FLAGS)));
    flagsResult = c.fRes;
    flagsAux = c.fAux;
    if (U.getInt(state + NativeState.X87_LOADED) != 0) {
      U.putInt(state + NativeState.X87_LOADED, 0);
      X87Image.fromImage(state);
    }
  }

  /** Lets instructions go to the monitor's gates, or leave to the interpreter. */
  private void leadGates(int open) {
    gatesOpen = open;
    for (Gates.Gate gate : GATES) {
      for (int tlb = 0; tlb < 2; tlb++) {
        boolean leads = (open & gate.bit()) != 0;
        long target =
            leads ? regions.gateAddress[gate.ordinal()][tlb] : regions.routines.exitWithFlags;
        U.putLong(state + NativeState.gate(gate, tlb), target);
      }
    }
  }

  private static long pack(int flags) {
    return (flags & 0xd5 | 2) << 8 | flags >> 11 & 1;
  }

  private static long unpack(long packed) {
    return packed >> 8 & 0xd5 | (packed & 1) << 11;
  }

  private boolean mayGoOn(long end) {
    return c.retired < end && !c.mustLeaveBlocks();
  }

  private void goOn(Region region, int hostOffset, int counted, int bits) {
    resumeHost = region.host + hostOffset;
    resumeCounted = counted;
    resumeBits = bits;
  }

  // --- exits ---

  private void chain(Region region, int site, long end) {
    long target = region.va + region.sites[site * Region.SITE_INTS + 3];
    c.rip(target);
    if (!mayGoOn(end)) {
      return;
    }
    Region next = lookUp(target);
    if (next != null) {
      if (region.valid) {
        regions.link(region, site, next);
      }
      goOn(next, next.checked, 0, 0);
    }
  }

  private void entry(Region region, long end) {
    if (!mayGoOn(end)) {
      return;
    }
    long resets = regions.counts.resets;
    Region next = lookUp(region.va);
    if (next != null) {
      // Where all code was forgotten there is other code now, perhaps the region found.
      if (!region.valid && regions.counts.resets == resets) {
        regions.forward(region, next);
      }
      goOn(next, next.checked, 0, 0);
    }
  }

  private void miss(Region region, int site, long end) {
    int at = site * Region.SITE_INTS;
    int[] sites = region.sites;
    long va = U.getLong(state + NativeState.MISS_VA);
    int access = (sites[at] & Region.WRITE) != 0 ? Access.WRITE : Access.READ;
    long filled = c.fillTlb(va, sites[at] >>> Region.SIZE_SHIFT, access);
    if (filled == Cpu.FILLED) {
      goOn(region, sites[at + 2], sites[at + 1] >>> 16 & 0xff, sites[at]);
    } else if (filled < 0 && (sites[at] & Region.FAULTS) != 0) {
      c.interpreter().leaveBlock();
      c.monitor.exception(c, GuestFault.PF, Access.errorCode(filled), va);
    } else {
      interpret(region, site, end);
    }
  }

  /**
   * Where a check for several accesses does not pass, code with single checks goes on. Nothing is
   * translated for the group: the page may be one that none of its accesses comes to, or only a
   * read. A range that crosses a page will do so again, so that its code leads there directly from
   * then on; a page that was not accessed before is another matter.
   */
  private void group(Region region, int site) {
    int at = site * Region.SITE_INTS;
    int[] sites = region.sites;
    long pa = region.pa + (sites[at + 1] & 0xffff);
    int single = region.key | RegionKey.SINGLE_CHECKS;
    Region twin = regions.find(pa, c.rip(), single);
    if (twin == null) {
      twin = regions.translate(c, pa, c.rip(), single);
    }
    if (twin != null) {
      long va = U.getLong(state + NativeState.MISS_VA);
      boolean crosses = (va & 4095) + (sites[at] >>> Region.SIZE_SHIFT) > 4096;
      if (region.valid && (crosses || region.failsOften(site))) {
        regions.leadTo(region, sites[at + 3], twin);
      }
      goOn(twin, twin.checked, 0, 0);
    }
  }

  private void interpret(Region region, int site, long end) {
    int at = site * Region.SITE_INTS;
    int[] sites = region.sites;
    long rip = c.rip();
    Interpreter interpreter = c.interpreter();
    Block single = region.single(site, interpreter);
    interpreted[single.last().ordinal()]++;
    boolean completed = interpreter.executeSingle(single, rip);
    if (!region.valid) {
      regions.selfModified(region.pa);
    }
    if (!completed) {
      return;
    }
    int behind = sites[at + 3];
    if (behind == 0) {
      jumpMissed = true;
    } else if (c.rip() == rip + single.lengthBytes()
        && region.valid
        && ((sites[at] & Region.SSE_KNOWN) == 0 || Routines.isMasked(c.get32(CpuState.MXCSR)))
        && key == RegionKey.of(c, softFloat)
        && ((sites[at] & Region.X87_KNOWN) == 0 || X87Image.isMasked(state))
        && mayGoOn(end)) {
      goOn(region, behind, (sites[at + 1] >>> 16 & 0xff) - 1, sites[at]);
    }
  }

  // --- finding code ---

  /**
   * The region at {@code rip}, whose mapping is then known to be right; null where there is none to
   * be had. Raises the fault of the fetch.
   */
  private @Nullable Region lookUp(long rip) {
    boolean missed = jumpMissed;
    jumpMissed = false;
    if (c.codeBits != 64) {
      return null;
    }
    if (softFloat) {
      softFloat = !X87Image.isMasked(state) || !Routines.isMasked(c.get32(CpuState.MXCSR));
    }
    int now = RegionKey.of(c, softFloat);
    if (now != key) {
      modeChanged(now);
    }
    int i = (int) (rip ^ (rip >>> 12)) & (CACHE - 1);
    Region region = cacheRegion[i];
    if (region == null
        || region.va != rip
        || cacheEpoch[i] != c.tlbEpoch()
        || !region.valid
        || RegionKey.withoutExact(region.key) != key) {
      region = search(rip);
      if (region == null) {
        return null;
      }
      cacheRegion[i] = region;
      cacheEpoch[i] = c.tlbEpoch();
    }
    if (missed) {
      jumpBeside = !jumpBeside;
      NativeState.putJump(state, RegionKey.tlbIndex(key), rip, region.host, jumpBeside);
    }
    return region;
  }

  private @Nullable Region search(long rip) {
    long pa = c.fetchAddress(rip);
    if (!c.memory.contains(pa, 1)) {
      return null;
    }
    boolean exact = regions.isSelfModifying(pa) || c.monitor.mayModifyItself(c, rip);
    int keyHere = exact ? key | RegionKey.EXACT_FLAGS : key;
    Region region = regions.find(pa, rip, keyHere);
    if (region != null && region.secondPa >= 0) {
      if (c.fetchAddress((rip | 4095) + 1) != region.secondPa) {
        region = null;
      }
    }
    if (region == null) {
      region = regions.translate(c, pa, rip, keyHere);
      if (region == null) {
        return null;
      }
    }
    Tlb tlb = c.tlb(RegionKey.tlbIndex(key));
    tlb.noteCode(rip, region.codePage);
    if (region.secondPa >= 0) {
      tlb.noteCode(rip + 4096, region.secondCodePage);
    }
    return region;
  }

  /**
   * Jump caches know addresses only: those of another mode have to go. What user mode enters by a
   * gate is CPL 0.
   */
  private void modeChanged(int now) {
    boolean supervisor =
        RegionKey.tlbIndex(now) == 0 ? RegionKey.isSupervisor(now) : c.monitor.showsInterrupts();
    boolean other =
        RegionKey.withoutMode(now) != RegionKey.withoutMode(key) || supervisor != supervisorJumps;
    supervisorJumps = supervisor;
    if (key != -1 && other) {
      NativeState.clearJumps(state);
    }
    key = now;
  }
}
