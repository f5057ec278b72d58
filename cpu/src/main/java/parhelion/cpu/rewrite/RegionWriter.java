package parhelion.cpu.rewrite;

import static parhelion.cpu.rewrite.Assembler.*;
import static parhelion.cpu.rewrite.Routines.COUNT;
import static parhelion.cpu.rewrite.Routines.SCRATCH0;
import static parhelion.cpu.rewrite.Routines.SCRATCH1;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.Tlb;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Operand;

/**
 * Writes the host code of a run: its entries, its blocks with their counts, its branches. The
 * straight way comes first; whatever is rare is in stubs behind it, which are written at the end.
 */
final class RegionWriter extends InsnWriter {
  private static final int ALWAYS = -1;

  /** Where a branch back to an instruction leads, and where others do, or control comes to it. */
  private final int[] labels = new int[Scanner.MAX_INSTRUCTIONS];

  private final int[] waysIn = new int[Scanner.MAX_INSTRUCTIONS];
  private int[] fixups = new int[64];
  private int fixupCount;

  /** Offsets of the jump cache of the mode. */
  private int keys;

  private int targets;

  /** Vector registers are loaded at the entry, and stay so in the whole region. */
  private boolean sseThroughout;

  RegionWriter(Routines routines) {
    super(routines);
  }

