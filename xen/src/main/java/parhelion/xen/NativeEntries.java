package parhelion.xen;

import static parhelion.cpu.CpuState.*;
import static parhelion.cpu.memory.Host.U;
import static parhelion.cpu.rewrite.Assembler.AND;
import static parhelion.cpu.rewrite.Assembler.CMP;
import static parhelion.cpu.rewrite.Assembler.E;
import static parhelion.cpu.rewrite.Assembler.NE;
import static parhelion.cpu.rewrite.Assembler.OR;
import static parhelion.cpu.rewrite.Assembler.SHL;
import static parhelion.cpu.rewrite.Assembler.SUB;
import static parhelion.cpu.rewrite.GateCode.FIELDS;
import static parhelion.cpu.rewrite.GateCode.FREE0;
import static parhelion.cpu.rewrite.GateCode.FREE1;
import static parhelion.cpu.rewrite.GateCode.GUEST_RSP;

import parhelion.abi.Hypercall;
import parhelion.abi.IretContext;
import parhelion.abi.VcpuInfo;
import parhelion.abi.Vgcf;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.Rflags;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.rewrite.Assembler;
import parhelion.cpu.rewrite.GateCode;
import parhelion.cpu.rewrite.Gates;

/**
 * The everyday ways into the guest's kernel and out of it, as generated code: a system call of user
 * mode, the {@code iret} hypercall to flat 64-bit code, the kernel's own IRETQ to itself, and its
 * IN from a port. They do what {@link Traps#userSyscall}, {@link Traps#iret}, the interpreter and
 * {@link PrivilegedOps} do, which stay the definition: whatever is not plain (a frame that crosses
 * a page or is not in the TLB, other selectors, single stepping, an event to deliver) changes
 * nothing here and goes there.
 */
final class NativeEntries implements Gates {
  private static final int CODE_SELECTOR = SEG_SELECTOR + CS * 8;
  private static final int STACK_SELECTOR = SEG_SELECTOR + SS * 8;
  private static final long UNLIMITED = 0xffff_ffffL;

  // The fields, relative to the first.

  /** Where frames from user mode are pushed, aligned. */
  private static final int KERNEL_SP = 0;

  /** The guest's entry point for system calls. */
  private static final int ENTRY = 8;

  /** Host address of vcpu_info. */
  private static final int INFO = 16;

  private static final int KERNEL_CR3 = 24;
  private static final int USER_CR3 = 32;

  /** What was done since the counts were taken last. */
  private static final int SYSCALLS = 40;

  private static final int IRETS = 48;
  private static final int INS = 88;

  /** Selectors that may be loaded beside the flat ones, and their attributes. */
  private static final int OTHER_CS = 56;

  private static final int OTHER_SS = 64;
  private static final int OTHER_CS_ATTR = 72;
  private static final int OTHER_SS_ATTR = 80;

  private static final int PENDING = (int) VcpuInfo.EVTCHN_UPCALL_PENDING.offset();
  private static final int MASK = (int) VcpuInfo.EVTCHN_UPCALL_MASK.offset();

  /** A frame without an error code. */
  private static final int FRAME_BYTES = 56;

  /** Flags with which the way out of the kernel is not plain. */
  private static final int NOT_PLAIN = Rflags.TF | Rflags.NT | Rflags.RF | Rflags.VM | Rflags.AC;

  private final Vcpu vcpu;
  private final VcpuState state;
  private final Hypervisor hypervisor;

  NativeEntries(Vcpu vcpu) {
    this.vcpu = vcpu;
    state = vcpu.state;
    hypervisor = vcpu.domain().hypervisor();
  }

  // --- Java's side ---

