package parhelion.cpu;

import static parhelion.cpu.CpuState.*;
import static parhelion.cpu.memory.Host.U;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.fpu.FloatUnit;
import parhelion.cpu.interp.CodeCache;
import parhelion.cpu.interp.Interpreter;
import parhelion.cpu.memory.MachineMemory;
import parhelion.cpu.rewrite.NativeState;
import parhelion.cpu.rewrite.RegionCache;
import parhelion.cpu.rewrite.Rewriter;

/**
 * One virtual x86-64 processor: its registers (off-heap, see {@link CpuState}), its way to memory
 * (a software TLB per mode) and its {@link Monitor}. It is run by one host thread at a time; only
 * {@link #requestAttention} may be called from others.
 *
 * <p>Registers are named by their offset in the state block; {@code get} and {@code put} of a width
 * touch just that width, except {@link #put32}, which zero-extends as the processor does.
 */
public final class Cpu implements AutoCloseable {
  /** Host address of the state block. */
  public final long state;

  public final MachineMemory memory;
  public final CodeCache code;
  public final Monitor monitor;

  /** What it offers its guests. */
  public final CpuModel model;

  /** Bits of {@link #modeKey} above the code size (1, 2 or 4 for 16, 32 or 64 bits). */
  public static final int MODE_STACK16 = 8;

  public static final int MODE_EM = 16;
  public static final int MODE_TS = 32;
  public static final int MODE_NO_OSFXSR = 64;
  public static final int MODE_REAL = 128;
  public static final int MODE_NO_AVX = 256;

  /** The model's ordinal stands in the mode key from this bit on: code is decoded for a model. */
  private static final int MODE_MODEL_SHIFT = 9;

  /** Working storage of soft floating point. */
  public final FloatUnit floats = new FloatUnit();

  /** Most instructions that a block of generated code counts at once. */
  private static final int MAX_BLOCK = 255;

  /** What a TLB is told of a translation. */
  private static final int RIGHTS =
      Access.MAY_READ | Access.MAY_WRITE | Access.MAY_EXECUTE | Access.GLOBAL;

  private static final int ATTENTION = 1;
  private static final int STOPPED = 2;
  private static final int SLOW = 4;
  private static final VarHandle PENDING;

