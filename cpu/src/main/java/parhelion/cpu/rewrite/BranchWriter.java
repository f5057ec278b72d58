package parhelion.cpu.rewrite;

import static parhelion.cpu.rewrite.Assembler.*;
import static parhelion.cpu.rewrite.Routines.COUNT;
import static parhelion.cpu.rewrite.Routines.SCRATCH0;
import static parhelion.cpu.rewrite.Routines.SCRATCH1;

import java.util.Arrays;
import parhelion.cpu.decode.Insn;

/**
 * Writes branches: inside a region, to others by chains and jump caches, to the monitor's gates.
 */
abstract class BranchWriter extends InsnWriter {
  private static final int ALWAYS = -1;

  /** Where a branch back to an instruction leads, and where others do, or control comes to it. */
  final int[] labels = new int[Scanner.MAX_INSTRUCTIONS];

  final int[] waysIn = new int[Scanner.MAX_INSTRUCTIONS];

  private int[] fixups = new int[64];
  private int fixupCount;

  /** Offsets of the jump cache of the mode. */
  private int keys;

  private int targets;

  BranchWriter(Routines routines) {
    super(routines);
  }

  @Override
  void start(Scanner scanned, Region into) {
    super.start(scanned, into);
    int index = RegionKey.tlbIndex(into.key);
    keys = NativeState.jumpKeys(index);
    targets = NativeState.jumpTargets(index);
    fixupCount = 0;
  }

  /** Has all branches inside the region lead where their targets have come to be. */
  void fixBranches() {
    for (int i = 0; i < fixupCount; i += 3) {
      int to = fixups[i + 1];
      a.to(fixups[i], fixups[i + 2] < to ? waysIn[to] : labels[to]);
    }
  }

  private void fixup(int position, int label) {
    if (fixupCount + 3 > fixups.length) {
      fixups = Arrays.copyOf(fixups, fixupCount * 2);
    }
    fixups[fixupCount++] = position;
    fixups[fixupCount++] = label;
    fixups[fixupCount++] = current;
  }

  void jcc(Insn insn) {
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

  void jump() {
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
  void chain(long offset, int live) {
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

  void loop(Insn insn) {
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

  void call() {
    pushReturn();
    keepFlags();
    chainStub(a.patchableJmp(), run.targetOffset(current), true);
  }

  void ret(Insn insn) {
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
  void gate(Gates.Gate gate) {
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

  void jumpIndirect(Insn insn) {
    if (!loadTarget(insn)) {
      interpret();
      return;
    }
    lookUp();
    a.jumpStateScaled(SCRATCH1, targets);
  }

  void callIndirect(Insn insn) {
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