  @Override
  public int open(Cpu cpu, long fields) {
    boolean counted = !hypervisor.trapStats().isListenedTo();
    int open = Gate.IRET.bit();
    if (counted && vcpu.traps().virtualCpl() <= state.iopl) {
      open |= Gate.IN.bit();
    }
    long infoPa = state.vcpuInfoPa;
    long sp = state.kernelSp & -16L;
    if (infoPa < 0
        || state.syscallCallback == 0
        || !state.syscallMasksEvents
        || state.userCr3 == 0
        || state.nmiPending
        || state.nmiMasked
        || !Traps.isStackRange(sp - FRAME_BYTES, sp)
        || vcpu.traps().architecturalIopl()
        || !counted
        || hypervisor.hypercalls().isListenedTo()
        || hypervisor.memory().isCodeFrame(infoPa >>> 12)) {
      return open;
    }
    U.putLong(fields + KERNEL_SP, sp);
    U.putLong(fields + ENTRY, state.syscallCallback);
    U.putLong(fields + INFO, hypervisor.memory().base() + infoPa);
    U.putLong(fields + KERNEL_CR3, state.kernelCr3);
    U.putLong(fields + USER_CR3, state.userCr3);
    DescriptorTables tables = vcpu.descriptorTables();
    if (tables.isFlatPairKnown()) {
      U.putLong(fields + OTHER_CS, tables.flatCs());
      U.putLong(fields + OTHER_SS, tables.flatSs());
      U.putLong(fields + OTHER_CS_ATTR, tables.flatCodeAttributes());
      U.putLong(fields + OTHER_SS_ATTR, tables.flatStackAttributes());
    } else {
      U.putLong(fields + OTHER_CS, -1);
    }
    return open | Gate.SYSCALL.bit();
  }

  @Override
  public void left(long fields) {
    long syscalls = U.getLong(fields + SYSCALLS);
    long irets = U.getLong(fields + IRETS);
    long ins = U.getLong(fields + INS);
    if ((syscalls | irets | ins) != 0) {
      hypervisor.trapStats().nativeSyscalls(syscalls);
      hypervisor.trapStats().nativeEmulations(Mnemonic.IN, ins);
      hypervisor.hypercalls().stats().addNative(Hypercall.IRET.nr(), irets);
      U.putLong(fields + SYSCALLS, 0);
      U.putLong(fields + IRETS, 0);
      U.putLong(fields + INS, 0);
    }
  }

  @Override
  public void modeChanged(Cpu cpu, int tlbIndex) {
    state.kernelMode = tlbIndex == XenMonitor.KERNEL_TLB;
    cpu.updateMode();
  }

  // --- generated code ---

  @Override
  public boolean write(GateCode code, Gate gate, int tlbIndex) {
    boolean kernel = tlbIndex == XenMonitor.KERNEL_TLB;
    switch (gate) {
      case SYSCALL -> {
        if (kernel) {
          hypercall(code);
        } else {
          systemCall(code);
        }
      }
      case IRET -> {
        if (!kernel) {
          return false;
        }
        kernelIret(code);
      }
      case IN -> {
        if (!kernel) {
          return false;
        }
        in(code);
      }
      case SYSRET -> {
        return false;
      }
    }
    return true;
  }