  static {
    try {
      PENDING = MethodHandles.lookup().findVarHandle(Cpu.class, "pending", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** Lazy arithmetic flags: see {@link Flags}. */
  public long fRes = 1;

  public long fAux;

  /** Base and limit of the code segment that was in use last outside of 64-bit mode. */
  private long codeBase = -1;

  private long codeLimit = -1;

  /** Code size of the current CS, 16, 32 or 64. */
  public int codeBits = 64;

  /** Identifies what decoded code depends on: see {@link #updateMode}. */
  public int modeKey;

  /** Stack pointer width mask of the current SS (64-bit mode: all ones). */
  public long stackMask = -1L;

  /** Instructions retired. */
  public long retired;

  /** What {@link #retired} is to come to in the current {@link #run}. */
  private long runEnd;

  /** Whether the current run may end before that, where a block of code does. */
  private boolean endsEarly;

  private final long stateAllocation;
  private final Tlb[] tlbs;
  private Tlb tlb;
  private long tlbBase;
  private final GuestFault fault = new GuestFault();
  private final long bounce;
  private final Interpreter interpreter;

  /** Why the CPU must not simply run on: bits of ATTENTION, STOPPED, SLOW. */
  private volatile int pending;

  /** Blocks interrupts and debug traps until after the next instruction (STI, MOV SS, POP SS). */
  public boolean interruptShadow;

  /** A handler of an NMI runs; IRET ends that. For monitors, which deliver NMIs. */
  public boolean nmiBlocked;

  /**
   * The running instruction is an INT or SYSCALL: it has taken TF away without a single-step trap.
   */
  public boolean stepTrapSuppressed;

  /** DR6 bits of data breakpoints that the running instruction has hit. */
  public int pendingDebug;

  private boolean keepsGlobalPages;

  /** SMAP: a walk has found a user page that a supervisor may access because RFLAGS.AC is set. */
  boolean userPageOpened;

  private final @Nullable Rewriter rewriter;

  /** A CPU of the default model. */
  public Cpu(MachineMemory memory, CodeCache code, Monitor monitor) {
    this(memory, code, monitor, CpuModel.DEFAULT);
  }

  public Cpu(MachineMemory memory, CodeCache code, Monitor monitor, CpuModel model) {
    this.model = model;
    this.memory = memory;
    this.code = code;
    this.monitor = monitor;
    int bytes = SIZE + 2 * Tlb.BYTES + 256 + NativeState.BYTES;
    stateAllocation = U.allocateMemory(bytes + 64);
    state = (stateAllocation + 63) & -64L;
    bounce = state + SIZE + 2L * Tlb.BYTES;
    tlbs = new Tlb[] {new Tlb(state + SIZE), new Tlb(state + SIZE + Tlb.BYTES)};
    tlb = tlbs[0];
    tlbBase = tlb.base;
    CpuState.reset(state);
    put64(LOWEST_LARGE, -1L);
    interpreter = new Interpreter(this);
    code.attach(this);
    RegionCache regions = code.regions();
    rewriter = regions == null ? null : new Rewriter(this, regions);
  }

  /**
   * Puts the processor into its state after RESET: real mode, at the last 16 bytes below 4 GiB. The
   * time-stamp counter and the count of instructions go on.
   */
  public void reset() {
    long offset = get64(TSC_OFFSET);
    materializeFlags();
    long instructions = retired;
    CpuState.reset(state);
    put64(TSC_OFFSET, offset);
    put64(CpuState.RETIRED, instructions);
    put64(RDX, Cpuid.SIGNATURE);
    put64(RIP, 0xfff0);
    put64(SEG_SELECTOR + CS * 8, 0xf000);
    put64(SEG_BASE + CS * 8, 0xffff_0000L);
    put64(GDTR + 8, 0xffff);
    put64(IDTR + 8, 0xffff);
    put64(LDTR + 16, 0xffff);
    put64(LDTR + 24, 0x82);
    put64(TR + 16, 0xffff);
    put64(TR + 24, 0x8b);
    interruptShadow = false;
    nmiBlocked = false;
    pendingDebug = 0;
    stateChanged();
  }

  @Override
  public void close() {
    code.detach(this);
    U.freeMemory(stateAllocation);
  }

  // --- registers, by offset ---

  public long get64(int offset) {
    return U.getLong(state + offset);
  }

  public int get32(int offset) {
    return U.getInt(state + offset);
  }

  public int get16(int offset) {
    return U.getShort(state + offset) & 0xffff;
  }

  public int get8(int offset) {
    return U.getByte(state + offset) & 0xff;
  }

  public void put64(int offset, long value) {
    U.putLong(state + offset, value);
  }

  /** Writes 32 bits and clears the upper 32, as every 32-bit register write does. */
  public void put32(int offset, int value) {
    U.putLong(state + offset, value & 0xffffffffL);
  }

  public void put16(int offset, int value) {
    U.putShort(state + offset, (short) value);
  }

  public void put8(int offset, int value) {
    U.putByte(state + offset, (byte) value);
  }

  /** Reads {@code size} bytes zero-extended. */
  public long get(int offset, int size) {
    return switch (size) {
      case 1 -> get8(offset);
      case 2 -> get16(offset);
      case 4 -> get32(offset) & 0xffffffffL;
      default -> get64(offset);
    };
  }

  /** Writes a general register of {@code size} bytes with the processor's extension rules. */
  public void put(int offset, int size, long value) {
    switch (size) {
      case 1 -> put8(offset, (int) value);
      case 2 -> put16(offset, (int) value);
      case 4 -> put32(offset, (int) value);
      default -> put64(offset, value);
    }
  }

  public long rip() {
    return U.getLong(state + RIP);
  }

  public void rip(long rip) {
    U.putLong(state + RIP, rip);
  }

  public int cpl() {
    return U.getInt(state + CPL);
  }

  /** Whole RFLAGS, arithmetic flags included. */
  public long rflags() {
    return get64(RFLAGS) | Flags.get(this);
  }

  /** Sets the whole of RFLAGS; the caller has applied the masks of privilege. */
  public void rflags(long value) {
    Flags.set(this, value);
    long gone = get64(RFLAGS) & ~value;
    if ((value & Rflags.IF & ~get64(RFLAGS)) != 0) {
      requestAttention(); // an interrupt may have waited for this
    }
    put64(RFLAGS, (value & Rflags.WRITABLE & ~Rflags.ARITHMETIC) | Rflags.FIXED);
    if ((gone & Rflags.AC) != 0) {
      closeUserPages();
    }
    updateSlow();
  }

  /** STAC, CLAC. */
  public void alignmentCheck(boolean on) {
    if (on) {
      put64(RFLAGS, get64(RFLAGS) | Rflags.AC);
    } else {
      put64(RFLAGS, get64(RFLAGS) & ~(long) Rflags.AC);
      closeUserPages();
    }
  }

  /** Drops user pages from the supervisor's TLB as SMAP forbids them from now on. */
  private void closeUserPages() {
    tlbs[0].closeOpened();
    tlbs[1].closeOpened();
  }

  /** Whether a supervisor may access user pages, but not where it does so by implication. */
  boolean opensUserPages() {
    return (get64(RFLAGS) & Rflags.AC) != 0 && (get64(CR4) & ControlRegisters.CR4_SMAP) != 0;
  }

  /** Stores the lazy flags and counters into the state block, so that it can be copied. */
  public void materializeFlags() {
    put64(RFLAGS, (get64(RFLAGS) & ~Rflags.ARITHMETIC) | Flags.get(this));
    put64(RETIRED, retired);
  }

  /**
   * Takes everything that is derived from the state block from it, after it has been filled from
   * outside.
   */
  public void stateChanged() {
    Flags.set(this, get64(RFLAGS));
    put64(RFLAGS, (get64(RFLAGS) & ~Rflags.ARITHMETIC) | Rflags.FIXED);
    retired = get64(RETIRED);
    updateMode();
    updateSlow();
    flushTlbs();
  }

  /** Throws an exception of the running instruction; write {@code throw cpu.fault(...)}. */
  public GuestFault fault(int vector, int errorCode) {
    fault.vector = vector;
    fault.errorCode = errorCode;
    fault.cr2 = 0;
    throw fault;
  }

  public GuestFault fault(int vector) {
    return fault(vector, 0);
  }

  /** Throws #PF. */
  public GuestFault pageFault(long va, int errorCode) {
    fault.vector = GuestFault.PF;
    fault.errorCode = errorCode;
    fault.cr2 = va;
    throw fault;
  }

  // --- modes ---

  /**
   * Recomputes what follows from CS, SS, CPL, CR0, CR4, XCR0 and EFER. Call after changing any of
   * them outside an instruction.
   */
  public void updateMode() {
    int csAttr = get32(SEG_ATTR + CS * 8);
    boolean longMode = (get64(EFER) & (1 << 10)) != 0;
    boolean protectedMode = (get64(CR0) & 1) != 0;
    if (longMode && (csAttr & 0x2000) != 0) {
      codeBits = 64;
    } else {
      codeBits = (csAttr & 0x4000) != 0 ? 32 : 16;
    }
    stackMask =
        codeBits == 64 ? -1L : (get32(SEG_ATTR + SS * 8) & 0x4000) != 0 ? 0xffffffffL : 0xffffL;
    int cr0 = get32(CR0);
    modeKey =
        (codeBits >> 4)
            | (stackMask == 0xffffL ? MODE_STACK16 : 0)
            | ((cr0 & 4) != 0 ? MODE_EM : 0)
            | ((cr0 & 8) != 0 ? MODE_TS : 0)
            | ((get64(CR4) & 0x200) == 0 ? MODE_NO_OSFXSR : 0)
            | (protectedMode ? 0 : MODE_REAL)
            | (avxEnabled() ? 0 : MODE_NO_AVX)
            | model.ordinal() << MODE_MODEL_SHIFT;
    keepsGlobalPages =
        longMode && (get64(CR4) & ControlRegisters.CR4_PGE) != 0 && monitor.tlbsFollowPrivilege();
    tlbs[0].mayHoldGlobal |= keepsGlobalPages;
    tlbs[1].mayHoldGlobal |= keepsGlobalPages;
    tlb = tlbs[monitor.tlbIndex(this)];
    tlbBase = tlb.base;
    if (codeBits != 64) {
      legacyCode(get64(SEG_BASE + CS * 8), get64(SEG_LIMIT + CS * 8));
    }
  }

  /** What was found by its offset in another code segment, or within another limit, is not here. */
  private void legacyCode(long base, long limit) {
    if (base != codeBase || limit != codeLimit) {
      codeBase = base;
      codeLimit = limit;
      tlbs[0].codeMoved();
      tlbs[1].codeMoved();
    }
  }

  /** True in long mode (64-bit or compatibility). */
  public boolean longMode() {
    return (get64(EFER) & (1 << 10)) != 0;
  }

  public boolean protectedMode() {
    return (get64(CR0) & 1) != 0;
  }

  /** CR4.OSXSAVE and XCR0 let VEX-encoded vector instructions run. */
  private boolean avxEnabled() {
    return (get64(CR4) & ControlRegisters.CR4_OSXSAVE) != 0 && (get64(XCR0) & 6) == 6;
  }

  public Tlb tlb(int index) {
    return tlbs[index];
  }

  public Tlb tlb() {
    return tlb;
  }

  public long tlbEpoch() {
    return tlb.epoch;
  }

  public void flushTlbs() {
    put64(LOWEST_LARGE, -1L);
    put64(HIGHEST_LARGE, 0);
    for (Tlb each : tlbs) {
      each.flush();
      each.mayHoldGlobal = keepsGlobalPages;
    }
  }

  /** MOV to CR3: what is of all address spaces stays. */
  void flushContext() {
    if (!keepsGlobalPages) {
      flushTlbs();
      return;
    }
    tlbs[0].flushContext();
    tlbs[1].flushContext();
  }

  /**
   * Whether translations of pages that are marked global outlive MOV to CR3: CR4.PGE, of guests
   * whose page tables are their own.
   */
  public boolean keepsGlobalPages() {
    return keepsGlobalPages;
  }

  /** INVLPG: a large page is in the TLBs by its 4 KiB parts, all of which have to go. */
  public void flushPage(long va) {
    if (Long.compareUnsigned(va, get64(LOWEST_LARGE)) >= 0
        && Long.compareUnsigned(va, get64(HIGHEST_LARGE)) <= 0) {
      flushTlbs();
      return;
    }
    tlbs[0].flushPage(va);
    tlbs[1].flushPage(va);
  }

  /** Notes that a part of a large page, which ends at {@code last}, is going into a TLB. */
  void noteLargePage(long first, long last) {
    if (Long.compareUnsigned(first, get64(LOWEST_LARGE)) < 0) {
      put64(LOWEST_LARGE, first);
    }
    if (Long.compareUnsigned(last, get64(HIGHEST_LARGE)) > 0) {
      put64(HIGHEST_LARGE, last);
    }
  }

  /** The frame has come to hold decoded code: stores to it must take the slow path from now on. */
  public void protectFrame(long mfn) {
    long host = memory.hostAddress(mfn << 12, 4096);
    tlbs[0].protectHostPage(host);
    tlbs[1].protectHostPage(host);
  }

  // --- running ---

  public Interpreter interpreter() {
    return interpreter;
  }

  /** The engine that runs this CPU's code, or null if that is the interpreter. */
  public @Nullable Rewriter rewriter() {
    return rewriter;
  }

  /** Runs at most about {@code instructions} instructions, or until {@link #stop}. */
  public void run(long instructions) {
    endsEarly = false;
    runUntil(retired + instructions);
  }

  /**
   * The same for callers who do not count on the number: where fewer instructions are left than the
   * next block of generated code has, the run ends. That spares the interpreter a block that it has
   * to decode first. A run that is shorter than such a block can be is as {@link #run}'s.
   */
  public void runAbout(long instructions) {
    endsEarly = instructions > MAX_BLOCK;
    runUntil(retired + instructions);
  }

  private void runUntil(long end) {
    setPending(STOPPED, false);
    runEnd = end;
    interpreter.run();
  }

  /** Fewer instructions are left than the next block has: whether that is the end of the run. */
  public boolean endsBeforeBlock() {
    if (endsEarly) {
      runEnd = retired;
    }
    return endsEarly;
  }

  /**
   * Makes {@link #run} return after some {@code instructions} more, if it would not anyway. Called
   * on the CPU's own thread, from its monitor.
   */
  public void limitRun(long instructions) {
    runEnd = Math.min(runEnd, retired + instructions);
  }

  /** What {@link #retired} is to come to. */
  public long runEnd() {
    return runEnd;
  }

  /** Makes {@link #run} return after the current instruction. Called on the CPU's own thread. */
  public void stop() {
    setPending(STOPPED, true);
  }

  public boolean isStopped() {
    return (pending & STOPPED) != 0;
  }

  /** Makes the CPU call {@link Monitor#attend} at the next block boundary. Any thread. */
  public void requestAttention() {
    setPending(ATTENTION, true);
  }

  public boolean attentionRequested() {
    return (pending & ATTENTION) != 0;
  }

  public void clearAttention() {
    setPending(ATTENTION, false);
  }

  /** Single stepping, breakpoints or an interrupt shadow: instructions are run one at a time. */
  public boolean isSlow() {
    return (pending & SLOW) != 0;
  }

  /** Recomputes whether instructions are run one by one. */
  public void updateSlow() {
    setPending(
        SLOW, (get64(RFLAGS) & Rflags.TF) != 0 || (get64(DR7) & 0xff) != 0 || interruptShadow);
  }

  /** Attention is wanted, or the CPU was stopped, or must go slowly: one test for the run loop. */
  public boolean mustLeaveBlocks() {
    return pending != 0;
  }

  private void setPending(int bit, boolean value) {
    if (((pending & bit) != 0) == value) {
      return;
    }
    if (value) {
      PENDING.getAndBitwiseOr(this, bit);
    } else {
      PENDING.getAndBitwiseAnd(this, ~bit);
    }
  }

  // --- memory by virtual (linear) address: loads zero-extend ---

  public long load64(long va) {
    long entry = Tlb.slot(tlbBase, va);
    if (Long.compareUnsigned(va - U.getLong(entry), 4088) <= 0) {
      return U.getLong(va + U.getLong(entry + Tlb.ADDEND));
    }
    return loadSlow(va, 8, Access.READ);
  }

  public int load32(long va) {
    long entry = Tlb.slot(tlbBase, va);
    if (Long.compareUnsigned(va - U.getLong(entry), 4092) <= 0) {
      return U.getInt(va + U.getLong(entry + Tlb.ADDEND));
    }
    return (int) loadSlow(va, 4, Access.READ);
  }

  public int load16(long va) {
    long entry = Tlb.slot(tlbBase, va);
    if (Long.compareUnsigned(va - U.getLong(entry), 4094) <= 0) {
      return U.getShort(va + U.getLong(entry + Tlb.ADDEND)) & 0xffff;
    }
    return (int) loadSlow(va, 2, Access.READ);
  }

  public int load8(long va) {
    long entry = Tlb.slot(tlbBase, va);
    if (Long.compareUnsigned(va - U.getLong(entry), 4095) <= 0) {
      return U.getByte(va + U.getLong(entry + Tlb.ADDEND)) & 0xff;
    }
    return (int) loadSlow(va, 1, Access.READ);
  }

  public long load(long va, int size) {
    return switch (size) {
      case 1 -> load8(va);
      case 2 -> load16(va);
      case 4 -> load32(va) & 0xffffffffL;
      default -> load64(va);
    };
  }

  public void store64(long va, long value) {
    long entry = Tlb.slot(tlbBase, va);
    if (Long.compareUnsigned(va - U.getLong(entry + Tlb.WRITE_TAG), 4088) <= 0) {
      U.putLong(va + U.getLong(entry + Tlb.ADDEND), value);
    } else {
      storeSlow(va, 8, value);
    }
  }

  public void store32(long va, int value) {
    long entry = Tlb.slot(tlbBase, va);
    if (Long.compareUnsigned(va - U.getLong(entry + Tlb.WRITE_TAG), 4092) <= 0) {
      U.putInt(va + U.getLong(entry + Tlb.ADDEND), value);
    } else {
      storeSlow(va, 4, value);
    }
  }

  public void store16(long va, int value) {
    long entry = Tlb.slot(tlbBase, va);
    if (Long.compareUnsigned(va - U.getLong(entry + Tlb.WRITE_TAG), 4094) <= 0) {
      U.putShort(va + U.getLong(entry + Tlb.ADDEND), (short) value);
    } else {
      storeSlow(va, 2, value);
    }
  }

  public void store8(long va, int value) {
    long entry = Tlb.slot(tlbBase, va);
    if (Long.compareUnsigned(va - U.getLong(entry + Tlb.WRITE_TAG), 4095) <= 0) {
      U.putByte(va + U.getLong(entry + Tlb.ADDEND), (byte) value);
    } else {
      storeSlow(va, 1, value);
    }
  }

  public void store(long va, int size, long value) {
    switch (size) {
      case 1 -> store8(va, (int) value);
      case 2 -> store16(va, (int) value);
      case 4 -> store32(va, (int) value);
      default -> store64(va, value);
    }
  }

  /**
   * Load of a read-modify-write: faults as a store would, so that the store that follows cannot.
   */
  public long loadForWrite(long va, int size) {
    long entry = Tlb.slot(tlbBase, va);
    if (Long.compareUnsigned(va - U.getLong(entry + Tlb.WRITE_TAG), 4096 - size) <= 0) {
      long host = va + U.getLong(entry + Tlb.ADDEND);
      return switch (size) {
        case 1 -> U.getByte(host) & 0xff;
        case 2 -> U.getShort(host) & 0xffff;
        case 4 -> U.getInt(host) & 0xffffffffL;
        default -> U.getLong(host);
      };
    }
    return loadSlow(va, size, Access.WRITE);
  }

  /**
   * Atomically replaces {@code expected} by {@code value} (1, 2, 4 or 8 bytes); false when memory
   * holds something else.
   */
  public boolean compareAndSet(long va, int size, long expected, long value) {
    long entry = Tlb.slot(tlbBase, va);
    if (Long.compareUnsigned(va - U.getLong(entry + Tlb.WRITE_TAG), 4096 - size) <= 0) {
      long host = va + U.getLong(entry + Tlb.ADDEND);
      return switch (size) {
        case 1 -> U.compareAndSetByte(null, host, (byte) expected, (byte) value);
        case 2 ->
            (host & 3) == 3
                ? splitCompareAndSet(host, (short) expected, (short) value)
                : U.compareAndSetShort(null, host, (short) expected, (short) value);
        case 4 -> U.compareAndSetInt(null, host, (int) expected, (int) value);
        default -> U.compareAndSetLong(null, host, expected, value);
      };
    }
    long mask = size == 8 ? -1L : (1L << (size * 8)) - 1;
    if (loadSlow(va, size, Access.WRITE) != (expected & mask)) {
      return false;
    }
    storeSlow(va, size, value);
    return true;
  }

  private static synchronized boolean splitCompareAndSet(long host, short expected, short value) {
    if (U.getShort(host) != expected) {
      return false;
    }
    U.putShort(host, value);
    return true;
  }

  /**
   * Host address from which {@code size} (at most 64) bytes of {@code va} can be read: of the
   * memory itself, or of a copy when the range crosses a page or is hooked.
   */
  public long readPointer(long va, int size) {
    long entry = Tlb.slot(tlbBase, va);
    if (Long.compareUnsigned(va - U.getLong(entry), 4096 - size) <= 0) {
      return va + U.getLong(entry + Tlb.ADDEND);
    }
    for (int i = 0; i < size; i++) {
      U.putByte(bounce + i, (byte) loadSlow(va + i, 1, Access.READ));
    }
    return bounce;
  }

  /**
   * Host address of {@code size} readable bytes within the page of {@code va}, or 0 when they are
   * not plain memory.
   */
  public long readableHostRange(long va, int size) {
    long entry = Tlb.slot(tlbBase, va);
    if (va - U.getLong(entry) != (va & 4095)) {
      loadSlow(va, 1, Access.READ);
    }
    return va - U.getLong(entry) == (va & 4095) && (va & 4095) + size <= 4096
        ? va + U.getLong(entry + Tlb.ADDEND)
        : 0;
  }

  /**
   * Host address of {@code size} writable bytes within the page of {@code va}, or 0 when stores
   * must go one by one.
   */
  public long writableHostRange(long va, int size) {
    long entry = Tlb.slot(tlbBase, va) + Tlb.WRITE_TAG;
    if (va - U.getLong(entry) != (va & 4095)) {
      checkWritable(va, 1);
    }
    return va - U.getLong(entry) == (va & 4095) && (va & 4095) + size <= 4096
        ? va + U.getLong(entry - Tlb.WRITE_TAG + Tlb.ADDEND)
        : 0;
  }

  /**
   * Host address to which {@code size} (at most 64) bytes for {@code va} can be written; all faults
   * of the store are raised here. After writing call {@link #finishWrite}.
   */
  public long writePointer(long va, int size) {
    long entry = Tlb.slot(tlbBase, va);
    if (Long.compareUnsigned(va - U.getLong(entry + Tlb.WRITE_TAG), 4096 - size) <= 0) {
      return va + U.getLong(entry + Tlb.ADDEND);
    }
    checkWritable(va, size);
    return bounce + 128;
  }

  public void finishWrite(long pointer, long va, int size) {
    if (pointer == bounce + 128) {
      for (int i = 0; i < size; i++) {
        storeSlow(va + i, 1, U.getByte(pointer + i));
      }
    }
  }

  /**
   * Raises the fault that a store of {@code size} bytes would raise; afterwards the store cannot
   * fault.
   */
  public void checkWritable(long va, int size) {
    long first = translate(va, Access.WRITE);
    prepareStore(first, va, Math.min(size, (int) (4096 - (va & 4095))));
    if ((va & 4095) + size > 4096) {
      long nextVa = (va | 4095) + 1;
      long second = translate(nextVa, Access.WRITE);
      prepareStore(second, nextVa, (int) (va + size - nextVa));
    }
  }

  /** Page-aligned machine address with rights; installs it in the TLB where the rights allow. */
  private long translate(long va, int access) {
    if (codeBits == 64 && (va << 16 >> 16) != va) {
      throw fault(GuestFault.GP, 0);
    }
    long result = translateCanonical(va, access);
    if (result < 0) {
      throw pageFault(longMode() ? va : va & 0xffff_ffffL, Access.errorCode(result));
    }
    return result;
  }

  private long translateCanonical(long va, int access) {
    userPageOpened = false;
    long result = monitor.translate(this, va, access);
    if (result < 0 || (result & Access.HOOKED) != 0) {
      return result;
    }
    if (userPageOpened) {
      tlb.noteOpened(va);
    }
    install(tlb, va, result);
    return result;
  }

  /**
   * Results of {@link #fillTlb}: the access may go on; it needs the interpreter. Others are faults.
   */
  public static final long FILLED = 0;

  public static final long NOT_PLAIN = 1;

  /**
   * Brings the translation for an access of {@code size} bytes of 64-bit code into the TLB.
   *
   * @return FILLED; a negative number, {@link Access#pageFault}, if it faults so; NOT_PLAIN if it
   *     is anything else: it crosses a page, is hooked, stores to decoded code, raises another
   *     fault, or the translation was there already
   */
  public long fillTlb(long va, int size, int access) {
    if ((va & 4095) + size > 4096 || va << 16 >> 16 != va || hits(va, access)) {
      return NOT_PLAIN;
    }
    long result;
    try {
      result = translateCanonical(va, access);
    } catch (GuestFault f) {
      return NOT_PLAIN;
    }
    return result < 0 ? result : hits(va, access) ? FILLED : NOT_PLAIN;
  }

  /**
   * Machine address of {@code va} by what is in a TLB for such an access, or -1. What is there is
   * memory, and not decoded code if the access is a write.
   */
  public long inTlb(int tlbIndex, long va, int access) {
    long entry = Tlb.slot(tlbs[tlbIndex].base, va);
    long tag = U.getLong(entry + (access == Access.WRITE ? Tlb.WRITE_TAG : Tlb.READ_TAG));
    return tag == (va & -4096L) ? U.getLong(entry + Tlb.HOST_PAGE) - memory.base() | va & 4095 : -1;
  }

  /**
   * Machine address of the page of {@code va} by the supervisor's TLB, for an access by
   * implication; -1 if it is not there.
   */
  long inSupervisorTlb(long va, int access) {
    if (!monitor.tlbsFollowPrivilege() || tlbs[0].holdsOpened()) {
      return -1;
    }
    long pa = inTlb(0, va, access);
    return pa < 0 ? -1 : pa & -4096L;
  }

  /** Keeps what the monitor has said of an access by implication, where that can be kept. */
  void installForSupervisor(long va, long translation) {
    if (monitor.tlbsFollowPrivilege()
        && (translation & Access.HOOKED) == 0
        && (get64(DR7) & 0xff) == 0) {
      install(tlbs[0], va, translation);
    }
  }

  private void install(Tlb into, long va, long translation) {
    long pa = translation & -4096L;
    int rights = (int) translation & RIGHTS;
    if (memory.isCodeFrame(pa >>> 12)) {
      rights &= ~Access.MAY_WRITE;
    }
    if ((get64(DR7) & 0xff) != 0 && Breakpoints.onPage(this, va)) {
      rights &= Access.MAY_EXECUTE;
    }
    into.install(va, memory.base() + pa, rights);
  }

  private boolean hits(long va, int access) {
    long tag = Tlb.slot(tlbBase, va) + (access == Access.WRITE ? Tlb.WRITE_TAG : Tlb.READ_TAG);
    return U.getLong(tag) == (va & -4096L);
  }

  private void prepareStore(long translation, long va, int size) {
    if ((translation & Access.HOOKED) == 0) {
      long pa = (translation & -4096L) | (va & 4095);
      if (memory.isCodeFrame(pa >>> 12)) {
        code.beforeStore(this, pa, size);
      }
    }
  }

  private long loadSlow(long va, int size, int access) {
    if ((get64(DR7) & 0xff) != 0) {
      Breakpoints.check(this, va, size, access);
    }
    if ((va & 4095) + size > 4096) {
      int firstBytes = (int) (4096 - (va & 4095));
      long first = translate(va, access);
      long nextVa = (va | 4095) + 1;
      long second = translate(nextVa, access);
      if (access == Access.WRITE) {
        prepareStore(first, va, firstBytes);
        prepareStore(second, nextVa, size - firstBytes);
      }
      long value = 0;
      for (int i = 0; i < size; i++) {
        boolean low = i < firstBytes;
        value |= loadPage(low ? first : second, va + i, 1) << (8 * i);
      }
      return value;
    }
    long translation = translate(va, access);
    if (access == Access.WRITE) {
      prepareStore(translation, va, size);
    }
    return loadPage(translation, va, size);
  }

  private long loadPage(long translation, long va, int size) {
    long pa = (translation & -4096L) | (va & 4095);
    if ((translation & Access.HOOKED) != 0) {
      long value = monitor.load(this, va, pa, size);
      return size == 8 ? value : value & ((1L << (8 * size)) - 1);
    }
    long host = memory.base() + pa;
    return switch (size) {
      case 1 -> U.getByte(host) & 0xff;
      case 2 -> U.getShort(host) & 0xffff;
      case 4 -> U.getInt(host) & 0xffffffffL;
      default -> U.getLong(host);
    };
  }

  private void storeSlow(long va, int size, long value) {
    if ((get64(DR7) & 0xff) != 0) {
      Breakpoints.check(this, va, size, Access.WRITE);
    }
    if ((va & 4095) + size > 4096) {
      int firstBytes = (int) (4096 - (va & 4095));
      long first = translate(va, Access.WRITE);
      long nextVa = (va | 4095) + 1;
      long second = translate(nextVa, Access.WRITE);
      prepareStore(first, va, firstBytes);
      prepareStore(second, nextVa, size - firstBytes);
      for (int i = 0; i < size; i++) {
        storePage(i < firstBytes ? first : second, va + i, 1, value >>> (8 * i));
      }
      return;
    }
    long translation = translate(va, Access.WRITE);
    prepareStore(translation, va, size);
    storePage(translation, va, size, value);
  }

  private void storePage(long translation, long va, int size, long value) {
    long pa = (translation & -4096L) | (va & 4095);
    if ((translation & Access.HOOKED) != 0) {
      monitor.store(this, va, pa, size, value);
      return;
    }
    long host = memory.base() + pa;
    switch (size) {
      case 1 -> U.putByte(host, (byte) value);
      case 2 -> U.putShort(host, (short) value);
      case 4 -> U.putInt(host, (int) value);
      default -> U.putLong(host, value);
    }
  }

  /** Machine address of the code byte at {@code va}; raises the fault of the fetch. */
  public long fetchAddress(long va) {
    long entry = Tlb.executeSlot(tlbBase, va);
    if (Long.compareUnsigned(va - U.getLong(entry), 4095) <= 0) {
      return va + U.getLong(entry + 8) - memory.base();
    }
    long translation = translate(va, Access.EXECUTE);
    if ((translation & Access.HOOKED) != 0) {
      throw fault(GuestFault.GP, 0);
    }
    return (translation & -4096L) | (va & 4095);
  }
}
