package parhelion.cpu.rewrite;

import static parhelion.cpu.rewrite.Assembler.*;
import static parhelion.cpu.rewrite.Routines.COUNT;
import static parhelion.cpu.rewrite.Routines.HOST;
import static parhelion.cpu.rewrite.Routines.SCRATCH0;
import static parhelion.cpu.rewrite.Routines.SCRATCH1;

import java.util.Arrays;
import parhelion.cpu.CpuState;
import parhelion.cpu.Tlb;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Mnemonic;

/**
 * Writes the host code of a run. The straight way comes first; whatever is rare is in stubs behind
 * it, which are written at the end.
 *
 * <p>Guest flags are in the host's flags, or were stored to {@link NativeState#FLAGS} because a
 * check was about to overwrite them, or both: {@link #inHost}, {@link #stored}. They are fetched
 * back only when an instruction wants them.
 */
final class RegionWriter {
  private static final int GUEST_RSP = HOST[4];

  private final Routines routines;
  private final boolean bmi2 = HostCpu.hasBmi2();
  private final Assembler a = new Assembler();
  private final InsnEncoder encoder = new InsnEncoder(a);

  // Set by write.
  @SuppressWarnings("NullAway.Init")
  private Scanner run;

  @SuppressWarnings("NullAway.Init")
  private Region region;

  private int tlb;
  private int keys;
  private int targets;

  /** Whether the guest's flags are in the host's, and whether they are in the state block. */
  private boolean inHost;

  private boolean stored;

  /** Whether the host's registers are known to hold the guest's. */
  private boolean sseKnown;

  private boolean x87Known;

  /** Vector registers are loaded at the entry, and stay so in the whole region. */
  private boolean sseThroughout;

  /** Instruction that is being written, and instructions counted already that come after it. */
  private int current;

  private int blockEnd;

  private final Groups groups = new Groups();

  /** Base register of the group whose addend is in SCRATCH1, or -1. */
  private int scratchGroup;

  private final int[] labels = new int[Scanner.MAX_INSTRUCTIONS];
  private int[] fixups = new int[64];
  private int fixupCount;

  private int[] relocations = new int[256];
  private int relocationCount;

  private int[] sites = new int[256];
  private int siteCount;

  /** A stub to be written behind the code. */
  private interface Stub {
    void write();
  }

  private Stub[] stubs = new Stub[64];
  private int stubCount;

  // --- where a memory operand is after its check: [base + index + disp] ---

  private int memBase;
  private int memIndex;
  private int memDisp;

  /** Scratch register that is free after the check. */
  private int freeScratch;

  RegionWriter(Routines routines) {
    this.routines = routines;
  }

  /** Writes {@code scanned} for {@code into}; the bytes are then in {@link #code}. */
  void write(Scanner scanned, Region into) {
    run = scanned;
    region = into;
    int index = RegionKey.tlbIndex(into.key);
    tlb = NativeState.tlb(index);
    keys = NativeState.jumpKeys(index);
    targets = NativeState.jumpTargets(index);
    siteCount = 0;
    relocationCount = 0;
    stubCount = 0;
    fixupCount = 0;
    groups.start(scanned);
    scratchGroup = -1;
    a.start(into.host);
    entries();
    for (int i = 0; i < run.count; i++) {
      instruction(i);
    }
    if (run.fallsThrough) {
      chain(run.offsets[run.count], run.liveBefore[run.count]);
    }
    for (int i = 0; i < stubCount; i++) {
      stubs[i].write();
    }
    for (int i = 0; i < fixupCount; i += 2) {
      a.to(fixups[i], labels[fixups[i + 1]]);
    }
    into.sites = Arrays.copyOf(sites, siteCount * Region.SITE_INTS);
    into.hostBytes = a.at;
    into.lengthBytes = run.offsets[run.count];
    into.instructions = run.count;
    into.live = run.liveBefore[0];
  }

  byte[] code() {
    return a.code;
  }

  private void stub(Stub stub) {
    if (stubCount == stubs.length) {
      stubs = Arrays.copyOf(stubs, stubCount * 2);
    }
    stubs[stubCount++] = stub;
  }

  // --- sites ---

  /** Adds a site of instruction {@code current}; its ints 2 and 3 can be filled in later. */
  private int site(int kindAndBits, int resumeAt, int resumeBehind) {
    if ((siteCount + 1) * Region.SITE_INTS > sites.length) {
      sites = Arrays.copyOf(sites, sites.length * 2);
    }
    int at = siteCount * Region.SITE_INTS;
    int bits = (sseKnown ? Region.SSE_KNOWN : 0) | (x87Known ? Region.X87_KNOWN : 0);
    sites[at] = kindAndBits | bits;
    sites[at + 1] = run.offsets[current] | (blockEnd - current) << 16;
    sites[at + 2] = resumeAt;
    sites[at + 3] = resumeBehind;
    return siteCount++;
  }

  private void leave(int site, boolean storeFlags) {
    a.movImm(SCRATCH1, region.firstSite + site & 0xffffffffL);
    relocate(Templates.SITE, a.at - 4, site);
    jumpTo(storeFlags ? routines.exitWithFlags : routines.exit);
  }

