package parhelion.cpu.rewrite;

import static parhelion.cpu.rewrite.Assembler.*;
import static parhelion.cpu.rewrite.Routines.HOST;
import static parhelion.cpu.rewrite.Routines.SCRATCH1;

import java.util.Arrays;
import parhelion.cpu.CpuState;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Opcode;

/**
 * What all parts of writing a region share: the assembler, sites, stubs, what is known of flags and
 * registers at the place that is being written.
 *
 * <p>Guest flags are in the host's flags, or were stored to {@link NativeState#FLAGS} because a
 * check was about to overwrite them, or both: {@link #inHost}, {@link #stored}. They are fetched
 * back only when an instruction wants them.
 */
abstract class CodeWriter {
  static final int GUEST_RSP = HOST[4];

  /** Guest registers from this one on can be lent. */
  private static final int LENT_SHIFT = 12;

  final Routines routines;
  final boolean bmi2 = HostCpu.hasBmi2();
  final Assembler a = new Assembler();
  final InsnEncoder encoder = new InsnEncoder(a);

  // Set by write.
  @SuppressWarnings("NullAway.Init")
  Scanner run;

  @SuppressWarnings("NullAway.Init")
  Region region;

  int tlb;

  /** Whether the guest's flags are in the host's, and whether they are in the state block. */
  boolean inHost;

  boolean stored;

  /** Whether the host's registers are known to hold the guest's. */
  boolean sseKnown;

  boolean x87Known;

  /** Instruction that is being written, and instructions counted already that come after it. */
  int current;

  int blockEnd;

  final Groups groups = new Groups();

  /** Slot of the group whose addend is in SCRATCH1, or -1. */
  int scratchGroup;

  int[] relocations = new int[256];
  int relocationCount;

  int[] sites = new int[256];
  int siteCount;

  final LentRegisters lent = new LentRegisters();

  /** {@link LentRegisters#mask} of each site. */
  private byte[] lentAt = new byte[64];

  /** A stub to be written behind the code. */
  interface Stub {
    void write();
  }

  Stub[] stubs = new Stub[64];
  int stubCount;

  CodeWriter(Routines routines) {
    this.routines = routines;
  }

  /** Begins with another region. */
  void start(Scanner scanned, Region into) {
    run = scanned;
    region = into;
    tlb = NativeState.tlb(RegionKey.tlbIndex(into.key));
    siteCount = 0;
    relocationCount = 0;
    stubCount = 0;
    groups.start(scanned);
    lent.clear();
    scratchGroup = -1;
    a.start(into.host);
  }

  byte[] code() {
    return a.code;
  }

  void stub(Stub stub) {
    if (stubCount == stubs.length) {
      stubs = Arrays.copyOf(stubs, stubCount * 2);
    }
    stubs[stubCount++] = stub;
  }

  /** Adds a site of instruction {@code current}; its ints 2 and 3 can be filled in later. */
  int site(int kindAndBits, int resumeAt, int resumeBehind) {
    if ((siteCount + 1) * Region.SITE_INTS > sites.length) {
      sites = Arrays.copyOf(sites, sites.length * 2);
      lentAt = Arrays.copyOf(lentAt, lentAt.length * 2);
    }
    lentAt[siteCount] = (byte) (lent.mask >> LENT_SHIFT);
    int at = siteCount * Region.SITE_INTS;
    int bits = (sseKnown ? Region.SSE_KNOWN : 0) | (x87Known ? Region.X87_KNOWN : 0);
    sites[at] = kindAndBits | bits;
    sites[at + 1] = run.offsets[current] | (blockEnd - current) << 16;
    sites[at + 2] = resumeAt;
    sites[at + 3] = resumeBehind;
    return siteCount++;
  }

  void leave(int site, boolean storeFlags) {
    takeBackFor(site);
    leaveAsItIs(site, storeFlags);
  }

  /** Gives the guest its registers that were lent at a site. */
  void takeBackFor(int site) {
    takeBack(lentAt[site] << LENT_SHIFT);
  }

  void leaveAsItIs(int site, boolean storeFlags) {
    loadSite(site);
    jumpTo(storeFlags ? routines.exitWithFlags : routines.exit);
  }

  /** Loads lent registers, a bit each, with the guest's values. */
  void takeBack(int registers) {
    for (int left = registers; left != 0; left &= left - 1) {
      int guest = Integer.numberOfTrailingZeros(left);
      a.loadState(HOST[guest], CpuState.GPR + guest * 8);
    }
  }

  /** Has control come back from a site by way of loading the addends in lent registers. */
  void comeBackTo(int site, int retry) {
    if (lent.mask == 0) {
      return;
    }
    int[] hosts = addendRegisters();
    stub(
        () -> {
          sites[site * Region.SITE_INTS + 2] = a.at;
          loadAddends(hosts);
          a.to(a.jmp(), retry);
        });
  }

  /** By group: the lent register of its addend, or -1 where it has none or is not open. */
  int[] addendRegisters() {
    int[] hosts = new int[Groups.SLOTS];
    for (int group = 0; group < Groups.SLOTS; group++) {
      hosts[group] = groups.isOpen(group) ? groups.host(group, lent) : -1;
    }
    return hosts;
  }

