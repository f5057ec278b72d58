package parhelion.cpu.rewrite;

import static parhelion.cpu.CpuState.CPL;
import static parhelion.cpu.CpuState.CS;
import static parhelion.cpu.CpuState.DS;
import static parhelion.cpu.CpuState.EFER;
import static parhelion.cpu.CpuState.ES;
import static parhelion.cpu.CpuState.FMASK;
import static parhelion.cpu.CpuState.FS;
import static parhelion.cpu.CpuState.GDTR;
import static parhelion.cpu.CpuState.GS;
import static parhelion.cpu.CpuState.INTERRUPT_WAITS;
import static parhelion.cpu.CpuState.LSTAR;
import static parhelion.cpu.CpuState.SEG_ATTR;
import static parhelion.cpu.CpuState.SEG_SELECTOR;
import static parhelion.cpu.CpuState.SS;
import static parhelion.cpu.CpuState.STAR;
import static parhelion.cpu.rewrite.Assembler.*;
import static parhelion.cpu.rewrite.GateCode.FREE0;
import static parhelion.cpu.rewrite.GateCode.FREE1;
import static parhelion.cpu.rewrite.GateCode.GUEST_RSP;

import parhelion.cpu.ControlRegisters;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.FarTransfers;
import parhelion.cpu.Rflags;
import parhelion.cpu.SystemCalls;
import parhelion.cpu.Tlb;
import parhelion.cpu.memory.Host;

/**
 * The ways between user mode and the kernel as the architecture has them, in generated code, for
 * guests that have the CPU to themselves: SYSCALL, SYSRET and IRETQ between flat 64-bit code of CPL
 * 3 and 0. They do what {@link SystemCalls} and {@link FarTransfers} do, which stay the definition:
 * whatever is not plain (other segments, single stepping, an interrupt that waits to be let in, a
 * frame that crosses a page) changes nothing here and goes there.
 */
public abstract class SystemGates implements Gates {
  private static final Gate[] GATES = Gate.values();
  private static final int SUPERVISOR_TLB = 0;
  private static final int USER_TLB = 1;
  private static final int CODE_SELECTOR = SEG_SELECTOR + CS * 8;
  private static final int STACK_SELECTOR = SEG_SELECTOR + SS * 8;
  private static final long UNLIMITED = 0xffff_ffffL;

  /** Flat segments as attributes, without a privilege level. */
  private static final int CODE64 = 0xa09b;

  private static final int DATA = 0xc093;
  private static final int USER = 0x60;

  /** The same as descriptors, accessed before. */
  private static final long CODE64_DESCRIPTOR = 0x00af_9b00_0000_ffffL;

  private static final long DATA_DESCRIPTOR = 0x00cf_9300_0000_ffffL;
  private static final long USER_DESCRIPTOR = (long) USER << 40;

  /** What SYSRET takes from R11. */
  private static final int SYSRET_FLAGS = 0x3c7fd7;

  /** What IRET at CPL 0 takes from its frame, where there are no breakpoints. */
  private static final int IRET_FLAGS =
      Rflags.ARITHMETIC
          | Rflags.TF
          | Rflags.IF
          | Rflags.DF
          | Rflags.IOPL
          | Rflags.NT
          | Rflags.AC
          | Rflags.ID;

  /** A frame of IRETQ. */
  private static final int FRAME_BYTES = 40;

  private static final int FRAME_CS = 8;
  private static final int FRAME_FLAGS = 16;
  private static final int FRAME_RSP = 24;
  private static final int FRAME_SS = 32;

  // --- the monitor's part ---

  /** Whether nobody wants to be told of each as it happens. */
  protected abstract boolean mayOpen();

  /** So many were executed by generated code since it was told last. */
  protected abstract void taken(Gate gate, long count);

  // --- Java's side ---

  @Override
  public int open(Cpu cpu, long fields) {
    if (!mayOpen() || cpu.monitor.walkRoot(cpu) < 0) {
      return 0;
    }
    int open = cpu.nmiBlocked ? 0 : Gate.IRET.bit();
    if ((cpu.get64(EFER) & ControlRegisters.EFER_SCE) != 0) {
      open |= Gate.SYSCALL.bit() | Gate.SYSRET.bit();
    }
    return open;
  }

  @Override
  public void left(long fields) {
    for (Gate gate : GATES) {
      long at = fields + gate.ordinal() * 8L;
      long count = Host.U.getLong(at);
      if (count != 0) {
        Host.U.putLong(at, 0);
        taken(gate, count);
      }
    }
  }

  @Override
  public void modeChanged(Cpu cpu, int tlbIndex) {
    cpu.updateMode();
  }

  // --- generated code ---