  private void relocate(int kind, int position, int value) {
    if (relocationCount + 3 > relocations.length) {
      relocations = Arrays.copyOf(relocations, relocations.length * 2);
    }
    relocations[relocationCount++] = kind;
    relocations[relocationCount++] = position;
    relocations[relocationCount++] = value;
  }

  private void jumpTo(long routine) {
    relocate(Templates.ROUTINE, a.jmpTo(routine), (int) (routine - routines.enter));
  }

  private void call(long routine) {
    relocate(Templates.ROUTINE, a.callTo(routine), (int) (routine - routines.enter));
  }

  /** Places of the written code that depend on where it lies and whose it is. */
  int[] relocations() {
    return Arrays.copyOf(relocations, relocationCount);
  }

  // --- entries and counting ---

  private void entries() {
    current = 0;
    blockEnd = 0;
    sseKnown = false;
    x87Known = false;
    int entrySite = site(Region.ENTRY, 0, 0);
    a.cmpState32Imm(tlb + Tlb.codePageSlot(region.va), region.codePage);
    relocate(Templates.CODE_PAGE, a.at - 4, 0);
    int missed = a.jcc(NE);
    int second = 0;
    if (run.crosses) {
      a.cmpState32Imm(tlb + Tlb.codePageSlot(region.va + 4096), region.secondCodePage);
      second = a.jcc(NE);
    }
    int secondMissed = second;
    int verified = a.at;
    if (run.liveBefore[0] != 0) {
      a.restoreFlags();
    }
    region.checked = a.at;
    stub(
        () -> {
          a.here(missed);
          if (run.crosses) {
            a.here(secondMissed);
          } else {
            a.movImm(SCRATCH0, region.va);
            relocate(Templates.FRAME, a.movImm64(SCRATCH1, region.pa & -4096L), 0);
            call(routines.walkExecute[RegionKey.tlbIndex(region.key)]);
            int unmapped = a.jcc(NE);
            a.storeState32Imm(tlb + Tlb.codePageSlot(region.va), region.codePage);
            relocate(Templates.CODE_PAGE, a.at - 4, 0);
            a.to(a.jmp(), verified);
            a.here(unmapped);
          }
          region.deadUnchecked = a.at;
          leave(entrySite, false);
          region.deadChecked = a.at;
          leave(entrySite, run.liveBefore[0] != 0);
        });
    inHost = true;
    stored = false;
    sseThroughout = run.liveBefore[0] == 0 && loopsWithVectors();
    if (sseThroughout) {
      wantVectors();
      inHost = true; // nobody wants flags here
    }
  }

  /** Whether a loop of the run uses vector registers, and nothing in the run takes them away. */
  private boolean loopsWithVectors() {
    boolean loops = false;
    boolean vectors = false;
    for (int i = 0; i < run.count; i++) {
      loops |= run.isLoopHead[i];
      vectors |= run.treatments[i] == Treatment.EMIT && Treatment.usesVectors(run.insns[i]);
      if (run.treatments[i] == Treatment.INTERPRET && mayUnmask(run.insns[i])) {
        return false;
      }
    }
    return loops && vectors;
  }

  /** The end of the counted instructions that begin at {@code i}. */
  private int blockEnd(int i) {
    int end = i + 1;
    while (end < run.count
        && !run.isTarget[end]
        && !Scanner.isDirectBranch(run.treatments[end - 1])) {
      end++;
    }
    return end;
  }

  private void startBlock(int i) {
    int live = run.liveBefore[i];
    boolean label = run.isTarget[i];
    if (label && i > 0) {
      wantFlags(live);
      inHost = true;
      stored = false;
    }
    if (label) {
      groups.closeAll();
      scratchGroup = -1;
      sseKnown = sseThroughout;
      x87Known = false;
    }
    labels[i] = a.at;
    blockEnd = blockEnd(i);
    int n = blockEnd - i;
    if (i != 0 && !run.isLoopHead[i]) {
      a.lea(COUNT, COUNT, -1, 0, -n);
      return;
    }
    if (live != 0) {
      scratchGroup = -1;
      a.saveFlags(SCRATCH1);
    }
    a.aluImm(SUB, COUNT, n);
    int expired = a.jcc(S);
    int budget = site(Region.BUDGET, labels[i], 0);
    if (live != 0) {
      a.restoreFlags();
      stored = true;
    }
    stub(
        () -> {
          a.here(expired);
          leave(budget, false);
        });
  }

  // --- flags ---

  /** Before host flags are overwritten by a check in front of {@code current}. */
  private void keepFlags() {
    keepFlags(run.liveBefore[current]);
  }

  private void keepFlags(int live) {
    if (live != 0 && inHost && !stored) {
      scratchGroup = -1;
      a.saveFlags(SCRATCH1);
      stored = true;
    }
    inHost = false;
  }

  /** Brings the flags into the host's if any of {@code wanted} are wanted. */
  private void wantFlags(int wanted) {
    if (wanted != 0 && !inHost) {
      a.restoreFlags();
      inHost = true;
    }
  }

