package parhelion.cpu.rewrite;

import static parhelion.cpu.memory.Host.U;

import parhelion.cpu.CpuState;
import parhelion.cpu.Tlb;

/**
 * What generated code finds relative to GS, which holds the address of the CPU's state block: the
 * architectural state (see {@link CpuState}), both TLBs, and behind them the fields here.
 *
 * <p>Host registers while generated code runs: RAX, RCX, RDX, RBX, RBP, RSI, RDI, R12 are the
 * guest's own; R8 holds the guest's RSP, R9 R13, R10 R14, R11 R15; the guest's R8 to R11 stay in
 * the state block. R14 and R15 are scratch, R13 counts instructions down, RSP is the host thread's
 * stack (a signal may arrive at any time).
 */
public final class NativeState {
  /** Offset of TLB 0 or 1. */
  static int tlb(int index) {
    return CpuState.SIZE + index * Tlb.BYTES;
  }

  private static final int BASE = CpuState.SIZE + 2 * Tlb.BYTES + 256;

  /** Site by which generated code left. */
  static final int EXIT_SITE = BASE;

  /**
   * Arithmetic flags where they are not in the host's: as LAHF and SETO leave them in AX (AH:
   * SF:ZF:0:AF:0:PF:1:CF, AL: OF).
   */
  static final int FLAGS = BASE + 8;

  /** RAX while flags are moved. */
  static final int SAVED_RAX = BASE + 16;

  /** Instructions that may still retire, when generated code is not running. */
  static final int COUNTER = BASE + 24;

  /** Linear address of an access that missed the TLB. */
  static final int MISS_VA = BASE + 32;

  /** Not 0 while the host's XMM registers and MXCSR, or its x87 registers, hold the guest's. */
  static final int SSE_LOADED = BASE + 40;

  static final int X87_LOADED = BASE + 48;

  /** Set by Java: the x87 image is to be loaded on entry. */
  static final int X87_WANTED = BASE + 56;

  /** Set by Java: the host's XMM registers are to be loaded on entry. */
  static final int SSE_WANTED = BASE + 96;

  static final int HOST_MXCSR = BASE + 64;
  static final int HOST_FCW = BASE + 72;

  /** Host address at which generated code is entered. */
  static final int ENTRY = BASE + 80;

  /** A value or host address kept over a TLB check. */
  static final int SAVED_VALUE = BASE + 88;

  /** General registers while page tables are walked: four. */
  static final int WALK_SAVED = BASE + 256;

  /** Root of the page tables that generated code may walk by itself, or a negative number. */
  static final int WALK_ROOT = BASE + 288;

  /**
   * A range of addresses, the bits above 42 of which are these, that is not looked for in page
   * tables: what lies less than WINDOW_BYTES from its start can be read at WINDOW_PA.
   */
  static final int WINDOW_TOP = BASE + 296;

  static final int WINDOW_BYTES = BASE + 344;
  static final int WINDOW_PA = BASE + 352;

  /** Host address and size of machine memory, and the host address of its code-frame marks. */
  static final int MEMORY_BASE = BASE + 304;

  static final int MEMORY_BYTES = BASE + 312;
  static final int CODE_FRAMES = BASE + 320;

  /** Machine address that a page of code is expected at. */
  static final int WALK_EXPECTED = BASE + 328;

  /**
   * Bits that entries of all levels must have set: present, accessed and, unless the mode is a
   * supervisor's, user.
   */
  static final int WALK_REQUIRED = BASE + 360;

  /** The user bit where CR4 has SMAP, else 0. */
  static final int WALK_SMAP = BASE + 520;

  /** Page-table walks of generated code. */
  static final int WALKS = BASE + 336;

  private static final int GROUP_ADDENDS = BASE + 384;

  /** FNSAVE image of the guest's x87. */
  static final int X87_IMAGE = BASE + 120;

  /** Index of the TLB that serves the mode in which generated code runs, or left. */
  static final int MODE = BASE + 528;

  /** While a gate's code runs: the address behind the instruction, and the site of it. */
  static final int GATE_RIP = BASE + 536;

  static final int GATE_SITE = BASE + 544;
  static final int GATE_PORT = BASE + 512;

  /**
   * {@link #EXIT_SITE} of a gate that leads to code that is not in the jump cache; RIP says where.
   */
  static final int NO_SITE = -1;