  @Override
  public boolean write(GateCode code, Gate gate, int tlbIndex) {
    boolean supervisor = tlbIndex == SUPERVISOR_TLB;
    switch (gate) {
      case SYSCALL -> {
        if (supervisor) {
          return false;
        }
        syscall(code);
      }
      case SYSRET -> {
        if (!supervisor) {
          return false;
        }
        sysret(code);
      }
      case IRET -> {
        if (!supervisor) {
          return false;
        }
        iret(code);
      }
      case IN -> {
        return false;
      }
    }
    return true;
  }

  private static void count(Assembler a, Gate gate) {
    a.incState(GateCode.FIELDS + gate.ordinal() * 8);
  }

  /** SYSCALL at CPL 3: {@link SystemCalls#syscall}. */
  private static void syscall(GateCode code) {
    Assembler a = code.a;
    code.begin();
    leaveWherePagesAreOpen(code);
    code.loadRflags();
    a.aluImm32(AND, RAX, ~Rflags.RF);
    a.storeState(CpuState.R11, RAX);
    a.loadState(RBX, FMASK);
    a.aluImm(XOR, RBX, -1);
    a.alu(AND, RAX, RBX);
    code.storeRflags();
    code.loadNextRip(RCX);
    a.storeState(GateCode.saved(RCX), RCX);
    a.loadState(RCX, STAR);
    a.shift(SHR, RCX, 32);
    a.aluImm32(AND, RCX, 0xfffc);
    a.storeState(CODE_SELECTOR, RCX);
    a.aluImm32(ADD, RCX, 8);
    a.storeState(STACK_SELECTOR, RCX);
    code.segment(CS, UNLIMITED, CODE64);
    code.segment(SS, UNLIMITED, DATA);
    count(a, Gate.SYSCALL);
    a.loadState(FREE0, LSTAR);
    goOn(code, false);
    code.end();
  }

  /** SYSRET to 64-bit mode: {@link SystemCalls#sysret}. */
  private static void sysret(GateCode code) {
    Assembler a = code.a;
    code.begin();
    leaveUnlessSupervisor(code);
    leaveWherePagesAreOpen(code);
    a.mov(FREE0, RCX);
    code.leaveUnlessCanonical(FREE0, RAX);
    a.loadState(RAX, CpuState.R11);
    leaveUnlessPlain(code, RAX);
    // Nothing can go wrong any more.
    a.aluImm32(AND, RAX, SYSRET_FLAGS);
    code.storeRflags();
    a.loadState(RCX, STAR);
    a.shift(SHR, RCX, 48);
    a.lea(RDX, RCX, -1, 0, 16);
    a.aluImm32(OR, RDX, 3);
    a.aluImm32(AND, RDX, 0xffff);
    a.storeState(CODE_SELECTOR, RDX);
    a.aluImm32(ADD, RCX, 8);
    a.aluImm32(OR, RCX, 3);
    a.aluImm32(AND, RCX, 0xffff);
    a.storeState(STACK_SELECTOR, RCX);
    code.segment(CS, UNLIMITED, CODE64 | USER);
    code.segment(SS, UNLIMITED, DATA | USER);
    count(a, Gate.SYSRET);
    goOn(code, true);
    code.end();
  }

  /** IRETQ at CPL 0, to CPL 0 or 3: {@link FarTransfers#iret}. */
  private static void iret(GateCode code) {
    Assembler a = code.a;
    code.begin();
    leaveUnlessSupervisor(code);
    leaveWherePagesAreOpen(code);
    leaveWherePagesMayOpen(code);
    a.mov(FREE0, GUEST_RSP);
    code.reach(RDX, SUPERVISOR_TLB, FRAME_BYTES, false);
    code.loadRflags();
    a.testImm(RAX, Rflags.NT);
    code.leaveIf(NE);
    a.load(RBX, RDX, -1, FRAME_FLAGS);
    leaveUnlessPlain(code, RBX);
    a.aluImm32(AND, RBX, IRET_FLAGS);
    a.aluImm32(AND, RAX, ~(IRET_FLAGS | Rflags.RF));
    a.alu(OR, RBX, RAX);
    a.load(FREE0, RDX, -1, 0);
    code.leaveUnlessCanonical(FREE0, RAX);
    a.loadWord(RCX, RDX, FRAME_CS);
    a.mov32(RAX, RCX);
    a.aluImm32(AND, RAX, 3);
    a.aluImm32(CMP, RAX, 3);
    int toUser = a.jcc(E);
    a.aluImm32(CMP, RAX, 0);
    code.leaveIf(NE);
    iret(code, false);
    a.here(toUser);
    leaveWhereSegmentsWouldGo(code);
    iret(code, true);
    code.end();
  }