  /** User mode's SYSCALL: {@link Traps#userSyscall}. */
  private static void systemCall(GateCode code) {
    Assembler a = code.a;
    code.begin();
    code.loadRflags();
    a.loadState(FREE0, FIELDS + KERNEL_SP);
    a.aluImm(SUB, FREE0, FRAME_BYTES);
    code.hostAddress(Assembler.RDX, FREE0, FREE1, XenMonitor.KERNEL_TLB, FRAME_BYTES, true);
    // Nothing can go wrong any more.
    a.mov(Assembler.RCX, Assembler.RAX);
    a.aluImm32(AND, Assembler.RCX, ~Rflags.RF);
    a.storeState(CpuState.R11, Assembler.RCX);
    a.store(Assembler.RDX, -1, 8, Assembler.RCX);
    code.loadNextRip(Assembler.RCX);
    a.storeState(GateCode.saved(Assembler.RCX), Assembler.RCX);
    a.store(Assembler.RDX, -1, 0, Assembler.RCX);
    a.store(Assembler.RDX, -1, 16, Assembler.RCX);
    a.loadState(Assembler.RBX, FIELDS + INFO);
    a.loadByte(Assembler.RCX, Assembler.RBX, MASK);
    a.aluImm32(AND, Assembler.RAX, ~(Rflags.IF | Rflags.IOPL));
    a.aluImm32(CMP, Assembler.RCX, 0);
    int masked = a.jcc(NE);
    a.aluImm32(OR, Assembler.RAX, Rflags.IF);
    a.here(masked);
    a.store(Assembler.RDX, -1, 32, Assembler.RAX);
    a.shift(SHL, Assembler.RCX, 32);
    a.aluImm(OR, Assembler.RCX, DescriptorTables.FLAT_CS64);
    a.store(Assembler.RDX, -1, 24, Assembler.RCX);
    a.store(Assembler.RDX, -1, 40, GUEST_RSP);
    a.storeImm(Assembler.RDX, -1, 48, DescriptorTables.FLAT_SS);
    a.storeByteImm(Assembler.RBX, MASK, 1);
    a.mov(GUEST_RSP, FREE0);
    flatSegments(code);
    a.loadState(Assembler.RAX, CpuState.RFLAGS);
    a.aluImm(AND, Assembler.RAX, ~(int) (Traps.CLEARED | Rflags.DF));
    a.storeState(CpuState.RFLAGS, Assembler.RAX);
    enterMode(code, KERNEL_CR3);
    a.incState(FIELDS + SYSCALLS);
    a.loadState(FREE0, FIELDS + ENTRY);
    code.goOn(XenMonitor.KERNEL_TLB);
    code.end();
  }

  /** The kernel's SYSCALL: a hypercall, {@link Traps#iret} if it is that. */
  private static void hypercall(GateCode code) {
    Assembler a = code.a;
    code.begin();
    a.aluImm(CMP, Assembler.RAX, Hypercall.IRET.nr());
    code.leaveIf(NE);
    int bytes = IretContext.STRUCT.size();
    a.mov(FREE0, GUEST_RSP);
    code.hostAddress(Assembler.RDX, FREE0, FREE1, XenMonitor.KERNEL_TLB, bytes, false);
    load(a, Assembler.RCX, IretContext.RFLAGS.offset());
    a.testImm(Assembler.RCX, NOT_PLAIN);
    code.leaveIf(NE);
    selectors(code);
    load(a, FREE0, IretContext.RIP.offset());
    code.leaveUnlessCanonical(FREE0, Assembler.RAX);
    // An event waits and would be let in.
    a.loadState(Assembler.RBX, FIELDS + INFO);
    a.testImm(Assembler.RCX, Rflags.IF);
    int stillMasked = a.jcc(E);
    a.cmpByteZero(Assembler.RBX, PENDING);
    code.leaveIf(NE);
    a.storeByteImm(Assembler.RBX, MASK, 0);
    int unmasked = a.jmp();
    a.here(stillMasked);
    a.storeByteImm(Assembler.RBX, MASK, 1);
    a.here(unmasked);
    a.incState(FIELDS + IRETS);
    a.aluImm32(CMP, FREE1, DescriptorTables.FLAT_CS64);
    int flat = a.jcc(E);
    otherSegments(code);
    int loaded = a.jmp();
    a.here(flat);
    flatSegments(code);
    a.here(loaded);
    registers(code);
    a.loadWord(Assembler.RAX, Assembler.RDX, IretContext.CS.offset());
    a.aluImm32(AND, Assembler.RAX, 3);
    a.aluImm32(CMP, Assembler.RAX, 3);
    int toKernel = a.jcc(NE);
    enterMode(code, USER_CR3);
    code.goOn(1);
    a.here(toKernel);
    code.goOn(XenMonitor.KERNEL_TLB);
    code.end();
  }