  void loadAddends(int[] hosts) {
    for (int group = 0; group < hosts.length; group++) {
      if (hosts[group] >= 0) {
        a.loadState(hosts[group], NativeState.groupAddend(group));
      }
    }
  }

  /** The number of a site, by which generated code leaves, into SCRATCH1. */
  void loadSite(int site) {
    a.movImm(SCRATCH1, region.firstSite + site & 0xffffffffL);
    relocate(Templates.SITE, a.at - 4, site);
  }

  void relocate(int kind, int position, int value) {
    if (relocationCount + 3 > relocations.length) {
      relocations = Arrays.copyOf(relocations, relocations.length * 2);
    }
    relocations[relocationCount++] = kind;
    relocations[relocationCount++] = position;
    relocations[relocationCount++] = value;
  }

  void jumpTo(long routine) {
    relocate(Templates.ROUTINE, a.jmpTo(routine), (int) (routine - routines.enter));
  }

  void call(long routine) {
    relocate(Templates.ROUTINE, a.callTo(routine), (int) (routine - routines.enter));
  }

  /** Places of the written code that depend on where it lies and whose it is. */
  int[] relocations() {
    return Arrays.copyOf(relocations, relocationCount);
  }

  /** Before host flags are overwritten by a check in front of {@code current}. */
  void keepFlags() {
    keepFlags(run.liveBefore[current]);
  }

  void keepFlags(int live) {
    if (live != 0 && inHost && !stored) {
      scratchGroup = -1;
      a.saveFlags(SCRATCH1);
      stored = true;
    }
    inHost = false;
  }

  /** Brings the flags into the host's if any of {@code wanted} are wanted. */
  void wantFlags(int wanted) {
    if (wanted != 0 && !inHost) {
      a.restoreFlags();
      inHost = true;
    }
  }

  /**
   * Before the guest's instruction itself: what it reads, and what it leaves alone, must be there.
   */
  void flagsForInstruction() {
    Insn insn = run.insns[current];
    int reads = Scanner.reads(insn, run.treatments[current]);
    int kills = Scanner.kills(insn);
    if (reads != 0 || kills != 0 && (run.liveAfter[current] & ~kills) != 0) {
      wantFlags(Scanner.ALL_FLAGS);
    }
    if (kills != 0 || reads != 0 && writesFlags(insn)) {
      inHost = true;
      stored = false;
    }
  }

  static boolean writesFlags(Insn insn) {
    return ((insn.opcode.flagsWritten() | insn.opcode.flagsUndefined()) & Scanner.ALL_FLAGS) != 0;
  }

  /** Leaves for the interpreter to execute the current instruction. */
  void interpret() {
    int live = run.liveBefore[current];
    int site = site(Region.INTERPRET, 0, 0);
    leave(site, live != 0 && inHost && !stored);
    interpreted();
  }

  /** Behind an instruction that the interpreter has executed. */
  void interpreted() {
    groups.closeAllBut(current);
    scratchGroup = -1;
    inHost = true;
    stored = true;
    if (mayUnmask(run.insns[current])) {
      sseKnown = false;
    }
    x87Known = false;
  }

  /**
   * Whether it may unmask floating-point exceptions, so that the host must not have the registers.
   */
  static boolean mayUnmask(Insn insn) {
    return switch (insn.mnemonic()) {
      case LDMXCSR, VLDMXCSR, FXRSTOR, XRSTOR, XRSTORS, SYSCALL -> true;
      default -> false;
    };
  }

  /** A stub that has the interpreter execute the current instruction, nothing of it being done. */
  void interpretInstead(int jump) {
    int site = site(Region.INTERPRET, 0, 0);
    stub(
        () -> {
          a.here(jump);
          leave(site, false);
        });
  }

  /** Sees that the host's registers hold the guest's floating-point state. */
  void wantFloat(Insn insn) {
    if (Treatment.usesVectors(insn) && !sseKnown) {
      keepFlags();
      wantVectors();
    }
    if (insn.opcode.has(Opcode.X87) && !x87Known) {
      keepFlags();
      scratchGroup = -1;
      int retry = a.at;
      a.cmpStateByteZero(NativeState.X87_LOADED);
      int unloaded = a.jcc(E);
      int site = site(Region.LOAD_X87, retry, 0);
      comeBackTo(site, retry);
      stub(
          () -> {
            a.here(unloaded);
            leave(site, false);
          });
      x87Known = true;
    }
  }

  void wantVectors() {
    scratchGroup = -1; // loading uses the register
    a.cmpStateByteZero(NativeState.SSE_LOADED);
    int unloaded = a.jcc(E);
    int back = a.at;
    int site = site(Region.UNMASKED, 0, 0);
    stub(
        () -> {
          a.here(unloaded);
          call(routines.loadSse);
          a.cmpStateByteZero(NativeState.SSE_LOADED);
          a.to(a.jcc(NE), back);
          leave(site, false);
        });
    sseKnown = true;
  }
}