  /**
   * The guest's time-stamp counter from the host's: what {@link HostTsc} says, and what to add to
   * its nanoseconds.
   */
  static final int TSC_BASE = BASE + 552;

  static final int TSC_SCALE = BASE + 560;
  static final int TSC_OFFSET = BASE + 568;

  /** Sixteen 8-byte fields for the monitor's own code. */
  static final int MONITOR = BASE + 576;

  private static final int SUM_ADDENDS = BASE + 704;

  /** Addend of the open group of accesses that has a slot of {@link Groups}. */
  static int groupAddend(int slot) {
    return slot < Groups.INDEXED
        ? GROUP_ADDENDS + slot * 8
        : SUM_ADDENDS + (slot - Groups.INDEXED) * 8;
  }

  private static final int GATES = SUM_ADDENDS + Groups.SUMS * 8;

  /** Where an instruction in the mode of TLB 0 or 1 goes: see {@link Gates}. */
  static int gate(Gates.Gate gate, int tlbIndex) {
    return GATES + 16 * gate.ordinal() + 8 * tlbIndex;
  }

  private static final int GATE_STATE = GATES + 16 * Gates.Gate.values().length;

  /** The guest's RAX, RCX, RDX and RBX while a gate's code runs. */
  static final int GATE_SAVED = GATE_STATE;

  /** What a gate's code keeps over its accesses of guest memory: three 8-byte fields. */
  static final int GATE_KEPT = GATE_STATE + 32;

  /** The global bit where such pages outlive MOV to CR3, else 0; and that of the page found. */
  static final int WALK_GLOBAL = GATE_STATE + 56;

  static final int WALK_FOUND_GLOBAL = GATE_STATE + 64;

  private static final int CACHES = (GATE_STATE + 72 + 63) & -64;

  /** Entries of a jump cache. */
  static final int JUMPS = 16384;

  /** Bytes that follow the TLBs in a CPU's state block. */
  public static final int BYTES = CACHES - BASE + 256 + 2 * 16 * JUMPS;

  /** The key of an empty entry where 0, that of all others, would be found. */
  private static final long NO_JUMP = 2;

  /** Guest addresses of the jump cache of TLB 0 or 1, 8 bytes each. */
  static int jumpKeys(int tlbIndex) {
    return CACHES + tlbIndex * 16 * JUMPS;
  }

  /** Host addresses beside the keys. */
  static int jumpTargets(int tlbIndex) {
    return jumpKeys(tlbIndex) + 8 * JUMPS;
  }

  /** Nothing is loaded or wanted, and the jump caches are empty. */
  static void reset(long state) {
    U.setMemory(state + BASE, BYTES, (byte) 0);
    clearJumps(state);
  }

  /** Empties the jump caches: every key becomes one that its place is never asked for. */
  static void clearJumps(long state) {
    for (int tlb = 0; tlb < 2; tlb++) {
      long keys = state + jumpKeys(tlb);
      U.setMemory(keys, 8L * JUMPS, (byte) 0);
      U.putLong(keys, NO_JUMP);
      U.putLong(keys + 8, NO_JUMP);
    }
  }

  /**
   * Index into a jump cache; what is not there may be beside it, at the index with its last bit
   * turned.
   */
  static int jumpIndex(long va) {
    return ((int) va ^ (int) va >>> 12) & (JUMPS - 1);
  }

  /**
   * Enters a guest address and its host code into a jump cache: at its index or beside it, where it
   * is already or nothing is. Otherwise {@code beside} says, which has to change from call to call,
   * so that two addresses in use find room beside one that is not.
   */
  static void putJump(long state, int tlbIndex, long va, long host, boolean beside) {
    long keys = state + jumpKeys(tlbIndex);
    long at = jumpIndex(va) * 8L;
    long first = U.getLong(keys + at);
    long second = U.getLong(keys + (at ^ 8));
    if (first != va && (second == va || !isEmpty(first) && (isEmpty(second) || beside))) {
      at ^= 8;
    }
    U.putLong(state + jumpTargets(tlbIndex) + at, host);
    U.putLong(keys + at, va);
  }

  private static boolean isEmpty(long key) {
    return key == 0 || key == NO_JUMP;
  }

  private NativeState() {}
}