  /**
   * The kernel's IRETQ to itself, by which Linux makes sure that it runs code that it has changed:
   * the instruction as it is at CPL 3, where the flat segments stay loaded.
   */
  private static void kernelIret(GateCode code) {
    Assembler a = code.a;
    code.begin();
    a.mov(FREE0, GUEST_RSP);
    code.hostAddress(Assembler.RDX, FREE0, FREE1, XenMonitor.KERNEL_TLB, 40, false);
    code.loadRflags();
    a.testImm(Assembler.RAX, Rflags.NT | Rflags.IOPL);
    code.leaveIf(NE);
    a.mov(Assembler.RBX, Assembler.RAX);
    load(a, Assembler.RCX, 16);
    a.testImm(Assembler.RCX, NOT_PLAIN);
    code.leaveIf(NE);
    a.cmpState32Imm(CODE_SELECTOR, DescriptorTables.FLAT_CS64);
    code.leaveIf(NE);
    a.cmpState32Imm(STACK_SELECTOR, DescriptorTables.FLAT_SS);
    code.leaveIf(NE);
    a.loadWord(Assembler.RAX, Assembler.RDX, 8);
    a.aluImm32(CMP, Assembler.RAX, DescriptorTables.FLAT_CS64);
    code.leaveIf(NE);
    a.loadWord(Assembler.RAX, Assembler.RDX, 32);
    a.aluImm32(CMP, Assembler.RAX, DescriptorTables.FLAT_SS);
    code.leaveIf(NE);
    load(a, FREE0, 0);
    code.leaveUnlessCanonical(FREE0, Assembler.RAX);
    a.mov(Assembler.RAX, Assembler.RBX);
    a.aluImm32(AND, Assembler.RAX, Rflags.IF);
    a.aluImm32(AND, Assembler.RCX, (int) Rflags.ARITHMETIC | Rflags.DF | Rflags.ID);
    a.alu(OR, Assembler.RAX, Assembler.RCX);
    load(a, GUEST_RSP, 24);
    code.storeRflags();
    code.goOn(XenMonitor.KERNEL_TLB);
    code.end();
  }

  /** IN of a byte, by a kernel that may: {@link PrivilegedOps}. No domain owns a port. */
  private static void in(GateCode code) {
    Assembler a = code.a;
    code.begin();
    code.loadPort(Assembler.RCX);
    a.aluImm32(CMP, Assembler.RCX, PrivilegedOps.RTC_INDEX);
    code.leaveIf(E);
    a.aluImm(OR, Assembler.RAX, 0xff);
    a.storeState(GateCode.saved(Assembler.RAX), Assembler.RAX);
    a.incState(FIELDS + INS);
    code.loadNextRip(FREE0);
    code.goOn(XenMonitor.KERNEL_TLB);
    code.end();
  }

  private static void load(Assembler a, int register, long offset) {
    a.load(register, Assembler.RDX, -1, (int) offset);
  }

  /**
   * Sees which selectors are to be loaded: the code segment's into FREE1, or leaves. RAX and FREE0
   * change.
   */
  private static void selectors(GateCode code) {
    Assembler a = code.a;
    a.loadWord(FREE1, Assembler.RDX, (int) IretContext.CS.offset());
    a.aluImm32(OR, FREE1, 3);
    load(a, Assembler.RAX, IretContext.FLAGS.offset());
    a.testImm(Assembler.RAX, Vgcf.IN_SYSCALL);
    int slow = a.jcc(E);
    // SYSRET loads the flat ones, whatever the frame says.
    a.aluImm32(CMP, FREE1, DescriptorTables.FLAT_CS32);
    code.leaveIf(E);
    a.movImm(FREE1, DescriptorTables.FLAT_CS64);
    int sysret = a.jmp();
    a.here(slow);
    a.loadWord(FREE0, Assembler.RDX, (int) IretContext.SS.offset());
    a.aluImm32(OR, FREE0, 3);
    a.cmpState(FIELDS + OTHER_CS, FREE1);
    int flat = a.jcc(NE);
    a.cmpState(FIELDS + OTHER_SS, FREE0);
    int other = a.jcc(E);
    a.here(flat);
    a.aluImm32(CMP, FREE1, DescriptorTables.FLAT_CS64);
    code.leaveIf(NE);
    a.aluImm32(CMP, FREE0, DescriptorTables.FLAT_SS);
    code.leaveIf(NE);
    a.here(other);
    a.here(sysret);
  }

