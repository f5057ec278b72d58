package parhelion.cpu.rewrite;

import static parhelion.cpu.rewrite.Assembler.*;

import parhelion.cpu.CpuState;
import parhelion.cpu.Tlb;

/**
 * The code that all generated code shares: the way in from Java, the way out, and the loading of
 * the host's vector registers.
 */
final class Routines {
  /** MXCSR's exception masks and reserved bits, and what they are where the host may have it. */
  private static final int MXCSR_CHECKED = 0xffff_1f80;

  private static final int MXCSR_MASKED = 0x1f80;

  /** Whether no vector instruction of the guest can become a signal on the host. */
  static boolean isMasked(int mxcsr) {
    return (mxcsr & MXCSR_CHECKED) == MXCSR_MASKED;
  }

  /** Host register of guest register 0..15, or -1 for those that stay in the state block. */
  static final int[] HOST = {
    RAX, RCX, RDX, RBX, R8, RBP, RSI, RDI, -1, -1, -1, -1, R12, R9, R10, R11
  };

  static final int SCRATCH0 = R14;
  static final int SCRATCH1 = R15;
  static final int COUNT = R13;

  /** Called by Java with the state block in RDI and the host address to continue at in RSI. */
  final long enter;

  /** Leaves with the number of a site in R15; flags are stored from the host's. */
  final long exitWithFlags;

  /** Leaves likewise; {@link NativeState#FLAGS} holds the flags, or nobody wants them. */
  final long exit;

  /**
   * Called by TLB index with the linear address of an access in R14 after a miss: walks the guest's
   * page tables and fills the TLB. ZF says that the access is worth another try. Only what is plain
   * is done here: four levels of 4 KiB pages, all accessed (and dirty) bits set, rights in order,
   * frames of memory; everything else is left to Java. R15 and flags change; the address is left in
   * {@link NativeState#MISS_VA}.
   */
  final long[] walkRead = new long[2];

  final long[] walkWrite = new long[2];

  /**
   * Called likewise with the address of code in R14 and the machine address of its page in R15: ZF
   * says that it is mapped there and may be executed.
   */
  final long[] walkExecute = new long[2];

  /**
   * Called by TLB index: {@link Tlb#closeOpened}, which changes both scratch registers and flags.
   */
  final long[] closeUserPages = new long[2];

  /**
   * Called when XMM registers are wanted: loads them and returns, or, where the guest has unmasked
   * a floating-point exception, returns with {@link NativeState#SSE_LOADED} still 0. Changes flags.
   */
  final long loadSse;

  Routines(CodeArena arena) {
    Assembler a = new Assembler();
    a.start(arena.next());
    enter = a.base;
    int load = enter(a);
    align(a);
    exitWithFlags = a.base + a.at;
    a.storeState(NativeState.SAVED_RAX, RAX);
    a.b(0x9f);
    a.b(0x0f, 0x90, 0xc0);
    a.storeState(NativeState.FLAGS, RAX);
    a.loadState(RAX, NativeState.SAVED_RAX);
    exit = a.base + a.at;
    exit(a);
    align(a);
    loadSse = a.base + a.at;
    a.toAddress(load, loadSse);
    loadSse(a);
    for (int tlb = 0; tlb < 2; tlb++) {
      align(a);
      walkRead[tlb] = a.base + a.at;
      PageWalk.data(a, tlb, false);
      align(a);
      walkWrite[tlb] = a.base + a.at;
      PageWalk.data(a, tlb, true);
      align(a);
      walkExecute[tlb] = a.base + a.at;
      PageWalk.code(a, tlb);
      align(a);
      closeUserPages[tlb] = a.base + a.at;
      closeUserPages(a, NativeState.tlb(tlb));
    }
    arena.add(a.code, a.at);
  }

  private static void closeUserPages(Assembler a, int tlb) {
    int next = a.at;
    a.loadState32(SCRATCH0, tlb + Tlb.OPENED);
    a.b(0x65, 0x46, 0x8b); // mov r15d, gs:[r14 * 4 + the list, less one]
    a.b(0x3c, 0xb5);
    a.d(tlb + Tlb.OPENED);
    a.mov32(SCRATCH0, SCRATCH1);
    a.shift(SHL, SCRATCH0, 7);
    a.aluImm(XOR, SCRATCH0, 4096); // a tag that this entry is never asked for
    a.storeStateIndexed(SCRATCH1, tlb + Tlb.READ_TAG, SCRATCH0);
    a.storeStateIndexed(SCRATCH1, tlb + Tlb.WRITE_TAG, SCRATCH0);
    a.b(0x65, 0x83); // sub dword gs:[count], 1
    a.b(0x2c, 0x25);
    a.d(tlb + Tlb.OPENED);
    a.b(1);
    a.to(a.jcc(NE), next);
    a.b(0xc3);
  }

  private static void align(Assembler a) {
    while ((a.at & 15) != 0) {
      a.b(0xcc);
    }
  }

  private static final int[] SAVED = {RBX, RBP, R12, R13, R14, R15};