  /**
   * Before the guest's instruction itself: what it reads, and what it leaves alone, must be there.
   */
  private void flagsForInstruction() {
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

  private static boolean writesFlags(Insn insn) {
    return ((insn.opcode.flagsWritten() | insn.opcode.flagsUndefined()) & Scanner.ALL_FLAGS) != 0;
  }

  // --- instructions ---

  private void instruction(int i) {
    current = i;
    if (i == 0 || i == blockEnd || run.isTarget[i]) {
      startBlock(i);
    }
    int firstSite = siteCount;
    Insn insn = run.insns[i];
    switch (run.treatments[i]) {
      case SKIP -> {}
      case EMIT -> emit(insn);
      case LEA -> lea(insn);
      case ABSOLUTE -> absolute(insn);
      case BIT_STRING -> bitString(insn);
      case READ_SELECTOR -> readSelector(insn);
      case REPEAT -> repeat(insn);
      case PUSH -> push(insn);
      case POP -> pop(insn);
      case LEAVE -> leaveFrame();
      case DIVIDE -> divide(insn);
      case JCC -> jcc(insn);
      case JMP -> jump();
      case LOOP -> loop(insn);
      case CALL -> call();
      case RET -> ret(insn);
      case JMP_INDIRECT -> jumpIndirect(insn);
      case CALL_INDIRECT -> callIndirect(insn);
      case INTERPRET, INTERPRET_LAST -> interpret();
    }
    groups.executed(i);
    if (!run.treatments[i].endsRun()) {
      comeBackBehind(firstSite);
    }
  }

  /**
   * Where the interpreter executes the current instruction instead, it goes on here. The state
   * block then holds what the static state says: flags are loaded from it and are in the host's,
   * too.
   */
  private void comeBackBehind(int firstSite) {
    if (groups.anyOpen()) {
      return; // what was checked before may be something else after the interpreter
    }
    for (int site = firstSite; site < siteCount; site++) {
      int kind = sites[site * Region.SITE_INTS] & Region.KIND;
      if (kind == Region.MISS || kind == Region.INTERPRET) {
        sites[site * Region.SITE_INTS + 3] = a.at;
      }
    }
  }

  /** Leaves for the interpreter to execute the current instruction. */
  private void interpret() {
    int live = run.liveBefore[current];
    int site = site(Region.INTERPRET, 0, 0);
    leave(site, live != 0 && inHost && !stored);
    groups.closeAll();
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
  private static boolean mayUnmask(Insn insn) {
    return switch (insn.mnemonic()) {
      case LDMXCSR, VLDMXCSR, FXRSTOR, XRSTOR, XRSTORS, SYSCALL -> true;
      default -> false;
    };
  }

  /** A stub that has the interpreter execute the current instruction, nothing of it being done. */
  private void interpretInstead(int jump) {
    int site = site(Region.INTERPRET, 0, 0);
    stub(
        () -> {
          a.here(jump);
          leave(site, false);
        });
  }

  private void emit(Insn insn) {
    if (Treatment.usesFloat(insn)) {
      wantFloat(insn);
    }
    if (!insn.isMemory()) {
      flagsForInstruction();
      if (encoder.registers(insn)) {
        scratchGroup = -1;
      }
      return;
    }
    boolean write = Treatment.writesMemory(insn);
    int bytes = Treatment.accessBytes(insn);
    boolean aligned = insn.opcode.has(parhelion.cpu.decode.Opcode.ALIGNED) && bytes > 1;
    boolean scratch = encoder.needsScratch(insn);
    if (!access(insn, bytes, write, aligned, scratch)) {
      interpret();
      return;
    }
    flagsForInstruction();
    encoder.memory(insn, memBase, memIndex, memDisp, freeScratch);
  }

  // --- memory ---

  /**
   * Writes the check of a memory operand; afterwards it is at [memBase + memIndex + memDisp]. False
   * where that cannot be: it always crosses a page or is misaligned.
   */
  private boolean access(Insn insn, int bytes, boolean write, boolean aligned, boolean scratch) {
    if (insn.ripRelative || insn.base == Insn.NONE && insn.index == Insn.NONE) {
      if (insn.segmentOverride == Insn.NONE) {
        return constantAccess(constant(insn), bytes, write, aligned);
      }
    }
    return access(
        insn.base,
        insn.index,
        insn.scale,
        insn.ripRelative ? constant(insn) : insn.disp,
        insn.segmentOverride,
        bytes,
        write,
        aligned,
        scratch);
  }

  /** Offset in its segment of an operand without registers. */
  private long constant(Insn insn) {
    return insn.ripRelative ? region.va + run.offsets[current + 1] + insn.disp : insn.disp;
  }

  private boolean constantAccess(long va, int bytes, boolean write, boolean aligned) {
    if ((va & 4095) + bytes > 4096 || aligned && (va & (bytes - 1)) != 0) {
      return false;
    }
    keepFlags();
    scratchGroup = -1;
    int retry = a.at;
    long page = va & -4096L;
    int entry = tlb + ((int) (va >>> 12) & Tlb.ENTRIES - 1) * Tlb.ENTRY_BYTES;
    int tag = entry + (write ? Tlb.WRITE_TAG : Tlb.READ_TAG);
    if (va == (int) va) {
      a.loadState(SCRATCH1, entry + Tlb.ADDEND);
      a.cmpState64Imm(tag, (int) page);
      memBase = SCRATCH1;
      memDisp = (int) va;
    } else {
      a.movImm(SCRATCH0, page);
      a.cmpState(tag, SCRATCH0);
      memBase = SCRATCH1;
      memDisp = (int) va & 4095;
    }
    int missed = a.jcc(NE);
    if (va != (int) va) {
      a.loadState(SCRATCH1, entry + Tlb.HOST_PAGE);
    }
    memIndex = -1;
    freeScratch = SCRATCH0;
    int site = missSite(bytes, write, retry);
    stub(
        () -> {
          a.here(missed);
          a.movImm(SCRATCH0, va);
          walkAndRetry(write, retry);
          leave(site, false);
        });
    return true;
  }

  private void walkAndRetry(boolean write, int retry) {
    int index = RegionKey.tlbIndex(region.key);
    call(write ? routines.walkWrite[index] : routines.walkRead[index]);
    a.to(a.jcc(E), retry);
  }

  private int missSite(int bytes, boolean write, int retry) {
    int kind = Region.MISS | (write ? Region.WRITE : 0) | bytes << Region.SIZE_SHIFT;
    return site(kind | (stored ? Region.FLAGS_STORED : 0), retry, 0);
  }

  private boolean access(
      int base,
      int index,
      int scale,
      long disp,
      int segment,
      int bytes,
      boolean write,
      boolean aligned,
      boolean scratch) {
    if (base >= 0 && HOST[base] >= 0 && index == Insn.NONE && segment == Insn.NONE) {
      if (grouped(base, (int) disp, bytes, write, aligned)) {
        return true;
      }
    }
    keepFlags();
    int retry = a.at;
    address(base, index, scale, disp, segment);
    int missed = check(bytes, write, aligned);
    boolean simple = base >= 0 && HOST[base] >= 0 && index == Insn.NONE && segment == Insn.NONE;
    if (simple) {
      a.loadStateIndexed(SCRATCH1, SCRATCH1, tlb + Tlb.ADDEND);
      memBase = HOST[base];
      memIndex = SCRATCH1;
      memDisp = (int) disp;
      freeScratch = SCRATCH0;
    } else {
      a.loadStateIndexed(SCRATCH1, SCRATCH1, tlb + Tlb.HOST_PAGE);
      memBase = SCRATCH0;
      memIndex = SCRATCH1;
      memDisp = 0;
      freeScratch = -1;
      if (scratch) {
        a.lea(SCRATCH0, SCRATCH0, SCRATCH1, 0, 0);
        memIndex = -1;
        freeScratch = SCRATCH1;
      }
    }
    int misaligned = aligned ? site(Region.INTERPRET, 0, 0) : -1;
    int site = missSite(bytes, write, retry);
    stub(
        () -> {
          a.here(missed);
          address(base, index, scale, disp, segment);
          if (aligned) {
            a.testImm(SCRATCH0, bytes - 1);
            int good = a.jcc(E);
            leave(misaligned, false);
            a.here(good);
          }
          walkAndRetry(write, retry);
          leave(site, false);
        });
    return true;
  }

  /**
   * The access by an open group, or one that it opens: no check, or one check for several accesses.
   * False where it stays single.
   */
  private boolean grouped(int base, int disp, int bytes, boolean write, boolean aligned) {
    if ((region.key & RegionKey.SINGLE_CHECKS) != 0) {
      return false;
    }
    int alignment = aligned ? bytes : 0;
    if (groups.serves(base, disp, bytes, write, alignment)) {
      if (scratchGroup != base) {
        a.loadState(SCRATCH1, NativeState.GROUP_ADDENDS + base * 8);
        scratchGroup = base;
      }
    } else {
      if (!groups.plan(current, base, disp, bytes, write)
          || aligned && (disp - groups.rangeLow) % bytes != 0) {
        return false;
      }
      openGroup(base, disp, alignment);
    }
    memBase = HOST[base];
    memIndex = SCRATCH1;
    memDisp = disp;
    freeScratch = SCRATCH0;
    return true;
  }

  private void openGroup(int base, int disp, int alignment) {
    keepFlags();
    boolean write = groups.rangeWrites;
    int low = groups.rangeLow;
    int retry = a.at;
    addressTo(SCRATCH0, true, base, Insn.NONE, 0, low);
    int missed = check(groups.rangeHigh - low, write, false);
    int misaligned = 0;
    if (alignment != 0) {
      a.testImm(SCRATCH0, alignment - 1);
      misaligned = a.jcc(NE);
    }
    a.loadStateIndexed(SCRATCH1, SCRATCH1, tlb + Tlb.ADDEND);
    a.storeState(NativeState.GROUP_ADDENDS + base * 8, SCRATCH1);
    groups.open(base, disp, alignment);
    scratchGroup = base;
    int counted = blockEnd - current;
    int kind = Region.GROUP | groups.rangeHigh - low << Region.SIZE_SHIFT;
    int site = site(kind, Region.GROUP_FAILURES, 0);
    sites[site * Region.SITE_INTS + 1] =
        run.offsets[current]; // the stub takes back what was counted
    int alsoHere = misaligned;
    stub(
        () -> {
          a.here(missed);
          addressTo(SCRATCH0, true, base, Insn.NONE, 0, low);
          walkAndRetry(write, retry);
          if (alsoHere != 0) {
            a.here(alsoHere);
          }
          a.lea(COUNT, COUNT, -1, 0, counted);
          sites[site * Region.SITE_INTS + 3] = a.at;
          leave(site, false);
        });
  }

  /**
   * The check of the address in SCRATCH0, which becomes the offset in its page; SCRATCH1 becomes
   * the offset of the TLB entry. Gives the position of the jump for what does not pass.
   */
  private int check(int bytes, boolean write, boolean aligned) {
    scratchGroup = -1;
    a.shiftRight32(SCRATCH1, SCRATCH0, 7, bmi2);
    a.aluImm32(AND, SCRATCH1, Tlb.ENTRIES - 1 << 5);
    a.aluStateIndexed(SUB, SCRATCH0, SCRATCH1, tlb + (write ? Tlb.WRITE_TAG : Tlb.READ_TAG));
    if (aligned) {
      a.testImm(SCRATCH0, ~(4096 - bytes));
      return a.jcc(NE);
    }
    a.aluImm(CMP, SCRATCH0, 4096 - bytes);
    return a.jcc(A);
  }

  /** Linear address into SCRATCH0; flags change only where a segment base is added. */
  private void address(int base, int index, int scale, long disp, int segment) {
    if (base == Insn.NONE && index == Insn.NONE) {
      a.movImm(SCRATCH0, disp);
    } else {
      addressTo(SCRATCH0, true, base, index, scale, (int) disp);
    }
    if (segment == CpuState.FS || segment == CpuState.GS) {
      a.aluState(ADD, SCRATCH0, CpuState.SEG_BASE + segment * 8);
    }
  }

  /** Address without segment base, from one or two registers, into a register of 8 or 4 bytes. */
  private void addressTo(int to, boolean wide, int base, int index, int scale, int disp) {
    int hostIndex = -1;
    if (index != Insn.NONE) {
      hostIndex = HOST[index];
      if (hostIndex < 0) {
        scratchGroup = -1;
        a.loadState(SCRATCH1, CpuState.GPR + index * 8);
        hostIndex = SCRATCH1;
      }
    }
    int hostBase = -1;
    if (base != Insn.NONE) {
      hostBase = HOST[base];
      if (hostBase < 0) {
        a.loadState(SCRATCH0, CpuState.GPR + base * 8);
        hostBase = SCRATCH0;
      }
    }
    if (hostIndex >= 0 || disp != 0) {
      a.lea(wide, to, hostBase, hostIndex, scale, disp);
    } else if (!wide) {
      a.mov32(to, hostBase);
    } else if (hostBase != to) {
      a.mov(to, hostBase);
    }
  }

  // --- single instructions ---

  private void lea(Insn insn) {
    int size = insn.operandSize;
    if (size == 2) {
      interpret();
      return;
    }
    int to = HOST[insn.reg] >= 0 ? HOST[insn.reg] : SCRATCH0;
    if (insn.ripRelative || insn.base == Insn.NONE && insn.index == Insn.NONE) {
      long value = constant(insn);
      a.movImm(to, size == 4 ? value & 0xffffffffL : value);
    } else {
      addressTo(to, size == 8, insn.base, insn.index, insn.scale, (int) insn.disp);
    }
    if (to == SCRATCH0) {
      a.storeState(CpuState.GPR + insn.reg * 8, SCRATCH0);
    }
  }

  private void absolute(Insn insn) {
    boolean load = insn.opcode.code() < 0xa2;
    int bytes = insn.size(load ? 1 : 0);
    if (!constantAccess(insn.disp, bytes, !load, false)) {
      interpret();
      return;
    }
    encoder.accumulator(load, bytes, memBase, memDisp);
  }

  private void readSelector(Insn insn) {
    int to = HOST[insn.rm] >= 0 ? HOST[insn.rm] : SCRATCH0;
    a.loadState32(to, CpuState.SEG_SELECTOR + insn.reg * 8);
    if (to == SCRATCH0) {
      a.storeState(CpuState.GPR + insn.rm * 8, SCRATCH0);
    }
  }

  /**
   * The bit's word is checked. The instruction then gets the host address that the operand itself
   * would have if all memory lay as that word's page does, so that the host comes to the same word.
   */
  private void bitString(Insn insn) {
    long constant = insn.ripRelative ? constant(insn) : 0;
    if (constant != (int) constant) {
      interpret();
      return;
    }
    keepFlags();
    int retry = a.at;
    int base = insn.ripRelative ? -1 : HOST[insn.base];
    int disp = insn.ripRelative ? (int) constant : (int) insn.disp;
    bitAddress(insn, base, disp);
    int bytes = insn.operandSize;
    boolean write = insn.mnemonic() != Mnemonic.BT;
    int missed = check(bytes, write, false);
    a.loadStateIndexed(SCRATCH1, SCRATCH1, tlb + Tlb.ADDEND);
    int site = missSite(bytes, write, retry);
    stub(
        () -> {
          a.here(missed);
          bitAddress(insn, base, disp);
          walkAndRetry(write, retry);
          leave(site, false);
        });
    flagsForInstruction();
    encoder.memory(insn, base < 0 ? SCRATCH1 : base, base < 0 ? -1 : SCRATCH1, disp, SCRATCH0);
  }

  /**
   * Moves or fills with the host's own instruction, where that goes forward and stays within the
   * pages in which it begins.
   */
  private void repeat(Insn insn) {
    boolean moves = insn.mnemonic() == Mnemonic.MOVS;
    int size = insn.size(0);
    keepFlags();
    a.testStateByteImm(CpuState.RFLAGS + 1, parhelion.cpu.Rflags.DF >> 8);
    interpretInstead(a.jcc(NE));
    // None is none of ours either: no page must come to look accessed.
    a.lea(SCRATCH1, RCX, -1, 0, -1);
    a.aluImm(CMP, SCRATCH1, 4096 / size - 1);
    interpretInstead(a.jcc(A));
    if (moves) {
      repeatedAccess(RSI, size, false);
      a.storeState(NativeState.SAVED_VALUE, SCRATCH1);
    }
    repeatedAccess(RDI, size, true);
    a.alu(ADD, RDI, SCRATCH1);
    if (moves) {
      a.aluState(ADD, RSI, NativeState.SAVED_VALUE);
    }
    a.b(0xf3);
    if (size == 2) {
      a.b(0x66);
    } else if (size == 8) {
      a.b(0x48);
    }
    a.b((moves ? 0xa4 : 0xaa) | (size == 1 ? 0 : 1));
    a.alu(SUB, RDI, SCRATCH1);
    if (moves) {
      a.aluState(SUB, RSI, NativeState.SAVED_VALUE);
    }
  }

  /** Checks RCX elements from {@code pointer}; the addend is then in SCRATCH1. */
  private void repeatedAccess(int pointer, int size, boolean write) {
    int retry = a.at;
    a.mov(SCRATCH0, pointer);
    int missed = check(1, write, false);
    a.lea(SCRATCH0, SCRATCH0, RCX, Integer.numberOfTrailingZeros(size), 0);
    a.aluImm(CMP, SCRATCH0, 4096);
    interpretInstead(a.jcc(A));
    a.loadStateIndexed(SCRATCH1, SCRATCH1, tlb + Tlb.ADDEND);
    int site = missSite(1, write, retry);
    stub(
        () -> {
          a.here(missed);
          a.mov(SCRATCH0, pointer);
          walkAndRetry(write, retry);
          leave(site, false);
        });
  }

  /** Address of the word that holds the bit, into SCRATCH0. */
  private void bitAddress(Insn insn, int base, int disp) {
    int offset = HOST[insn.reg];
    boolean wide = insn.operandSize == 8;
    if (offset < 0) {
      a.loadState(SCRATCH0, CpuState.GPR + insn.reg * 8);
      offset = SCRATCH0;
    }
    if (wide) {
      a.mov(SCRATCH0, offset);
    } else {
      a.movSignExtend(SCRATCH0, offset);
    }
    a.b(0x49, 0xc1, 0xfe); // sar r14, 5 or 6
    a.b(wide ? 6 : 5);
    a.b(0x49, 0xc1, 0xe6); // shl r14, 2 or 3
    a.b(wide ? 3 : 2);
    a.lea(SCRATCH0, SCRATCH0, base, 0, disp);
  }

  private void push(Insn insn) {
    if (insn.isMemory()) {
      if (!access(insn, 8, false, false, false)) {
        interpret();
        return;
      }
      a.load(SCRATCH0, memBase, memIndex, memDisp);
      a.storeState(NativeState.SAVED_VALUE, SCRATCH0);
    }
    stackAccess(-8, true);
    boolean immediate = insn.modrm == Insn.NONE && !Treatment.opcodeNamesRegister(insn);
    if (immediate) {
      a.storeImm(GUEST_RSP, SCRATCH1, -8, (int) insn.imm);
    } else if (insn.isMemory()) {
      a.loadState(SCRATCH0, NativeState.SAVED_VALUE);
      a.store(GUEST_RSP, SCRATCH1, -8, SCRATCH0);
    } else {
      int register = insn.modrm == Insn.NONE ? insn.opcodeReg : insn.rm;
      a.store(GUEST_RSP, SCRATCH1, -8, inHostRegister(register));
    }
    a.lea(GUEST_RSP, GUEST_RSP, -1, 0, -8);
  }

  /** The host register of a guest register, loaded into SCRATCH0 if it is in the state block. */
  private int inHostRegister(int guest) {
    if (HOST[guest] >= 0) {
      return HOST[guest];
    }
    a.loadState(SCRATCH0, CpuState.GPR + guest * 8);
    return SCRATCH0;
  }

  /** Checks eight bytes at RSP + disp; then they are at [GUEST_RSP + SCRATCH1 + disp]. */
  private void stackAccess(int disp, boolean write) {
    access(4, Insn.NONE, 0, disp, Insn.NONE, 8, write, false, false);
  }

  private void pop(Insn insn) {
    int register = insn.modrm == Insn.NONE ? insn.opcodeReg : insn.rm;
    stackAccess(0, false);
    if (HOST[register] >= 0) {
      a.load(HOST[register], GUEST_RSP, SCRATCH1, 0);
    } else {
      a.load(SCRATCH0, GUEST_RSP, SCRATCH1, 0);
      a.storeState(CpuState.GPR + register * 8, SCRATCH0);
    }
    if (register != 4) {
      a.lea(GUEST_RSP, GUEST_RSP, -1, 0, 8);
    }
  }

  private void leaveFrame() {
    access(5, Insn.NONE, 0, 0, Insn.NONE, 8, false, false, false);
    a.load(SCRATCH0, HOST[5], SCRATCH1, 0);
    a.lea(GUEST_RSP, HOST[5], -1, 0, 8);
    a.mov(HOST[5], SCRATCH0);
  }

  /** Divides on the host only where that cannot fault. */
  private void divide(Insn insn) {
    boolean wide = insn.operandSize == 8;
    if (insn.isMemory()) {
      if (!access(insn, insn.operandSize, false, false, true)) {
        interpret();
        return;
      }
      encoder.loadOperand(SCRATCH0, wide, memBase, memIndex, memDisp);
      keepFlags(); // no check has done it where a group serves the access
    } else {
      keepFlags();
      int from = inHostRegister(insn.rm);
      if (wide) {
        a.mov(SCRATCH0, from);
      } else {
        a.mov32(SCRATCH0, from);
      }
    }
    if (insn.mnemonic() == Mnemonic.DIV) {
      if (wide) {
        a.alu(CMP, RDX, SCRATCH0);
      } else {
        a.alu32(CMP, RDX, SCRATCH0);
      }
      interpretInstead(a.jcc(AE));
    } else {
      scratchGroup = -1;
      // Neither 0 nor -1, and a dividend that fits in half its width: the quotient fits.
      a.lea(SCRATCH1, SCRATCH0, -1, 0, 1);
      if (wide) {
        a.aluImm(CMP, SCRATCH1, 1);
      } else {
        a.aluImm32(CMP, SCRATCH1, 1);
      }
      interpretInstead(a.jcc(6));
      if (wide) {
        a.mov(SCRATCH1, RAX);
        a.b(0x49, 0xc1, 0xff); // sar r15, 63
        a.b(63);
        a.alu(CMP, SCRATCH1, RDX);
      } else {
        a.mov32(SCRATCH1, RAX);
        a.b(0x41, 0xc1, 0xff); // sar r15d, 31
        a.b(31);
        a.alu32(CMP, SCRATCH1, RDX);
      }
      interpretInstead(a.jcc(NE));
    }
    a.b(wide ? 0x49 : 0x41, 0xf7, (insn.mnemonic() == Mnemonic.DIV ? 0xf0 : 0xf8) | 6);
    inHost = true;
    stored = false;
  }

  /** Sees that the host's registers hold the guest's floating-point state. */
  private void wantFloat(Insn insn) {
    if (Treatment.usesVectors(insn) && !sseKnown) {
      keepFlags();
      wantVectors();
    }
    if (insn.opcode.has(parhelion.cpu.decode.Opcode.X87) && !x87Known) {
      keepFlags();
      scratchGroup = -1;
      int retry = a.at;
      a.cmpStateByteZero(NativeState.X87_LOADED);
      int unloaded = a.jcc(E);
      int site = site(Region.LOAD_X87, retry, 0);
      stub(
          () -> {
            a.here(unloaded);
            leave(site, false);
          });
      x87Known = true;
    }
  }

  private void wantVectors() {
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

  // --- control flow ---

  private void fixup(int position, int label) {
    if (fixupCount == fixups.length) {
      fixups = Arrays.copyOf(fixups, fixupCount * 2);
    }
    fixups[fixupCount++] = position;
    fixups[fixupCount++] = label;
  }

  private void jcc(Insn insn) {
    wantFlags(Scanner.ALL_FLAGS);
    branch(insn.opcode.code() & 15, run.target[current], run.targetOffset(current));
  }

  /** A conditional jump to an instruction of the run or out of it. */
  private void branch(int condition, int label, long offset) {
    if (label >= 0) {
      fixup(a.jcc(condition), label);
    } else if (run.inPage(offset)) {
      chainStub(a.patchableJcc(condition), offset, false);
    } else {
      // Flags go by the state block to another page.
      int taken = a.jcc(condition);
      boolean save = !stored;
      int instruction = current;
      int end = blockEnd;
      stub(
          () -> {
            current = instruction;
            blockEnd = end;
            a.here(taken);
            if (save) {
              a.saveFlags(SCRATCH1);
            }
            chainStub(a.patchableJmp(), offset, true);
          });
    }
  }

  private void jump() {
    int live = run.liveBefore[current];
    if (run.target[current] >= 0) {
      wantFlags(live);
      fixup(a.jmp(), run.target[current]);
    } else {
      chain(run.targetOffset(current), live);
    }
  }

  /** Goes on at another address for good; {@code live} are the flags that it may want. */
  private void chain(long offset, int live) {
    if (run.inPage(offset)) {
      wantFlags(live);
      chainStub(a.patchableJmp(), offset, false);
    } else {
      keepFlags(live);
      chainStub(a.patchableJmp(), offset, true);
    }
  }

  /** What a jump out of the region leads to until it is linked. */
  private void chainStub(int jump, long offset, boolean flagsStored) {
    int site = site(Region.CHAIN | (flagsStored ? Region.FLAGS_STORED : 0), jump, (int) offset);
    sites[site * Region.SITE_INTS + 1] &= 0xffff; // all that was counted is done
    stub(
        () -> {
          a.here(jump);
          leave(site, !flagsStored);
        });
  }

  private void loop(Insn insn) {
    wantFlags(run.liveBefore[current]);
    int opcode =
        switch (insn.mnemonic()) {
          case LOOPNE -> 0xe0;
          case LOOPE -> 0xe1;
          case LOOP -> 0xe2;
          default -> 0xe3;
        };
    // loop takes only a short distance: over a jump to what follows.
    a.b(opcode, 2);
    int skip = a.at + 2;
    a.b(0xeb, 0);
    int taken;
    if (run.target[current] >= 0) {
      fixup(a.jmp(), run.target[current]);
    } else if (run.inPage(run.targetOffset(current))) {
      chainStub(a.patchableJmp(), run.targetOffset(current), false);
    } else {
      taken = a.jmp();
      boolean save = !stored;
      long offset = run.targetOffset(current);
      int instruction = current;
      int end = blockEnd;
      stub(
          () -> {
            current = instruction;
            blockEnd = end;
            a.here(taken);
            if (save) {
              a.saveFlags(SCRATCH1);
            }
            chainStub(a.patchableJmp(), offset, true);
          });
    }
    a.code[skip - 1] = (byte) (a.at - skip);
  }

  private void pushReturn() {
    long next = region.va + run.offsets[current + 1];
    stackAccess(-8, true);
    if (next == (int) next) {
      a.storeImm(GUEST_RSP, SCRATCH1, -8, (int) next);
    } else {
      a.movImm(SCRATCH0, next);
      a.store(GUEST_RSP, SCRATCH1, -8, SCRATCH0);
    }
    a.lea(GUEST_RSP, GUEST_RSP, -1, 0, -8);
  }

  private void call() {
    pushReturn();
    keepFlags();
    chainStub(a.patchableJmp(), run.targetOffset(current), true);
  }

  private void ret(Insn insn) {
    int extra = insn.opcode.operands().length == 0 ? 0 : (int) insn.imm & 0xffff;
    stackAccess(0, false);
    a.load(SCRATCH0, GUEST_RSP, SCRATCH1, 0);
    lookUp();
    a.lea(GUEST_RSP, GUEST_RSP, -1, 0, 8 + extra);
    a.jumpStateScaled(SCRATCH1, targets);
  }

  /** Finds the guest address in SCRATCH0 in the jump cache: its index is then in SCRATCH1. */
  private void lookUp() {
    keepFlags();
    scratchGroup = -1;
    a.shiftRight32(SCRATCH1, SCRATCH0, 12, bmi2);
    a.alu32(XOR, SCRATCH1, SCRATCH0);
    a.aluImm32(AND, SCRATCH1, NativeState.JUMPS - 1);
    a.cmpStateScaled(SCRATCH1, keys, SCRATCH0);
    interpretInstead(a.jcc(NE));
  }

  /** The target of an indirect branch into SCRATCH0; false if its place cannot be reached. */
  private boolean loadTarget(Insn insn) {
    if (!insn.isMemory()) {
      keepFlags();
      int from = inHostRegister(insn.rm);
      if (from != SCRATCH0) {
        a.mov(SCRATCH0, from);
      }
      return true;
    }
    if (!access(insn, 8, false, false, true)) {
      return false;
    }
    a.load(SCRATCH0, memBase, memIndex, memDisp);
    return true;
  }

  private void jumpIndirect(Insn insn) {
    if (!loadTarget(insn)) {
      interpret();
      return;
    }
    lookUp();
    a.jumpStateScaled(SCRATCH1, targets);
  }

  private void callIndirect(Insn insn) {
    if (!loadTarget(insn)) {
      interpret();
      return;
    }
    lookUp();
    a.loadStateScaled(SCRATCH1, SCRATCH1, targets);
    a.storeState(NativeState.SAVED_VALUE, SCRATCH1);
    pushReturn();
    a.jumpState(NativeState.SAVED_VALUE);
  }
}