  /** Writes {@code scanned} for {@code into}; the bytes are then in {@link #code}. */
  void write(Scanner scanned, Region into) {
    start(scanned, into);
    int index = RegionKey.tlbIndex(into.key);
    keys = NativeState.jumpKeys(index);
    targets = NativeState.jumpTargets(index);
    fixupCount = 0;
    entries();
    for (int i = 0; i < run.count; i++) {
      instruction(i);
    }
    if (run.fallsThrough) {
      chain(run.endOffset, run.liveBefore[run.count]);
    }
    for (int i = 0; i < stubCount; i++) {
      stubs[i].write();
    }
    for (int i = 0; i < fixupCount; i += 3) {
      int to = fixups[i + 1];
      a.to(fixups[i], fixups[i + 2] < to ? waysIn[to] : labels[to]);
    }
    into.sites = Arrays.copyOf(sites, siteCount * Region.SITE_INTS);
    into.hostBytes = a.at;
    into.lengthBytes = run.endOffset;
    into.instructions = run.decoded;
    into.live = run.liveBefore[0];
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
    int firstVerified = a.at;
    int secondMissed = 0;
    if (run.crosses) {
      a.cmpState32Imm(tlb + Tlb.codePageSlot(region.va + 4096), region.secondCodePage);
      secondMissed = a.jcc(NE);
    }
    int missedSecond = secondMissed;
    int verified = a.at;
    if (run.liveBefore[0] != 0) {
      a.restoreFlags();
    }
    region.checked = a.at;
    stub(
        () -> {
          a.here(missed);
          int unmapped = verify(region.va, region.pa, region.codePage);
          a.to(a.jmp(), firstVerified);
          if (run.crosses) {
            a.here(missedSecond);
            long secondVa = (region.va | 4095) + 1;
            int secondUnmapped = verify(secondVa, region.secondPa, region.secondCodePage);
            a.to(a.jmp(), verified);
            a.here(secondUnmapped);
          }
          a.here(unmapped);
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

  /**
   * Looks whether code is mapped where it was, and notes that it is; gives the jump for when it is
   * not. Only the first page's frame and number can be another's in a copy: code that crosses into
   * a second is not copied.
   */
  private int verify(long va, long pa, int codePage) {
    a.movImm(SCRATCH0, va);
    relocate(Templates.FRAME, a.movImm64(SCRATCH1, pa & -4096L), 0);
    call(routines.walkExecute[RegionKey.tlbIndex(region.key)]);
    int unmapped = a.jcc(NE);
    a.storeState32Imm(tlb + Tlb.codePageSlot(va), codePage);
    relocate(Templates.CODE_PAGE, a.at - 4, 0);
    return unmapped;
  }

  /** Whether a loop of the run uses vector registers, and nothing in the run takes them away. */
  private boolean loopsWithVectors() {
    boolean loops = false;
    boolean vectors = false;
    for (int i = 0; i < run.count; i++) {
      loops |= run.loops.isHead(i);
      vectors |= run.treatments[i] == Treatment.EMIT && Treatment.usesVectors(run.insns[i]);
      if (run.treatments[i] == Treatment.INTERPRET && mayUnmask(run.insns[i])) {
        return false;
      }
    }
    return loops && vectors;
  }

  /**
   * The end of the counted instructions that begin at {@code i}. What a branch out of a loop leaves
   * of them undone it takes back.
   */
  private int blockEnd(int i) {
    int end = i + 1;
    while (end < run.count
        && !run.isTarget[end]
        && (!Scanner.isDirectBranch(run.treatments[end - 1]) || run.loops.leaves(end - 1))
        && gate(end - 1) == null) {
      end++;
    }
    return end;
  }

  /** The monitor's own code may go on anywhere: what comes behind is counted for itself. */
  private Gates.@Nullable Gate gate(int i) {
    return switch (run.insns[i].mnemonic()) {
      case SYSCALL -> Gates.Gate.SYSCALL;
      case SYSRET -> run.insns[i].operandSize == 8 ? Gates.Gate.SYSRET : null;
      case IRET -> run.insns[i].operandSize == 8 ? Gates.Gate.IRET : null;
      case IN -> namesPort(run.insns[i]) ? Gates.Gate.IN : null;
      default -> null;
    };
  }

  private static boolean namesPort(Insn insn) {
    return insn.size(0) == 1 && insn.opcode.operands()[1].kind() == Operand.Kind.I;
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
      groups.closeAllBut(i);
      scratchGroup = -1;
      sseKnown = sseThroughout;
      x87Known = false;
    }
    waysIn[i] = a.at;
    if (live == 0 && run.loops.isHead(i) && run.loops.keepsChecks(run, i)) {
      prepareLoop(run.loops.end(i));
      scratchGroup = -1;
      inHost = true; // nobody wants flags here
    }
    labels[i] = a.at;
    blockEnd = blockEnd(i);
    int n = blockEnd - i;
    if (i != 0 && !run.loops.isHead(i)) {
      a.lea(COUNT, COUNT, -1, 0, -n);
      return;
    }
    if (live != 0) {
      scratchGroup = -1;
      a.saveFlags(SCRATCH1);
    }
    a.aluImm(SUB, COUNT, n);
    int expired = a.jcc(S);
    int budget = site(Region.BUDGET, waysIn[i], 0);
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
      case READ_CONTROL -> readControl(insn);
      case READ_BASE -> readBase(insn);
      case WRITE_BASE -> writeBase(insn);
      case READ_TSC -> readTsc(insn);
      case PUSHF -> pushFlags();
      case CLD -> clearDirection();
      case CLI -> clearInterrupts();
      case STI -> setInterrupts();
      case STAC -> openUserPages();
      case CLAC -> closeUserPages();
      case SWAPGS -> swapGs();
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
      case INTERPRET, INTERPRET_LAST -> {
        Gates.Gate gate = gate(i);
        if (gate != null) {
          gate(gate);
        } else {
          interpret();
        }
      }
    }
    groups.executed(i);
    if (lent.endsAt(i + 1)) {
      if (!run.treatments[i].endsRun()) {
        takeBack(lent.mask);
      }
      lent.clear();
    }
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

  // --- control flow ---

  private void fixup(int position, int label) {
    if (fixupCount + 3 > fixups.length) {
      fixups = Arrays.copyOf(fixups, fixupCount * 2);
    }
    fixups[fixupCount++] = position;
    fixups[fixupCount++] = label;
    fixups[fixupCount++] = current;
  }

  private void jcc(Insn insn) {
    wantFlags(Scanner.ALL_FLAGS);
    branch(
        insn.opcode.code() & 15 ^ (run.inverted[current] ? 1 : 0),
        run.target[current],
        run.targetOffset(current));
    if (run.goesOn[current] >= 0) {
      if (lent.endsAt(run.goesOn[current])) {
        takeBack(lent.mask);
      }
      fixup(a.jmp(), run.goesOn[current]);
    }
  }

  /** A jump, under a condition or ALWAYS, to an instruction of the run or out of it. */
  private void branch(int condition, int label, long offset) {
    boolean always = condition == ALWAYS;
    int undone = blockEnd - current - 1;
    boolean inPage = label >= 0 || run.inPage(offset);
    if (undone > 0 || !inPage || lent.endsAt(label)) {
      branchByStub(always ? a.jmp() : a.jcc(condition), undone, label, offset);
    } else if (label >= 0) {
      fixup(always ? a.jmp() : a.jcc(condition), label);
    } else {
      chainStub(always ? a.patchableJmp() : a.patchableJcc(condition), offset, false);
    }
  }

  /** Where {@code taken} takes back what was counted, or flags go by the state block. */
  private void branchByStub(int taken, int undone, int label, long offset) {
    boolean save = !stored;
    int instruction = current;
    int end = blockEnd;
    int back = lent.endsAt(label) ? lent.mask : 0;
    stub(
        () -> {
          current = instruction;
          blockEnd = end;
          a.here(taken);
          takeBack(back);
          if (undone > 0) {
            a.lea(COUNT, COUNT, -1, 0, undone);
          }
          if (label >= 0) {
            fixup(a.jmp(), label);
          } else if (run.inPage(offset)) {
            chainStub(a.patchableJmp(), offset, false);
          } else {
            if (save) {
              a.saveFlags(SCRATCH1);
            }
            chainStub(a.patchableJmp(), offset, true);
          }
        });
  }

  private void jump() {
    int live = run.liveBefore[current];
    if (lent.endsAt(run.target[current])) {
      takeBack(lent.mask);
    }
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
    branch(ALWAYS, run.target[current], run.targetOffset(current));
    a.code[skip - 1] = (byte) (a.at - skip);
  }

  private void pushReturn() {
    long next = region.va + run.end(current);
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
    int missed = a.jcc(NE);
    int found = a.at;
    int site = site(Region.INTERPRET, 0, 0);
    stub(
        () -> {
          a.here(missed);
          a.aluImm32(XOR, SCRATCH1, 1);
          a.cmpStateScaled(SCRATCH1, keys, SCRATCH0);
          a.to(a.jcc(E), found);
          leave(site, false);
        });
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

  /** By the monitor's gate, whose code leaves by the site where it does not do by itself. */
  private void gate(Gates.Gate gate) {
    wantFlags(Scanner.ALL_FLAGS);
    int site = site(Region.INTERPRET, 0, 0);
    if (gate == Gates.Gate.IN) {
      a.storeState32Imm(NativeState.GATE_PORT, (int) run.insns[current].imm & 0xff);
    }
    a.movImm(SCRATCH0, region.va + run.end(current));
    loadSite(site);
    a.jumpState(NativeState.gate(gate, RegionKey.tlbIndex(region.key)));
    interpreted();
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
