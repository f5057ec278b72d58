package parhelion.cpu.rewrite;

import static parhelion.cpu.rewrite.Assembler.*;
import static parhelion.cpu.rewrite.Routines.HOST;
import static parhelion.cpu.rewrite.Routines.SCRATCH0;
import static parhelion.cpu.rewrite.Routines.SCRATCH1;

import parhelion.cpu.ControlRegisters;
import parhelion.cpu.CpuState;
import parhelion.cpu.Rflags;
import parhelion.cpu.Tlb;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.decode.Opcode;

/** Writes instructions that do not branch. */
abstract class InsnWriter extends AccessWriter {
  InsnWriter(Routines routines) {
    super(routines);
  }

  void emit(Insn insn) {
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
    boolean aligned = insn.opcode.has(Opcode.ALIGNED) && bytes > 1;
    boolean scratch = encoder.needsScratch(insn);
    if (!access(insn, bytes, write, aligned, scratch)) {
      interpret();
      return;
    }
    flagsForInstruction();
    encoder.memory(insn, memBase, memIndex, memScale, memDisp, freeScratch);
  }

  void lea(Insn insn) {
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

  void absolute(Insn insn) {
    boolean load = insn.opcode.code() < 0xa2;
    int bytes = insn.size(load ? 1 : 0);
    if (!constantAccess(insn.disp, bytes, !load, false)) {
      interpret();
      return;
    }
    encoder.accumulator(load, bytes, memBase, memDisp);
  }

  /**
   * The guest's counter counts nanoseconds: the host's times a fraction of 2^63, from its own
   * start.
   */
  void readTsc(Insn insn) {
    keepFlags();
    boolean aux = insn.mnemonic() == Mnemonic.RDTSCP;
    if (aux) {
      a.b(0x0f, 0xae, 0xe8); // lfence: what comes before has been done
    }
    a.b(0x0f, 0x31); // rdtsc
    a.shift(SHL, RDX, 32);
    a.alu(OR, RAX, RDX);
    a.aluState(SUB, RAX, NativeState.TSC_BASE);
    a.mulState(NativeState.TSC_SCALE);
    a.b(0x48, 0x0f);
    a.b(0xa4, 0xc2, 1); // shld rdx, rax, 1
    a.aluState(ADD, RDX, NativeState.TSC_OFFSET);
    a.aluState(ADD, RDX, CpuState.TSC_OFFSET);
    a.mov32(RAX, RDX);
    a.shift(SHR, RDX, 32);
    if (aux) {
      a.loadState32(RCX, CpuState.TSC_AUX);
    }
  }

  void readSelector(Insn insn) {
    if (insn.operandSize == 2) {
      // The rest of the register stays as it is.
      a.loadState32(SCRATCH0, CpuState.SEG_SELECTOR + insn.reg * 8);
      a.b(0x66);
      a.mov32(HOST[insn.rm], SCRATCH0);
      return;
    }
    int to = HOST[insn.rm] >= 0 ? HOST[insn.rm] : SCRATCH0;
    a.loadState32(to, CpuState.SEG_SELECTOR + insn.reg * 8);
    if (to == SCRATCH0) {
      a.storeState(CpuState.GPR + insn.rm * 8, SCRATCH0);
    }
  }

  void readControl(Insn insn) {
    int offset =
        switch (insn.reg) {
          case 0 -> CpuState.CR0;
          case 2 -> CpuState.CR2;
          case 3 -> CpuState.CR3;
          default -> CpuState.CR4;
        };
    readState(insn, offset, 8);
  }

  /** A general register from the state block. */
  private void readState(Insn insn, int offset, int bytes) {
    int to = HOST[insn.rm] >= 0 ? HOST[insn.rm] : SCRATCH0;
    if (bytes == 8) {
      a.loadState(to, offset);
    } else {
      a.loadState32(to, offset);
    }
    if (to == SCRATCH0) {
      a.storeState(CpuState.GPR + insn.rm * 8, SCRATCH0);
    }
  }

  void readBase(Insn insn) {
    wantBaseAccess();
    boolean fs = insn.mnemonic() == Mnemonic.RDFSBASE;
    readState(insn, fs ? CpuState.FS_BASE : CpuState.GS_BASE, insn.size(0));
  }

  void writeBase(Insn insn) {
    wantBaseAccess();
    scratchGroup = -1;
    int from = inHostRegister(insn.rm);
    if (insn.size(0) == 8) {
      a.mov(SCRATCH1, from);
      a.shift(SHL, SCRATCH1, 16);
      a.shift(SAR, SCRATCH1, 16);
      a.alu(CMP, SCRATCH1, from);
      interpretInstead(a.jcc(NE));
    } else {
      a.mov32(SCRATCH1, from);
    }
    boolean fs = insn.mnemonic() == Mnemonic.WRFSBASE;
    a.storeState(fs ? CpuState.FS_BASE : CpuState.GS_BASE, SCRATCH1);
  }

  /** Leaves to the interpreter where CR4.FSGSBASE is not set. */
  private void wantBaseAccess() {
    keepFlags();
    a.testStateByteImm(CpuState.CR4 + 2, (int) (ControlRegisters.CR4_FSGSBASE >> 16));
    interpretInstead(a.jcc(E));
  }

  /**
   * The bit's word is checked. The instruction then gets the host address that the operand itself
   * would have if all memory lay as that word's page does, so that the host comes to the same word.
   */
  void bitString(Insn insn) {
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
    encoder.memory(insn, base < 0 ? SCRATCH1 : base, base < 0 ? -1 : SCRATCH1, 0, disp, SCRATCH0);
  }

  /**
   * Moves or fills with the host's own instruction, where that goes forward and stays within the
   * pages in which it begins.
   */
  void repeat(Insn insn) {
    boolean moves = insn.mnemonic() == Mnemonic.MOVS;
    int size = insn.size(0);
    keepFlags();
    a.testStateByteImm(CpuState.RFLAGS + 1, Rflags.DF >> 8);
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
  void repeatedAccess(int pointer, int size, boolean write) {
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
  void bitAddress(Insn insn, int base, int disp) {
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

  void push(Insn insn) {
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

  void pushFlags() {
    keepFlags();
    stackAccess(-8, true);
    a.storeState(NativeState.SAVED_RAX, RAX);
    a.rflags(RAX, SCRATCH0);
    a.aluImm32(AND, RAX, ~(Rflags.RF | Rflags.VM));
    a.store(GUEST_RSP, SCRATCH1, -8, RAX);
    a.loadState(RAX, NativeState.SAVED_RAX);
    a.lea(GUEST_RSP, GUEST_RSP, -1, 0, -8);
  }

  void clearDirection() {
    keepFlags();
    a.andState32(CpuState.RFLAGS, ~Rflags.DF);
  }

  void clearInterrupts() {
    keepFlags();
    a.andState32(CpuState.RFLAGS, ~Rflags.IF);
  }

  /** Where an interrupt waits for it, the interpreter sees to that. */
  void setInterrupts() {
    keepFlags();
    a.cmpStateByteZero(CpuState.INTERRUPT_WAITS);
    interpretInstead(a.jcc(NE));
    a.orState32(CpuState.RFLAGS, Rflags.IF);
  }

  void openUserPages() {
    keepFlags();
    a.orState32(CpuState.RFLAGS, Rflags.AC);
  }

  /** User pages that went into the TLB since STAC go out of it. */
  void closeUserPages() {
    keepFlags();
    a.andState32(CpuState.RFLAGS, ~Rflags.AC);
    a.cmpStateByteZero(tlb + Tlb.OPENED);
    int opened = a.jcc(NE);
    int back = a.at;
    groups.closeAll();
    scratchGroup = -1;
    stub(
        () -> {
          a.here(opened);
          call(routines.closeUserPages[RegionKey.tlbIndex(region.key)]);
          a.to(a.jmp(), back);
        });
  }

  void swapGs() {
    scratchGroup = -1;
    a.loadState(SCRATCH0, CpuState.GS_BASE);
    a.loadState(SCRATCH1, CpuState.KERNEL_GS_BASE);
    a.storeState(CpuState.GS_BASE, SCRATCH1);
    a.storeState(CpuState.KERNEL_GS_BASE, SCRATCH0);
  }

  /** The host register of a guest register, loaded into SCRATCH0 if it is in the state block. */
  int inHostRegister(int guest) {
    if (HOST[guest] >= 0) {
      return HOST[guest];
    }
    a.loadState(SCRATCH0, CpuState.GPR + guest * 8);
    return SCRATCH0;
  }

  /** Checks eight bytes at RSP + disp; then they are at [GUEST_RSP + SCRATCH1 + disp]. */
  void stackAccess(int disp, boolean write) {
    access(4, Insn.NONE, 0, disp, Insn.NONE, 8, write, false, false);
  }

  void pop(Insn insn) {
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

  void leaveFrame() {
    access(5, Insn.NONE, 0, 0, Insn.NONE, 8, false, false, false);
    a.load(SCRATCH0, HOST[5], SCRATCH1, 0);
    a.lea(GUEST_RSP, HOST[5], -1, 0, 8);
    a.mov(HOST[5], SCRATCH0);
  }

  /** Divides on the host only where that cannot fault. */
  void divide(Insn insn) {
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
}
