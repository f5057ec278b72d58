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
final class RegionWriter extends BranchWriter {
  /** Vector registers are loaded at the entry, and stay so in the whole region. */
  private boolean sseThroughout;

  RegionWriter(Routines routines) {
    super(routines);
  }

  /** Writes {@code scanned} for {@code into}; the bytes are then in {@link #code}. */
  void write(Scanner scanned, Region into) {
    start(scanned, into);
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
    fixBranches();
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
}