  /** Gives the position of the displacement of its call of {@link #loadSse}. */
  private static int enter(Assembler a) {
    for (int r : SAVED) {
      if (r >= 8) {
        a.b(0x41);
      }
      a.b(0x50 | r & 7);
    }
    a.aluImm(SUB, RSP, 8);
    // Writing GS is dear, reading it is not: write only what differs.
    a.b(0xf3, 0x48);
    a.b(0x0f, 0xae, 0xc8); // rdgsbase rax
    a.alu(CMP, RAX, RDI);
    int same = a.jcc(E);
    a.b(0xf3, 0x48);
    a.b(0x0f, 0xae, 0xdf); // wrgsbase rdi
    a.here(same);
    a.storeState(NativeState.ENTRY, RSI);
    a.cmpStateByteZero(NativeState.X87_WANTED);
    int noX87 = a.jcc(E);
    a.b(0x65, 0xd9); // fnstcw gs:[HOST_FCW]
    a.b(0x3c, 0x25);
    a.d(NativeState.HOST_FCW);
    a.b(0x65, 0xdd); // frstor gs:[X87_IMAGE]
    a.b(0x24, 0x25);
    a.d(NativeState.X87_IMAGE);
    a.storeState32Imm(NativeState.X87_WANTED, 0);
    a.storeState32Imm(NativeState.X87_LOADED, 1);
    a.here(noX87);
    a.cmpStateByteZero(NativeState.SSE_WANTED);
    int noSse = a.jcc(E);
    int load = a.at + 1;
    a.callTo(a.base); // loadSse, which is written later
    a.here(noSse);
    a.loadState(COUNT, NativeState.COUNTER);
    a.loadState(RAX, NativeState.FLAGS);
    a.b(0x04, 0x7f);
    a.b(0x9e);
    for (int guest = 15; guest >= 0; guest--) {
      if (HOST[guest] >= 0) {
        a.loadState(HOST[guest], CpuState.GPR + guest * 8);
      }
    }
    a.jumpState(NativeState.ENTRY);
    return load;
  }

  private static void exit(Assembler a) {
    a.storeState32(NativeState.EXIT_SITE, SCRATCH1);
    for (int guest = 0; guest < 16; guest++) {
      if (HOST[guest] >= 0) {
        a.storeState(CpuState.GPR + guest * 8, HOST[guest]);
      }
    }
    a.storeState(NativeState.COUNTER, COUNT);
    a.cmpStateByteZero(NativeState.SSE_LOADED);
    int noSse = a.jcc(E);
    for (int i = 0; i < 16; i++) {
      vector(a, 0x11, i);
    }
    mxcsr(a, 3, CpuState.MXCSR);
    mxcsr(a, 2, NativeState.HOST_MXCSR);
    if (HostCpu.hasAvx()) {
      a.b(0xc5, 0xf8, 0x77); // vzeroupper
    }
    a.storeState32Imm(NativeState.SSE_LOADED, 0);
    a.here(noSse);
    a.cmpStateByteZero(NativeState.X87_LOADED);
    int noX87 = a.jcc(E);
    a.b(0x65, 0xdd); // fnsave gs:[X87_IMAGE]
    a.b(0x34, 0x25);
    a.d(NativeState.X87_IMAGE);
    a.b(0x65, 0xd9); // fldcw gs:[HOST_FCW]
    a.b(0x2c, 0x25);
    a.d(NativeState.HOST_FCW);
    a.here(noX87);
    a.aluImm(ADD, RSP, 8);
    for (int i = SAVED.length - 1; i >= 0; i--) {
      if (SAVED[i] >= 8) {
        a.b(0x41);
      }
      a.b(0x58 | SAVED[i] & 7);
    }
    a.b(0xc3);
  }

  private static void loadSse(Assembler a) {
    a.loadState32(SCRATCH1, CpuState.MXCSR);
    a.aluImm32(AND, SCRATCH1, MXCSR_CHECKED);
    a.aluImm32(CMP, SCRATCH1, MXCSR_MASKED);
    int unmasked = a.jcc(NE);
    mxcsr(a, 3, NativeState.HOST_MXCSR);
    mxcsr(a, 2, CpuState.MXCSR);
    for (int i = 0; i < 16; i++) {
      vector(a, 0x10, i);
    }
    a.storeState32Imm(NativeState.SSE_LOADED, 1);
    a.here(unmasked);
    a.b(0xc3);
  }

  /**
   * Moves a whole vector register from (10) or to (11) the state block: YMM where there are any.
   */
  private static void vector(Assembler a, int opcode, int register) {
    int offset = CpuState.XMM + register * CpuState.XMM_STRIDE;
    a.b(0x65);
    if (HostCpu.hasAvx()) {
      a.b(0xc5, register < 8 ? 0xfc : 0x7c, opcode);
    } else {
      if (register >= 8) {
        a.b(0x44);
      }
      a.b(0x0f, opcode);
    }
    a.b((register & 7) << 3 | 4, 0x25);
    a.d(offset);
  }

  /** LDMXCSR (2) or STMXCSR (3) of gs:[offset]. */
  private static void mxcsr(Assembler a, int operation, int offset) {
    a.b(0x65, 0x0f, 0xae);
    a.b(operation << 3 | 4, 0x25);
    a.d(offset);
  }
}