  /** The registers of the frame at RDX; its RFLAGS are in RCX, and RAX and RBX are free. */
  private static void registers(GateCode code) {
    Assembler a = code.a;
    load(a, GUEST_RSP, IretContext.RSP.offset());
    load(a, Assembler.RBX, IretContext.RAX.offset());
    a.storeState(GateCode.saved(Assembler.RAX), Assembler.RBX);
    a.mov(Assembler.RAX, Assembler.RCX);
    a.aluImm32(AND, Assembler.RAX, ~(Rflags.IOPL | Rflags.VM));
    a.aluImm32(OR, Assembler.RAX, Rflags.IF);
    load(a, Assembler.RCX, IretContext.FLAGS.offset());
    a.testImm(Assembler.RCX, Vgcf.IN_SYSCALL);
    int slow = a.jcc(E);
    a.storeState(GateCode.saved(Assembler.RCX), FREE0);
    a.storeState(CpuState.R11, Assembler.RAX);
    int done = a.jmp();
    a.here(slow);
    load(a, Assembler.RBX, IretContext.RCX.offset());
    a.storeState(GateCode.saved(Assembler.RCX), Assembler.RBX);
    load(a, Assembler.RBX, IretContext.R11.offset());
    a.storeState(CpuState.R11, Assembler.RBX);
    a.here(done);
    code.storeRflags();
  }

  /** Makes CS and SS the flat ones: {@link DescriptorTables#setFlat64}. RAX changes. */
  private static void flatSegments(GateCode code) {
    Assembler a = code.a;
    a.cmpState32Imm(CODE_SELECTOR, DescriptorTables.FLAT_CS64);
    int other = a.jcc(NE);
    a.cmpState32Imm(STACK_SELECTOR, DescriptorTables.FLAT_SS);
    int done = a.jcc(E);
    a.here(other);
    code.storeConstant(CODE_SELECTOR, DescriptorTables.FLAT_CS64);
    code.segment(CS, UNLIMITED, DescriptorTables.CODE64);
    code.storeConstant(STACK_SELECTOR, DescriptorTables.FLAT_SS);
    code.segment(SS, UNLIMITED, DescriptorTables.DATA);
    a.here(done);
  }

  /** Loads the pair of {@link DescriptorTables#isFlatPairKnown}. RAX changes. */
  private static void otherSegments(GateCode code) {
    Assembler a = code.a;
    code.segment(CS, UNLIMITED, 0);
    copy(a, CODE_SELECTOR, OTHER_CS);
    copy(a, SEG_ATTR + CS * 8, OTHER_CS_ATTR);
    code.segment(SS, UNLIMITED, 0);
    copy(a, STACK_SELECTOR, OTHER_SS);
    copy(a, SEG_ATTR + SS * 8, OTHER_SS_ATTR);
  }

  private static void copy(Assembler a, int offset, int field) {
    a.loadState(Assembler.RAX, FIELDS + field);
    a.storeState(offset, Assembler.RAX);
  }

  /** Changes page tables and GS bases: {@link Vcpu#toggleMode}. RAX and RBX change. */
  private static void enterMode(GateCode code, int cr3) {
    Assembler a = code.a;
    a.loadState(Assembler.RAX, CpuState.GS_BASE);
    a.loadState(Assembler.RBX, CpuState.KERNEL_GS_BASE);
    a.storeState(CpuState.GS_BASE, Assembler.RBX);
    a.storeState(CpuState.KERNEL_GS_BASE, Assembler.RAX);
    a.loadState(Assembler.RAX, FIELDS + cr3);
    a.storeState(CpuState.CR3, Assembler.RAX);
    code.walkFrom(Assembler.RAX);
  }
}