  /** To CPL 3 or 0 by the frame at RDX: RCX holds its selector for code, RBX the flags. */
  private static void iret(GateCode code, boolean user) {
    Assembler a = code.a;
    long level = user ? USER_DESCRIPTOR : 0;
    leaveUnlessDescriptor(code, RCX, CODE64_DESCRIPTOR | level);
    int noStack = 0;
    a.loadWord(RCX, RDX, FRAME_SS);
    if (!user) {
      a.aluImm32(CMP, RCX, 0);
      noStack = a.jcc(E);
    }
    a.mov32(RAX, RCX);
    a.aluImm32(AND, RAX, 3);
    a.aluImm32(CMP, RAX, user ? 3 : 0);
    code.leaveIf(NE);
    leaveUnlessDescriptor(code, RCX, DATA_DESCRIPTOR | level);
    // Nothing can go wrong any more.
    code.segment(SS, UNLIMITED, DATA | (user ? USER : 0));
    if (!user) {
      int loaded = a.jmp();
      a.here(noStack);
      code.segment(SS, 0, 0);
      a.here(loaded);
    }
    a.storeState(STACK_SELECTOR, RCX);
    code.segment(CS, UNLIMITED, CODE64 | (user ? USER : 0));
    a.loadWord(RCX, RDX, FRAME_CS);
    a.storeState(CODE_SELECTOR, RCX);
    a.load(GUEST_RSP, RDX, -1, FRAME_RSP);
    a.load(FREE0, RDX, -1, 0);
    a.mov(RAX, RBX);
    code.storeRflags();
    count(a, Gate.IRET);
    goOn(code, user);
  }

  /** Goes on at FREE0 at CPL 3 or 0. */
  private static void goOn(GateCode code, boolean user) {
    code.a.storeState32Imm(CPL, user ? 3 : 0);
    code.walkAs(user);
    code.goOn(user ? USER_TLB : SUPERVISOR_TLB);
  }

  /** The supervisor's TLB serves CPL 1 and 2, too. */
  private static void leaveUnlessSupervisor(GateCode code) {
    code.a.cmpState32Imm(CPL, 0);
    code.leaveIf(NE);
  }

  /**
   * Leaves where the supervisor's TLB holds user pages that go when RFLAGS.AC does (SMAP). Where it
   * does not, the flag may change.
   */
  private static void leaveWherePagesAreOpen(GateCode code) {
    code.a.cmpStateByteZero(NativeState.tlb(SUPERVISOR_TLB) + Tlb.OPENED);
    code.leaveIf(NE);
  }

  /**
   * Leaves where a walk might open one: descriptors are read by implication, for which RFLAGS.AC
   * opens none. RAX changes.
   */
  private static void leaveWherePagesMayOpen(GateCode code) {
    Assembler a = code.a;
    a.cmpStateByteZero(NativeState.WALK_SMAP);
    int off = a.jcc(E);
    a.loadState32(RAX, CpuState.RFLAGS);
    a.testImm(RAX, Rflags.AC);
    code.leaveIf(NE);
    a.here(off);
  }

  /** Leaves where the flags in a register begin single stepping, or let in what waits. */
  private static void leaveUnlessPlain(GateCode code, int flags) {
    Assembler a = code.a;
    a.testImm(flags, Rflags.TF);
    code.leaveIf(NE);
    a.testImm(flags, Rflags.IF);
    int off = a.jcc(E);
    a.cmpStateByteZero(INTERRUPT_WAITS);
    code.leaveIf(NE);
    a.here(off);
  }

  /**
   * Leaves unless the GDT holds this descriptor for the selector in a register. RAX, FREE0 and
   * FREE1 change.
   */
  private static void leaveUnlessDescriptor(GateCode code, int selector, long descriptor) {
    Assembler a = code.a;
    a.testImm(selector, 4); // the LDT's
    code.leaveIf(NE);
    a.mov32(FREE0, selector);
    a.aluImm32(AND, FREE0, 0xfff8);
    code.leaveIf(E);
    a.lea(FREE1, FREE0, -1, 0, 7);
    a.cmpState(GDTR + 8, FREE1);
    code.leaveIf(BELOW);
    a.aluState(ADD, FREE0, GDTR);
    code.reach(RAX, SUPERVISOR_TLB, 8, false);
    a.load(FREE0, RAX, -1, 0);
    a.movImm(FREE1, descriptor);
    a.alu(CMP, FREE0, FREE1);
    code.leaveIf(NE);
  }

  /**
   * Leaves where a return to CPL 3 would make a data segment null. RAX and FREE1 change. Segments
   * that are not conforming code and of a lower DPL go, unless they are null and absent already.
   */
  private static void leaveWhereSegmentsWouldGo(GateCode code) {
    Assembler a = code.a;
    for (int segment : new int[] {ES, DS, FS, GS}) {
      a.loadState32(RAX, SEG_ATTR + segment * 8);
      a.mov32(FREE1, RAX);
      a.aluImm32(AND, FREE1, USER);
      a.aluImm32(CMP, FREE1, USER);
      int stays = a.jcc(E);
      a.testImm(RAX, 0x80);
      code.leaveIf(NE);
      a.loadState32(RAX, SEG_SELECTOR + segment * 8);
      a.testImm(RAX, 0xfffc);
      code.leaveIf(NE);
      a.here(stays);
    }
  }
}
