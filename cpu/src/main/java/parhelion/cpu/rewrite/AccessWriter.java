package parhelion.cpu.rewrite;

import static parhelion.cpu.rewrite.Assembler.*;
import static parhelion.cpu.rewrite.Routines.COUNT;
import static parhelion.cpu.rewrite.Routines.HOST;
import static parhelion.cpu.rewrite.Routines.SCRATCH0;
import static parhelion.cpu.rewrite.Routines.SCRATCH1;

import parhelion.cpu.CpuState;
import parhelion.cpu.Tlb;
import parhelion.cpu.decode.Insn;

/**
 * Writes the checks of memory accesses: the TLB's, one for each access or for several ({@link
 * Groups}), and constant addresses, whose TLB entry is known.
 */
abstract class AccessWriter extends CodeWriter {
  // --- where a memory operand is after its check: [base + (index << scale) + disp] ---

  int memBase;
  int memIndex;
  int memScale;
  int memDisp;

  /** Scratch register that is free after the check. */
  int freeScratch;

  AccessWriter(Routines routines) {
    super(routines);
  }

  /**
   * Writes the check of a memory operand; afterwards it is at [memBase + memIndex + memDisp]. False
   * where that cannot be: it always crosses a page or is misaligned.
   */
  boolean access(Insn insn, int bytes, boolean write, boolean aligned, boolean scratch) {
    if (insn.ripRelative || insn.base == Insn.NONE && insn.index == Insn.NONE) {
      if (insn.segmentOverride == Insn.NONE) {
        return constantAccess(constant(insn), bytes, write, aligned);
      }
    }
    int known = run.knownIndex[current];
    if (Groups.isPlainBy(known, insn) && insn.segmentOverride == Insn.NONE) {
      long disp = insn.disp + ((long) known << insn.scale);
      return access(insn.base, Insn.NONE, 0, disp, Insn.NONE, bytes, write, aligned, scratch);
    }
    if (Groups.isSum(insn, run.treatments[current])
        && insn.segmentOverride == Insn.NONE
        && grouped(insn.base, insn.index, insn.scale, (int) insn.disp, bytes, write, aligned)) {
      return true;
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
  long constant(Insn insn) {
    return insn.ripRelative ? region.va + run.end(current) + insn.disp : insn.disp;
  }

  boolean constantAccess(long va, int bytes, boolean write, boolean aligned) {
    if ((va & 4095) + bytes > 4096 || aligned && (va & (bytes - 1)) != 0) {
      return false;
    }
    keepFlags();
    scratchGroup = -1;
    memScale = 0;
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

  void walkAndRetry(boolean write, int retry) {
    int index = RegionKey.tlbIndex(region.key);
    call(write ? routines.walkWrite[index] : routines.walkRead[index]);
    a.to(a.jcc(E), retry);
  }

  int missSite(int bytes, boolean write, int retry) {
    int kind = Region.MISS | (write ? Region.WRITE : 0) | bytes << Region.SIZE_SHIFT;
    boolean faults =
        switch (run.treatments[current]) {
          case BIT_STRING, REPEAT -> false;
          default -> true;
        };
    int flags = stored ? Region.FLAGS_STORED : 0;
    int site = site(kind | flags | (faults ? Region.FAULTS : 0), retry, 0);
    comeBackTo(site, retry);
    return site;
  }

  boolean access(
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
      if (grouped(base, Insn.NONE, 0, (int) disp, bytes, write, aligned)) {
        return true;
      }
    }
    keepFlags();
    memScale = 0;
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
  boolean grouped(
      int base, int index, int scale, int disp, int bytes, boolean write, boolean aligned) {
    if ((region.key & RegionKey.SINGLE_CHECKS) != 0) {
      return false;
    }
    int group = groups.slot(base, index, scale);
    if (group < 0) {
      return false;
    }
    int alignment = aligned ? bytes : 0;
    int register = groups.host(group, lent);
    if (groups.serves(group, disp, bytes, write, alignment)) {
      if (register < 0 && scratchGroup != group) {
        a.loadState(SCRATCH1, NativeState.groupAddend(group));
        scratchGroup = group;
      }
    } else {
      if (groups.isKept(group, current)
          || !groups.plan(current, group, disp, bytes, write)
          || aligned && (disp - groups.rangeLow) % bytes != 0) {
        return false;
      }
      openGroup(group, base, index, scale, disp, alignment);
    }
    int addend = register < 0 ? SCRATCH1 : register;
    if (group < Groups.INDEXED) {
      memBase = HOST[base];
      memIndex = addend;
      memScale = 0;
    } else {
      memBase = addend;
      memIndex = HOST[index];
      memScale = scale;
    }
    memDisp = disp;
    freeScratch = SCRATCH0;
    return true;
  }

  /** Leaves the addend in SCRATCH1; that of a sum has the base in it, which stays as it is. */
  void openGroup(int group, int base, int index, int scale, int disp, int alignment) {
    keepFlags();
    boolean write = groups.rangeWrites;
    int low = groups.rangeLow;
    int retry = a.at;
    addressTo(SCRATCH0, true, base, index, scale, low);
    int missed = check(groups.rangeHigh - low, write, false);
    int misaligned = 0;
    if (alignment != 0) {
      a.testImm(SCRATCH0, alignment - 1);
      misaligned = a.jcc(NE);
    }
    a.loadStateIndexed(SCRATCH1, SCRATCH1, tlb + Tlb.ADDEND);
    if (group >= Groups.INDEXED && base != Insn.NONE) {
      a.lea(SCRATCH1, SCRATCH1, HOST[base], 0, 0);
    }
    a.storeState(NativeState.groupAddend(group), SCRATCH1);
    int register = groups.host(group, lent);
    if (register >= 0) {
      a.mov(register, SCRATCH1);
    }
    groups.open(group, disp, alignment);
    scratchGroup = group;
    int counted = blockEnd - current; // nothing in front of a loop
    int kind = Region.GROUP | groups.rangeHigh - low << Region.SIZE_SHIFT;
    int site = site(kind, 0, 0);
    sites[site * Region.SITE_INTS + 1] =
        run.offsets[current]; // the stub takes back what was counted
    int alsoHere = misaligned;
    stub(
        () -> {
          a.here(missed);
          addressTo(SCRATCH0, true, base, index, scale, low);
          walkAndRetry(write, retry);
          if (alsoHere != 0) {
            a.here(alsoHere);
          }
          if (counted > 0) {
            a.lea(COUNT, COUNT, -1, 0, counted);
          }
          takeBackFor(site);
          sites[site * Region.SITE_INTS + 3] = a.at;
          leaveAsItIs(site, false);
        });
  }

  /**
   * Checks beforehand, for all rounds, what the loop from {@code current} on accesses; lends
   * registers to it if it is an innermost one.
   */
  void prepareLoop(int end) {
    int kept = groups.keptInLoop(current, end);
    if (run.loops.isInnermost(current)) {
      lendRegisters(end, kept);
    }
    for (int left = kept; left != 0; left &= left - 1) {
      int register = Integer.numberOfTrailingZeros(left);
      if (groups.planLoop(current, end, register)) {
        openGroup(register, register, Insn.NONE, 0, groups.rangeLow, 0);
        groups.keep(register, end);
      }
    }
  }

  private void lendRegisters(int end, int kept) {
    lent.lend(run, current, end, kept);
    for (int left = lent.mask; left != 0; left &= left - 1) {
      int guest = Integer.numberOfTrailingZeros(left);
      a.storeState(CpuState.GPR + guest * 8, HOST[guest]);
    }
    loadAddends(addendRegisters());
  }

  /**
   * The check of the address in SCRATCH0, which becomes the offset in its page; SCRATCH1 becomes
   * the offset of the TLB entry. Gives the position of the jump for what does not pass.
   */
  int check(int bytes, boolean write, boolean aligned) {
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
  void address(int base, int index, int scale, long disp, int segment) {
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
  void addressTo(int to, boolean wide, int base, int index, int scale, int disp) {
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
}
